"""Name what calls leave behind that the collector does not track and nothing in Python leads to.

Blocks of Python's allocator that were made in the first window and are live after the second are
candidates. A block whose second word is the address of a class is an object of that class; all
other blocks are parts of something, and nothing is said of them. What the collector's objects lead
to has a holder, and is told with it. The rest must outlive the cuts by which groups are weighed:
what an array holds goes with the array. `address_search` then says who has an object's address.
"""

from __future__ import annotations

import collections
import ctypes
import gc
import time
from typing import AbstractSet, Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

from . import address_search, block_sizes, chunks, labels, pools, sites
from .block_sizes import LARGEST_SMALL
from .blocks import Blocks, Places, live_blocks
from .census import Census, is_interned
from .facts import sample_of

Fact = Dict[str, Any]

TRACKABLE = 1 << 14
"""Py_TPFLAGS_HAVE_GC: such an object has a header of two words before it, 0 while not tracked."""
HEADER_BYTES = 16
TEXT_BYTES = 40
"""Of the shortest text: less than its class says, which counts forms that are longer."""
MOST_REFERENCES = 1 << 32
"""More is no count of references: another word stands there."""
IMMORTAL = 1 << 29
"""CPython counts no references of what it keeps forever: so many and more stand there."""
LEAST_OBJECTS = 2
"""Of one type: one object that nothing leads to is not growth."""
MOST_TYPES = 6
"""Types that are told, the heaviest first: as many as groups that are weighed."""
MOST_VOTES = 100
"""Objects of one type that say where they were made: more than strays are; a limit on time."""
MOST_LOOKS = 2
"""Looks for the lines of these types while calls are traced: of what is rarer, none is told."""


class Found(NamedTuple):
    """An object that the collector does not track: its block, where in it it begins, its class."""

    block: pools.Block
    address: int
    kind: type


