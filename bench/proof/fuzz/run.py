"""Spoil recordings, findings, accepted curves, shards and acknowledged leaks, and read them.

    make fuzz ARGS="--examples 100000 --seed 1"

Each example spoils one file in up to three ways and runs `compare` on it, every twentieth also
`report`, which draws; of a shard it is `merge`. A command may take it, or end with 2 and one line.
A traceback, a fault of memcurve's own or a hang ends this with 1, after the example was made as
small as it gets.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from bench.proof.fuzz.mutations import spoiled
from bench.proof.fuzz.trial import COMMANDS, MERGE, Place, WrongEndError

DRAWN_EVERY = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="memcurve-fuzz-") as folder:
        count = spoil_all(Place(Path(folder)), options.examples, options.seed)
    print(f"{count:,} spoiled files: each taken, or one line; {time.monotonic() - began:.0f} s")
    return 0


def spoil_all(place: Place, examples: int, number: int, *, draws: bool = True) -> int:
    """Try so many spoiled files, and return how many were tried; WrongEndError: a bad end."""
    tried = 0

    @seed(number)
    @settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(data=st.data())
    def each(data: st.DataObject) -> None:
        nonlocal tried
        tried += 1
        name = data.draw(st.sampled_from(sorted(place.files)), label="file")
        content = data.draw(spoiled(place.files[name]), label="content")
        drawn = draws and tried % DRAWN_EVERY == 0
        command = data.draw(st.sampled_from(COMMANDS[:-1]), label="command")
        commands = (command, COMMANDS[-1]) if drawn else (command,)
        place.try_one(name, content, (MERGE,) if name.startswith(MERGE[1]) else commands)

    each()
    return tried


if __name__ == "__main__":
    try:
        sys.exit(main())
    except WrongEndError as wrong:
        print(f"fuzz: {wrong}", file=sys.stderr)
        sys.exit(1)
