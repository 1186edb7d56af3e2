"""The reader's end of a table of rows: of one that a worker writes, and of one of this process."""

import mmap
import tempfile
from typing import Self

from memcurve.measure.scratch import reserve, scratch
from memcurve.measure.worker.counters import Table
from memcurve.model.recording import Samples

MISSING = -(1 << 63)
WORD = 8


class SharedTable:
    """A file of signed 64-bit integers: a header and `capacity` rows of the given width.

    The worker maps the same file. Its rows are there for the parent even when the worker died.
    """

    def __init__(self, columns: tuple[str, ...], capacity: int) -> None:
        self.columns = columns
        self._file = tempfile.NamedTemporaryFile(prefix="samples-", dir=scratch())  # noqa: SIM115 - see close
        try:
            reserve(self._file.fileno(), (capacity + 1) * len(columns) * WORD)
        except BaseException:
            self._file.close()
            raise
        self._map = mmap.mmap(self._file.fileno(), 0)
        self._cells = memoryview(self._map).cast("q")

    @property
    def path(self) -> str:
        return self._file.name

    def running_call(self) -> int:
        """The number of the call that runs, or that ran last; 0 before the first."""
        return self._cells[0]

    def in_call(self) -> bool:
        """Whether that call has not returned yet."""
        return self._cells[3] != 0

    def samples(self) -> Samples:
        """Return the rows that are complete; columns that were never read are left out."""
        return read_samples(self._cells, self.columns)

    def close(self) -> None:
        self._cells.release()
        self._map.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class LocalTable(Table):
    """A table that this process writes and reads, in memory that belongs to neither heap."""

    def __init__(self, columns: tuple[str, ...], capacity: int) -> None:
        self.columns = columns
        self._adopt(mmap.mmap(-1, (capacity + 1) * len(columns) * WORD), len(columns))

    def samples(self) -> Samples:
        """Return the rows that are complete; columns that were never read are left out."""
        return read_samples(self.cells, self.columns)

    def close(self) -> None:
        self.cells.release()
        self._map.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_samples(cells: memoryview, columns: tuple[str, ...]) -> Samples:
    """Return the rows of a table whose header stands in `cells`."""
    width, rows = len(columns), cells[1]
    counters = {}
    for position, name in enumerate(columns):
        # a column at a time: all cells as one list would be the most that this process ever holds
        read = cells[width + position : (rows + 1) * width : width].tolist()
        column = tuple(None if v == MISSING else v for v in read)
        if any(value is not None for value in column):
            counters[name] = column
    calls = tuple(value or 0 for value in counters.pop("call", ()))
    return Samples(calls=calls, counters=counters)
