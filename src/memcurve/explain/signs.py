"""What advice goes by: what a culprit is, who holds it, and what the worker noted of it."""

import msgspec

from memcurve.model.answers import PathStep

_CLIENTS = ("client", "session", "connectionpool", "engine", "sslcontext", "openai", "anthropic")
_LIBRARIES = (
    "httpx",
    "httpx2",
    "aiohttp",
    "requests",
    "openai",
    "anthropic",
    "sqlalchemy",
    "redis",
)


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """The culprit's type, what it weighs most in, root, path, bound, and the words noted of it.

    `native`: memory of malloc in which no object was found. `lost`: nobody has its address.
    """

    type: str
    heavy: str = ""
    root: str = ""
    path: tuple[PathStep, ...] = ()
    traits: tuple[str, ...] = ()
    bound: str = ""
    native: bool = False
    lost: bool = False

    def has(self, word: str) -> bool:
        """Say whether a word was noted."""
        return word in self.traits

    def value(self, word: str) -> str:
        """Return what was noted with a word, "" if it was not."""
        start = f"{word}="
        return next((one[len(start) :] for one in self.traits if one.startswith(start)), "")

    def closer(self, kind: str) -> str:
        """Return how objects of a type are closed, "" where that is not known."""
        return self.value(f"closer {kind}") if kind else ""

    def leads_by(self, *names: str) -> bool:
        """Say whether the path goes through one of these names."""
        return any(name in step.text for step in self.path for name in names)

    @property
    def is_client(self) -> bool:
        """Say whether it is what a person shares: a client, a session, an engine."""
        if not self.heavy and self.type.partition(".")[0] not in _LIBRARIES:
            return False
        return any(name.lower().endswith(_CLIENTS) for name in (self.type, self.heavy))
