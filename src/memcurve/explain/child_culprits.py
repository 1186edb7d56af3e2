"""Make culprits of what child processes gain: nothing in this process holds it, or makes it."""

from collections import defaultdict
from collections.abc import Iterator

from memcurve.explain.figures import LEAST_BYTES, Growth
from memcurve.explain.fingerprint import fingerprint
from memcurve.model.answers import PathStep
from memcurve.model.findings import Culprit

CHILD = "child process"
TYPE = "memory of a child process"
UNNAMED = "one that had ended when it was looked for"
ADVICE = (
    "check what the child runs, in a process of its own: memcurve looks into this process alone"
)


def in_children(growth: Growth) -> Iterator[Culprit]:
    """Yield a culprit for each role of child process, by what its processes gained.

    The rate that was judged is dealt out by what each gained since it was first seen.
    """
    if growth.children_per_call < LEAST_BYTES:
        return
    gained: dict[str, int] = defaultdict(int)
    for child in growth.children:
        gained[child.role] += max(child.gained, 0)
    gained = {role: size for role, size in gained.items() if size} or {UNNAMED: 1}
    for role, size in gained.items():
        yield Culprit(
            type=TYPE,
            per_call=0.0,
            bytes_per_call=growth.children_per_call * size / sum(gained.values()),
            root=CHILD,
            path=(role,),
            steps=(PathStep("", role),),
            advice=ADVICE,
            fingerprint=fingerprint(growth.scenario, TYPE, CHILD, (role,), ""),
        )
