"""Faults on order: what goes wrong, for which requests, and how often.

A request's fault is the one that its `x-stub-fault` header names, else the first order on the board
that fires.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

HEADER = b"x-stub-fault"
_MOST_ORDERS = 64  # the board is the only thing in the server that a client could grow

Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]
BadOutput = Literal["", "prose", "cut", "schema", "empty"]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong with one answer; the default is nothing.

    `delay_s` comes before everything else; then the first of `hang`, `reset` and `status` decides.
    `truncate` sends half of the body and closes. `bad_json` spoils the document that carries the
    answer, `bad_output` what the model says inside a correct one: prose where JSON was asked for,
    JSON cut in the middle, an object that breaks the schema, or nothing.
    """

    delay_s: Seconds = 0.0
    stream_delay_s: Seconds = 0.0
    status: Annotated[int, msgspec.Meta(ge=400, le=599)] | None = None
    retry_after_s: Seconds | None = None
    reset: bool = False
    truncate: bool = False
    hang: bool = False
    bad_json: bool = False
    bad_output: BadOutput = ""
    close_after_response: bool = False


class Order(Fault, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault for the paths that start with `route`: the next `times`, or a share `rate`."""

    route: str = ""
    times: Annotated[int, msgspec.Meta(ge=1)] | None = None
    rate: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0


NO_FAULT = Fault()


class FaultBoard:
    """The orders in force, oldest first."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []

    def post(self, body: bytes) -> None:
        """Add one order; raises `msgspec.ValidationError` for an unknown field or value."""
        order = msgspec.json.decode(body, type=Order)
        if len(self._standing) >= _MOST_ORDERS:
            raise msgspec.ValidationError(
                f"fault board: {_MOST_ORDERS} orders are in force; clear it with DELETE /control"
            )
        self._standing.append(_Standing(order))

    def clear(self) -> None:
        self._standing.clear()

    def orders(self) -> list[Order]:
        return [standing.order for standing in self._standing]

    def draw(self, path: str) -> Fault:
        """Take the fault of the next request to `path`, and count it as used."""
        for standing in self._standing:
            if path.startswith(standing.order.route) and standing.fires():
                if standing.left == 0:
                    self._standing.remove(standing)
                return standing.order
        return NO_FAULT


class _Standing:
    """An order and what is left of it."""

    __slots__ = ("_credit", "left", "order")

    def __init__(self, order: Order) -> None:
        self.order = order
        self.left = -1 if order.times is None else order.times
        self._credit = 0.0

    def fires(self) -> bool:
        # Note: a rate is spread evenly, not drawn at random: 0.1 of 100 requests is always ten
        self._credit += self.order.rate
        if self._credit < 1 - 1e-9:
            return False
        self._credit -= 1
        self.left -= 1
        return True


def parse_header(value: bytes) -> Fault:
    """Read `delay=0.2, status=500`: a bare name is true, and the suffix `_s` may be left out."""
    fields: dict[str, str | bool] = {}
    for word in value.decode("latin-1").replace(";", ",").split(","):
        name, equals, text = word.strip().partition("=")
        if f"{name}_s" in Fault.__struct_fields__:
            name += "_s"
        fields[name] = text.strip() if equals else True
    return msgspec.convert(fields, Fault, strict=False)
