"""The text of an inspection, at fixed widths; and the chart's laws."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.inspection import Presence
from pipeline.report.chart import chart
from pipeline.report.inspected import inspection_document, inspection_lines
from pipeline.report.words import Screen, cells
from tests.report.material import START, inspection, recording, track

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("name", "screen"),
    [
        pytest.param("inspected-100.txt", Screen(100), id="a hundred columns"),
        pytest.param("inspected-60-ascii.txt", Screen(60, unicode=False), id="sixty columns of ASCII"),
    ],
)
def test_the_text_of_an_inspection(golden: Callable[[str, str], None], name: str, screen: Screen) -> None:
    golden(f"report/golden/{name}", "\n".join(inspection_lines(inspection(), screen)) + "\n")


def test_the_document_of_an_inspection_is_json_with_every_value() -> None:
    document = json.loads(json.dumps(inspection_document(inspection())))
    assert document["version"] == 1
    assert [user["source"] for user in document["recordings"][0]["users"]] == ["camera", "screen", "camera"]
    assert document["recordings"][0]["users"][0]["tracks"][0]["stretches"][1]["presence"] == "lost"


def _line(width: int, length: int, *stretches: tuple[int, int, Presence]) -> str:
    whole = recording()
    alone = replace(
        whole,
        end_ms=START + length,
        users=(replace(whole.users[0], tracks=(track("audio", *stretches),)),),
    )
    return list(chart(alone, Screen(width, unicode=False)))[2].removeprefix("ann audio  ")


@given(st.integers(0, 9_999), st.integers(1, 10_000))
def test_no_loss_is_too_short_to_be_seen(start: int, length: int) -> None:
    lost = (start, start + length, Presence.LOST)
    assert "x" in _line(40, 20_000, (0, 20_000, Presence.PRESENT), lost)


@given(st.integers(0, 9_999), st.integers(1, 10_000))
def test_no_stretch_of_media_is_too_short_to_be_seen(start: int, length: int) -> None:
    assert "#" in _line(40, 20_000, (start, start + length, Presence.PRESENT))


@given(st.integers(72, 200), st.integers(1, 10**12))
def test_every_line_fits_on_the_screen(width: int, length: int) -> None:
    whole = replace(recording(), end_ms=START + length)
    lines = list(chart(whole, Screen(width)))
    assert max(cells(line) for line in lines) <= width


@given(st.integers(60, 200), st.integers(1000, 10**10))
def test_the_axis_has_its_labels_over_their_ticks_and_apart(width: int, length: int) -> None:
    labels, ticks, *_ = chart(replace(recording(), end_ms=START + length), Screen(width, unicode=False))
    places = [n for n, sign in enumerate(ticks) if sign == "|"]
    assert all(labels[place] != " " for place in places)
    assert all(b - a >= 9 for a, b in pairwise(places))
    assert len(labels.replace("   ", "  ").split()) == len(places)


def test_half_a_minute_of_a_minute_is_half_a_line() -> None:
    assert _line(51, 60_000, (0, 30_000, Presence.PRESENT)) == "#" * 20 + "." * 20
