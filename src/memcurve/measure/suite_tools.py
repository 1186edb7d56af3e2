"""Tell objects of pytest and its plugins from the program's own, by the packages they come from."""

import types
from collections.abc import Iterable
from typing import Any


class Tools:
    """Tells what belongs to some packages: instances, functions, namespaces."""

    def __init__(self, packages: Iterable[str]) -> None:
        self._packages = frozenset(packages)
        self._kinds: dict[type, bool] = {}

    def own(self, thing: Any) -> bool:
        """Say whether a thing is an instance or a function of a tool."""
        kind = type(thing)
        if kind is types.FunctionType:
            return self.is_tool(thing.__module__)
        if kind is types.ModuleType:
            return self.is_tool(thing.__name__)
        found = self._kinds.get(kind)
        if found is None:
            found = self._kinds[kind] = self.is_tool(getattr(kind, "__module__", None))
        return found

    def is_namespace(self, thing: Any) -> bool:
        """Say whether a dictionary is the namespace of a tool's module."""
        return type(thing) is dict and self.is_tool(thing.get("__name__"))

    def is_tool(self, module: object) -> bool:
        """Say whether a module's name is in a package of a tool."""
        return type(module) is str and module.partition(".")[0] in self._packages
