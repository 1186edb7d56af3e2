"""Labelled leaks by way of libraries, as services make them: what is theirs is held, too."""

import logging

PAYLOAD = 300
KEPT = []


class Record:
    """What some of these leaks keep."""

    def __init__(self, number):
        self.name = f"record {number}"
        self.payload = bytes(PAYLOAD)


def httpx_client_setup():
    import httpx

    return httpx


def httpx_client(httpx, number):
    KEPT.append(httpx.Client())  # site: httpx_client


def httpx_client_mended(httpx, number):
    httpx.Client().close()


def httpx_async_client_setup():
    import httpx

    return httpx


async def httpx_async_client(httpx, number):
    KEPT.append(httpx.AsyncClient())  # site: httpx_async_client


async def httpx_async_client_mended(httpx, number):
    await httpx.AsyncClient().aclose()


def httpx_event_hook_setup():
    import httpx

    return httpx.Client()


def httpx_event_hook(client, number):
    record = Record(number)
    client.event_hooks["response"].append(lambda response: print(record))  # site: httpx_event_hook


def httpx_event_hook_mended(client, number):
    record = Record(number)
    hook = lambda response: print(record)  # noqa: E731
    client.event_hooks["response"].append(hook)
    client.event_hooks["response"].remove(hook)


def requests_session_setup():
    import requests

    return requests


def requests_session(requests, number):
    KEPT.append(requests.Session())  # site: requests_session


async def aiohttp_session_setup():
    import aiohttp

    return aiohttp


async def aiohttp_session(aiohttp, number):
    KEPT.append(aiohttp.ClientSession())  # site: aiohttp_session


def openai_client_setup():
    import openai

    return openai.OpenAI(api_key="none").with_options


def openai_client(with_options, number):
    KEPT.append(with_options(timeout=number + 1.0))  # site: openai_client


def _app(name):
    import fastapi

    app = fastapi.FastAPI()
    app.state.seen = []
    return app


async def _get(app, path):
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message["type"])

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [],
        "app": app,
    }
    await app(scope, receive, send)


async def fastapi_state_setup():
    import fastapi

    app = _app("state")

    async def endpoint(request: fastapi.Request):
        request.app.state.seen.append(Record(1))  # site: fastapi_state
        return {}

    app.get("/")(endpoint)
    return app


async def fastapi_state(app, number):
    await _get(app, "/")


async def fastapi_request_setup():
    import fastapi

    app = _app("request")

    async def endpoint(request: fastapi.Request):
        request.app.state.seen.append(request)
        return {}

    app.get("/")(endpoint)
    return app


async def fastapi_request(app, number):
    await _get(app, "/")  # site: fastapi_request


def fastapi_override_setup():
    return _app("override")


def fastapi_override(app, number):
    record = Record(number)
    app.dependency_overrides[lambda: None] = lambda: record  # site: fastapi_override


def starlette_background_setup():
    from starlette.background import BackgroundTasks

    return BackgroundTasks()


def starlette_background(tasks, number):
    tasks.add_task(print, Record(number))  # site: starlette_background


def _database():
    import sqlalchemy
    from sqlalchemy import orm

    class Base(orm.DeclarativeBase):
        pass

    class Invoice(Base):
        __tablename__ = "invoice"
        id = orm.mapped_column(sqlalchemy.Integer, primary_key=True)
        text = orm.mapped_column(sqlalchemy.String)

    engine = sqlalchemy.create_engine("sqlite://")
    Base.metadata.create_all(engine)
    return engine, orm.Session(engine), Invoice


def sqlalchemy_session_setup():
    return _database()


def sqlalchemy_session(database, number):
    _, session, invoice = database
    session.add(invoice(id=number + 1, text="x" * PAYLOAD))  # site: sqlalchemy_session


def sqlalchemy_session_mended(database, number):
    _, session, invoice = database
    session.add(invoice(id=number + 1, text="x" * PAYLOAD))
    session.rollback()


def sqlalchemy_listener_setup():
    import sqlalchemy

    return sqlalchemy, sqlalchemy.create_engine("sqlite://")


