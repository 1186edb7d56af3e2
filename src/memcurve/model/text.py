"""Text of others: what a measured program, a file or a name brings along becomes printable.

A terminal obeys control characters, no encoding has a lone surrogate, and what turns the direction
of writing shows another name than there is. Each of them is written as its escape where it comes
in, so that whatever draws a text afterwards can take it as it is.
"""

import re

LONGEST_NAME = 120
"""Characters of a name that becomes part of a path. A file system gives 255 bytes, of which a
temporary suffix takes 30; the plugin shortens names of tests to 109. Bytes are counted apart."""
LONGEST_NAME_BYTES = 200

_TURNS = "\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff"
_UNPRINTABLE = re.compile(f"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff{_TURNS}]")
_HEX = re.compile(rb"[0-9a-fA-F]{4}")
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u....|.)|[\x7f]|\xc2[\x80-\x9f]")


def printable(text: str) -> str:
    """Return a text with control characters and lone surrogates as escapes; lines and tabs stay."""
    return _UNPRINTABLE.sub(lambda found: _escaped(found[0]), text)


def printable_json(data: bytes) -> bytes:
    """Return JSON of which every string is printable, as `printable` makes it.

    Costs one search of the bytes, since JSON writes such characters as escapes or as they are.
    """
    return _ESCAPE.sub(_printable_escape, data)


def _printable_escape(found: "re.Match[bytes]") -> bytes:
    piece = found[0]
    if piece[:2] == b"\\u" and len(piece) == 6:
        if not _HEX.fullmatch(piece, 2):
            return piece  # no JSON: whoever reads it says so
        character = chr(int.from_bytes(bytes.fromhex(piece[2:].decode())))
    elif piece in (b"\\b", b"\\f", b"\\r"):
        character = {b"\\b": "\b", b"\\f": "\f", b"\\r": "\r"}[piece]
    elif piece[:1] == b"\\":
        return piece
    else:
        character = piece.decode()
    if not _UNPRINTABLE.match(character):
        return piece
    return _escaped(character).encode().replace(b"\\", b"\\\\")


def _escaped(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def name_problem(name: str) -> str | None:
    """Say why a name cannot be that of a file, or None: it becomes part of paths and titles."""
    if not name or not name.strip():
        return "it is empty"
    if len(name) > LONGEST_NAME or len(name.encode("utf-8", "replace")) > LONGEST_NAME_BYTES:
        return f"it has {len(name):,} characters; use at most {LONGEST_NAME}"
    if name[0] == "." or "/" in name:
        return "it would name another folder; use no '/', and no '.' at its start"
    if not name.isprintable() or printable(name) != name:
        return "it has a character that cannot be printed"
    return None


def shown_name(name: str, most: int = 60) -> str:
    """Return a name as messages quote it: printable, and cut where it is long."""
    text = repr(name)
    return text if len(text) <= most else f"{text[:most]}…"
