from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import CommandError
from pipeline.model.completeness import (
    AT_ONCE,
    LEAST_LOOK_MS,
    MOST_LOOK_MS,
    OF_JOBS,
    Completeness,
    Listing,
    Run,
    Settling,
    Wait,
    seen,
    verdict,
)
from pipeline.model.durations import duration_ms

NOW = 1_772_442_000_250
S, M, H = 1000, 60_000, 3_600_000
MISSING = ("slice a.ts is not there", "a.m3u8: it has no ENDLIST")
WORDS = "slice a.ts is not there (and 1 more)"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("90s", 90 * S),
        ("2m", 2 * M),
        ("6h", 6 * H),
        ("1h30m", 90 * M),
        ("1m5s", 65 * S),
        ("0", 0),
        ("0s", 0),
        ("3.5s", 3500),
        ("0.1s", 100),
        ("0.001s", 1),
        ("0.05s", 50),
        ("1m0.25s", 60_250),
        ("2h1.999s", 2 * H + 1999),
        ("999999999.999s", 999_999_999_999),
    ],
)
def test_durations_that_are_read(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize(
    "text",
    ["", "2", "-2m", "2 m", "2M", "1.5h", "5s1m", "m", "h", "٢m", "2m\n", "123456h", "1h1d", "2mm"],
)
def test_durations_that_are_none(text: str) -> None:
    with pytest.raises(CommandError, match="is no duration: give one such as 30d, 6h, 2m"):
        duration_ms(text)


@pytest.mark.parametrize(
    "text",
    [
        "3.5",
        "0.0",
        ".5s",
        "3.s",
        "3.5555s",
        "3,5s",
        "3.-5s",
        "1.2.3s",
        "1.5m",
        "3.٢s",
        "3.5 s",
        "1e3s",
        "3.5s\n",
    ],
)
def test_decimals_that_are_none(text: str) -> None:
    with pytest.raises(CommandError, match="is no duration"):
        duration_ms(text)


@pytest.mark.parametrize(
    ("quiet", "missing", "rule", "expected"),
    [
        pytest.param(0, (), AT_ONCE, Run(), id="a folder is taken at once"),
        pytest.param(0, MISSING, AT_ONCE, Run(WORDS), id="a folder is taken as it is, at once"),
        pytest.param(2 * M, (), OF_JOBS, Run(), id="complete and settled"),
        pytest.param(
            2 * M - 1,
            (),
            OF_JOBS,
            Wait(1, "all of it is there, and may still change: at most 0:00 more"),
            id="complete, not settled by a millisecond",
        ),
        pytest.param(
            30 * S,
            (),
            OF_JOBS,
            Wait(90 * S, "all of it is there, and may still change: at most 1:30 more"),
            id="complete, waits in one piece",
        ),
        pytest.param(
            0,
            MISSING,
            OF_JOBS,
            Wait(LEAST_LOOK_MS, f"{WORDS}: at most 6:00:00 more"),
            id="something is missing, it is looked again soon",
        ),
        pytest.param(
            4 * M,
            MISSING[:1],
            OF_JOBS,
            Wait(30 * S, "slice a.ts is not there: at most 5:56:00 more"),
            id="something is missing, settled or not, and it is looked less and less often",
        ),
        pytest.param(
            5 * H,
            MISSING,
            OF_JOBS,
            Wait(MOST_LOOK_MS, f"{WORDS}: at most 1:00:00 more"),
            id="something is missing for long",
        ),
        pytest.param(
            6 * H - 2 * S,
            MISSING,
            OF_JOBS,
            Wait(2 * S, f"{WORDS}: at most 0:02 more"),
            id="the last look is at the limit",
        ),
        pytest.param(6 * H, MISSING, OF_JOBS, Run(WORDS), id="the limit is over"),
        pytest.param(
            M,
            MISSING,
            Settling(2 * M, 0),
            Wait(LEAST_LOOK_MS, f"{WORDS}: at most 1:00 more"),
            id="a limit below the time to settle is that time",
        ),
        pytest.param(2 * M, MISSING, Settling(2 * M, 0), Run(WORDS), id="settled, and no more is asked"),
        pytest.param(M, (), Settling(0, H), Run(), id="complete, and need not settle"),
        pytest.param(
            -H,
            (),
            OF_JOBS,
            Wait(2 * M, "all of it is there, and may still change: at most 2:00 more"),
            id="changed in what is to come",
        ),
    ],
)
def test_when_to_begin(quiet: int, missing: tuple[str, ...], rule: Settling, expected: Run | Wait) -> None:
    assert verdict(NOW, Completeness(missing, NOW - quiet), rule) == expected


BEFORE = Listing("x", NOW - 5 * M)


@pytest.mark.parametrize(
    ("before", "fingerprint", "newest", "changed"),
    [
        pytest.param(None, "x", NOW - H, NOW - H, id="the first look: as the store says"),
        pytest.param(None, "x", 0, NOW, id="the first look, the store says nothing: now"),
        pytest.param(None, "x", NOW + H, NOW, id="the first look, the store's clock is ahead: now"),
        pytest.param(BEFORE, "x", NOW - H, NOW - 5 * M, id="nothing changed"),
        pytest.param(BEFORE, "y", NOW - H, NOW, id="it changed, whatever the store's clock says"),
        pytest.param(Listing("x", NOW + H), "x", NOW, NOW, id="our clock was put back"),
    ],
)
def test_when_a_listing_changed_last(
    before: Listing | None, fingerprint: str, newest: int, changed: int
) -> None:
    assert seen(before, fingerprint, newest, NOW) == Listing(fingerprint, changed)


@pytest.mark.parametrize("times", [(-1, 0), (0, -1)])
def test_no_time_is_below_zero(times: tuple[int, int]) -> None:
    with pytest.raises(CommandError, match="give 0 or more"):
        Settling(*times)


rules = st.builds(Settling, st.integers(0, 10 * M), st.integers(0, 8 * H))
changes = st.lists(st.tuples(st.integers(0, 2 * H), st.booleans()), max_size=8)


@given(rules, changes)
def test_nothing_is_waited_for_beyond_the_limit_nor_begun_before_it_settled(
    rule: Settling, happens: list[tuple[int, bool]]
) -> None:
    """The recording changes at some moments, and is complete or not from each of them on."""
    moments = sorted((NOW + after, complete) for after, complete in happens)
    now, listing = NOW, None
    while True:
        past = [complete for at, complete in moments if at <= now]
        listing = seen(listing, str(len(past)), NOW, now)
        lacks = () if past and past[-1] else MISSING
        decided = verdict(now, Completeness(lacks, listing.changed_ms), rule)
        most = max(rule.settle_ms, rule.limit_ms) if lacks else rule.settle_ms
        quiet = now - listing.changed_ms
        assert quiet <= max(rule.settle_ms, rule.limit_ms)
        if isinstance(decided, Run):
            assert quiet >= most
            assert decided.without == (WORDS if lacks else "")
            return
        assert 0 < decided.ms <= most - quiet
        now += decided.ms
