"""The retrieval service: collections of documents, searched by a query.

A document's text depends on its collection and number alone, so the same id always has the same
text. Even ranks come from the query before it was refined and odd ranks from the query as it is: a
second round brings back some known documents, as a real index does.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import msgspec

from bench.stub import prose
from bench.stub.exchange import RefusedError, Reply, Request, json_reply

if TYPE_CHECKING:
    from bench.stub.faults import Fault

_DOCUMENTS = 1_000_000  # in each collection: enough that no two queries share their hits by chance
_SHORTEST, _LONGEST = 400, 1500
_MISSING = "missing"


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `POST /rag/search`."""

    collection: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    query: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    top_k: Annotated[int, msgspec.Meta(ge=1, le=100)]


def error(status: int, reason: str) -> dict[str, Any]:
    return {"error": reason}


def health(request: Request, fault: Fault) -> Reply:
    return json_reply({"status": "ok"})


def search(request: Request, fault: Fault) -> Reply:
    """Return the `top_k` best documents, best first."""
    try:
        wanted = msgspec.json.decode(request.body, type=Search)
    except msgspec.DecodeError as invalid:
        raise RefusedError(422, str(invalid)) from invalid
    if wanted.collection.startswith(_MISSING):
        raise RefusedError(404, f"collection {wanted.collection!r} does not exist")
    documents = [_hit(wanted, rank) for rank in range(wanted.top_k)]
    found = {"collection": wanted.collection, "query": wanted.query, "documents": documents}
    return json_reply(found)


def _hit(wanted: Search, rank: int) -> dict[str, Any]:
    query = wanted.query if rank % 2 else wanted.query.partition(" (refined: ")[0]
    seed = prose.digest(wanted.collection, query)
    position = prose.number(seed, f"rank {rank}", _DOCUMENTS)
    score = round(0.97 * 0.93**rank - prose.number(seed, f"score {rank}", 100) / 10_000, 4)
    return _document(wanted.collection, position) | {"score": max(0.01, score)}


def _document(collection: str, position: int) -> dict[str, Any]:
    seed = prose.digest(collection, str(position))
    chars = _SHORTEST + prose.number(seed, "length", _LONGEST - _SHORTEST + 1)
    slug = re.sub(r"[^\w.-]+", "-", collection)
    metadata = {
        "source": f"{slug}/{prose.words(seed, 2).replace(' ', '-')}.md",
        "page": str(1 + position % 400),
        "updated": f"2026-{1 + position % 12:02d}-{1 + position % 28:02d}",
        "language": "en",
    }
    return {
        "id": f"{slug}-{position:06d}",
        "collection": collection,
        "text": prose.passage(seed, chars),
        "score": 0.0,
        "metadata": metadata,
    }
