"""Eight ways to close a cycle without meaning to, and each as it should be: named _fixed.

All of them leave 80,000 bytes, which only the collector frees, or nothing.
"""

import sys
import weakref


class _Job:
    """Something large; each pattern closes its cycle through another kind of reference."""

    def __init__(self):
        self.buffer = bytearray(80_000)


class _Part:
    def __init__(self, owner):
        self.owner = owner


def back_reference():
    job = _Job()
    job.part = _Part(job)


def back_reference_fixed():
    job = _Job()
    job.part = _Part(weakref.proxy(job))


class _Worker(_Job):
    def done(self):
        return len(self.buffer)


def bound_method_on_self():
    worker = _Worker()
    worker.handlers = {"done": worker.done}


def bound_method_on_self_fixed():
    worker = _Worker()
    worker.handlers = {"done": weakref.WeakMethod(worker.done)}


def closure_over_owner():
    job = _Job()
    job.size = lambda: len(job.buffer)


def closure_over_owner_fixed():
    job = _Job()
    buffer = job.buffer
    job.size = lambda: len(buffer)


def exception_in_a_local():
    buffer = bytearray(80_000)
    failed = None
    try:
        buffer[len(buffer)]
    except IndexError as error:
        failed = error
    return str(failed)


def exception_in_a_local_fixed():
    buffer = bytearray(80_000)
    failed = None
    try:
        buffer[len(buffer)]
    except IndexError as error:
        failed = error
    try:
        return str(failed)
    finally:
        del failed


def frame_in_a_local():
    buffer = bytearray(80_000)
    frame = sys._getframe()
    return frame.f_lineno + len(buffer)


def frame_in_a_local_fixed():
    buffer = bytearray(80_000)
    frame = sys._getframe()
    try:
        return frame.f_lineno + len(buffer)
    finally:
        del frame


def inner_function_that_recurs():
    buffer = bytearray(80_000)

    def halved(size):
        return size if size < 2 else halved(size // 2) + len(buffer)

    return halved(64)


def _halved(size, buffer):
    return size if size < 2 else _halved(size // 2, buffer) + len(buffer)


def inner_function_that_recurs_fixed():
    return _halved(64, bytearray(80_000))


def class_at_each_call():
    class Row:
        buffer = bytearray(80_000)

    return len(Row().buffer)


class _Row:
    def __init__(self):
        self.buffer = bytearray(80_000)


def class_at_each_call_fixed():
    return len(_Row().buffer)


class _Subject(_Job):
    def __init__(self):
        super().__init__()
        self.observers = []


class _Observer:
    def __init__(self, subject):
        self.subject = subject
        subject.observers.append(self)


def observer_of_what_it_holds():
    _Observer(_Subject())


def observer_of_what_it_holds_fixed():
    observer = _Observer(_Subject())
    observer.subject.observers.remove(observer)
