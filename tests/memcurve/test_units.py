"""What is printed can be read back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcurve.model.errors import QuantityError
from memcurve.model.units import GIB, KIB, MIB, format_bytes, parse_bytes

# half a unit of the last digit: the third from 1 KiB on, tenths of a byte below
ROUNDING, OF_A_BYTE = 0.005, 0.05
SIZES = st.floats(-(2.0**50), 2.0**50) | st.integers(-(2**50), 2**50)


@given(st.integers(-1023, 1023))
def test_whole_bytes_below_a_kibibyte_come_back_as_they_were(size: int) -> None:
    assert parse_bytes(format_bytes(size)) == size


@given(SIZES)
def test_any_size_comes_back_within_the_digits_that_are_printed(size: float) -> None:
    assert parse_bytes(format_bytes(size)) == pytest.approx(size, rel=ROUNDING, abs=OF_A_BYTE)


@given(SIZES)
def test_a_size_that_was_printed_once_comes_back_as_it_was(size: float) -> None:
    printed = parse_bytes(format_bytes(size))
    assert parse_bytes(format_bytes(printed)) == printed


@given(st.integers(1, 1023), st.sampled_from([("KiB", KIB), ("MiB", MIB), ("GiB", GIB)]))
def test_a_size_in_any_unit_and_spelling_is_read(count: int, unit: tuple[str, int]) -> None:
    name, factor = unit
    spellings = (f"{count}{name}", f"{count} {name.lower()}", f" {count:,}.0 {name} ")
    assert {parse_bytes(text) for text in spellings} == {count * factor}


@given(st.text())
def test_a_text_is_a_size_or_refused_by_name(text: str) -> None:
    try:
        assert isinstance(parse_bytes(text), float)
    except QuantityError as error:
        refusal = str(error)
        assert refusal.startswith(repr(text))