def sqlalchemy_listener(given, number):
    sqlalchemy, engine = given
    record = Record(number)

    def tell(*ignored):  # site: sqlalchemy_listener
        print(record)

    sqlalchemy.event.listen(engine, "connect", tell)


def sqlalchemy_engine_setup():
    import sqlalchemy

    return sqlalchemy


def sqlalchemy_engine(sqlalchemy, number):
    KEPT.append(sqlalchemy.create_engine("sqlite://"))  # site: sqlalchemy_engine


def langchain_history_setup():
    from langchain_core.chat_history import InMemoryChatMessageHistory

    return InMemoryChatMessageHistory()


def langchain_history(history, number):
    history.add_user_message(f"{number} {'x' * PAYLOAD}")  # site: langchain_history


def langchain_sessions_setup():
    from langchain_core.chat_history import InMemoryChatMessageHistory

    return InMemoryChatMessageHistory, {}


def langchain_sessions(given, number):
    history, sessions = given
    sessions[f"session-{number}"] = history()  # site: langchain_sessions


def langchain_cache_setup():
    from langchain_core.caches import InMemoryCache
    from langchain_core.outputs import Generation

    return InMemoryCache(), Generation


def langchain_cache(given, number):
    cache, generation = given
    answer = [generation(text="x" * PAYLOAD)]  # site: langchain_cache
    cache.update(f"prompt {number}", "model", answer)


def langchain_callbacks_setup():
    from langchain_core.callbacks import BaseCallbackHandler, CallbackManager

    class Handler(BaseCallbackHandler):
        def __init__(self, number):
            self.record = Record(number)

    return CallbackManager([]), Handler


def langchain_callbacks(given, number):
    manager, handler = given
    manager.add_handler(handler(number))  # site: langchain_callbacks


def langchain_callbacks_mended(given, number):
    manager, handler = given
    added = handler(number)
    manager.add_handler(added)
    manager.remove_handler(added)


def pydantic_model_setup():
    import pydantic

    return pydantic


def pydantic_model(pydantic, number):
    KEPT.append(pydantic.create_model("Answer", text=(str, ...)))  # site: pydantic_model


def numpy_view_setup():
    import numpy

    return numpy


def numpy_view(numpy, number):
    KEPT.append(numpy.zeros(4000)[:2])  # site: numpy_view


def numpy_view_mended(numpy, number):
    numpy.zeros(4000)[:2].copy()


def pyplot_figure_setup():
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    logging.disable()
    return pyplot


def pyplot_figure(pyplot, number):
    pyplot.figure()  # site: pyplot_figure


def pyplot_figure_mended(pyplot, number):
    pyplot.close(pyplot.figure())


def celery_task_setup():
    import celery

    return celery.Celery("app", set_as_current=False)


def celery_task(app, number):
    app.task(print, name=f"task-{number}")  # site: celery_task


def celery_signal_setup():
    from celery import signals

    return signals


def celery_signal(signals, number):
    record = Record(number)
    signals.task_success.connect(lambda **ignored: print(record), weak=False)  # site: celery_signal


def prometheus_label_setup():
    import prometheus_client

    registry = prometheus_client.CollectorRegistry()
    return prometheus_client.Counter("requests", "by id", ["id"], registry=registry)


def prometheus_label(counter, number):
    counter.labels(f"request-{number}").inc()  # site: prometheus_label


def opentelemetry_spans_setup():
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(InMemorySpanExporter()))
    return provider.get_tracer("leaks")


def opentelemetry_spans(tracer, number):
    with tracer.start_as_current_span(f"call {number}"):  # site: opentelemetry_spans
        pass


def cachetools_too_large_setup():
    import cachetools

    return cachetools.LRUCache(1_000_000_000)


def cachetools_too_large(cache, number):
    cache[number] = Record(number)  # site: cachetools_too_large


def pillow_image_setup():
    from PIL import Image

    return Image


def pillow_image(image, number):
    KEPT.append(image.new("RGB", (40, 40)))  # site: pillow_image
