"""What calls leave to the collector is what `gc.disable()`, calls, `gc.collect()` finds."""

import subprocess
import sys
from pathlib import Path

import pytest

import memcurve
from memcurve.judge.judgement import judge
from memcurve.model.recording import Samples
from memcurve.model.verdict import Rate

from .making import curve, recording, settled

WORKLOADS = """
import ssl
from collections import deque

QUEUE, DEEP = deque(), deque()

class Node:
    def __init__(self, size):
        self.load = bytes(size)
        self.me = self

def young():
    Node(1000)

def fifo():
    QUEUE.append(Node(1000))
    if len(QUEUE) > 50:
        QUEUE.popleft()
    sum(range(20_000))

def deep():
    DEEP.append(Node(1000))
    if len(DEEP) > 200:
        DEEP.popleft()
    sum(range(20_000))

def now_and_then(number=[0]):
    number[0] += 1
    if number[0] % 3 == 0:
        [Node(3000) for _ in range(4)]
    sum(range(20_000))

def fails(depth=0):
    if depth == 5:
        raise ValueError(depth)
    fails(depth + 1)

def traceback():
    try:
        fails()
    except ValueError as error:
        kept = error
    sum(range(20_000))

def context():
    Context()

class Context:
    def __init__(self):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.me = self
"""
# independent of us: all bytes by malloc, which the library counts
TRUTH = """
import ctypes, gc, sys
import workloads
class Info(ctypes.Structure):
    names = "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost"
    _fields_ = [(name, ctypes.c_size_t) for name in names.split()]
libc = ctypes.CDLL(None)
libc.mallinfo2.restype = Info
def used():
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd
call = getattr(workloads, sys.argv[1])
gc.disable()
for _ in range(300):
    call()
gc.collect(), gc.collect()
for _ in range(300):
    call()
before = used()
found = gc.collect()
print(found / 300, (before - used()) / 300)
"""


@pytest.mark.parametrize("name", ["young", "fifo", "deep", "now_and_then", "traceback", "context"])
def test_what_a_call_leaves_is_what_a_collection_finds(name: str, tmp_path: Path) -> None:
    (tmp_path / "workloads.py").write_text(WORKLOADS)
    command = [sys.executable, "-c", TRUTH, name]
    answer = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONMALLOC": "malloc", "PYTHONPATH": str(tmp_path)},
    ).stdout
    objects, freed = map(float, answer.split())
    found = memcurve.check(f"{tmp_path}/workloads.py:{name}", calls=1000, explain=False)
    rate = found.judgement.deferred
    assert rate.objects_per_call == pytest.approx(objects, rel=0.1)
    assert rate.bytes_per_call == pytest.approx(freed, rel=0.1)


def test_a_row_that_finds_what_several_calls_left_shares_it_among_them() -> None:
    samples = Samples(calls=(0, 1, 2, 12), counters={"deferred_bytes": (0, 100, 100, 1000)})
    assert samples.curve("deferred_bytes").values == (0, 100, 100, 100)
    assert samples.left_a_call("deferred_bytes", 0, 12) == 100
    assert samples.left_a_call("deferred_bytes", 2, 12) == 100
    assert samples.left_a_call("deferred_bytes", 12, 20) is None


def test_shares_are_rounded_and_the_rate_is_not() -> None:
    few = curve(calls=300).flat().above(3).sampled(every=10)
    found = judge(recording(settled(deferred_objects=few))).deferred
    assert found == Rate(bytes_per_call=0.0, objects_per_call=pytest.approx(0.3, rel=0.01))
