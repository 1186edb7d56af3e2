"""What `memcurve.pytest_plugin` loads when a test is measured."""
