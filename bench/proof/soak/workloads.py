"""Small calls, half of which leak; nothing here depends on time, on the load, or on hashes."""

import asyncio
import contextlib
import functools
import json
import threading

KEPT: "list[object]" = []
BY_KEY: "dict[object, object]" = {}


def clean_values(number: int) -> "dict[str, list[int]]":
    return {str(n): [n] * 9 for n in range(50)}


def clean_cycle(number: int) -> None:
    ring: list[object] = [number]
    ring.append(ring)


def clean_text(number: int) -> str:
    return json.dumps(json.loads(json.dumps({"a": [1, 2, 3], "b": "x" * 500})))


def clean_errors(number: int) -> None:
    with contextlib.suppress(ValueError):
        int("not a number")


def clean_threads(number: int) -> None:
    thread = threading.Thread(target=clean_values, args=(number,))
    thread.start()
    thread.join()


async def clean_tasks(number: int) -> None:
    await asyncio.gather(*(asyncio.sleep(0) for _ in range(3)))


@functools.lru_cache(maxsize=40)
def _held(number: int) -> bytes:
    return bytes(500)


def clean_cache(number: int) -> int:
    return len(_held(number % 100))


def leaks_bytes(number: int) -> None:
    KEPT.append(bytes(200))


def leaks_entries(number: int) -> None:
    BY_KEY[number] = str(number)


def leaks_objects(number: int) -> None:
    KEPT.append({"number": number})


def leaks_cycle(number: int) -> None:
    ring: list[object] = [number]
    ring.append(ring)
    KEPT.append(ring)


def leaks_blocks(number: int) -> None:
    KEPT.append(bytearray(3000))


async def leaks_in_tasks(number: int) -> None:
    await asyncio.sleep(0)
    KEPT.append([number] * 20)


CLEAN = (
    clean_values, clean_cycle, clean_text, clean_errors, clean_threads, clean_tasks, clean_cache,
)  # fmt: skip
LEAKING = (
    leaks_bytes, leaks_entries, leaks_objects, leaks_cycle, leaks_blocks, leaks_in_tasks,
)  # fmt: skip
