"""`memcurve doctor`: what this interpreter and platform can measure."""

import sys
from typing import TYPE_CHECKING

import click
import msgspec

from memcurve.model.units import format_duration

if TYPE_CHECKING:
    from memcurve.model.diagnosis import Diagnosis


@click.command(short_help="Say what this interpreter and platform can measure.")
@click.option("--python", metavar="PATH", help="The interpreter to look at [default: this one].")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(python: str | None, as_json: bool) -> None:
    """Say what can be counted here, how exactly, and what the next best costs.

    Exit code 2 if nothing can be counted exactly, or the interpreter cannot be measured at all.

    \b
    Examples:
      memcurve doctor
      memcurve doctor --python .venv39/bin/python --json
    """
    from memcurve.run.doctor import diagnose

    found = diagnose(python or sys.executable)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
    else:
        click.echo(_text(found))
    sys.exit(0 if found.exact else 2)


def _text(found: "Diagnosis") -> str:
    from memcurve.run.doctor import headline, headroom_text

    here = found.environment
    lines = [
        f"{here.implementation} {here.python} on {here.platform} {here.machine}, {here.libc}",
        f"  {here.executable}",
        f"  baselines are kept under {found.key}",
        "",
        f"{headline(found)}; one reading takes {format_duration(found.row_s)}",
        "",
    ]
    for row in found.counters:
        mark = "exact" if row.exact else "-" if row.source == "none" else "about"
        line = f"  {row.counter:<15} {mark:<6} {row.source}"
        lines.append(f"{line}: {row.note}" if row.note else line)
    off = "off" if found.thread_cache_off else "on"
    lines += [
        "",
        f"  malloc's thread cache: {off} in measured processes",
        f"  isolation: {', '.join(found.isolation)}",
        f"  memory limit: {headroom_text(found.headroom)}",
        "",
    ]
    for tool in found.tools:
        lines.append(f"  {tool.name:<15} {'found' if tool.found else '-':<6} {tool.purpose}")
    if found.notes:
        lines += ["", *(f"  ! {note}" for note in found.notes)]
    return "\n".join(lines)
