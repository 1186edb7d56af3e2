"""The HTTP service: execute workflows, look at executions and pools."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ragpool.body_limit import BodyLimit
from ragpool.config import ConfigClient, where
from ragpool.database import DatabaseClient
from ragpool.dependencies import Runtime, get_config_composer, get_db_manager, get_runtime
from ragpool.errors import (
    ClosedError,
    ConfigurationError,
    DatabaseError,
    ManagerFullError,
    RagpoolError,
    StillRunningError,
    UnknownExecutionError,
    UnknownProviderError,
)
from ragpool.executions import ExecutionStatus  # noqa: TC001  # FastAPI reads annotations
from ragpool.manager import new_id
from ragpool.workflow import MAX_NODES, Workflow, plain, storable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CANCEL_WAIT_S = 10.0
_MAX_QUERY_CHARS = 4000

Settings = Annotated[ConfigClient, Depends(get_config_composer)]
Database = Annotated[DatabaseClient, Depends(get_db_manager)]
Live = Annotated[Runtime, Depends(get_runtime)]


class NodeRequest(BaseModel):
    """One node of the workflow to execute; see `ragpool.workflow.WorkflowNode`."""

    model_config = ConfigDict(extra="forbid")

    id: str
    type: str = "vectordb"
    config: dict[str, Any] = Field(default_factory=dict, repr=False)
    query: str = "$input"


class ExecuteRequest(BaseModel):
    """A workflow and its input; `wait` asks for the result in the answer."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[
        str, Field(min_length=1, max_length=_MAX_QUERY_CHARS), AfterValidator(storable)
    ]
    nodes: list[NodeRequest] = Field(min_length=1, max_length=MAX_NODES)
    wait: bool = False


def create_app(settings: ConfigClient | None = None) -> FastAPI:
    """Build the service; without settings it reads them at the first request."""
    app = FastAPI(title="ragpool", lifespan=_lifespan)
    app.state.config_composer = settings
    app.add_middleware(BodyLimit)
    app.add_exception_handler(RequestValidationError, _refuse_invalid)
    app.add_exception_handler(RagpoolError, _refuse)
    app.add_api_route("/execute", execute_workflow, methods=["POST"], status_code=202)
    app.add_api_route("/executions", list_executions, methods=["GET"])
    app.add_api_route("/executions/{execution_id}", get_execution, methods=["GET"])
    app.add_api_route(
        "/executions/{execution_id}", delete_execution, methods=["DELETE"], status_code=204
    )
    app.add_api_route("/pools", get_pools, methods=["GET"])
    app.add_api_route("/health", get_health, methods=["GET"])
    return app


async def execute_workflow(
    request: ExecuteRequest,
    response: Response,
    composer: Settings,
    database: Database,
    runtime: Live,
) -> dict[str, Any]:
    """Start a workflow: 202 with its record, or 200 with the result when `wait` is true."""
    nodes = [
        {**node.model_dump(), "config": composer.compose(node.config)} for node in request.nodes
    ]
    manager = runtime.manager
    executor = manager.create_executor(new_id(), Workflow.of(*nodes), request.query)
    try:
        await runtime.recorder.save(executor.record())
        with contextlib.suppress(UnknownExecutionError):  # deleted since: then it is cancelled
            manager.start(executor.execution_id)
    except BaseException:
        manager.discard(executor.execution_id)
        raise
    if request.wait:
        await executor.finished()
        await runtime.recorder.settled()
        response.status_code = 200
    return executor.get_execution_status()


async def list_executions(
    database: Database,
    status: ExecutionStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> dict[str, Any]:
    """List stored executions, newest first."""
    records = await database.list(status=status, limit=limit, offset=offset)
    return {"executions": [plain(record) for record in records]}


async def get_execution(execution_id: str, database: Database, runtime: Live) -> dict[str, Any]:
    """Show one execution: live when this process has it, else as stored."""
    with contextlib.suppress(UnknownExecutionError):
        return runtime.manager.get(execution_id).get_execution_status()
    record = await database.get(storable(execution_id))
    if record is None:
        raise UnknownExecutionError(execution_id)
    stored: dict[str, Any] = plain(record)
    return stored


async def delete_execution(execution_id: str, database: Database, runtime: Live) -> None:
    """Cancel an execution where it still runs, wait for its end, and delete it everywhere."""
    held = True
    try:
        executor = runtime.manager.get(execution_id)
    except UnknownExecutionError:
        held = False
    else:
        await runtime.cancel(executor, _CANCEL_WAIT_S)
        runtime.manager.discard(execution_id)
    if not await runtime.recorder.delete(storable(execution_id)) and not held:
        raise UnknownExecutionError(execution_id)


async def get_pools(runtime: Live) -> dict[str, Any]:
    """Show what the pools, the cache and the manager hold at this moment."""
    pools = runtime.pools
    return {
        "llm": plain(pools.llm.stats()),
        "retrieval": plain(pools.retrieval.stats()),
        "cache": plain(pools.cache.stats()),
        "manager": plain(runtime.manager.stats()),
        "recorder": {"waiting": runtime.recorder.waiting, "lost": runtime.recorder.lost},
    }


async def get_health(database: Database) -> dict[str, str]:
    """Say that the service and its database answer."""
    await database.list(limit=1)
    return {"status": "ok"}


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        yield
    finally:
        runtime, database = (getattr(app.state, name, None) for name in ("runtime", "app_db"))
        if runtime is not None:
            await runtime.aclose()
        if database is not None:
            await database.aclose()


_STATUS_OF: dict[type[RagpoolError], int] = {
    UnknownExecutionError: 404,
    ConfigurationError: 422,
    UnknownProviderError: 422,
    StillRunningError: 409,
    ManagerFullError: 503,
    DatabaseError: 503,
    ClosedError: 503,
}


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    status = next((code for kind, code in _STATUS_OF.items() if isinstance(error, kind)), 500)
    return JSONResponse({"error": type(error).__name__, "detail": storable(str(error))}, status)


async def _refuse_invalid(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request, without repeating what it contained."""
    assert isinstance(error, RequestValidationError)
    problems = [f"{where(item['loc'])}: {item['msg']}" for item in error.errors()]
    bad_json = any(item["type"] == "json_invalid" for item in error.errors())
    detail = storable("; ".join(problems)[:2000])
    return JSONResponse({"error": "InvalidRequest", "detail": detail}, 400 if bad_json else 422)
