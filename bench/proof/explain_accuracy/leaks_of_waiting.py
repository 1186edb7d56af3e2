"""Labelled leaks of what waits, was never closed, or is called when something ends."""

import asyncio
import atexit
import contextlib
import contextvars
import functools
import io
import logging
import logging.handlers
import signal
import socket
import sqlite3
import weakref
import xml.etree.ElementTree as ElementTree
from concurrent.futures import Future

PAYLOAD = 300


class Record:
    """What most of these leaks keep."""

    def __init__(self, number):
        self.name = f"record {number}"
        self.payload = bytes(PAYLOAD)


def _lines(number):
    record = Record(number)
    yield record.name
    yield record.payload


GENERATORS = []


def generator_never_closed(number):
    reading = _lines(number)  # site: generator_never_closed
    next(reading)
    GENERATORS.append(reading)


def generator_never_closed_mended(number):
    reading = _lines(number)
    GENERATORS.append(reading)
    next(reading)
    reading.close()
    GENERATORS.remove(reading)


async def _pages(number):
    record = Record(number)
    yield record.name
    yield record.payload


async def async_generator_never_closed(number):
    reading = _pages(number)  # site: async_generator_never_closed
    await anext(reading)
    GENERATORS.append(reading)


async def async_generator_never_closed_mended(number):
    async with contextlib.aclosing(_pages(number)) as reading:
        await anext(reading)


@contextlib.contextmanager
def _opened(number):
    yield Record(number)


OPENED = []


def context_never_left(number):
    entered = _opened(number)  # site: context_never_left
    entered.__enter__()
    OPENED.append(entered)


def context_never_left_mended(number):
    with _opened(number):
        pass


STACK = contextlib.ExitStack()


def exit_stack_of_the_service(number):
    STACK.callback(print, Record(number))  # site: exit_stack_of_the_service


def exit_stack_of_the_service_mended(number):
    with contextlib.ExitStack() as stack:
        stack.callback(id, Record(number))


LOGGER = logging.getLogger("waiting")


class OnlyThis(logging.Filter):
    def __init__(self, number):
        super().__init__()
        self.record = bytes(PAYLOAD)


def logging_filter(number):
    LOGGER.addFilter(OnlyThis(number))  # site: logging_filter


def logging_filter_mended(number):
    added = OnlyThis(number)
    LOGGER.addFilter(added)
    LOGGER.removeFilter(added)


def logger_for_each_call(number):
    logging.getLogger(f"job-{number}")  # site: logger_for_each_call


def logger_for_each_call_mended(number):
    logging.LoggerAdapter(logging.getLogger("job"), {"job": number})


MEMORY = logging.handlers.MemoryHandler(1_000_000_000, target=None)
BUFFERED = logging.getLogger("buffered")
BUFFERED.addHandler(MEMORY)
BUFFERED.propagate = False


def log_records_in_memory(number):
    BUFFERED.warning("number %d of %r", number, bytes(PAYLOAD))  # site: log_records_in_memory


def atexit_with_arguments(number):
    atexit.register(print, Record(number))  # site: atexit_with_arguments


def atexit_with_arguments_mended(number):
    record = Record(number)
    close = functools.partial(print, record)
    atexit.register(close)
    atexit.unregister(close)


def signal_handler_around_the_last(number):
    older, record = (
        signal.getsignal(signal.SIGUSR2),
        Record(number),
    )

    def handler(number, frame):  # site: signal_handler_around_the_last
        print(older, record)

    signal.signal(signal.SIGUSR2, handler)


SCOPE = contextvars.ContextVar("scope", default=None)


async def timer_that_pins_a_context(number):
    SCOPE.set(Record(number))
    asyncio.get_running_loop().call_later(100_000, int)  # site: timer_that_pins_a_context


async def timer_that_pins_a_context_mended(number):
    SCOPE.set(Record(number))
    asyncio.get_running_loop().call_later(100_000, int).cancel()


WAITED, DONE = {}, []


def _once(name, make):
    return WAITED.get(name) or WAITED.setdefault(name, make())


async def _take(inbox, record):
    await inbox.get()


async def task_that_waits_for_a_queue(number):
    inbox = _once("inbox", asyncio.Queue)
    asyncio.create_task(_take(inbox, Record(number)))  # noqa: RUF006  # site: task_that_waits_for_a_queue
    await asyncio.sleep(0)


async def task_that_waits_for_a_queue_mended(number):
    inbox = _once("inbox", asyncio.Queue)
    task = asyncio.create_task(_take(inbox, Record(number)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


async def _until(event, record):
    await event.wait()


async def task_that_waits_for_an_event(number):
    event = _once("event", asyncio.Event)
    asyncio.create_task(_until(event, Record(number)))  # noqa: RUF006  # site: task_that_waits_for_an_event
    await asyncio.sleep(0)


async def _finish(number):
    return Record(number)


async def task_done_and_kept(number):
    task = asyncio.create_task(_finish(number))  # site: task_done_and_kept
    DONE.append(task)
    await task


async def task_done_and_kept_mended(number):
    tasks = set()
    task = asyncio.create_task(_finish(number))
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    await task


def _tell(record, future):
    print(record, future)


async def callback_of_a_long_future(number):
    future = _once("future", asyncio.get_running_loop().create_future)
    callback = functools.partial(_tell, Record(number))
    future.add_done_callback(callback)  # site: callback_of_a_long_future


async def callback_of_a_long_future_mended(number):
    future = _once("future", asyncio.get_running_loop().create_future)
    callback = functools.partial(_tell, Record(number))
    future.add_done_callback(callback)
    future.remove_done_callback(callback)


RESULTS = []


def future_that_failed(number):
    future = Future()  # site: future_that_failed
    try:
        payload = bytes(PAYLOAD)
        raise ValueError(f"{number} of {len(payload)}")
    except ValueError as error:
        future.set_exception(error)
    RESULTS.append(future)


FAILED = []


def error_behind_the_error(number):
    try:
        try:
            payload = bytes(PAYLOAD)
            raise KeyError(len(payload))
        except KeyError as error:
            raise ValueError(number) from error  # site: error_behind_the_error
    except ValueError as error:
        FAILED.append(error)


def error_behind_the_error_mended(number):
    try:
        raise ValueError(number)
    except ValueError as error:
        FAILED[:] = [str(error)]


WATCHED, REFERENCES = Record(0), []


def weak_reference_with_a_callback(number):
    callback = functools.partial(print, number + 1000)
    REFERENCES.append(weakref.ref(WATCHED, callback))  # site: weak_reference_with_a_callback


PAIRS = []


def socket_never_closed(number):
    PAIRS.append(socket.socketpair())  # site: socket_never_closed


def socket_never_closed_mended(number):
    first, second = socket.socketpair()
    first.close()
    second.close()


DATABASES = []


def database_never_closed(number):
    DATABASES.append(sqlite3.connect(":memory:"))  # site: database_never_closed


def database_never_closed_mended(number):
    with contextlib.closing(sqlite3.connect(":memory:")):
        pass


TREE = ElementTree.Element("log")


def element_of_a_tree(number):
    ElementTree.SubElement(TREE, "call", number=str(number))  # site: element_of_a_tree


FILES = []


def text_file_in_memory(number):
    FILES.append(io.TextIOWrapper(io.BytesIO(bytes(PAYLOAD))))  # site: text_file_in_memory
