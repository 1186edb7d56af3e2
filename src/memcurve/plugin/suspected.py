"""Measure the suspects of the last survey as if they were marked, and run no other test."""

import pytest

STORED = "memcurve/suspects"


def keep_suspects(config: pytest.Config, tests: tuple[str, ...]) -> bool:
    """Keep the ids of suspects in pytest's cache; False where this session has none."""
    cache = getattr(config, "cache", None)
    if cache is None:
        return False
    cache.set(STORED, list(tests))
    return True


class Suspected:
    """Selects the suspects of the last survey and marks those that have no marker."""

    def __init__(self, config: pytest.Config) -> None:
        cache = getattr(config, "cache", None)
        found = cache.get(STORED, None) if cache is not None else None
        if found is None:
            raise pytest.UsageError(
                "--memcurve-suspects measures what a survey found, and none is kept here: "
                "run pytest --memcurve-survey first, with pytest's cache"
            )
        self._config, self._names = config, frozenset(found)
        self._skipped: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        wanted = [item for item in items if item.nodeid in self._names]
        chosen = [item for item in wanted if isinstance(item, pytest.Function)]
        self._skipped = [item.nodeid for item in wanted if item not in chosen]
        for item in chosen:
            if item.get_closest_marker("memcurve") is None:
                item.add_marker("memcurve")
        rest = [item for item in items if item not in set(chosen)]
        if rest:
            self._config.hook.pytest_deselected(items=rest)
        items[:] = chosen

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and not self._names:
            session.exitstatus = pytest.ExitCode.OK

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._names:
            terminalreporter.write_line("memcurve: the last survey found no suspects")
        for name in self._skipped:
            terminalreporter.write_line(f"memcurve: {name} is no function, and was not measured")
