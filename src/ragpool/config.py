"""Settings: of one search, of one node, and of the whole service."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from ragpool.callers import read_tokens
from ragpool.errors import ConfigurationError
from ragpool.hosts import HostPolicy
from ragpool.keys import KeyFile
from ragpool.limits import PROCESS_CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_settings import PydanticBaseSettingsSource

TOML_VARIABLE = "RAGPOOL_CONFIG"
DEFAULT_TOML = "ragpool.toml"
DEFAULT_PROVIDER = "openai"


class Checked(BaseModel):
    """A frozen model whose errors name the key, and never show the value."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        protected_namespaces=(),
        arbitrary_types_allowed=True,
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise ConfigurationError(type(self).__name__, problems(error)) from None


class SearchConfig(Checked):
    """How one iterative search behaves: its rounds, its stop rules, and its answer."""

    collections: tuple[str, ...] = Field(("default",), min_length=1, max_length=32)
    top_k: int = Field(5, ge=1, le=100)
    """Documents asked of every collection in every round."""
    max_rounds: int = Field(3, ge=1, le=20)
    enough_documents: int = Field(20, ge=1, le=1000)
    """Stop as soon as so many documents were judged relevant."""
    judge_temperature: float = Field(0.0, ge=0.0, le=2.0)
    answer: bool = True
    """Whether a final answer is written at all."""
    answer_temperature: float = Field(0.7, ge=0.0, le=2.0)
    max_document_chars: int = Field(4000, ge=1)
    """How much of each document the model gets to read."""
    max_query_chars: int = Field(4000, ge=1)


class NodeConfig(SearchConfig):
    """A node's configuration: a search, and the services that it uses."""

    llm_provider: str = DEFAULT_PROVIDER
    llm_model: str
    llm_base_url: str | None = Field(None, repr=False)
    llm_api_key: SecretStr | KeyFile | None = None
    rag_base_url: str | None = Field(None, repr=False)

    @classmethod
    def from_mapping(cls, node_config: Mapping[str, Any]) -> Self:
        """Check a node's configuration; an unknown key is an error that names it."""
        return cls(**{str(key): value for key, value in node_config.items()})

    def llm_options(self) -> dict[str, Any]:
        return {} if self.llm_api_key is None else {"api_key": self.llm_api_key}


class ConfigClient(BaseSettings):
    """The service's settings: environment first (`RAGPOOL_…`), then TOML, then these defaults.

    The TOML file is the one that `RAGPOOL_CONFIG` names, or `ragpool.toml` where it exists.
    """

    model_config = SettingsConfigDict(
        env_prefix="RAGPOOL_", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    database_url: SecretStr = SecretStr("sqlite+aiosqlite:///ragpool.db")
    database_connections: int = Field(5, ge=1, le=1000)
    """How many connections to the database are held at most."""
    workflow_max_workers: int = Field(10, ge=1, le=256)
    max_unfinished: int = Field(1000, ge=1)
    max_unfinished_per_caller: int | None = Field(None, ge=1)
    """How many executions of one caller may be pending or running; None: `max_unfinished`."""
    max_history: int = Field(1000, ge=1)
    drain_s: float = Field(20.0, ge=0)
    """How long executions may go on once the service was told to end."""
    lease_s: float = Field(30.0, gt=0)
    """How long a replica may be silent until another takes over its executions."""
    max_body_bytes: int = Field(1 << 20, ge=1)
    body_timeout_s: float = Field(30.0, gt=0)
    """How long a caller may take to send a body."""
    max_requests_per_caller: int = Field(256, ge=1)
    """How many requests one caller may have at once; those without a name are one caller."""
    tokens: Annotated[dict[str, tuple[str, ...]], NoDecode, BeforeValidator(read_tokens)] = Field(
        default_factory=dict, repr=False
    )
    """Who may call: the hashes of each caller's tokens, by the caller's name."""
    allow_anonymous: bool = False
    """Whether callers need no token even where the service listens on more than loopback."""
    trusted_hosts: tuple[str, ...] = ()
    """Names in `Host` that are served besides `localhost`, loopback and `host`; `*.name` too."""
    log_format: Literal["text", "json"] = "text"
    """How the service's process writes its log (`ragpool.logs`)."""
    failed_is_200: bool = False
    """Whether `wait` answers a failed workflow with 200, and not with 502 or 504."""
    cache_enabled: bool = False
    max_models_per_loop: int = Field(32, ge=1)
    fast_openai: bool = True
    """Whether OpenAI models are of `ragpool.openai_chat`'s class; see there."""
    rag_base_url: str | None = Field(None, repr=False)
    llm_api_key_file: Path | None = None
    """A file with the key that `node_defaults` would name; it may change while the service runs."""
    max_connections: int = Field(PROCESS_CONNECTIONS, ge=1)
    """How many connections to models and retrieval services the process has at most."""
    breaker_failures: int = Field(20, ge=1)
    """After so many failures in a row a host is not asked for a while (`ragpool.breaker`)."""
    breaker_pause_s: float = Field(5.0, gt=0)
    node_defaults: dict[str, Any] = Field(default_factory=dict, repr=False)
    """Keys that a node's configuration gets unless it has them itself."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts (`host` or `host:port`) that a request may name besides the configured ones."""

    def compose(self, node_config: Mapping[str, Any]) -> dict[str, Any]:
        """Complete a node's configuration with the defaults; its own keys win.

        A node that names another provider or another host gets neither the address nor the key of
        the defaults: they belong together.
        """
        service = {} if self.rag_base_url is None else {"rag_base_url": self.rag_base_url}
        defaults = dict(self.node_defaults)
        if self.llm_api_key_file is not None:
            defaults["llm_api_key"] = KeyFile(self.llm_api_key_file)
        if any(
            key in node_config and node_config[key] != default
            for key, default in self._place_of_the_key()
        ):
            for key in ("llm_base_url", "llm_api_key"):
                defaults.pop(key, None)
        return {**service, **defaults, **node_config}

    def hosts(self) -> HostPolicy:
        """Return which hosts the service may ask, and which get its keys."""
        (_, provider), (_, llm) = self._place_of_the_key()
        urls = self.rag_base_url, self.node_defaults.get("rag_base_url")
        return HostPolicy(
            allowed_hosts=frozenset(self.allowed_hosts),
            configured={provider: (llm,)} if llm else {},
            retrieval=tuple(filter(None, urls)),
        )

    def served_hosts(self) -> tuple[str, ...]:
        """Return the names that `Host` may have."""
        return (self.host, *self.trusted_hosts)

    def _place_of_the_key(self) -> tuple[tuple[str, str], tuple[str, str | None]]:
        """Return which provider's key the defaults hold, and which address it belongs to."""
        provider = self.node_defaults.get("llm_provider", DEFAULT_PROVIDER)
        return ("llm_provider", provider), ("llm_base_url", self.node_defaults.get("llm_base_url"))

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the settings; raises ConfigurationError, which names the wrong keys."""
        try:
            return cls(**overrides)
        except ValidationError as error:
            raise ConfigurationError("settings", problems(error)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = Path(os.environ.get(TOML_VARIABLE, DEFAULT_TOML))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml)


def problems(error: ValidationError) -> list[str]:
    """Say what is wrong with which key; values are left out, since some are secrets."""
    return [
        f"unknown key {where(item['loc'])!r}; remove it or check its spelling"
        if item["type"] == "extra_forbidden"
        else f"{where(item['loc'])}: {item['msg']}"
        for item in error.errors(include_url=False, include_input=False)
    ]


def where(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location))
