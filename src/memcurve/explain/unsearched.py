"""Say why nobody could look for who holds what grows, and what would let somebody look."""

from memcurve.model.recording import Failure, PassRecord


def why_unsearched(survivors: PassRecord) -> str:
    """Return the reason and the next step; "" where all survivors were looked at."""
    if survivors.surveys.survivors is not None:
        return ""
    if survivors.failure is None:
        return "nobody looked for a holder: the survivors pass was not run to its end"
    failure = survivors.failure
    return (
        f"nobody could look for a holder: the survivors pass ended early ({failure.line}); "
        f"next: {_next_step(failure)}"
    )


def _next_step(failure: Failure) -> str:
    match failure.kind:
        case "killed":
            return (
                "run it again alone, with PYTHONFAULTHANDLER=1; where the interpreter itself dies, "
                "try the newest patch release of that Python"
            )
        case "timeout":
            return "give each call more time, or make a call do less"
        case "out_of_memory":
            return "make a call do less, or give the process more memory"
        case "target" | "raised" | "exited" | "lost":
            return "make the target able to run again in a fresh process, where it ended"
