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
from ragpool.dependencies import get_config_composer, get_db_manager, get_runtime, runtime_of
from ragpool.errors import (
    CallerFullError,
    ClosedError,
    ConfigurationError,
    DatabaseError,
    DrainingError,
    ManagerFullError,
    RagpoolError,
    StillRunningError,
    UnknownExecutionError,
    UnknownProviderError,
)
from ragpool.execution_record import ExecutionStatus  # noqa: TC001  # FastAPI reads annotations
from ragpool.executions import shown
from ragpool.following import EVENT_STREAM, Channel, EventStream, status_of, unless_left
from ragpool.gate import CALLER, Gate
from ragpool.metrics import CONTENT_TYPE
from ragpool.runtime import Runtime
from ragpool.workflow import MAX_NODES, plain, storable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ragpool.executions import AsyncWorkflowExecutor

_CANCEL_WAIT_S = 10.0
_CANCELLED = 409
_CLIENT_LEFT = 499  # nobody reads it; logs of proxies know the number
_RETRY_LATER = {"Retry-After": "1"}
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
    """A workflow and its input.

    `wait` asks for the result in the answer; `detach` has the execution outlive a caller that
    leaves; `restartable` lets another process run it again when this one is killed.
    """

    model_config = ConfigDict(extra="forbid")

    query: Annotated[
        str, Field(min_length=1, max_length=_MAX_QUERY_CHARS), AfterValidator(storable)
    ]
    nodes: list[NodeRequest] = Field(min_length=1, max_length=MAX_NODES)
    wait: bool = False
    detach: bool = False
    restartable: bool = False


def create_app(settings: ConfigClient | None = None) -> FastAPI:
    """Build the service; without settings it reads them at the first request."""
    app = FastAPI(title="ragpool", lifespan=_lifespan)
    app.state.config_composer = settings
    app.add_middleware(BodyLimit)
    app.add_middleware(Gate)  # the last one that is added comes first
    app.add_exception_handler(RequestValidationError, _refuse_invalid)
    app.add_exception_handler(RagpoolError, _refuse)
    app.add_api_route("/execute", execute_workflow, methods=["POST"], status_code=202)
    app.add_api_route("/executions", list_executions, methods=["GET"])
    app.add_api_route("/executions/{execution_id}", get_execution, methods=["GET"])
    app.add_api_route(
        "/executions/{execution_id}", delete_execution, methods=["DELETE"], status_code=204
    )
    app.add_api_route("/pools", get_pools, methods=["GET"])
    app.add_api_route("/metrics", get_metrics, methods=["GET"])
    app.add_api_route("/health", get_health, methods=["GET"])
    return app


async def execute_workflow(
    workflow: ExecuteRequest,
    request: Request,
    composer: Settings,
    database: Database,
    runtime: Live,
) -> Response:
    """Start a workflow: 202 with its record; with `wait` its result; or a stream of its events."""
    streaming = EVENT_STREAM in request.headers.get("accept", "")
    channel = Channel() if streaming else None
    executor = await runtime.execute(
        [node.model_dump() for node in workflow.nodes],
        workflow.query,
        caller=request.scope.get(CALLER),
        restartable=workflow.restartable,
        on_progress=channel.put if channel is not None else None,
    )

    def if_left() -> None:
        if not workflow.detach:
            runtime.manager.stop(executor)

    if channel is not None:
        return EventStream(executor, channel, if_left)
    if not workflow.wait:
        return JSONResponse(executor.get_execution_status(), 202)
    if not await unless_left(_finished(executor, runtime), request.receive, if_left):
        return Response(status_code=_CLIENT_LEFT)
    return _result_of(executor, composer, runtime)


async def _finished(executor: AsyncWorkflowExecutor, runtime: Runtime) -> None:
    await executor.finished()
    await runtime.recorder.settled()


def _result_of(
    executor: AsyncWorkflowExecutor, settings: ConfigClient, runtime: Runtime
) -> Response:
    status = status_of(executor.record(), failed_is_200=settings.failed_is_200)
    if status == _CANCELLED and runtime.draining:
        return JSONResponse(executor.get_execution_status(), 503, _RETRY_LATER)
    return JSONResponse(executor.get_execution_status(), status)


async def list_executions(
    request: Request,
    database: Database,
    status: ExecutionStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    offset: Annotated[int, Query(ge=0, le=2**31)] = 0,
) -> dict[str, Any]:
    """List stored executions, newest first; a caller with a name sees its own."""
    caller = request.scope.get(CALLER)
    records = await database.list(status=status, caller=caller, limit=limit, offset=offset)
    return {"executions": [shown(record) for record in records]}


async def get_execution(
    execution_id: str, request: Request, database: Database, runtime: Live
) -> dict[str, Any]:
    """Show one execution: live when this process has it, else as stored."""
    with contextlib.suppress(UnknownExecutionError):
        return _own(execution_id, request, runtime).get_execution_status()
    record = await database.get(storable(execution_id))
    if record is None or not _may_see(request, record.caller):
        raise UnknownExecutionError(execution_id)
    return shown(record)


async def delete_execution(execution_id: str, request: Request, runtime: Live) -> None:
    """Cancel an execution where it still runs, wait for its end, and delete it everywhere."""
    held = True
    try:
        executor = _own(execution_id, request, runtime)
    except UnknownExecutionError:
        held = False
    else:
        await runtime.cancel(executor, _CANCEL_WAIT_S)
        runtime.manager.discard(execution_id)
    deleted = await runtime.recorder.delete(
        storable(execution_id), caller=request.scope.get(CALLER)
    )
    if not deleted and not held:
        raise UnknownExecutionError(execution_id)


def _own(execution_id: str, request: Request, runtime: Runtime) -> AsyncWorkflowExecutor:
    """Return a held execution of the caller's; another's is unknown to it."""
    executor = runtime.manager.get(execution_id)
    if not _may_see(request, executor.caller):
        raise UnknownExecutionError(execution_id)
    return executor


def _may_see(request: Request, owner: str | None) -> bool:
    return request.scope.get(CALLER) in (None, owner)


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


async def get_metrics(runtime: Live) -> Response:
    """Tell Prometheus the same, and how executions ended."""
    return Response(runtime.metrics.text(), media_type=CONTENT_TYPE)


async def get_health(database: Database) -> dict[str, str]:
    """Say that the service and its database answer."""
    await database.list(limit=1)
    return {"status": "ok"}


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    try:
        if app.state.config_composer is not None:
            runtime_of(app)  # at once, so that it takes over what others left behind
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
    CallerFullError: 429,
    ManagerFullError: 503,
    DrainingError: 503,
    DatabaseError: 503,
    ClosedError: 503,
}


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    status = next((code for kind, code in _STATUS_OF.items() if isinstance(error, kind)), 500)
    body = {"error": type(error).__name__, "detail": storable(str(error))}
    return JSONResponse(body, status, _RETRY_LATER if status in (429, 503) else None)


async def _refuse_invalid(request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request, without repeating what it contained."""
    assert isinstance(error, RequestValidationError)
    problems = [f"{where(item['loc'])}: {item['msg']}" for item in error.errors()]
    bad_json = any(item["type"] == "json_invalid" for item in error.errors())
    detail = storable("; ".join(problems)[:2000])
    return JSONResponse({"error": "InvalidRequest", "detail": detail}, 400 if bad_json else 422)
