"""The last net below every command: whatever happens ends in one line and one exit code.

0 measured and fine            1 a threshold or a verdict
2 not measured, wrong call     3 not decided
128 + N ended by signal N: 129 SIGHUP, 130 Ctrl-C, 141 the reader left, 143 SIGTERM
"""

import contextlib
import errno
import os
import platform
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from types import FrameType
from typing import Any

import click
from click.exceptions import NoArgsIsHelpError

from memcurve import __version__
from memcurve.model.errors import MemcurveError
from memcurve.model.text import printable

FAILED = 2
ENDING = (signal.SIGTERM, signal.SIGHUP)


class Ended(KeyboardInterrupt):
    """A signal asked this process to end: what is measured is stopped as by Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def code_of(error: KeyboardInterrupt) -> int:
    """Return the exit code of whoever was interrupted: 128 and the signal's number."""
    return 128 + (error.number if isinstance(error, Ended) else signal.SIGINT)


def words_of(error: KeyboardInterrupt) -> str:
    """Return what happened in words."""
    if isinstance(error, Ended):
        return f"ended by {signal.Signals(error.number).name}"
    return "interrupted"


class Command(click.Group):
    """A group whose commands turn what goes wrong into one line and an exit code."""

    def invoke(self, ctx: click.Context) -> object:
        with as_lines():
            return super().invoke(ctx)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command, and let no signal and no full disk go by without a word."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError, ValueError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        with as_lines(), signals_as_errors():
            try:
                return super().main(*args, **kwargs)
            finally:
                flush()


@contextlib.contextmanager
def as_lines() -> Iterator[None]:
    """Turn what is raised into one line on standard error and SystemExit with its code."""
    try:
        yield
    except (NoArgsIsHelpError, click.exceptions.Exit):
        raise  # what it shows is the help
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx is not None else "memcurve"
        end(f"{_as_clause(error.format_message())}; see {command} --help")
    except click.ClickException as error:
        end(_as_clause(error.format_message()))
    except MemcurveError as error:
        end(str(error))
    except OSError as error:
        if error.errno == errno.EPIPE:
            silence()
            sys.exit(128 + signal.SIGPIPE)
        if error.filename is None and error.errno != errno.ENOSPC:
            end(reported(error))
        end(f"{error.filename or 'standard output'}: {error.strerror}")
    except KeyboardInterrupt as error:
        end(words_of(error), code_of(error))
    except Exception as error:
        end(reported(error))


def end(text: str, code: int = FAILED) -> None:
    """Say one thing and end with a code."""
    complain(text)
    sys.exit(code)


def complain(text: str) -> None:
    """Say what went wrong; a standard error that takes nothing is no reason to end otherwise."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(f"memcurve: {printable(text)}", err=True)


def flush() -> None:
    """Write what was printed: a full disk shows only here."""
    try:
        sys.stdout.flush()
    except OSError:
        silence()
        raise
    except ValueError:
        return  # closed by whoever ran the command


def silence() -> None:
    """Let the interpreter, which flushes at its end, write nowhere what could not be written."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def reported(error: BaseException) -> str:
    """Keep a fault of memcurve's own in a file, and return the line that names it."""
    try:
        words = str(error)
    except Exception:
        words = ""
    what = f"{type(error).__name__}: {words}" if words else type(error).__name__
    lines = (
        f"memcurve {__version__}, Python {sys.version}, {platform.platform()}",
        f"command: {sys.argv!r}",
        "".join(traceback.format_exception(error)),
    )
    try:
        handle, name = tempfile.mkstemp(prefix="memcurve-fault-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write("\n".join(lines))
    except OSError:
        name = ""
    kept = f"the traceback is in {name}; please report it" if name else "please report it"
    return f"a fault of memcurve itself: {what.splitlines()[0]}; {kept}"


@contextlib.contextmanager
def signals_as_errors() -> Iterator[None]:
    """Raise `Ended` where SIGTERM or SIGHUP would end this process without a word.

    One that is ignored stays so, as nohup wants it. Outside the main thread nothing is changed.
    """
    before: dict[signal.Signals, Any] = {}
    with contextlib.suppress(ValueError):
        for number in ENDING:
            if signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _ended)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ended(number: int, frame: FrameType | None) -> None:
    for one in ENDING:  # the second one must not interrupt what the first one stores
        signal.signal(one, signal.SIG_IGN)
    raise Ended(number)


def _as_clause(text: str) -> str:
    """Return a sentence of click's as one of ours: lower-case, without a full stop."""
    return text[:1].lower() + text[1:].rstrip(".")
