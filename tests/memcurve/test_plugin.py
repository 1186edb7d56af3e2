"""The pytest plugin where nothing is measured: options, settings, marker, cost."""

import subprocess
import sys
from pathlib import Path

import pytest

from memcurve.model.errors import QuantityError
from memcurve.plugin.isolation import OpenResources, read_open
from memcurve.plugin.settings import QUICK, Settings, SettingsError, read_settings

pytest_plugins = "pytester"

TAKEN = {"limit_memory", "limit_leaks", "benchmem", "leak_check", "benchmark_memory"}


ALONE = ("-p", "memcurve.plugin.pytest_plugin")


@pytest.fixture(autouse=True)
def no_other_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


def settings_of(pytester: pytest.Pytester, *args: str, ini: str = "", **marker: object) -> Settings:
    pytester.makeini(f"[pytest]\n{ini}")
    return read_settings(pytester.parseconfigure(*ALONE, *args), marker)


def test_the_plugin_loads_nothing_heavy() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import memcurve.plugin.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["memcurve", "memcurve.plugin", "memcurve.plugin.pytest_plugin"]


def test_a_session_that_measures_nothing_loads_nothing_heavy(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_plain():
            heavy = {"msgspec", "memray", "matplotlib", "rich", "click", "memcurve.api"}
            assert not heavy & set(sys.modules)
        """
    )
    pytester.runpytest_subprocess(*ALONE).assert_outcomes(passed=1)


def test_no_hook_runs_for_each_test_unless_measuring_was_asked_for(
    pytester: pytest.Pytester,
) -> None:
    config = pytester.parseconfigure(*ALONE)
    for name in dir(config.hook):
        if name.startswith(("pytest_runtest", "pytest_pyfunc", "pytest_fixture")):
            owners = {
                impl.function.__module__ for impl in getattr(config.hook, name).get_hookimpls()
            }
            assert not {owner for owner in owners if owner.startswith("memcurve")}, name


def test_a_marked_test_runs_once_and_that_is_said(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        calls = []

        @pytest.mark.memcurve(retained="64 B")
        def test_marked():
            calls.append(1)

        def test_once():
            assert calls == [1]
        """
    )
    result = pytester.runpytest_subprocess(*ALONE, "--strict-markers")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["memcurve: 1 marked test ran once, unmeasured; measure with --memcurve"]
    )


def test_markers_fixtures_and_options_of_others_are_left_alone(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_subprocess(*ALONE, "--markers", "--fixtures").stdout.str()
    assert "@pytest.mark.memcurve(" in shown
    ours = [line for line in shown.splitlines() if "memcurve" in line]
    assert not [line for line in ours for name in TAKEN if name in line]


def test_defaults_hold_where_nothing_is_said(pytester: pytest.Pytester) -> None:
    settings = settings_of(pytester)
    assert (settings.limits.retained, settings.limits.deferred) == (1.0, None)
    assert (settings.limits.fds, settings.limits.threads, settings.limits.tasks) == (0, 0, 0)
    assert (settings.effort.shown, settings.effort.seconds) == (100, 10.0)
    assert (settings.isolation, settings.inconclusive, settings.quick) == ("auto", "fail", False)
    assert settings.explain


def test_the_configuration_file_takes_effect(pytester: pytest.Pytester) -> None:
    ini = """
memcurve_calls = 150
memcurve_budget = 4.5
memcurve_retained = 2 KiB
memcurve_deferred = 8 KiB
memcurve_garbage = 2 MiB
memcurve_max_bytes = 1 MiB
memcurve_inconclusive = warn
memcurve_baselines = kept
memcurve_quick = true
memcurve_explain = false
"""
    settings = settings_of(pytester, ini=ini)
    assert (settings.effort.shown, settings.effort.seconds) == (120, 4.5)
    assert settings.options.thresholds.most_calls == QUICK.most_calls
    assert settings.options.thresholds.tolerance == settings.limits.retained == 2048
    assert settings.options.thresholds.max_bytes == 1 << 20
    assert settings.limits.deferred == 8192
    assert settings.options.thresholds.max_garbage == 2 << 20
    assert settings.inconclusive == "warn"
    assert settings.baselines == pytester.path / "kept"
    assert settings.quick
    assert not settings.explain


def test_the_marker_goes_before_the_configuration_file(pytester: pytest.Pytester) -> None:
    settings = settings_of(
        pytester, ini="memcurve_retained = 2 KiB\nmemcurve_calls = 7", retained="64 B", fds=None
    )
    assert settings.limits.retained == 64
    assert settings.effort.shown == 7
    assert settings.limits.fds is None


@pytest.mark.parametrize("args", [("--memcurve-quick",), ("--memcurve", "--memcurve-quick")])
def test_the_command_line_takes_effect(pytester: pytest.Pytester, args: tuple[str, ...]) -> None:
    settings = settings_of(pytester, *args)
    assert settings.quick
    assert settings.options.thresholds.most_calls == QUICK.most_calls


@pytest.mark.parametrize(
    ("args", "ini", "wanted"),
    [
        ((), "", False),
        (("--memcurve",), "", True),
        (("--memcurve-quick",), "", True),
        (("--memcurve-report=out",), "", True),
        (("--memcurve-accept",), "", True),
        ((), "memcurve = true", True),
        ((), "memcurve = false", False),
        (("--memcurve",), "memcurve = false", True),
    ],
)
def test_measuring_is_asked_for_by_option_or_setting(
    pytester: pytest.Pytester, args: tuple[str, ...], ini: str, wanted: bool
) -> None:
    pytester.makeini(f"[pytest]\n{ini}")
    config = pytester.parseconfigure(*ALONE, *args)
    assert config.pluginmanager.has_plugin("memcurve-measuring") is wanted


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ({"retaind": 1}, "no keyword 'retaind'; it has calls, budget, retained"),
        ({"retained": "64 KB"}, "'64 KB' is not a size"),
        ({"retained": []}, r"\[\] is not a size"),
        ({"calls": 0}, "calls=0; ask for 1 or more"),
        ({"fds": "many"}, "could not convert string to float: 'many'"),
        ({"isolation": "vm"}, "isolation='vm'; it is one of auto, fork, none"),
    ],
)
def test_a_wrong_marker_says_what_is_wrong(
    pytester: pytest.Pytester, marker: dict[str, object], message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        settings_of(pytester, **marker)
    assert not isinstance(caught.value, QuantityError)


def test_a_wrong_marker_fails_its_test_only(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.memcurve(retained="64 KB")
        def test_wrong():
            pass

        @pytest.mark.memcurve("64 B")
        def test_positional():
            pass

        def test_other():
            pass
        """
    )
    result = pytester.runpytest_subprocess(*ALONE, "--memcurve")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*'64 KB' is not a size*", "*takes keywords: retained=*"])


def test_sockets_and_threads_that_came_later_are_seen(tmp_path: Path) -> None:
    import socket

    before = read_open()
    assert not read_open().beyond(before)
    with socket.socket():
        assert read_open().beyond(before)
    assert OpenResources(sockets=0, threads=2).beyond(OpenResources(sockets=0, threads=1))
