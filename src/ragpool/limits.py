"""How many connections there may be, and for how long: numbers that import nothing."""

from __future__ import annotations

PROCESS_CONNECTIONS = 1000
"""A process may have 1,024 descriptors on most systems unless somebody raised it."""
CLIENT_CONNECTIONS = 100
KEEPALIVE_CONNECTIONS = 20
KEEPALIVE_EXPIRY_S = 30.0
"""httpx's own limits, but for the last: it has 5 s there, and a workflow may think for longer."""
