"""Label the workloads of one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.proof.accuracy.workload import FOLDER, Workload


@dataclass(frozen=True, slots=True)
class Labels:
    """Make labels of the functions of one file in the folder of workloads."""

    file: str

    def clean(self, name: str, kind: str, note: str, **more: Any) -> Workload:
        """Label what has a bound, or gives everything back."""
        return self._label(name, leaks=False, kind=kind, note=note, **more)

    def leak(self, name: str, kind: str, note: str, **more: Any) -> Workload:
        """Label what grows for ever."""
        return self._label(name, leaks=True, kind=kind, note=note, **more)

    def _label(self, name: str, **label: Any) -> Workload:
        place = f"{FOLDER / self.file}.py"
        if "setup" in label:
            label["setup"] = f"{place}:{label['setup']}"
        return Workload(name=name, target=f"{place}:{name}", **label)
