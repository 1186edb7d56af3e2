"""The door for pytest; `pytest_plugin` alone is loaded where no test is measured."""
