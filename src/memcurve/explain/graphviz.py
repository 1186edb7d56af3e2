"""Let graphviz lay out a graph, where its program ``dot`` is installed."""

import shutil
import subprocess

TIMEOUT_S = 10.0


def by_dot(graph: str) -> str:
    """Return a graph as SVG, "" where ``dot`` is missing or cannot draw it."""
    dot = shutil.which("dot")
    if dot is None:
        return ""
    try:
        done = subprocess.run(
            [dot, "-Tsvg"], input=graph.encode(), capture_output=True, timeout=TIMEOUT_S, check=True
        )
        text = done.stdout.decode()
        return text[text.index("<svg") :]
    except (OSError, subprocess.SubprocessError, ValueError):
        return ""


def quoted(text: str) -> str:
    """Return a text as a string of the language of graphviz."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
