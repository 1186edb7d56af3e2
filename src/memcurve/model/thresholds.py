"""Every number that a verdict rests on, with its default, in one place."""

import msgspec

from memcurve.model.units import MIB


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as growing, as flat, and as enough.

    Bytes are bytes a call unless the name says otherwise. A verdict carries the thresholds that it
    was judged by.
    """

    tolerance: float = 1.0
    """Growth below this is not called growth, and flatness is proved against it."""
    floor_limit: float = 16.0
    """A noisy curve is still called flat if growth of this much would have been seen in it."""
    children_tolerance: float = 128.0
    """The same for child processes: they are seen in pages, and one in 32 calls is no leak yet.

    A worker of a pool that keeps nothing touches two pages more in its first 100 jobs, one in the
    next and none later (measured, CPython 3.11): what it reuses is not always what it gave back."""
    resource_tolerance: float = 0.005
    """The same for descriptors, threads and tasks: one in 200 calls."""
    first_look: int = 250
    """Calls before the first verdict: a flat tail after a warm-up of 100."""
    flat_tail: int = 150
    """Calls that must be flat at the end: a leak of every 100th call cannot miss them."""
    enough: int = 300
    """Calls that are run whatever the budget says."""
    conviction: int = 1500
    """Calls before growth is called a leak: no bound up to here."""
    most_calls: int = 2000
    """Calls after which an open question stays open."""
    max_bytes: int = 256 * MIB
    """A cache that may hold more than this is a leak, and so is growth that passed it."""
    least_calls: int = 100
    """Calls below which nothing is called growing, however steep."""
    explained: float = 0.7
    """Share of the growth that filling declared bounds must explain to acquit it."""
    released: float = 0.1
    """Share of the growth that, once given back by a verification, asks for another pass."""