class Untracked:
    """Follows the blocks of Python's heap over the windows of a pass, from the mark on."""

    def __init__(self) -> None:
        self._memory = pools.Memory()
        self._left: Dict[type, List[Found]] = {}
        self._stacks: Dict[type, sites.Frames] = {}
        self._looks = 0
        self._headers: pools.Headers = {}
        self._large = False
        self._ends_s = 0.0
        self._kinds: Dict[int, type] = {}
        self._born = Blocks()
        self._noted: Tuple[Blocks, ...] = ()
        gc.collect()  # free lists hold blocks that the next objects come into
        self._before = live_blocks(self._memory)
        self._memory.close()

    def middle(self) -> Blocks:
        """End the first window, and return its blocks: what is live now is a candidate."""
        now = live_blocks(self._memory)
        self._born = now.new_since(self._before)
        self._noted = (self._before, now)  # kept: what comes to their place later is not of now
        self._memory.close()
        return self._born

    def survivors(self, objects: List[Any], least_bytes: float) -> Blocks:
        """End the second window, and return the blocks of both that are live.

        `objects` are all that the collector tracks. Types that weigh less than `least_bytes` are
        left out.
        """
        now = live_blocks(self._memory)
        kept, both = self._born.also_in(now), now.new_since(self._before)
        self._born, self._before, self._noted = Blocks(), Blocks(), ()
        found = list(self._objects(kept))
        # an address as it is would be found where it is noted: see `address_search`
        wanted = frozenset(one.address >> 4 for one in found)
        reached = _reached(objects, wanted) if wanted else frozenset()
        left: Dict[type, List[Found]] = collections.defaultdict(list)
        for one in found:
            if one.address >> 4 not in reached:
                left[one.kind].append(one)
        weights = {kind: sum(one.block.size for one in left[kind]) for kind in left}
        told = [
            kind
            for kind in sorted(left, key=lambda kind: -weights[kind])
            if len(left[kind]) >= LEAST_OBJECTS and weights[kind] >= least_bytes
        ]
        self._left = {kind: left[kind] for kind in told[:MOST_TYPES]}
        self._memory.close()
        return both

    def begin_tracing(self) -> None:
        """Note the blocks before calls are traced."""
        if not self._left:
            return
        self._before = live_blocks(self._memory)
        self._headers = pools.headers_of(self._memory, self._before.small)
        # the two tables are some 100,000 objects themselves, each of which would be looked up
        ours = pools.live_blocks(self._memory, unlike=self._headers)
        self._before.small.update(ours)
        self._headers.update(pools.headers_of(self._memory, ours))
        self._large = any(
            one.block.size > LARGEST_SMALL for kind in self._left.values() for one in kind
        )
        self._memory.close()

    @property
    def lines_known(self) -> bool:
        """Whether the lines of all types are, or were looked for often enough."""
        return self._looks >= MOST_LOOKS or not self._left.keys() - self._stacks.keys()

    def look(self) -> None:
        """Find the lines of what the traced calls left behind, of types whose lines are open."""
        wanted = self._left.keys() - self._stacks.keys()
        if not self.lines_known:
            self._looks += 1
            large = self._large and self._looks == 1
            seen: Dict[type, List[sites.Frames]] = collections.defaultdict(list)
            for one in self._objects(self._new_ones(large=large)):
                if one.kind in wanted and len(seen[one.kind]) < MOST_VOTES:
                    frames = sites.frames_at(one.block.address)
                    if frames:
                        seen[one.kind].append(frames)
            for kind, stacks in seen.items():
                frames = sites.commonest(stacks)
                if frames:
                    self._stacks[kind] = frames
            self._memory.close()

    def _new_ones(self, *, large: bool) -> Blocks:
        """Return the blocks that are new since tracing began; of large ones, once: it is slow."""
        small = pools.live_blocks(self._memory, unlike=self._headers)
        now = Blocks(small, chunks.large_blocks(self._memory) if large else {})
        return now.new_since(self._before)

    def facts(self, samples: bool) -> List[Fact]:
        """Return what is told of each type whose objects outlived the cuts."""
        self._kinds = all_classes()
        now = live_blocks(self._memory) if self._left else Blocks()
        told = []
        for kind, noted in self._left.items():
            alive = [one for one in noted if now.has(one.block) and self._is_still(one)]
            if 2 * len(alive) > len(noted):
                told.append(self._fact(kind, alive, len(noted), now, samples))
        self._left = {}
        self._memory.close()
        return told

    def _fact(self, kind: type, alive: List[Found], count: int, now: Blocks, samples: bool) -> Fact:
        chosen = alive[:: max(len(alive) // address_search.SAMPLES, 1)][: address_search.SAMPLES]
        holder = address_search.holder_of(
            self._memory,
            now,
            [(one.address, one.block) for one in chosen],
            self._class_of,
            self._end_s(),
        )
        sizes = [block_sizes.heaps_of(_at(one.address)) for one in alive]
        each = count / len(alive)
        references = self._references(alive)
        middle = _at(alive[len(alive) // 2].address)
        if is_interned(middle):
            holder = address_search.HeldBy(address_search.INTERNED)
        return {
            "type": labels.type_name(kind),
            "objects": count,
            "bytes": int(sum(map(sum, sizes)) * each),
            "malloc": int(sum(malloc for _, malloc in sizes) * each),
            "holder": holder.kind,
            "where": holder.where,
            "references": references,
            "sample": sample_of(middle) if samples else "",
            "stack": self._stacks.get(kind, []),
        }

    def tracked(self, addresses: List[int]) -> Fact:
        """Return who has the addresses of objects that the collector tracks."""
        now = live_blocks(self._memory)
        places = Places(self._memory, now)
        chosen = addresses[:: max(len(addresses) // address_search.SAMPLES, 1)]
        wanted = [
            (address, places.block_at(address) or pools.Block(address, HEADER_BYTES))
            for address in chosen[: address_search.SAMPLES]
        ]
        holder = address_search.holder_of(self._memory, now, wanted, self._class_of, self._end_s())
        self._memory.close()
        return {"holder": holder.kind, "where": holder.where}

    def _end_s(self) -> float:
        """Return when all searches must have ended, counted from the first of them."""
        if not self._ends_s:
            self._ends_s = time.process_time() + address_search.CPU_S
        return self._ends_s

    def _class_of(self, block: pools.Block) -> Optional[type]:
        """Return the class of the object that a block is, None where none is known."""
        one = object_in(block, self._memory, self._kinds, tracked=True)
        return one.kind if one is not None else None

    def _objects(self, blocks: Blocks) -> Iterator[Found]:
        kinds = all_classes()
        for block in blocks.each(self._memory):
            one = object_in(block, self._memory, kinds)
            if one is not None:
                yield one

    def _is_still(self, noted: Found) -> bool:
        return object_in(noted.block, self._memory, {id(noted.kind): noted.kind}) == noted

    def _references(self, alive: List[Found]) -> int:
        """Return how many references the middle of these objects counts; 0: it is kept forever."""
        word = self._memory.read(alive[len(alive) // 2].address, 8)
        count = int(pools.WORD.unpack(word)[0]) & 0xFFFFFFFF
        return count if count < IMMORTAL else 0


def object_in(
    block: pools.Block, memory: pools.Memory, kinds: Dict[int, type], *, tracked: bool = False
) -> Optional[Found]:
    """Return the object that a block is; None where it is none, tracked, or not surely one."""
    words = [one[0] for one in pools.WORD.iter_unpack(memory.read(block.address, 32))]
    if len(words) < 2:
        return None
    kind = kinds.get(words[1])
    if kind is not None and not kind.__flags__ & TRACKABLE:
        least = TEXT_BYTES if issubclass(kind, str) else kind.__basicsize__
        fits = least <= block.size and 0 < words[0] < MOST_REFERENCES
        return Found(block, block.address, kind) if fits else None
    kind = kinds.get(words[3]) if len(words) > 3 else None
    if kind is not None and kind.__flags__ & TRACKABLE and (tracked or words[0] == 0):
        fits = kind.__basicsize__ + HEADER_BYTES <= block.size and 0 < words[2] < MOST_REFERENCES
        return Found(block, block.address + HEADER_BYTES, kind) if fits else None
    return None


def all_classes() -> Dict[int, type]:
    """Return every class that exists by its address."""
    found: Dict[int, type] = {id(object): object}
    level = [object]
    while level:
        below = [kind for above in level for kind in type.__subclasses__(above)]
        level = [kind for kind in below if found.setdefault(id(kind), kind) is kind]
        level = [kind for kind in {id(one): one for one in level}.values() if kind is not object]
    return found


def _reached(objects: List[Any], wanted: AbstractSet[int]) -> AbstractSet[int]:
    """Return which of `wanted`, addresses without their last four bits, these objects lead to."""
    found = Census.untracked_below(objects)
    return {key >> 4 for key in found} & wanted


def _at(address: int) -> Any:
    """Return the object at an address that was proved to be one."""
    return ctypes.cast(address, ctypes.py_object).value
