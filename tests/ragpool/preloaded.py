"""What gunicorn loads before it forks: a service, and pools that were used already.

The workers inherit a live loop with an open connection, which stays the parent's. `on_exit` is a
hook of gunicorn's, which runs in the parent when all workers are gone.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

import ragpool
from ragpool import transports

transports.KEEPALIVE_EXPIRY_S = 3600.0  # however long the test takes
app = ragpool.create_app(ragpool.ConfigClient.load())
_loop = asyncio.new_event_loop()


async def _search() -> int:
    client = ragpool.RAGServicePool.get_instance().get_client()
    await client.search("c", "why")
    return id(client)


async def search_here() -> dict[str, Any]:
    """Search with the process-wide pool, which the parent has used."""
    mine = await _search()
    pool = ragpool.RAGServicePool.get_instance().stats()
    return {"pid": os.getpid(), "own": mine != PARENTS, "clients": pool.clients}


app.add_api_route("/search-here", search_here)
PARENTS = _loop.run_until_complete(_search())


def on_exit(server: object) -> None:
    """Search once more in the parent, and leave word whether it was with the same client."""
    same = _loop.run_until_complete(_search()) == PARENTS
    Path(os.environ["LEFT_WORD"]).write_text(str(same))
    _loop.run_until_complete(_loop.shutdown_asyncgens())
    _loop.close()
