"""The service as a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil

from tests.waiting import WAIT_S, settled

if TYPE_CHECKING:
    from pathlib import Path


class Service:
    """The service's process, and what it said."""

    def __init__(self, directory: Path, rag_url: str, llm_url: str, **more: str) -> None:
        settings = {
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": llm_url,
            "RAGPOOL_CONFIG": str(directory / "none.toml"),
            "RAGPOOL_DATABASE_URL": f"sqlite+aiosqlite:///{directory}/service.db",
            "RAGPOOL_RAG_BASE_URL": rag_url,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "ragpool", "--port", "0"],
            env=os.environ | settings | more,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        self.said: list[str] = []
        self.url = ""
        for line in self.process.stderr:
            self.said.append(line)
            if found := re.search(r"running on (http://\S+)", line):
                self.url = found[1]
                break
        self._reader = threading.Thread(target=self.said.extend, args=(self.process.stderr,))
        self._reader.start()

    def descriptors(self) -> int:
        """Count them, once the connections of clients that are gone are closed."""
        process, port = psutil.Process(self.process.pid), int(self.url.rpartition(":")[2])

        def from_clients() -> int:
            found = process.net_connections("tcp")
            return sum(one.laddr.port == port and bool(one.raddr) for one in found)

        assert settled(from_clients, 0) == 0
        return process.num_fds()

    def stop(self) -> list[str]:
        """Ask it to end, and return every line that is not plain information."""
        self.end(signal.SIGINT)
        return [line for line in self.said if not line.startswith("INFO")]

    def end(self, *signals: signal.Signals) -> float:
        """Send signals, one after another was heard, and return how long its end took."""
        began = time.monotonic()
        for one in signals:
            if self.process.poll() is None:
                self.process.send_signal(one)
        self.process.wait(WAIT_S)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return time.monotonic() - began
