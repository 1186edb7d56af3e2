"""What to do about what a library keeps: each sentence for one place of that library."""

import msgspec

from memcurve.explain.signs import Signs


class _Place(msgspec.Struct, frozen=True):
    """Names in the path that only this place has, and what to do there."""

    names: tuple[str, ...]
    text: str

    def fits(self, signs: Signs) -> bool:
        return signs.leads_by(*self.names)


def of_library(signs: Signs) -> str:
    """Return what to do at the first place that fits, "" if none does."""
    return next((place.text for place in _PLACES if place.fits(signs)), "")


_PLACES = (
    _Place(
        ("_pylab_helpers.Gcf",),
        "pyplot keeps every figure until it is closed: plt.close(figure), or make it without "
        "pyplot (matplotlib.figure.Figure)",
    ),
    _Place(
        ("contextlib.ExitStack", "contextlib.AsyncExitStack"),
        "an exit stack keeps what is registered until it closes: open one for each call (with "
        "contextlib.ExitStack() as stack)",
    ),
    _Place(
        ("._mock_mock_calls", "._mock_method_calls", "._mock_call_args_list"),
        "a mock keeps the arguments of every call: reset_mock(), or a plain function in its place",
    ),
    _Place(
        (".loggerDict",),
        "a logger of a new name stays for ever: use one name, and tell what differs as an argument "
        "of the message or with logging.LoggerAdapter",
    ),
    _Place(
        ("._work_queue",),
        "work is submitted faster than it is done: wait for results before submitting more",
    ),
    _Place(
        (".queue: collections.deque", "._queue: collections.deque", "queue.SimpleQueue"),
        "more is put into a queue than is taken out: let somebody read it, or give it a maxsize",
    ),
    _Place(
        ("sqlalchemy.orm.session.Session", "sqlalchemy.ext.asyncio.session.AsyncSession"),
        "a session keeps what is added until it ends: commit and expunge_all(), or use a session "
        "for each call (with Session(engine) as session)",
    ),
    _Place(
        ("prometheus_client.",),
        "a metric keeps one child for each value of its labels: use labels of few values",
    ),
    _Place(("sys.modules",), "a module is registered at each call: import it once, or delete it"),
)
