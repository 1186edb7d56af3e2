"""Draw who refers to a survivor, all ways at once, with objgraph where this interpreter has it.

A path names the shortest way to a root; the graph shows the others too. objgraph describes objects
by their `repr`, which is code of the program: this runs after everything is counted.
"""

from __future__ import annotations

import io
import re
import sys
import types
from typing import AbstractSet, Any, Dict, Optional

from . import labels

DEEPEST, WIDEST = 8, 4
_NODE, _PLACE = re.compile(r"o(\d{9,})"), re.compile(r" at 0x[0-9a-f]+")


def drawn(thing: Any, ignored: AbstractSet[int], alive: AbstractSet[int]) -> Optional[str]:
    """Return the graph of references to `thing` in the language of graphviz.

    None where objgraph is missing or cannot draw it. Only `alive` ids are drawn: what the look
    itself made is not. Costs a look at the heap for each of at most some dozen objects.
    """
    try:
        import objgraph
    except ImportError:
        return None
    passed_by = ignored | {id(sys.modules)}

    def is_theirs(source: Any) -> bool:
        if id(source) not in alive or id(source) in passed_by or labels.is_ours(source):
            return False
        # that a function lives in a module says nothing of who holds the module's globals
        return not labels.is_a(source, types.FunctionType) or bool(source.__closure__)

    output = io.StringIO()
    try:
        objgraph.show_backrefs(
            [thing],
            max_depth=DEEPEST,
            too_many=WIDEST,
            filter=is_theirs,
            output=output,
            shortnames=False,
        )
    except Exception:  # a `repr` of the program may raise whatever it likes
        return None
    return _without_addresses(output.getvalue())


def _without_addresses(text: str) -> str:
    numbers: Dict[str, int] = {}
    text = _NODE.sub(lambda found: "n%d" % numbers.setdefault(found.group(1), len(numbers)), text)
    return _PLACE.sub("", text)
