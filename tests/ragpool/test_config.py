"""Settings and node configurations: unknown keys are named, values are never repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ragpool import ConfigClient, ConfigurationError, NodeConfig, SearchConfig

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _no_other_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_an_unknown_key_of_a_node_is_an_error_that_names_it() -> None:
    with pytest.raises(ConfigurationError, match="unknown key 'top_kk'") as info:
        NodeConfig.from_mapping({"llm_model": "m", "top_kk": 3})
    assert info.value.problems == ("unknown key 'top_kk'; remove it or check its spelling",)


def test_search_config_refuses_the_keys_of_the_node() -> None:
    with pytest.raises(ConfigurationError, match="unknown key 'llm_model'"):
        SearchConfig(llm_model="m")


@pytest.mark.parametrize(
    "values",
    [{"top_k": 0}, {"max_rounds": 21}, {"judge_temperature": 2.1}, {"collections": ()}],
)
def test_a_value_out_of_range_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(values))):
        SearchConfig(**values)


def test_no_error_repeats_a_value() -> None:
    with pytest.raises(ConfigurationError) as info:
        NodeConfig.from_mapping({"llm_model": "m", "llm_api_key": ["sk-secret"], "top_k": "secret"})
    assert "secret" not in str(info.value)
    assert info.value.__cause__ is None


def test_a_nodes_key_is_not_shown() -> None:
    assert "sk-secret" not in repr(NodeConfig(llm_model="m", llm_api_key="sk-secret"))


def test_the_environment_wins_over_toml_which_wins_over_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    toml = tmp_path / "other.toml"
    toml.write_text('port = 8100\nhost = "0.0.0.0"\n[node_defaults]\nllm_model = "m"\n')
    monkeypatch.setenv("RAGPOOL_CONFIG", str(toml))
    monkeypatch.setenv("RAGPOOL_PORT", "8200")
    settings = ConfigClient.load()
    assert (settings.port, settings.host, settings.workflow_max_workers) == (8200, "0.0.0.0", 10)
    assert settings.node_defaults == {"llm_model": "m"}


def test_the_toml_file_of_the_working_directory_is_read(tmp_path: Path) -> None:
    (tmp_path / "ragpool.toml").write_text("cache_enabled = true\n")
    assert ConfigClient.load().cache_enabled


def test_wrong_settings_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAGPOOL_PORT", "seventy")
    with pytest.raises(ConfigurationError, match=r"settings: port: ") as info:
        ConfigClient.load()
    assert "seventy" not in str(info.value)


def test_a_nodes_own_keys_win_over_the_defaults() -> None:
    settings = ConfigClient.load(
        rag_base_url="http://rag.test", node_defaults={"llm_model": "m", "top_k": 3}
    )
    assert settings.compose({"top_k": 4}) == {
        "rag_base_url": "http://rag.test",
        "llm_model": "m",
        "top_k": 4,
    }
