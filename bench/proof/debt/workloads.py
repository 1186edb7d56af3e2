"""Workloads that leave cycles, each counting those that stand. Runs in any CPython, on its own.

    python workloads.py NAME look FOLDER          what the worker's `churn` sees of a call, as JSON
    python workloads.py NAME stand CALLS          the most cycles that stood at once in the calls

FOLDER is where `churn.py` is. A name that ends in "+" runs beside 20,000 objects that live long.
"""

import collections
import gc
import json
import sys

ALIVE = [0]
QUEUE = collections.deque()
KEPT = []
AT_ONCE = {"many": 150, "flood": 3000, "trio": 3}
"""Cycles that a call leaves, where it is not one."""


class Node:
    """A cycle of one, which counts those that are alive."""

    def __init__(self):
        ALIVE[0] += 1
        self.me = self

    def __del__(self):
        ALIVE[0] -= 1


def young():
    Node()


def trio():
    Node(), Node(), Node()


def many():
    for _ in range(150):
        Node()


def flood():
    """More in a call than starts a collection."""
    for _ in range(3000):
        Node()


def queue(length=50):
    """Garbage that had grown old: a queue of cycles, of which a call drops the oldest."""
    QUEUE.append(Node())
    if len(QUEUE) > length:
        QUEUE.popleft()


def long_queue():
    queue(300)


def last():
    queue(1)


def _objects(number):
    """Make objects and drop them."""
    return len([[i] for i in range(number)])


def burst500():
    """What the call leaves is alive while it makes objects."""
    node = Node()
    return node, _objects(500)


def burst1500():
    node = Node()
    return node, _objects(1500)


def burst5000():
    node = Node()
    return node, _objects(5000)


def late():
    """The objects come before the cycle, so that none is alive meanwhile."""
    _objects(1500)
    Node()


def keeps():
    """A leak beside the garbage."""
    Node()
    KEPT.append([1])


def look(call, folder):
    """Return what `churn` finds, and how many objects a call leaves."""
    sys.path.insert(0, folder)
    import churn

    def run(calls):
        for _ in range(calls):
            call()

    run(400)
    gc.disable()
    gc.collect()
    run(100)
    left = gc.collect() / 100
    gc.enable()
    return {
        "found": churn.churn(run, churn.Readers(lambda: 0, lambda: 0), 100, 1600),
        "objects": left,
        "cycles": AT_ONCE.get(call.__name__, 1),
    }


def stand(call, calls):
    """Return the most cycles that stood at once."""
    most = 0
    for _ in range(calls):
        call()
        most = max(most, ALIVE[0] - len(QUEUE))
    return most


if __name__ == "__main__":
    name, mode, argument = sys.argv[1:]
    heap = [[i] for i in range(20000)] if name.endswith("+") else None
    chosen = globals()[name.rstrip("+")]
    gc.collect()
    print(json.dumps(look(chosen, argument) if mode == "look" else stand(chosen, int(argument))))
