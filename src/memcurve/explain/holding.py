"""Say who has the addresses of objects that nothing in Python leads to."""

from memcurve.model.findings import NOT_KNOWN, OUTSIDE

LOST = "lost"


def who_has(holder: str, where: str) -> tuple[str, str]:
    """Return the kind of root, and who has the addresses of objects that nothing holds."""
    match holder:
        case "lost":
            return OUTSIDE, "nothing in the process has their address"
        case "library":
            return OUTSIDE, f"a variable of {where} has their address"
        case "malloc":
            return OUTSIDE, "memory of malloc has their address"
        case "interned":
            return OUTSIDE, "the interpreter's table of interned names has their address"
        case "object":
            what = f"an object of type {where}" if where else "a block of Python's heap"
            return NOT_KNOWN, f"{what} has their address, and does not tell the collector"
    return (
        NOT_KNOWN,
        "nothing in Python leads to them; there is more memory than there was time to search",
    )
