"""A PostgreSQL server of the tests' own: in a folder of theirs, on a socket of theirs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import asyncpg

NOT_THERE = "PostgreSQL is not installed, so its store is not tested: apt-get install postgresql"
_PLACES = "/usr/lib/postgresql"
_PORT = 5432  # only a part of the socket's name: nothing listens on the network


def programs() -> Path | None:
    """Return the folder of initdb and pg_ctl; Debian keeps it out of the path."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    newest = sorted(Path(_PLACES).glob("*/bin/initdb"), key=lambda one: int(one.parts[-3]))
    return newest[-1].parent if newest else None


class Postgres:
    """One server, from its start to its end."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = _unprivileged()
        self._folder = Path(tempfile.mkdtemp(prefix="ragpool-pg-", dir="/tmp"))
        if self._user is not None:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-k {self._folder} -c listen_addresses='' -c fsync=off -c max_connections=50"
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", data, "-w", "-t", "120", "-l", log, "-o", options, "start")
        self.url = f"postgresql+asyncpg://postgres@/postgres?host={self._folder}"

    async def empty(self) -> None:
        """Forget every table."""
        connection: Any = await asyncpg.connect(
            host=str(self._folder), port=_PORT, user="postgres", database="postgres"
        )
        try:
            await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        finally:
            await connection.close()

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        identity: dict[str, Any] = {}
        if self._user is not None:
            identity = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        with (self._folder / "said").open("a") as said:
            ran = subprocess.run(
                [str(self._programs / program), *arguments],
                cwd=self._folder,
                env={**os.environ, "LC_ALL": "C"},
                stdout=subprocess.DEVNULL,  # the server would inherit a pipe, and keep it open
                stderr=said,
                check=False,
                **identity,
            )
        assert ran.returncode == 0, (self._folder / "said").read_text()


def _unprivileged() -> pwd.struct_passwd | None:
    """Return whom the server runs as where the tests are root's: it refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
