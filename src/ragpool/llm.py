"""The pool of language models: one for each configuration and event loop.

Models with the same endpoint share the HTTP clients underneath, so a judge at temperature 0.0 and
a writer at 0.7 need one connection, not two.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import SecretStr, ValidationError

from ragpool.config import problems
from ragpool.errors import ConfigurationError, UnknownProviderError
from ragpool.hosts import HostPolicy, strip_for_guest
from ragpool.keys import PLACEHOLDER, KeySource
from ragpool.llm_spec import LLMSpec, digest, endpoint, freeze, is_of_an_older_environment, url_key
from ragpool.loop_clients import Recipe
from ragpool.pool import LoopPool
from ragpool.pool_facade import PoolFacade
from ragpool.providers import OPENAI, PROVIDERS, Provider, build_walked_openai
from ragpool.transports import LLMHttp

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from langchain_core.language_models.chat_models import BaseChatModel

    from ragpool.breaker import HostBreaker
    from ragpool.loop_clients import Lease

logger = logging.getLogger(__name__)

MAX_MODELS_PER_LOOP = 32
TIMEOUT_S = 60.0

_KEY_OPTIONS = ("api_key", "openai_api_key", "anthropic_api_key")
_OWNED_OPTIONS = frozenset(
    {"http_client", "http_async_client", "openai_proxy", "anthropic_proxy", "http_socket_options"}
)


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
        self._providers = dict(PROVIDERS)
        if not fast_openai:
            self._providers["openai"] = replace(OPENAI, build=build_walked_openai)

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
            base_url=url_key(base_url),
            temperature=temperature,
            options=tuple((name, freeze(name, options[name])) for name in sorted(options)),
            environment=tuple(
                (name, digest(os.environ[name]))
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
            endpoint=endpoint(spec, guest),
            open=partial(_open_http, guest, source, builder.key_header, self._breaker),
            build=partial(_make, builder, arguments, spec),
            replaces=partial(is_of_an_older_environment, spec),
        )


def _take_key_source(options: dict[str, Any]) -> KeySource | None:
    """Put a placeholder where a callable gives the key, and return where to read it."""
    for name in _KEY_OPTIONS:
        if callable(options.get(name)):
            source = KeySource(options[name])
            options[name] = SecretStr(PLACEHOLDER)
            return source
    return None


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
