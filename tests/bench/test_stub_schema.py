"""What the stub fills in satisfies the schema that asked for it; pydantic is the judge."""

from __future__ import annotations

import datetime as dt
import uuid
from enum import Enum
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter

from bench.stub import schema
from bench.stub.exchange import RefusedError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Tree(BaseModel):
    name: str
    children: list[Tree]
    parent: Tree | None = None


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)]


class Dog(BaseModel):
    kind: Literal["dog"]
    weight_kg: Annotated[float, Field(gt=0, lt=0.5)]


SHAPES = [
    Tree,
    Cat | Dog,
    Colour,
    Literal["a", 1] | None,
    bool,
    None,
    dict[str, int],
    Annotated[dict[str, Cat], Field(min_length=2)],
    tuple[int, str],
    set[int],
    Annotated[list[Cat], Field(min_length=4, max_length=4)],
    Annotated[str, Field(min_length=300, max_length=310)],
    Annotated[str, Field(max_length=3)],
    Annotated[int, Field(gt=10, lt=12)],
    Annotated[int, Field(multiple_of=7, ge=50)],
    Annotated[int, Field(le=-5)],
    Annotated[float, Field(ge=0.25, le=0.251)],
    dt.datetime,
    dt.date,
    dt.timedelta,
    uuid.UUID,
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_filled_form_is_valid_and_depends_on_the_seed_alone(shape: object) -> None:
    adapter = TypeAdapter(shape)
    asked = adapter.json_schema()
    for seed in (b"one", b"two", b"three", b"four", b"five"):
        value = schema.fill(asked, seed)
        adapter.validate_python(value)
        assert schema.fill(asked, seed) == value


def test_different_seeds_fill_differently() -> None:
    asked = TypeAdapter(Tree).json_schema()
    assert schema.fill(asked, b"one") != schema.fill(asked, b"two")


def test_a_pattern_is_refused_rather_than_broken() -> None:
    with pytest.raises(RefusedError, match=r"\$\.code: the stub cannot satisfy 'pattern'"):
        schema.fill({"properties": {"code": {"type": "string", "pattern": "^x+$"}}}, b"seed")
