"""The stub on the wire: its counters, its HTTP, its speed and its own memory."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from bench.stub_server import StubServer

SEARCH = {"collection": "kb", "query": "how long is a refund possible?", "top_k": 3}
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Query: why"}]}
WAIT_S = 20


def test_requests_and_connections_are_counted_exactly(server: StubServer) -> None:
    with httpx.Client(base_url=server.url) as one, httpx.Client(base_url=server.url) as two:
        for _ in range(3):
            one.post("/rag/search", json=SEARCH)
        two.post("/v1/chat/completions", json=CHAT)
        two.get("/nowhere")
        stats = server.stats()
    assert stats["connections_opened"] == stats["connections_open"] == 2
    assert stats["connections_peak"] == 2
    assert stats["requests"]["POST /rag/search"] == 3
    assert stats["requests"]["POST /v1/chat/completions"] == 1
    assert stats["requests"]["other"] == 1
    assert stats["requests_total"] == 5
    assert stats["requests_in_flight"] == 0
    assert server.stats()["connections_open"] == 0, "both clients have closed theirs"


def test_the_peak_is_what_was_open_at_one_time(server: StubServer) -> None:
    for _ in range(5):
        with httpx.Client(base_url=server.url) as client:
            client.get("/rag/health")
    stats = server.stats()
    assert (stats["connections_opened"], stats["connections_peak"]) == (5, 1)


def test_asking_for_the_counters_does_not_change_them(server: StubServer) -> None:
    before = server.stats()
    for _ in range(5):
        server.control(status=500)
        server.clear()
    after = server.stats()
    del before["cpu_s"], after["cpu_s"], before["rss_bytes"], after["rss_bytes"]
    assert after == before
    assert after["connections_opened"] == after["connections_peak"] == after["bytes_out"] == 0


def test_a_connection_that_sends_nothing_is_counted(server: StubServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with closing(connection):
        connection.connect()
        assert server.stats()["connections_open"] == 1
    stats = server.stats()
    assert (stats["connections_opened"], stats["connections_open"]) == (1, 0)
    assert stats["connections_peak"] == 1


def test_requests_without_an_answer_are_in_flight(server: StubServer) -> None:
    server.control(hang=True)
    one, two = (http.client.HTTPConnection("127.0.0.1", server.port) for _ in range(2))
    with closing(one), closing(two):
        one.request("GET", "/rag/health")
        two.request("GET", "/rag/health")
        assert server.stats()["requests_in_flight"] == 2
    stats = server.stats()
    assert (stats["requests_in_flight"], stats["requests_in_flight_peak"]) == (0, 2)


def test_a_reset_keeps_what_is_open(server: StubServer, client: httpx.Client) -> None:
    client.get("/rag/health")
    server.reset()
    stats = server.stats()
    assert (stats["connections_opened"], stats["connections_open"]) == (0, 1)
    assert (stats["connections_peak"], stats["requests_total"]) == (1, 0)


def test_bytes_are_counted_as_they_cross_the_wire(server: StubServer) -> None:
    head = f"GET /rag/health HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n"
    head += "Accept-Encoding: identity\r\n\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with closing(connection):
        connection.request("GET", "/rag/health")
        response = connection.getresponse()
        headers = b"".join(f"{name}: {value}\r\n".encode() for name, value in response.getheaders())
        body = response.read()
    stats = server.stats()
    assert stats["bytes_in"] == len(head)
    assert stats["bytes_out"] == len(b"HTTP/1.1 200 \r\n" + headers + b"\r\n" + body)


def test_pipelined_and_chunked_requests_are_answered_in_order(server: StubServer) -> None:
    body = json.dumps(SEARCH).encode()
    chunked = b"POST /rag/search HTTP/1.1\r\nHost: stub\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked += b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    health = b"GET /rag/health HTTP/1.1\r\nHost: stub\r\n\r\n"
    last = b"GET /rag/health HTTP/1.1\r\nHost: stub\r\nConnection: close\r\n\r\n"
    delayed = health.replace(b"\r\n\r\n", b"\r\nx-stub-fault: delay=0.05\r\n\r\n")
    answers = exchange(server, delayed + chunked + last)
    assert answers.count(b"HTTP/1.1 200") == 3
    assert answers.index(b'"ok"') < answers.index(b'"documents"') < answers.rindex(b'"ok"')


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(server: StubServer) -> None:
    head = b"POST /rag/search HTTP/1.1\r\nHost: stub\r\nContent-Length: 2\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as client:
        client.sendall(head + b"Expect: 100-continue\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"{}")
        assert client.recv(1000).startswith(b"HTTP/1.1 422 ")


def test_what_is_not_http_is_refused_and_counted_as_a_connection(server: StubServer) -> None:
    assert exchange(server, b"hello\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    stats = server.stats()
    assert (stats["connections_opened"], stats["requests_total"]) == (1, 0)


def exchange(server: StubServer, sent: bytes) -> bytes:
    """Send everything at once, and read until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as client:
        client.sendall(sent)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def test_sequential_requests_never_wait_for_a_delayed_acknowledgement(client: httpx.Client) -> None:
    streamed = {**CHAT, "stream": True}
    for path, body in (("/rag/search", SEARCH), ("/v1/chat/completions", streamed)):
        times = []
        for _ in range(100):
            start = time.perf_counter()
            client.post(path, json=body).raise_for_status()
            times.append(time.perf_counter() - start)
        assert statistics.median(times) < 0.02, "a stall takes 0.04 s"


def test_the_memory_of_the_server_stays_flat_and_its_cpu_small(server: StubServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    with closing(connection):
        ask(connection, 1000)
        before = server.stats()
        ask(connection, 5000)
        after = server.stats()
    assert after["requests_total"] == 6000
    assert after["rss_bytes"] - before["rss_bytes"] < 1024 * 1024
    assert (after["cpu_s"] - before["cpu_s"]) / 5000 < 0.002, "it takes 0.0003 s"


def ask(connection: http.client.HTTPConnection, times: int) -> None:
    bodies: list[tuple[str, dict[str, Any]]] = [
        ("/rag/search", SEARCH),
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", {**CHAT, "stream": True}),
        ("/v1/messages", {**CHAT, "max_tokens": 500, "stream": True}),
        ("/nowhere/else", {}),
    ]
    for number in range(times):
        if number % len(bodies) == 0:
            connection.close()  # so that what a connection would leave behind shows too
        path, body = bodies[number % len(bodies)]
        new = {**body, "query": f"question {number}"} if path == "/rag/search" else body
        connection.request("POST", path, json.dumps(new).encode())
        connection.getresponse().read()
