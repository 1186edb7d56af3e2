"""A process-wide default on top of a class whose objects are ordinary."""

from __future__ import annotations

import os
import threading
from typing import ClassVar, Self


class ProcessDefault:
    """Give a class `get_instance()`, which makes one object under any number of threads.

    The object's own lifetime methods stay what they are: `clear_instance()` ends the object as its
    class says, by `clear()` unless it says otherwise; close it with `aclose()` where you can await.
    """

    _instance: ClassVar[Self | None]  # one for each subclass
    _instance_lock: ClassVar[threading.Lock]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._instance = None
        cls._instance_lock = threading.Lock()
        os.register_at_fork(after_in_child=cls._in_child)

    @classmethod
    def _in_child(cls) -> None:
        """Begin anew after a fork, which may have come while the lock was held."""
        cls._instance_lock = threading.Lock()

    @classmethod
    def get_instance(cls) -> Self:
        """Return the process's default object, made at the first call."""
        with cls._instance_lock:
            if cls._instance is None:
                cls._instance = cls()
            return cls._instance

    @classmethod
    def clear_instance(cls) -> None:
        """End the default object and forget it; the next `get_instance()` makes a new one."""
        with cls._instance_lock:
            instance, cls._instance = cls._instance, None
        if instance is not None:
            instance._end_default()

    def clear(self) -> None:
        """Give up what this object keeps."""
        raise NotImplementedError

    def _end_default(self) -> None:
        """End this object when the process's default is forgotten."""
        self.clear()
