"""Many sources: what they are called, which are taken apart, which are finished, what a batch returns."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError, ExitCode
from pipeline.model.batch import (
    Item,
    Outcome,
    Row,
    State,
    apart,
    before,
    code_of,
    count_states,
    distinct,
    folder_name,
    place_for,
)
from pipeline.model.outputs import MOST_BYTES

ROW = Row("calls:a", "out/a", State.DONE, ExitCode.GOOD, "room", 2, 0, 60_000)
LOST = replace(ROW, state=State.PARTIAL, code=ExitCode.LOSSES, losses=3)
OUTCOME = Outcome("calls:a/", "/out/a", "work", (ROW,))


def item(source: str, target: str) -> Item:
    return Item(source, source, target, target)


@given(last=st.text(max_size=300), identity=st.text(max_size=300))
def test_any_source_has_a_folder_that_every_file_system_takes(last: str, identity: str) -> None:
    name = folder_name(last, identity)
    assert "/" not in name
    assert not name.startswith((".", "-"))
    assert len(name.encode()) <= MOST_BYTES
    assert name == folder_name(last, identity)


@given(last=st.text(max_size=20), pair=st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_two_sources_never_have_one_folder(last: str, pair: list[str]) -> None:
    assert folder_name(last, pair[0]) != folder_name(last, pair[1])


@pytest.mark.parametrize(
    ("place", "whole"),
    [
        pytest.param("out", "out/f", id="a folder"),
        pytest.param("out/", "out/f", id="a folder with a slash"),
        pytest.param("vod:", "vod:f", id="a whole store"),
        pytest.param("vod:a/b", "vod:a/b/f", id="a prefix"),
        pytest.param("s3://bucket", "s3://bucket/f", id="a bucket"),
        pytest.param("vod:{name}/mp4", "vod:f/mp4", id="where the caller wants it"),
    ],
)
def test_a_place_gets_the_folder_of_a_source(place: str, whole: str) -> None:
    assert place_for(place, "f") == whole


@pytest.mark.parametrize(
    ("prefixes", "found"),
    [
        pytest.param(["a", "b"], ("a", "b"), id="two folders"),
        pytest.param(["a", "a"], ("a",), id="two recordings of one folder"),
        pytest.param(["2026/1", "2026/2"], ("2026/1", "2026/2"), id="folders of a folder"),
        pytest.param(["", "a"], (), id="one at the top holds the others"),
        pytest.param([""], (), id="one at the top"),
        pytest.param(["a", "a-b", "a/b"], (), id="one inside another"),
        pytest.param(["a", "a-b"], ("a", "a-b"), id="one begins like another"),
        pytest.param([], (), id="no recording"),
    ],
)
def test_a_source_is_taken_apart_only_into_folders_that_hold_no_other(
    prefixes: list[str], found: tuple[str, ...]
) -> None:
    assert apart(prefixes) == found


def test_what_is_asked_for_twice_is_done_once() -> None:
    a, b = item("a", "out/a"), item("b", "out/b")
    assert distinct([a, b, replace(a, source="./a")]) == [a, b]


def test_two_sources_with_one_place_are_refused_by_their_names() -> None:
    with pytest.raises(CommandError, match="a and b would both go to out: give each another place"):
        distinct([item("a", "out"), item("b", "out")])


class TestFinished:
    @pytest.mark.parametrize("row", [ROW, LOST], ids=["good", "with losses"])
    def test_what_ended_well_is_finished(self, row: Row) -> None:
        rows = before(replace(OUTCOME, rows=(row,)), "work", accept_loss=False)
        assert rows == (replace(row, state=State.BEFORE),)

    @pytest.mark.parametrize(
        "code", [code for code in ExitCode if code not in {ExitCode.GOOD, ExitCode.LOSSES}]
    )
    def test_what_failed_is_done_again(self, code: ExitCode) -> None:
        rows = (ROW, replace(ROW, state=State.FAILED, code=code))
        assert before(replace(OUTCOME, rows=rows), "work", accept_loss=False) is None

    def test_what_was_never_done_is_done(self) -> None:
        assert before(None, "work", accept_loss=False) is None

    def test_what_was_done_by_other_options_is_done_again(self) -> None:
        assert before(OUTCOME, "other work", accept_loss=False) is None

    def test_losses_that_are_accepted_now_count_for_nothing(self) -> None:
        (row,) = before(replace(OUTCOME, rows=(LOST,)), "work", accept_loss=True) or ()
        assert (row.code, row.losses) == (ExitCode.GOOD, 3)


@pytest.mark.parametrize(
    ("codes", "highest"),
    [([], 0), ([0, 1], 1), ([7, 3, 0], 7), ([70, 6], 70), ([143, 70], 143)],
    ids=str,
)
def test_a_batch_returns_the_most_severe_code(codes: list[int], highest: int) -> None:
    assert code_of(replace(ROW, code=ExitCode(code)) for code in codes) == highest


def test_states_are_counted_in_their_order() -> None:
    counted = count_states([LOST, ROW, LOST])
    assert list(counted) == list(State)
    assert (counted[State.DONE], counted[State.PARTIAL], counted[State.FAILED]) == (1, 2, 0)
