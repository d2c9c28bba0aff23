from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.stamps import stamp17, utc_ms

FIRST_MS, LAST_MS = 0, 253_370_764_799_999  # the years 1970 to 9998


@given(at_ms=st.integers(FIRST_MS, LAST_MS))
def test_a_moment_survives_as_a_stamp(at_ms: int) -> None:
    stamp = stamp17(at_ms)
    assert len(stamp) == 17
    assert utc_ms(stamp) == at_ms


@given(a=st.integers(FIRST_MS, LAST_MS), b=st.integers(FIRST_MS, LAST_MS))
def test_stamps_sort_as_their_moments_do(a: int, b: int) -> None:
    assert (stamp17(a) < stamp17(b)) == (a < b)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        pytest.param("20190611073246073", 1560238366073, id="the documentation's example"),
        pytest.param("20240229000000000", 1709164800000, id="a leap day"),
        pytest.param("20230229000000000", None, id="no leap day"),
        pytest.param("20191320125142485", None, id="month 13"),
        pytest.param("20190620245142485", None, id="hour 24"),
        pytest.param("20190620235960000", None, id="a leap second"),
        pytest.param("00000101000000000", None, id="year 0"),
        pytest.param("19691231235959999", None, id="before the epoch"),
        pytest.param("19700101000000000", 0, id="the epoch"),
        pytest.param("99981231235959999", LAST_MS, id="the last year there is room after"),
        pytest.param("99990101000000000", None, id="a year without room after it"),
        pytest.param("2019061107324607", None, id="16 digits"),
        pytest.param("201906110732460731", None, id="18 digits"),
        pytest.param("2019061107324607x", None, id="a letter"),
        pytest.param("2019061107324607٣", None, id="a digit of another script"),
        pytest.param("2019061107324607²", None, id="a superscript"),
        pytest.param(" 2019061107324607", None, id="a space"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_stamp_is_17_digits_of_a_real_date(stamp: str, expected: int | None) -> None:
    assert utc_ms(stamp) == expected


@given(text=st.text(max_size=20))
def test_any_text_is_a_stamp_or_none(text: str) -> None:
    found = utc_ms(text)
    assert found is None or stamp17(found) == text
