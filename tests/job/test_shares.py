"""Shares of composites: how long they are, which composites have any, what a job says of it."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import CommandError, ExitCode, InputError, RecpipeError
from pipeline.job.divide import LEAST_MS, MOST_MS, divided
from pipeline.job.shares import FROM_MS, Dead, Share, Spread, of_work
from pipeline.job.spec_json import parse_job
from pipeline.job.spread import error_of
from pipeline.layout.composed import composed
from pipeline.layout.composite import CHUNK_MS, ComposeOptions, CompositePlan
from pipeline.model import ticks
from pipeline.steps.compose import SOUND, name_of, names_of
from tests.documents import ROOT
from tests.job.jobs import document
from tests.layout.staging import asked, senders

MINUTE = 60_000


def film_of(minutes: int) -> CompositePlan:
    options = ComposeOptions(composing=asked())
    (film,) = composed("call", senders(f"ann v 0-{minutes * 60} a 0-{minutes * 60}"), options, ())
    return film


@pytest.mark.parametrize(
    ("minutes", "longest_ms"),
    [(1, LEAST_MS), (10, LEAST_MS), (24, 3 * MINUTE), (40, MOST_MS), (600, MOST_MS)],
)
def test_shares_hold_each_piece_once_in_order_and_are_neither_short_nor_long(
    minutes: int, longest_ms: int
) -> None:
    film = film_of(minutes)
    shares = divided(film, names_of(film))
    assert [name for share in shares for name in share] == names_of(film)
    assert shares[0] == (SOUND,)
    lengths = [sum(_ms(film, name) for name in share) for share in shares[1:]]
    assert max(lengths) <= longest_ms
    assert all(length > longest_ms - CHUNK_MS for length in lengths[:-1])


def test_only_what_is_wanted_is_shared() -> None:
    film = film_of(4)
    assert divided(film, ["00001", "00003"]) == [("00001", "00003")]
    assert divided(film, []) == []


def _ms(film: CompositePlan, name: str) -> int:
    (chunk,) = [chunk for chunk in film.chunks if name_of(chunk) == name]
    return ticks.to_ms(film.at(chunk.end) - film.at(chunk.first))


@pytest.mark.parametrize(
    ("limits", "rule"),
    [
        pytest.param({}, Spread(FROM_MS, asked=False), id="by itself from ten minutes on"),
        pytest.param({"spread": "1h"}, Spread(3_600_000, asked=True), id="from an hour on"),
        pytest.param({"spread": "0"}, Spread(0, asked=True), id="each"),
        pytest.param({"spread": "never"}, Spread(None, asked=True), id="none"),
    ],
)
def test_a_job_says_which_composites_are_shared(limits: dict[str, str], rule: Spread) -> None:
    job = parse_job(json.dumps(document("calls", "done", limits=limits)), "job.json", ROOT)
    assert job.limits.spread == rule


def test_what_is_no_length_is_refused() -> None:
    with pytest.raises(CommandError, match=r"limits\.spread: 'often' is no duration"):
        parse_job(json.dumps(document("calls", "done", limits={"spread": "often"})), "job.json", ROOT)


@pytest.mark.parametrize(
    ("code", "kind"), [(ExitCode.INPUT, InputError), (ExitCode.BUG, RecpipeError)], ids=["input", "a bug"]
)
def test_a_dead_share_is_told_as_what_it_was(code: ExitCode, kind: type[RecpipeError]) -> None:
    error = error_of(Dead(code, "why"))
    assert type(error) is kind
    assert (str(error), error.exit_code) == ("why", code)


def test_shares_of_other_works_do_not_count() -> None:
    known = [Share("a", "f", "1", ("x",)), Share("a", "f", "2", ("y",)), Share("b", "f", "1", ("z",))]
    assert of_work(known, "a", "1") == {"x"}
