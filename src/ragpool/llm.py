"""The pool of language models: one for each configuration and event loop.

Models with the same endpoint share the HTTP clients underneath, so a judge at temperature 0.0 and
a writer at 0.7 need one connection, not two.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr, ValidationError

from ragpool.config import problems
from ragpool.errors import ConfigurationError, UnknownProviderError
from ragpool.hosts import HostPolicy, strip_for_guest
from ragpool.keys import PLACEHOLDER, KeySource
from ragpool.loop_clients import Recipe
from ragpool.masking import is_secret
from ragpool.pool import LoopPool
from ragpool.pool_facade import PoolFacade
from ragpool.transports import LLMHttp

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from contextlib import AbstractAsyncContextManager

    from langchain_core.language_models.chat_models import BaseChatModel

    from ragpool.breaker import HostBreaker
    from ragpool.loop_clients import Lease

logger = logging.getLogger(__name__)

MAX_MODELS_PER_LOOP = 32
TIMEOUT_S = 60.0

_DIGEST_KEY = secrets.token_bytes(32)  # digests mean nothing outside this process
_SECRET_MAPPINGS = frozenset({"default_headers", "extra_headers", "default_query", "extra_query"})
_KEY_OPTIONS = ("api_key", "openai_api_key", "anthropic_api_key")
_OWNED_OPTIONS = frozenset(
    {"http_client", "http_async_client", "openai_proxy", "anthropic_proxy", "http_socket_options"}
)


@dataclass(frozen=True, slots=True)
class _Secret:
    """Stand for a secret in a key: equal when the secrets are equal, and shown as nothing."""

    digest: bytes

    def __repr__(self) -> str:
        return "<secret>"


@dataclass(frozen=True, slots=True)
class _ByIdentity:
    """Stand for an object that cannot be hashed: equal only to itself."""

    value: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByIdentity) and other.value is self.value

    def __hash__(self) -> int:
        return id(self.value)

    def __repr__(self) -> str:
        return f"<{type(self.value).__name__}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class LLMSpec:
    """Everything that makes one model differ from another: the pool's key."""

    provider: str
    model: str
    base_url: Hashable
    temperature: float | None
    options: tuple[tuple[str, Hashable], ...] = ()
    environment: tuple[tuple[str, Hashable], ...] = ()
    key_source: KeySource | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """How to build the models of one provider.

    `build` gets the model's arguments and the HTTP clients to use; `environment` names the
    variables that it reads, since a changed variable is another configuration.
    """

    build: Callable[[dict[str, Any], LLMHttp], BaseChatModel]
    environment: tuple[str, ...] = ()
    base_url_variables: tuple[str, ...] = ()
    """Variables that hold the address of the provider's API."""
    default_base_url: str | None = None
    """That address where no variable holds one."""
    key_header: tuple[str, str] = ("authorization", "Bearer ")
    """Where a request carries the key, and what stands before it; for keys that rotate."""

    def base_urls(self, environment: Mapping[str, str]) -> tuple[str, ...]:
        """Return the addresses that the provider's key belongs to."""
        found = tuple(filter(None, map(environment.get, self.base_url_variables)))
        return found or ((self.default_base_url,) if self.default_base_url else ())


