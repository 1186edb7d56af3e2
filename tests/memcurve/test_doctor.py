"""What the doctor says of interpreters and platforms, this one and others."""

import os
import sys
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from memcurve.cli.app import main
from memcurve.judge.judgement import judge
from memcurve.model.diagnosis import Diagnosis
from memcurve.model.errors import MeasureError
from memcurve.model.recording import Source
from memcurve.run import doctor
from memcurve.run.doctor import diagnose, diagnosis_of
from tests.memcurve.making import environment, recording

EXACT = {"name": "mallinfo2", "exact": True, "note": ""}
PAGES = {"name": "resident set less Python's pools", "exact": False, "note": "pages of 4 KiB"}
UNREAD = {"name": "none", "exact": False, "note": "nothing can be read: install psutil"}


def facts(
    *, python: dict[str, Any] = EXACT, malloc: dict[str, Any] = EXACT, **changes: Any
) -> dict[str, Any]:
    """Return what a worker on Linux tells, with these changes in it or in its environment."""
    described = msgspec.to_builtins(environment())
    described["sources"] = {"python_bytes": python, "malloc_bytes": malloc}
    told: dict[str, Any] = {
        "environment": described,
        "thread_cache": False,
        "freezes": True,
        "fork": True,
        "proc": True,
        "resets_peak": True,
        "dev_fd": True,
        "row_ns": 20_000,
        "modules": {"memray": True, "objgraph": True, "psutil": True},
        "debug": False,
        "gil": True,
    }
    for name, value in changes.items():
        (described if name in described else told)[name] = value
    return told


def row(found: Diagnosis, counter: str) -> doctor.CounterSource:
    return next(one for one in found.counters if one.counter == counter)


def test_this_interpreter_is_counted_to_the_byte() -> None:
    found = diagnose()
    assert found.exact
    assert row(found, "live_bytes").exact
    assert found.thread_cache_off
    assert not found.notes
    assert found.key.startswith(f"cpython{sys.version_info[0]}.{sys.version_info[1]}-")


def test_pythonmalloc_malloc_is_exact_in_total_and_carries_no_caveat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    found = diagnose()
    assert row(found, "live_bytes").exact
    assert row(found, "python_bytes").source == "none"
    assert "not split" in " ".join(found.notes)
    told = msgspec.structs.replace(recording(), environment=found.environment)
    assert not judge(told).caveats


def test_a_thread_cache_that_stays_on_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("memcurve.measure.isolation.TUNABLES", "glibc.malloc.tcache_count=7")
    found = diagnose()
    assert not found.thread_cache_off
    assert "thread cache" in " ".join(found.notes)


def test_musl_counts_malloc_in_pages_and_python_to_the_byte() -> None:
    found = diagnosis_of(facts(malloc=PAGES, libc="musl"))
    assert found.exact
    assert row(found, "python_bytes").exact
    assert not row(found, "live_bytes").exact
    assert "4 KiB" in row(found, "live_bytes").note
    assert "musl" in " ".join(found.notes)


def test_a_free_threaded_build_names_the_build_that_counts_to_the_byte() -> None:
    found = diagnosis_of(facts(python=PAGES, free_threaded=True, allocator="mimalloc"))
    assert found.key.startswith("cpython3.11t-")
    assert "default build" in " ".join(found.notes)


def test_macos_without_proc_names_what_stands_in() -> None:
    modules = {"memray": False, "objgraph": False, "psutil": False}
    told = facts(malloc={**EXACT, "name": "malloc_zone_statistics"}, platform="darwin")
    found = diagnosis_of({**told, "proc": False, "modules": modules})
    assert row(found, "fds").source == "/dev/fd"
    assert not row(found, "threads").exact
    assert "psutil" in row(found, "threads").note


def test_windows_can_only_be_measured_in_process() -> None:
    told = facts(platform="win32", fork=False, proc=False, dev_fd=False)
    found = diagnosis_of(told)
    assert found.isolation == ("none",)
    assert row(found, "fds").source == "psutil handles"


def test_figures_under_another_malloc_are_kept_apart() -> None:
    plain, other = diagnosis_of(facts()), diagnosis_of(facts(allocator="pymalloc+jemalloc"))
    assert plain.key != other.key
    assert "jemalloc" in " ".join(other.notes)


def test_a_source_that_counts_caches_as_in_use_is_a_caveat_of_the_verdict() -> None:
    cached = Source(name="jemalloc stats.allocated", exact=True, note="caches of other threads")
    sources = environment().sources | {"malloc_bytes": cached}
    told = msgspec.structs.replace(
        recording(), environment=msgspec.structs.replace(environment(), sources=sources)
    )
    assert [caveat.kind for caveat in judge(told).caveats] == ["thread_caches"]


def test_figures_that_wrap_are_a_caveat_of_the_verdict_and_those_of_mallinfo2_are_not() -> None:
    wraps = Source(name="mallinfo", exact=True, note="counts modulo 4 GiB")
    sources = environment().sources | {"malloc_bytes": wraps}
    told = msgspec.structs.replace(
        recording(), environment=msgspec.structs.replace(environment(), sources=sources)
    )
    assert [caveat.kind for caveat in judge(told).caveats] == ["malloc_wraps"]
    assert not judge(recording()).caveats


def test_json_holds_the_counters_and_the_key() -> None:
    done = CliRunner().invoke(main, ["doctor", "--json"])
    told = msgspec.json.decode(done.output, type=Diagnosis)
    assert done.exit_code == 0
    assert (told.schema_version, told.exact) == (1, True)
    assert told.key == diagnose().key
    assert {"live_bytes", "fds", "tasks"} <= {one.counter for one in told.counters}


def test_text_names_every_counter_and_the_limit() -> None:
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 0
    for word in ("live_bytes", "rss_peak_bytes", "isolation: fork", "memory limit", "memray"):
        assert word in done.output


def test_exit_code_2_where_nothing_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(python: str) -> Diagnosis:
        return diagnosis_of(facts(python=UNREAD, malloc=PAGES))

    monkeypatch.setattr(doctor, "diagnose", blind)
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 2
    assert "nothing can be counted exactly" in done.output


def test_an_interpreter_that_is_not_there_is_exit_code_2() -> None:
    done = CliRunner().invoke(main, ["doctor", "--python", "/no/such/python"])
    assert done.exit_code == 2
    assert "/no/such/python" in done.output


def test_what_is_not_python_is_named_with_what_is_needed() -> None:
    with pytest.raises(MeasureError, match=r"needs CPython 3\.8 or newer"):
        diagnose(os.path.realpath("/bin/false"))
