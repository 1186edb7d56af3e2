"""How places in code are written for a reader."""

import msgspec
import pytest

from memcurve.explain.places import (
    is_stdlib,
    kept_frames,
    short,
    shortened,
    site_of,
    user_site_of,
)
from tests.memcurve.making import culprit, cycle, explanation

HERE = "/home/me/app"
PACKAGES = "/home/me/app/.venv/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (f"{HERE}/bench/leaks.py:12", "bench/leaks.py:12"),
        (f"{PACKAGES}/httpx/_config.py:35", "httpx/_config.py:35"),
        ("/usr/lib/python3/dist-packages/yaml/cyaml.py:3", "yaml/cyaml.py:3"),
        ("/usr/lib/python3.11/asyncio/events.py:80", "asyncio/events.py:80"),
        (f"coroutine work ({HERE}/jobs.py:9)", "coroutine work (jobs.py:9)"),
        (
            f"._coro: coroutine send ({PACKAGES}/httpx/_client.py:7)",
            "._coro: coroutine send (httpx/_client.py:7)",
        ),
        ("/home/me/application/jobs.py:9", "/home/me/application/jobs.py:9"),
        ("['http://127.0.0.1:80/rag']: app.Client", "['http://127.0.0.1:80/rag']: app.Client"),
        ("<frozen importlib>:1", "<frozen importlib>:1"),
    ],
)
def test_a_place_is_written_from_the_working_directory_or_the_package(
    text: str, written: str
) -> None:
    assert short(text, HERE) == written


def test_every_place_of_an_explanation_is_written_so() -> None:
    stack = (f"{HERE}/jobs.py:3", f"{PACKAGES}/httpx/_client.py:7")
    held = msgspec.structs.replace(
        culprit("app.Job"), site=stack[0], stack=stack, path=(f"function run ({HERE}/jobs.py:1)",)
    )
    found = shortened(explanation(held, cycles=(cycle("app.Job"),)), HERE)
    (first,) = found.culprits
    assert (first.site, first.stack) == ("jobs.py:3", ("jobs.py:3", "httpx/_client.py:7"))
    assert first.path == ("function run (jobs.py:1)",)
    assert found.cycles == (cycle("app.Job"),)
    assert (first.fingerprint, first.per_call) == (held.fingerprint, held.per_call)


def test_the_site_is_the_innermost_frame_outside_the_standard_library() -> None:
    frames = ("/usr/lib/python3.11/json/decoder.py:353", f"{PACKAGES}/httpx/_models.py:1")
    assert site_of(frames) == frames[1]
    assert is_stdlib(frames[0])
    assert site_of(frames[:1]) == frames[0]


LIBRARY = tuple(f"{PACKAGES}/httpx/_client.py:{line}" for line in range(1, 9))
STANDARD = "/usr/lib/python3.11/asyncio/events.py:80"


def test_the_users_line_is_the_innermost_that_no_library_has() -> None:
    frames = (*LIBRARY, STANDARD, f"{HERE}/jobs.py:3", f"{HERE}/main.py:1")
    assert user_site_of(frames) == f"{HERE}/jobs.py:3"


def test_no_line_is_the_users_where_only_libraries_are_on_the_way() -> None:
    assert user_site_of((*LIBRARY, STANDARD, "<string>:1")) == ""


def test_the_users_line_is_kept_however_deep_it_is() -> None:
    frames = (*LIBRARY, f"{HERE}/jobs.py:3", f"{HERE}/main.py:1")
    assert kept_frames(frames, 4) == (*LIBRARY[:4], f"{HERE}/jobs.py:3")
    assert kept_frames(LIBRARY, 4) == LIBRARY[:4]