class LLMPool(PoolFacade["LLMSpec", "BaseChatModel"]):
    """Share language models, and own the HTTP clients under them.

    `fast_openai=False` builds langchain-openai's own class (see `ragpool.openai_chat`). `hosts`
    says which hosts may be asked; without it all may, since the program itself names them.
    """

    def __init__(
        self,
        *,
        max_models: int = MAX_MODELS_PER_LOOP,
        fast_openai: bool = True,
        hosts: HostPolicy | None = None,
        breaker: HostBreaker | None = None,
    ) -> None:
        self._breaker = breaker
        self._pool: LoopPool[LLMSpec, BaseChatModel] = LoopPool("llm", max_clients=max_models)
        self._hosts = hosts
        self._providers = dict(_PROVIDERS)
        if not fast_openai:
            self._providers["openai"] = replace(_OPENAI, build=_build_walked_openai)

    def register_provider(self, name: str, provider: Provider) -> None:
        """Let `get_llm` build models of a further provider, or build one's models otherwise."""
        self._providers[name] = provider

    def check(self, provider: str, base_url: str | None, *, own_key: bool) -> None:
        """Raise UnknownProviderError or ConfigurationError where `get_llm` would for sure."""
        builder = self._provider(provider)
        if self._hosts is not None:
            self._hosts.check_llm(provider, builder, base_url, own_key)

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise UnknownProviderError(name, self._providers)
        return provider

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(self._providers)

    def get_llm(
        self,
        provider: str,
        model: str,
        base_url: str | None = None,
        temperature: float | None = 0.1,
        **options: Any,
    ) -> BaseChatModel:
        """Return this event loop's model for the configuration.

        The model stays usable for as long as you refer to it, evicted or not. Outside an event
        loop the model is for synchronous use; its asynchronous calls work, unpooled.
        """
        return self._pool.acquire(self._recipe(provider, model, base_url, temperature, options))

    def lease(
        self,
        provider: str,
        model: str,
        base_url: str | None = None,
        temperature: float | None = 0.1,
        **options: Any,
    ) -> AbstractAsyncContextManager[BaseChatModel]:
        """Give the model for an `async with` block, through which its connections stay open."""
        return self._pool.lease(self._recipe(provider, model, base_url, temperature, options))

    def _recipe(
        self,
        provider: str,
        model: str,
        base_url: str | None,
        temperature: float | None,
        options: dict[str, Any],
    ) -> Recipe[LLMSpec, BaseChatModel]:
        builder = self._provider(provider)
        guest = self._hosts is not None and self._hosts.check_llm(
            provider, builder, base_url, any(options.get(name) for name in _KEY_OPTIONS)
        )
        if owned := sorted(_OWNED_OPTIONS & options.keys()):
            raise ConfigurationError(
                "get_llm", [f"{name} is the pool's own; leave it out" for name in owned]
            )
        source = _take_key_source(options)
        spec = LLMSpec(
            provider=provider,
            model=model,
            base_url=_url_key(base_url),
            temperature=temperature,
            options=tuple((name, _freeze(name, options[name])) for name in sorted(options)),
            environment=tuple(
                (name, _digest(os.environ[name]))
                for name in builder.environment
                if name in os.environ and not (source and name.endswith("_API_KEY"))
            ),
            key_source=source,
        )
        arguments = {"model": model, "temperature": temperature, "timeout": TIMEOUT_S} | options
        if base_url is not None:
            arguments["base_url"] = base_url
        return Recipe(
            key=spec,
            endpoint=_endpoint(spec, guest),
            open=partial(_open_http, guest, source, builder.key_header, self._breaker),
            build=partial(_make, builder, arguments, spec),
            replaces=partial(_is_of_an_older_environment, spec),
        )


def _endpoint(spec: LLMSpec, guest: bool) -> Hashable:
    """Return what models must have in common to share connections: the host, and every secret.

    So two tenants with keys of their own never share a client, whatever else they share.
    """
    secrets = tuple((name, value) for name, value in spec.options if _holds_secret(value))
    return spec.provider, spec.base_url, spec.environment, secrets, spec.key_source, guest


def _is_of_an_older_environment(now: LLMSpec, other: LLMSpec) -> bool:
    """Say whether a model differs in the environment alone, which has changed for everybody."""
    return other.environment != now.environment and (
        replace(other, environment=now.environment) == now
    )


def _take_key_source(options: dict[str, Any]) -> KeySource | None:
    """Put a placeholder where a callable gives the key, and return where to read it."""
    for name in _KEY_OPTIONS:
        if callable(options.get(name)):
            source = KeySource(options[name])
            options[name] = SecretStr(PLACEHOLDER)
            return source
    return None


def _holds_secret(value: Hashable) -> bool:
    return isinstance(value, (_Secret, _ByIdentity)) or (
        isinstance(value, tuple) and any(map(_holds_secret, value))
    )


