"""Find what a program replaced of what the worker itself needs, and put it back to say so.

A target that patches `len`, `json` or the clock patches them for the worker in its process too.
What was there before the target was imported is remembered; it is looked at only where a pass
failed outside a call, and after that nothing is measured any more.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import inspect
import json
import os
import time
import traceback
from typing import Any, Dict, List, Tuple

_MODULES = (builtins, contextlib, gc, inspect, json, os, time, traceback)
_BEFORE: Tuple[Tuple[Any, Dict[str, Any]], ...] = tuple(
    (module, {name: value for name, value in vars(module).items() if callable(value)})
    for module in _MODULES
)
MOST_NAMED = 3


def put_back() -> List[str]:
    """Put back what was replaced, and return its names, ``module.name``."""
    found = []
    for module, names in _BEFORE:
        now = module.__dict__
        for name, value in names.items():
            if now.get(name) is not value:
                now[name] = value
                found.append(module.__name__ + "." + name)
    return found


def told(names: List[str], said: str) -> str:
    """Return in words why the worker could not go on."""
    more = ", …" if len(names) > MOST_NAMED else ""
    return "the target replaced %s%s, which memcurve needs: %s" % (
        ", ".join(names[:MOST_NAMED]),
        more,
        said,
    )
