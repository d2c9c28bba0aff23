"""Clocks that run so fast or slow that copied sound would need many edits: their sound is resampled."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Protocol

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.model.options import Options, Tracks
from tests import truth
from tests.merge.merging import (
    Merged,
    assert_beeps,
    assert_pictures,
    beeps_ms,
    merge,
    pictures_ms,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.model.manifest import OutputTrack

CALL = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 6

[[users]]
uid = "101"
size = "160x120"
fps = 4
sampled = {sampled}
sound = {sound}
picture = [[0.25, 84.0]]
"""
FAST, SLOW = 48_019, 47_981
"""Samples a second by UTC: 396 ppm fast or slow."""
WHOLE, MUTED = "[[0.0, 84.0]]", "[[3.3, 50.0], [61.01, 61.9], [62.5, 84.0]]"
FEW = Options(max_audio_edits=10)


class Calling(Protocol):
    """What the ``call`` fixture gives."""

    def __call__(self, sampled: int, sound: str = WHOLE) -> Made:
        """A recording, made once."""


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Calling:
    def made(sampled: int, sound: str = WHOLE) -> Made:
        return make(parse(CALL.format(sampled=sampled, sound=sound)), tmp_path_factory.mktemp("call") / "in")

    return cache(made)


def sound_of(result: Merged) -> OutputTrack:
    return next(track for track in result.only.tracks if track.medium == "audio")


@pytest.fixture(scope="module", params=[(FAST, WHOLE), (SLOW, MUTED)], ids=["fast", "slow, with mutes"])
def result(request: pytest.FixtureRequest, call: Calling, tmp_path_factory: pytest.TempPathFactory) -> Merged:
    return merge(call(*request.param), tmp_path_factory.mktemp("resampled") / "out", FEW)


def test_every_beep_and_picture_is_at_its_place(result: Merged, tmp_path: Path) -> None:
    user = result.sender(result.only)
    assert_beeps(result, result.only, beeps_ms(result.made, user), tmp_path)
    assert_pictures(result, result.only, pictures_ms(result.made, user))


def test_nothing_goes_in_or_out_but_silence_where_he_was_mute(result: Merged) -> None:
    told = sound_of(result)
    assert result.only.verdict.problems == ()
    assert result.code is ExitCode.GOOD
    assert (told.packets_in, told.packets_out, told.dropped) == (told.packets_encoded, 0, ())
    assert len(told.encoded) == len(told.spans)
    (user,) = result.made.users
    expected = 2 if user.user.sound[0][0] else 0  # in front, and the mute of over a second
    assert len([fill for fill in told.fills if fill.first < told.encoded[-1].first]) == expected
    assert not any("to keep sound with its time stamps" in entry.what for entry in result.manifest.ledger)


def test_the_plan_says_so_and_why(result: Merged) -> None:
    (said,) = (d for d in result.only.decisions if d.what.startswith("resample"))
    ppm = re.fullmatch(r"resample \d:\d\d\.\d{3} of sound by (\d+) ppm", said.what)
    assert ppm
    assert int(ppm[1]) == pytest.approx(396, abs=25)
    pace = "fast" if result.made.users[0].user.sampled == FAST else "slow"
    many = re.fullmatch(
        rf"its clock is {pace}: (\d+) frames an hour would go in or out, more than 10 \(--max-audio-edits\)",
        said.why,
    )
    assert many
    assert int(many[1]) == pytest.approx(396 * 48_000 * 3600 / 1024 / 10**6, abs=5)
    assert not any(d.what == "copy aac 48000 Hz mono" for d in result.only.decisions)


def test_a_second_decoder_plays_it_without_a_word(result: Merged) -> None:
    truth.decodes_silently(result.file(result.only))


@pytest.mark.parametrize(
    ("sampled", "most", "needs"),
    [
        pytest.param(FAST, 55, True, id="fast, and too few are allowed"),
        pytest.param(FAST, 80, False, id="fast, and enough are allowed"),
        pytest.param(48_000, 0, False, id="true, and none is allowed"),
    ],
)
def test_sound_is_resampled_only_where_it_would_need_more_edits_than_allowed(
    sampled: int, most: int, *, needs: bool, call: Calling, tmp_path: Path
) -> None:
    result = merge(call(sampled), tmp_path / "out", Options(max_audio_edits=most, tracks=Tracks.AUDIO))
    told = sound_of(result)
    assert (told.packets_encoded > 0) == needs
    edited = any("to keep sound with its time stamps" in entry.what for entry in result.manifest.ledger)
    assert edited == (sampled == FAST and not needs)
    assert_beeps(result, result.only, beeps_ms(result.made, result.made.users[0]), tmp_path)
