"""Count how often an acquittal's floor is below the true leak, and how often clean is convicted.

    make calibrate ARGS="--seeds 500"

Every curve is a noise and a leak of so many bytes a call. Told is: of the curves that leak, how
many were called flat with a floor below what leaks (at most 1 % of each noise); of those that do
not, how many a run that ends there would convict (none). Exit 1 where either is more.
"""

import argparse
import sys
from collections.abc import Iterator

import msgspec
import numpy as np

from bench.proof.calibrate.noise import NOISES
from memcurve.judge.growth import Reading, read_curve
from memcurve.judge.limits import Limits
from memcurve.model.curve import Curve
from memcurve.model.thresholds import Thresholds

LEAKS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
CALLS = (250, 450, 1500)
MOST_TOO_LOW = 0.01
"""Convention: the 99 % that one interval is worth."""


class Count(msgspec.Struct, kw_only=True):
    """What came of the curves of one noise."""

    leaking: int = 0
    flat: int = 0
    too_low: int = 0
    growing: int = 0
    clean: int = 0
    convicted: int = 0

    @property
    def is_calibrated(self) -> bool:
        """Whether the words are as true as they say."""
        return self.too_low <= MOST_TOO_LOW * self.leaking and not self.convicted


def simulated(noise: str, per_call: float, calls: int, seed: int) -> Curve:
    """Return one curve; the same seed gives the same one."""
    dice = np.random.default_rng((seed, calls, sorted(NOISES).index(noise)))
    rows = NOISES[noise](dice, calls) + per_call * np.arange(calls + 1) + 1_000_000
    values = tuple(int(value) for value in np.rint(rows))
    return Curve(counter="live_bytes", calls=tuple(range(calls + 1)), values=values)


def count(noise: str, seeds: int) -> Count:
    """Read all curves of one noise."""
    found, limits = Count(), Limits.of_bytes(Thresholds())
    for calls, seed in _cases(seeds):
        found.clean += 1
        found.convicted += _convicts(read_curve(simulated(noise, 0.0, calls, seed), limits), calls)
        leak = LEAKS[seed % len(LEAKS)]
        reading = read_curve(simulated(noise, leak, calls, seed), limits)
        found.leaking += 1
        found.growing += reading.shape == "growing"
        found.flat += reading.shape == "flat"
        found.too_low += reading.shape == "flat" and reading.floor < leak
    return found


def _convicts(reading: Reading, calls: int) -> bool:
    """Say whether a verdict of a run that ends here would be `Growing`: see `judge.judgement`."""
    proved = reading.regular or calls >= Thresholds().conviction
    return reading.shape == "growing" and proved


def _cases(seeds: int) -> Iterator[tuple[int, int]]:
    return ((calls, seed) for calls in CALLS for seed in range(seeds))


def main() -> int:
    """Print a row a noise."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="curves of each number of calls")
    seeds = parser.parse_args().seeds
    print("| noise | leaks | growing | flat | floor too low | clean | convicted |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    right = True
    for noise in NOISES:
        found = count(noise, seeds)
        right = right and found.is_calibrated
        share = found.too_low / found.leaking
        print(
            f"| {noise} | {found.leaking} | {found.growing} | {found.flat} | "
            f"{found.too_low} ({share:.1%}) | {found.clean} | {found.convicted} |",
            flush=True,
        )
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
