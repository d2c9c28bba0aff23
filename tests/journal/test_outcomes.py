"""The file of what batches have finished: read back, torn, full, strange."""

from __future__ import annotations

import json
import resource
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import ExitCode, OutputError, RecpipeError
from pipeline.journal.outcomes import Outcomes, outcome_of, text_of
from pipeline.model.batch import Outcome, Row, State

if TYPE_CHECKING:
    from pathlib import Path

texts = st.text(st.characters(exclude_categories=[]), max_size=20)
rows = st.builds(
    Row,
    source=texts,
    place=texts,
    state=st.sampled_from(State),
    code=st.sampled_from(ExitCode),
    recording=texts,
    files=st.integers(0),
    losses=st.integers(0),
    media_ms=st.integers(0),
    sentence=texts,
    kind=texts,
)
outcomes = st.builds(
    Outcome, identity=texts, place=texts, work=texts, rows=st.lists(rows, max_size=3).map(tuple)
)
ONE = Outcome("a", "out/a", "work", (Row("a", "out/a", State.DONE, ExitCode.GOOD),))
TWO = replace(ONE, identity="b")


@given(outcome=outcomes)
def test_an_outcome_is_one_line_of_ascii_that_reads_back(outcome: Outcome) -> None:
    line = text_of(outcome)
    assert line.count(b"\n") == 1
    assert line.isascii()
    assert outcome_of(line) == outcome


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"[]",
        b"1",
        b"{}",
        b"\xff",
        b'{"version": 1}',
        text_of(ONE)[:-9],
        text_of(ONE).replace(b'"version": 1', b'"version": 2'),
        text_of(ONE).replace(b'"done"', b'"thrown away"'),
        text_of(ONE).replace(b'"code": 0', b'"code": 99'),
        text_of(ONE).replace(b'"work": "work"', b'"work": 7'),
        text_of(ONE).replace(b'"files"', b'"flies"'),
        b"[" * 100_000,
    ],
    ids=lambda line: line[:12].decode("latin-1"),
)
def test_what_is_no_outcome_is_passed_over(line: bytes) -> None:
    assert outcome_of(line) is None


def test_the_last_outcome_of_a_source_counts(tmp_path: Path) -> None:
    failed = replace(ONE, rows=(replace(ONE.rows[0], code=ExitCode.INPUT),))
    path = tmp_path / "new" / "state"
    with Outcomes(path) as state:
        for each in (ONE, TWO, failed):
            state.add(each)
    with Outcomes(path) as state:
        assert state.known() == {("a", "out/a"): failed, ("b", "out/a"): TWO}


@pytest.mark.parametrize("cut", [1, 9, len(text_of(TWO)) - 1], ids=["its end", "a part", "all but a byte"])
def test_a_torn_last_line_costs_its_own_outcome_alone(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "state"
    path.write_bytes(text_of(ONE) + text_of(TWO)[:-cut])
    third = replace(ONE, identity="c")
    with Outcomes(path) as state:
        assert ("a", "out/a") in state.known()
        state.add(third)
        state.add(TWO)
    with Outcomes(path) as state:
        assert state.known() == {(each.identity, each.place): each for each in (ONE, third, TWO)}


def test_two_batches_may_have_one_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with Outcomes(path) as state, Outcomes(path) as other:
        state.add(ONE)
        other.add(TWO)
        state.add(replace(ONE, identity="c"))
        assert len(state.known()) == 3


def test_a_file_that_cannot_be_had_is_an_output_that_cannot(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="choose another file with --state"):
        Outcomes(tmp_path / "file" / "state")


def test_a_line_that_does_not_fit_is_told_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    path = tmp_path / "state"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with Outcomes(path) as state:
        state.add(ONE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, before[1]))
        try:
            with pytest.raises(RecpipeError):
                state.add(TWO)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        state.add(TWO)
        assert len(state.known()) == 2
    assert [json.loads(line)["identity"] for line in path.read_bytes().splitlines() if line[-1:] == b"}"]
