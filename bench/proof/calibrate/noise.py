"""Noise as live bytes have it, on top of a known slope; each with the reason to ask for it."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Rows]


def level(dice: np.random.Generator, calls: int) -> Rows:
    """Return no noise: most programs repeat to the byte."""
    return np.zeros(calls + 1)


def white(dice: np.random.Generator, calls: int) -> Rows:
    """Return results of random size, 3 KB apart, each given back."""
    return dice.normal(0, 3000, calls + 1)


def slow(dice: np.random.Generator, calls: int) -> Rows:
    """Return what forgets slowly, AR(0.95) of 500 B: queues and pools."""
    rows = np.zeros(calls + 1)
    shocks = dice.normal(0, 500 * np.sqrt(1 - 0.95**2), calls + 1)
    for call in range(1, calls + 1):
        rows[call] = 0.95 * rows[call - 1] + shocks[call]
    return rows


def walk(dice: np.random.Generator, calls: int) -> Rows:
    """Return what never forgets, a random walk of 20 B a call: fragments of a heap."""
    return np.cumsum(dice.normal(0, 20, calls + 1))


def wide_walk(dice: np.random.Generator, calls: int) -> Rows:
    """Return the same of 200 B a call."""
    return 10 * walk(dice, calls)


def sawtooth(dice: np.random.Generator, calls: int) -> Rows:
    """Return a buffer of 64 KB that is emptied when it is full, at any phase."""
    every = int(dice.integers(20, 120))
    return (np.arange(calls + 1) + dice.integers(0, every)) % every * (65536.0 / every)


def steps(dice: np.random.Generator, calls: int) -> Rows:
    """Return a few steps of 4 KB up and down, at random calls: caches of libraries."""
    moves = np.where(dice.random(calls + 1) < 0.02, dice.choice((-4096.0, 4096.0), calls + 1), 0.0)
    return np.clip(np.cumsum(moves), 0, 16384)


NOISES: dict[str, Noise] = {
    noise.__name__: noise for noise in (level, white, slow, walk, wide_walk, sawtooth, steps)
}
