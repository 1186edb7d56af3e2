"""Recordings and baselines on disk: nothing else of memcurve reads or writes them.

    OUT/recordings/SCENARIO/DESIGN.json          the last run, raw
    OUT/findings/SCENARIO/DESIGN.json            how that was judged, and its causes
    BASELINES/ENVIRONMENT/SCENARIO.json          what was accepted, and why

Every file is replaced in one step: a reader sees the old one or the new one, never a half.
"""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from memcurve.model.baseline import BASELINE_VERSION, Baseline
from memcurve.model.errors import OutputError, RecordingError
from memcurve.model.recording import SCHEMA_VERSION, Recording
from memcurve.model.text import name_problem, printable_json, shown_name
from memcurve.model.validity import decoded

T = TypeVar("T", bound=msgspec.Struct)

DEFAULT_OUT = Path("reports")
DEFAULT_BASELINES = Path("reports/baselines")
MOST_BYTES = 256 << 20
"""Of one file that is read: a recording of a million calls has a hundredth of it."""
PAGE = 4096


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` in the place of a file, in one step; makes its folder if need be.

    Raises OSError, which names the file.
    """
    try:
        _replace(path, data)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _replace(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def ready(folder: Path) -> None:
    """Make a folder and write into it, before hours of measuring are to end there.

    Raises OutputError where that fails.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"." * PAGE)
            file.flush()
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written to: {error.strerror}; name another folder, or make room"
        ) from error


def recording_path(out: Path, scenario: str, design: str) -> Path:
    """Return where the last recording of a design is kept."""
    return _inside(out / "recordings", scenario, design)


def findings_path(out: Path, scenario: str, design: str) -> Path:
    """Return where it is kept how the last recording of a design was judged."""
    return _inside(out / "findings", scenario, design)


def _inside(folder: Path, *names: str) -> Path:
    """Return a file below a folder; RecordingError for a name that would lead out of it."""
    for name in names:
        if wrong := name_problem(name):
            raise RecordingError(f"{folder}: the name {shown_name(name)} is no file's: {wrong}")
    return folder.joinpath(*names[:-1], f"{names[-1]}.json")


def save_recordings(out: Path, recordings: Iterable[Recording]) -> None:
    """Keep the raw recordings of a run."""
    for one in recordings:
        replace_file(recording_path(out, one.scenario, one.design), one.to_json())


def load_recording(path: Path) -> Recording:
    """Read one recording; raises RecordingError, which names the file and what is wrong."""
    data, advice = _read(path, "run memcurve run first"), "record it again"
    _of_version(path, data, SCHEMA_VERSION, "recording", advice)
    return _decoded(path, data, Recording, "recording", advice)


def load_recordings(out: Path) -> list[Recording]:
    """Read all recordings of a run; raises RecordingError if there are none or one is damaged."""
    paths = sorted((out / "recordings").glob("*/*.json"))
    if not paths:
        raise RecordingError(f"no recordings in {out / 'recordings'}; run memcurve run first")
    return [load_recording(path) for path in paths]


def read_json(path: Path, kind: type[T], noun: str, advice: str) -> T:
    """Read a value from a file that others may have written.

    Raises RecordingError, which names the file, the field and what to do; `noun` says what it is.
    """
    return _decoded(path, _read(path, advice), kind, noun, advice)


def _decoded(path: Path, data: bytes, kind: type[T], noun: str, advice: str) -> T:
    try:
        return decoded(printable_json(data), kind)
    except RecordingError as error:
        raise RecordingError(f"{path}: not a {noun}: {error}; {advice}") from error


def _of_version(path: Path, data: bytes, version: int, noun: str, advice: str) -> None:
    found = _decoded(path, data, _Version, noun, advice).schema_version
    if found != version:
        raise RecordingError(f"{path}: {noun} version {found} is not {version}; {advice}")


def baseline_path(folder: Path, environment_key: str, scenario: str) -> Path:
    """Return where the baseline of a scenario in one environment is kept."""
    return _inside(folder, environment_key, scenario)


def save_baseline(folder: Path, baseline: Baseline) -> Path:
    """Keep an accepted baseline, laid out so that its changes can be read; return its path."""
    path = baseline_path(folder, baseline.environment.key, baseline.scenario)
    replace_file(path, _laid_out(baseline))
    return path


def load_baseline(folder: Path, environment_key: str, scenario: str) -> Baseline | None:
    """Read a baseline, None if there is none for this environment.

    Raises RecordingError for one that is damaged, of another version, or in a wrong place: a
    threshold that cannot be read must not pass for one that holds.
    """
    path = baseline_path(folder, environment_key, scenario)
    if not path.exists():
        return None
    baseline = _decode(path)
    if baseline.scenario != scenario or baseline.environment.key != environment_key:
        raise RecordingError(
            f"{path}: holds {baseline.scenario} of {baseline.environment.key}; "
            "move it back, or accept again"
        )
    return baseline


def load_baselines(folder: Path, recordings: Iterable[Recording]) -> dict[str, Baseline]:
    """Read what was accepted for the scenarios of a run, each in its own environment, by name.

    A scenario without one is left out. Raises RecordingError as `load_baseline` does.
    """
    found: dict[str, Baseline] = {}
    for recording in recordings:
        name, environment = recording.scenario, recording.environment
        if environment is None or name in found:
            continue
        baseline = load_baseline(folder, environment.key, name)
        if baseline is not None:
            found[name] = baseline
    return found


def other_environments(folder: Path, scenario: str) -> list[str]:
    """Return the environments that a scenario has baselines for."""
    return sorted(path.parent.name for path in folder.glob(f"*/{scenario}.json"))


def _decode(path: Path) -> Baseline:
    data, again = _read(path, "accept one"), "accept again with memcurve accept --reason '…'"
    _of_version(path, data, BASELINE_VERSION, "baseline", again)
    advice = "restore it from version control, or accept again"
    return _decoded(path, data, Baseline, "baseline", advice)


def _read(path: Path, advice: str) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise RecordingError(f"{path}: not a file; {advice}")
        if path.stat().st_size > MOST_BYTES:
            raise RecordingError(f"{path}: larger than {MOST_BYTES >> 20} MiB; {advice}")
        return path.read_bytes()
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}; {advice}") from error


def _laid_out(baseline: Baseline) -> bytes:
    """Indent the JSON, but keep each row of numbers on one line."""
    text = msgspec.json.format(msgspec.json.encode(_rounded(baseline)), indent=1).decode()
    lines: list[str] = []
    inside = False
    for line in text.split("\n"):  # not splitlines: a text may hold other ends of lines
        bare = line.strip()
        if inside:
            lines[-1] += f"{bare} " if bare.endswith(",") and bare[0] != "]" else bare
            inside = not bare.startswith("]")
        else:
            lines.append(line)
            inside = bare.endswith("[")
    return ("\n".join(lines) + "\n").encode()


def _rounded(baseline: Baseline) -> Baseline:
    designs = {
        name: msgspec.structs.replace(
            design,
            retained_per_call=round(design.retained_per_call, 2),
            deferred_per_call=round(design.deferred_per_call, 2),
            garbage_bytes=float(round(design.garbage_bytes)),
            curves={
                key: msgspec.structs.replace(
                    curve,
                    values=tuple(round(value, 2) for value in curve.values),
                    low=tuple(round(value, 2) for value in curve.low),
                    high=tuple(round(value, 2) for value in curve.high),
                )
                for key, curve in design.curves.items()
            },
        )
        for name, design in baseline.designs.items()
    }
    return msgspec.structs.replace(baseline, designs=designs)


class _Version(msgspec.Struct):
    schema_version: int
