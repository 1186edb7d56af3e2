"""How the models of each provider are built, on HTTP clients that belong to the pool."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langchain_core.language_models.chat_models import BaseChatModel

    from ragpool.transports import LLMHttp


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


def _build_openai(arguments: dict[str, Any], http: LLMHttp) -> BaseChatModel:
    from ragpool.openai_chat import ChatOpenAI

    # both clients: with one alone it still builds the other, TLS context included
    return ChatOpenAI(**arguments, http_client=http.sync, http_async_client=http.client)


def build_walked_openai(arguments: dict[str, Any], http: LLMHttp) -> BaseChatModel:
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


OPENAI = Provider(
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
ANTHROPIC = Provider(
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
PROVIDERS = {"openai": OPENAI, "anthropic": ANTHROPIC}