def _open_http(
    guest: bool,
    source: KeySource | None,
    header: tuple[str, str],
    breaker: HostBreaker | None,
    on_loop: bool,
) -> LLMHttp:
    hooks: list[Any] = [strip_for_guest] if guest else []
    if source is not None:
        hooks.append(lambda request: source.put_into(request, *header))
    return LLMHttp(on_loop=on_loop, before_sending=hooks, breaker=breaker)


def _make(
    builder: Provider, arguments: dict[str, Any], spec: LLMSpec, lease: Lease
) -> BaseChatModel:
    made = _build(builder, arguments, cast("LLMHttp", lease.resource))
    # in the model's own dict, so that a copy of the model keeps the connections open as well
    vars(made)["_ragpool_lease"] = lease
    logger.info("created llm %s", spec)
    return made


def _build(builder: Provider, arguments: dict[str, Any], http: LLMHttp) -> BaseChatModel:
    what = f"llm model {arguments['model']!r}"
    try:
        return builder.build(arguments, http)
    except ValidationError as error:
        # the cause is left out: it repeats the arguments, the key among them
        raise ConfigurationError(what, problems(error)) from None
    except Exception as error:
        raise ConfigurationError(what, [f"{type(error).__name__}: {error}"]) from error


def _build_openai(arguments: dict[str, Any], http: LLMHttp) -> BaseChatModel:
    from ragpool.openai_chat import ChatOpenAI

    # both clients: with one alone it still builds the other, TLS context included
    return ChatOpenAI(**arguments, http_client=http.sync, http_async_client=http.client)


def _build_walked_openai(arguments: dict[str, Any], http: LLMHttp) -> BaseChatModel:
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(**arguments, http_client=http.sync, http_async_client=http.client)


def _build_anthropic(arguments: dict[str, Any], http: LLMHttp) -> BaseChatModel:
    import anthropic
    from langchain_anthropic import ChatAnthropic

    made = ChatAnthropic(**arguments)
    # Note: it has no field for HTTP clients. These are its cached properties, set beforehand.
    parameters = made._client_params
    vars(made)["_client"] = anthropic.Client(**parameters, http_client=http.sync)
    vars(made)["_async_client"] = anthropic.AsyncClient(**parameters, http_client=http.client)
    return made


_OPENAI = Provider(
    build=_build_openai,
    environment=(
        "OPENAI_API_KEY",
        "OPENAI_API_BASE",
        "OPENAI_BASE_URL",
        "OPENAI_CUSTOM_HEADERS",
        "OPENAI_ORG_ID",
        "OPENAI_PROJECT_ID",
    ),
    base_url_variables=("OPENAI_API_BASE", "OPENAI_BASE_URL"),
    default_base_url="https://api.openai.com/v1",
)
_ANTHROPIC = Provider(
    build=_build_anthropic,
    environment=(
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_API_URL",
        "ANTHROPIC_BASE_URL",
        "ANTHROPIC_CUSTOM_HEADERS",
    ),
    base_url_variables=("ANTHROPIC_API_URL", "ANTHROPIC_BASE_URL"),
    default_base_url="https://api.anthropic.com",
    key_header=("x-api-key", ""),
)
_PROVIDERS = {"openai": _OPENAI, "anthropic": _ANTHROPIC}


def _freeze(name: str, value: object) -> Hashable:
    """Turn an option into a hashable part of the key, in which no secret can be read."""
    if isinstance(value, SecretStr):
        return _digest(value.get_secret_value())
    if isinstance(value, str) and is_secret(name):
        return _digest(value)
    if isinstance(value, Mapping):
        inside = "secret" if name in _SECRET_MAPPINGS else ""
        return tuple(sorted((str(key), _freeze(inside or str(key), value[key])) for key in value))
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, *(_freeze(name, item) for item in value))
    if value is None or isinstance(value, (str, bytes, int, float)):
        return (type(value).__name__, value)
    return _ByIdentity(value)


def _digest(secret: str) -> _Secret:
    return _Secret(hashlib.blake2b(secret.encode(), key=_DIGEST_KEY, digest_size=16).digest())


def _url_key(url: str | None) -> Hashable:
    """Hide a URL that may carry a password or a token."""
    return _digest(url) if url is not None and ("@" in url or "?" in url) else url
