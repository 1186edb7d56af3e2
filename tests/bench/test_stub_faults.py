"""Each fault that can be ordered, as a client of the stub meets it."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from typing import Any

import httpx
import pytest

from bench.stub.faults import FaultBoard, parse_header
from bench.stub_server import StubServer, StubServerError

SEARCH = {"collection": "kb", "query": "how long is a refund possible?", "top_k": 3}
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Query: why"}]}
JUDGE_SCHEMA = {
    "type": "object",
    "properties": {"relevant_ids": {}, "sufficient": {}, "reason": {}},
}
FORM = {
    "type": "json_schema",
    "json_schema": {"name": "RelevanceJudgement", "schema": JUDGE_SCHEMA},
}


def search(client: httpx.Client, fault: str = "") -> httpx.Response:
    headers = {"x-stub-fault": fault} if fault else {}
    return client.post("/rag/search", json=SEARCH, headers=headers)


def test_a_status_comes_in_the_shape_of_each_api_with_retry_after(
    server: StubServer, client: httpx.Client
) -> None:
    server.control(status=429, retry_after_s=1.5)
    answers = {
        path: client.post(path, json={})
        for path in ("/rag/search", "/v1/chat/completions", "/v1/messages")
    }
    assert {one.status_code for one in answers.values()} == {429}
    assert {one.headers["retry-after"] for one in answers.values()} == {"1.5"}
    assert isinstance(answers["/rag/search"].json()["error"], str)
    assert answers["/v1/chat/completions"].json()["error"]["type"] == "rate_limit_error"
    assert answers["/v1/messages"].json()["type"] == "error"


def test_a_delay_holds_the_answer_back_and_leaves_other_requests_alone(
    server: StubServer, client: httpx.Client
) -> None:
    server.control(route="/rag/search", delay_s=0.15, times=1)
    start = time.perf_counter()
    assert search(client).status_code == 200
    assert time.perf_counter() - start >= 0.15
    server.control(route="/rag/search", delay_s=600)
    held_back = http.client.HTTPConnection("127.0.0.1", server.port)
    with closing(held_back):
        held_back.request("POST", "/rag/search", json.dumps(SEARCH))
        assert client.get("/rag/health").status_code == 200
        assert server.stats()["requests_in_flight"] == 1


def test_a_reset_breaks_the_connection(server: StubServer, client: httpx.Client) -> None:
    server.control(reset=True, times=1)
    with pytest.raises(httpx.ReadError) as caught:
        search(client)
    assert "reset" in str(caught.value).lower()
    assert search(client).status_code == 200


def test_a_truncated_body_is_short_and_then_the_connection_ends(client: httpx.Client) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="complete"):
        search(client, "truncate")
    with pytest.raises(httpx.RemoteProtocolError, match="complete"):
        client.post(
            "/v1/chat/completions",
            json={**CHAT, "stream": True},
            headers={"x-stub-fault": "truncate"},
        )


def test_a_hanging_request_is_never_answered(client: httpx.Client) -> None:
    patience = httpx.Timeout(20, read=0.1)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/rag/health", headers={"x-stub-fault": "hang"}, timeout=patience)


def test_bad_json_arrives_in_correct_http(client: httpx.Client) -> None:
    answer = search(client, "bad_json")
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()
    streamed = client.post(
        "/v1/chat/completions", json={**CHAT, "stream": True}, headers={"x-stub-fault": "bad_json"}
    )
    events = [line[6:] for line in streamed.text.splitlines() if line.startswith("data: {")]
    assert sum(map(is_broken, events)) == 1


def is_broken(text: str) -> bool:
    try:
        json.loads(text)
    except json.JSONDecodeError:
        return True
    return False


@pytest.mark.parametrize("bad", ["prose", "cut", "schema", "empty"])
def test_a_model_can_answer_badly_in_a_correct_envelope(client: httpx.Client, bad: str) -> None:
    answer = client.post(
        "/v1/chat/completions",
        json={**CHAT, "response_format": FORM},
        headers={"x-stub-fault": f"bad_output={bad}"},
    )
    content = answer.json()["choices"][0]["message"]["content"]
    assert is_broken(content) == (bad != "schema")
    if bad == "schema":
        assert not JUDGE_SCHEMA["properties"].keys() & json.loads(content).keys()


@pytest.mark.parametrize("bad", ["prose", "cut", "schema", "empty"])
@pytest.mark.parametrize("streamed", [False, True])
def test_a_bad_tool_call_is_a_correct_message_of_anthropic(
    client: httpx.Client, bad: str, streamed: bool
) -> None:
    tool = {"name": "RelevanceJudgement", "input_schema": JUDGE_SCHEMA}
    choice = {"type": "tool", "name": "RelevanceJudgement"}
    asked = {**CHAT, "max_tokens": 100, "tools": [tool], "tool_choice": choice, "stream": streamed}
    answer = client.post("/v1/messages", json=asked, headers={"x-stub-fault": f"bad_output={bad}"})
    assert answer.status_code == 200
    assert '"relevant_ids":' not in answer.text


def test_an_answer_can_end_the_connection(server: StubServer, client: httpx.Client) -> None:
    for _ in range(3):
        assert search(client, "close_after_response").headers["connection"] == "close"
    assert server.stats()["connections_opened"] == 3


def test_a_slow_stream_arrives_in_pieces(client: httpx.Client) -> None:
    asked: dict[str, Any] = {**CHAT, "stream": True, "max_tokens": 40}
    plain = client.post("/v1/chat/completions", json=asked)
    start = time.perf_counter()
    headers = {"x-stub-fault": "stream_delay=0.01"}
    slow = client.post("/v1/chat/completions", json=asked, headers=headers)
    assert slow.content == plain.content
    assert time.perf_counter() - start >= 0.03
    # a client that lags finds several pieces at once, but not those of three seconds
    headers = {"x-stub-fault": "stream_delay=0.5"}
    with client.stream("POST", "/v1/chat/completions", json=asked, headers=headers) as slower:
        first = next(slower.iter_raw())
    assert plain.content.startswith(first)
    assert first != plain.content


def test_an_order_is_for_its_route_and_its_number_of_requests(
    server: StubServer, client: httpx.Client
) -> None:
    server.control(route="/rag/search", status=503, times=2)
    assert client.get("/rag/health").status_code == 200
    assert [search(client).status_code for _ in range(4)] == [503, 503, 200, 200]
    assert server.stats()["faults_total"] == 2


def test_a_rate_is_spread_evenly(server: StubServer, client: httpx.Client) -> None:
    server.control(status=500, rate=0.25)
    statuses = [search(client).status_code for _ in range(20)]
    assert statuses.count(500) == 5
    server.clear()
    assert search(client).status_code == 200


def test_the_first_order_that_fires_wins_and_the_header_beats_both(
    server: StubServer, client: httpx.Client
) -> None:
    server.control(status=500, times=1)
    server.control(status=502)
    assert search(client, "status=418").status_code == 418
    assert [search(client).status_code for _ in range(2)] == [500, 502]


def test_an_order_that_makes_no_sense_is_refused_by_name(
    server: StubServer, client: httpx.Client
) -> None:
    with pytest.raises(StubServerError, match="unknown field `speed`"):
        server.control(speed=1)
    with pytest.raises(StubServerError, match="rate"):
        server.control(rate=2)
    refused = search(client, "status=200")
    assert refused.status_code == 400
    assert "status" in refused.json()["error"]


def test_the_board_of_faults_is_bounded() -> None:
    board = FaultBoard()
    for _ in range(64):
        board.post(b'{"status": 500}')
    with pytest.raises(ValueError, match="64 orders are in force"):
        board.post(b'{"status": 500}')


def test_the_header_takes_names_with_and_without_the_unit() -> None:
    fault = parse_header(b"delay=0.25, retry_after_s=2; status=503, reset")
    assert (fault.delay_s, fault.retry_after_s, fault.status, fault.reset) == (0.25, 2, 503, True)
