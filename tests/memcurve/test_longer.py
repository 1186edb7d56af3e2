"""What gets longer in its place is told with its holder, and names that the calls made as well."""

import sys
from pathlib import Path

import msgspec
import pytest

import memcurve
from memcurve.explain.figures import Growth
from memcurve.explain.other_culprits import in_place
from memcurve.measure.explaining_passes import Wanted, Windows, survivors_request
from memcurve.measure.isolation import TUNABLES, SpawnedWorker
from memcurve.measure.runner import PassPlan, Session
from memcurve.measure.worker import pools
from memcurve.model.answers import PathStep, texts_of
from memcurve.model.findings import Culprit, Site
from memcurve.model.scenario import Target
from memcurve.model.survivors_survey import GrownBuffer, SurvivorsSurvey
from tests.memcurve.test_worker_pythons import interpreter

SOURCE = """
class Job:
    def __init__(self):
        self.log = ""
        self.parts = {}

TEXT, JOB, FLAGS = "", Job(), Job()
OLDER = compile("\\n".join("x.seen_long_before_%d" % n for n in range(300)), "older", "exec")

def text(number):
    global TEXT
    TEXT += "x" * 300

def attribute(number):
    JOB.log += "x" * 300

def of_a_key(number):
    JOB.parts["body"] = JOB.parts.get("body", b"") + bytes(300)

def inside_what_is_replaced(number):
    JOB.parts = {"body": [JOB.parts["body"][0] + bytes(300)] if JOB.parts else [b""]}

def never_longer(number):
    global TEXT
    TEXT = "x" * (3000 - 100 * (number % 10))

def shorter(number):
    global TEXT
    TEXT = "x" * (300000 - 300 * number)

def new_names(number):
    setattr(FLAGS, "seen_by_the_handler_%d" % number, True)

def old_names(number):
    setattr(FLAGS, OLDER.co_names[number], True)

def the_same_names(number):
    setattr(FLAGS, "seen_by_the_handler_%d" % (number % 20), True)
"""
WINDOWS = Windows(warm=60, window=50, traced=5, short=10, long=30, lines=10)
PLAN = PassPlan(kind="survivors", mode="settled", grace_s=0.05)
JOB = ("longer.JOB: longer.Job",)


def look(folder: Path, name: str) -> SurvivorsSurvey:
    """Run a survivors pass of one function of the source."""
    file = folder / "longer.py"
    file.write_text(SOURCE)
    with SpawnedWorker(sys.executable, {"GLIBC_TUNABLES": TUNABLES}) as worker:
        session = Session(worker, timeout_s=60.0)
        assert session.load(Target(call=f"{file}:{name}"), ()) is None
        wanted = Wanted(least_per_call=5.0, least_lost=5.0)
        record = session.run(*survivors_request(PLAN, WINDOWS, wanted))
    assert record.failure is None, record.failure
    assert record.surveys.survivors is not None
    return record.surveys.survivors


@pytest.mark.parametrize(
    ("name", "kind", "path"),
    [
        ("text", "str", ("longer.TEXT: str",)),
        ("attribute", "str", (*JOB, ".log: str")),
        ("of_a_key", "bytes", (*JOB, ".parts: dict", "['body']: bytes")),
        (
            "inside_what_is_replaced",
            "bytes",
            (*JOB, ".parts: dict", "['body']: list", "[*]: bytes"),
        ),
    ],
)
def test_what_a_longer_one_takes_the_place_of_is_told_with_its_holder(
    tmp_path: Path, name: str, kind: str, path: tuple[str, ...]
) -> None:
    (found,) = look(tmp_path, name).grown
    assert (found.type, found.root, found.replaced) == (kind, "module global", True)
    assert texts_of(found.path) == path
    assert 290 <= found.grown / 100 <= 310  # a call, of both windows
    assert found.size > 300 * 150


@pytest.mark.parametrize("name", ["never_longer", "shorter"])
def test_what_is_only_replaced_is_not_told(tmp_path: Path, name: str) -> None:
    assert look(tmp_path, name).grown == ()


@pytest.mark.skipif(not pools.usable(), reason="pools cannot be read here")
def test_names_that_the_calls_made_are_told_with_the_object_that_has_them(tmp_path: Path) -> None:
    (found,) = look(tmp_path, "new_names").groups
    assert (found.type, found.root) == ("str", "module global")
    assert texts_of(found.path) == ("longer.FLAGS: longer.Job", ".*: str")
    assert 45 <= found.objects <= 50  # one that came to the place of another block is passed by


def test_names_that_an_interpreter_never_frees_are_told_with_the_object_too(tmp_path: Path) -> None:
    file = tmp_path / "longer.py"
    file.write_text(SOURCE)
    found = memcurve.check(f"{file}:new_names", python=interpreter("3.12"))
    (names,) = (one for one in found.culprits if one.type == "str")
    assert (names.root, names.path) == ("module global", ("longer.FLAGS: longer.Job", ".*: str"))


@pytest.mark.parametrize("name", ["old_names", "the_same_names"])
def test_names_that_are_older_than_the_calls_are_nobodys_leak(tmp_path: Path, name: str) -> None:
    assert [group for group in look(tmp_path, name).groups if group.type == "str"] == []


def grown(size: float, *, left: float, site: float) -> list[Culprit]:
    """Return the culprits of a text that grew by `size` a call beside a site that gained `site`."""
    text = GrownBuffer(
        type="str",
        grown=int(100 * size),
        root="module global",
        path=(PathStep("", "app.TEXT: str"),),
        size=50 << 10,
        replaced=True,
    )
    made = Site(
        site="app.py:3",
        function="add",
        bytes_per_call=site,
        blocks_per_call=0.0,
        native=False,
        stack=("app.py:3",),
    )
    growth = Growth(scenario="s", bytes_per_call=left, python_per_call=0.0, native_per_call=left)
    survey = SurvivorsSurvey(calls=50, calls_since_mark=100, grown=(text,))
    return list(in_place(growth, survey, (), (made,)))


def test_a_text_that_gets_longer_has_the_line_that_gained_as_much() -> None:
    (found,) = grown(300, left=300, site=310)
    assert (found.bytes_per_call, found.site) == (300, "app.py:3")
    assert "a longer str takes its place at each call (50.0 KiB by then)" in found.advice
    (found,) = grown(300, left=300, site=9000)
    assert found.site == ""


def test_a_text_that_gained_more_than_is_left_only_varies() -> None:
    assert grown(300, left=100, site=300) == []
    fitting = msgspec.structs.replace(grown(100, left=100, site=100)[0], share=0.0)
    assert fitting.bytes_per_call == 100
