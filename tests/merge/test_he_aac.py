"""HE-AAC with implicit signalling is copied like AAC-LC: frames of 1024 samples at the rate of its core.

Recordings are made here, because the recorder of the program knows AAC-LC alone: its sound slices are written
once more, same frames at the same times, with HE-AAC in them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import av
import pytest

from pipeline.demo import recorder, sender
from pipeline.demo.cut import Unit, cut, packets
from pipeline.demo.scenario import SESSION_GAP_MS, Scenario, Stretch, Track, User, Vendor
from pipeline.demo.sound import beeps
from pipeline.errors import ExitCode
from pipeline.media.encode import AAC_FRAME, encode_sound
from pipeline.media.ts.writer import write_slice
from pipeline.model.options import Options
from tests import truth
from tests.media.he_aac import CORE_RATE, DELAY, FRAME, RATE, he_aac
from tests.merge.merging import (
    TICKS_A_MS,
    TICKS_A_SECOND,
    Merged,
    assert_beeps,
    assert_pictures,
    beeps_ms,
    merge,
    pictures_ms,
    sound_ms,
    utc_ms,
)
from tests.merge.test_payloads import walk
from tests.ts_unwrapper import unwrap

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.demo.made import Made

START_MS = 1_753_610_400_250
LENGTH_MS = 24_000
ALL: tuple[Stretch, ...] = ((0, LENGTH_MS),)
MUTED: tuple[Stretch, ...] = ((0, 8_000), (13_100, LENGTH_MS))
LATE: tuple[Stretch, ...] = ((3_000, LENGTH_MS),)
MUTED_OFTEN: tuple[Stretch, ...] = ((0, 5_000), (6_010, 9_530), (11_270, 14_400), (18_040, LENGTH_MS))

RECORDINGS = {
    "mono, never muted": (1, ALL),
    "mono, muted for five seconds": (1, MUTED),
    "stereo, muted for five seconds": (2, MUTED),
    "mono, muted three times": (1, MUTED_OFTEN),
    "mono, three seconds after the pictures": (1, LATE),
    "stereo, three seconds after the pictures": (2, LATE),
}


def _record(channels: int, sound: tuple[Stretch, ...], place: Path) -> Made:
    user = User(uid="7", number=0, rate=CORE_RATE, channels=channels, picture=ALL, sound=sound)
    scenario = Scenario(
        vendor=Vendor.AGORA, start_ms=START_MS, users=(user,), slice_ms=10_000, channel="room"
    )
    made = recorder.make(scenario, place)
    units = (unit for stretch in sound for unit in _he_aac(scenario, user, stretch))
    slices = made.users[0].track(Track.AUDIO)
    cuts = cut(units, scenario.slice_ms * TICKS_A_MS, SESSION_GAP_MS * TICKS_A_MS)
    for piece, within in zip(slices, cuts, strict=True):
        assert (within[0].at_ticks, within[-1].end_ticks) == (piece.start_ticks, piece.end_ticks)
        (place / piece.name).write_bytes(write_slice(packets(within, user.pts, user.pts_start)))
    return made


def _he_aac(scenario: Scenario, user: User, stretch: Stretch) -> Iterator[Unit]:
    """The recorder's frames of a stretch, their sound early by what SBR delays it."""
    grid = sender._Grid.of(user, stretch, scenario)
    within = (AAC_FRAME, grid.frames * AAC_FRAME)
    samples = beeps(
        AAC_FRAME + DELAY,
        (grid.frames - 1) * AAC_FRAME,
        CORE_RATE,
        grid.zero_ms,
        channels=user.channels,
        tone_hz=1000,
        within=within,
    )
    coded = he_aac(encode_sound([samples], rate=CORE_RATE, channels=user.channels), channels=user.channels)
    for index, each in enumerate(coded):
        at, end = grid.ticks(index), grid.ticks(index + 1)
        yield Unit("aac", each.header + each.block, at, at, end, key=True, opens=not index)


@pytest.fixture(scope="module", params=RECORDINGS)
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Merged:
    channels, sound = RECORDINGS[request.param]
    place = tmp_path_factory.mktemp("he-aac")
    return merge(_record(channels, sound, place / "recording"), place / "outputs")


def test_the_verdict_is_good_and_silence_fills_what_was_muted(result: Merged) -> None:
    output, (user,) = result.only, result.made.users
    assert result.code is ExitCode.GOOD
    assert (output.verdict.good, output.verdict.problems) == (True, ())
    (told,) = (track for track in output.tracks if track.medium == "audio")
    assert (told.codec, told.rate, told.channels) == ("aac", CORE_RATE, user.user.channels)
    frame_ms = AAC_FRAME * 1000 / CORE_RATE
    stretches = [(0.0, float(START_MS)), *sound_ms(result.made, user)]
    holes = [(after[0] - before[1]) / frame_ms for before, after in pairwise(stretches)]
    holes = [frames for frames in holes if frames >= 1]
    assert [fill.count for fill in told.fills] == pytest.approx(holes, abs=1)


def test_every_frame_is_in_the_file_byte_for_byte(result: Merged) -> None:
    (user,) = result.made.users
    sent = [
        unit.payload
        for piece in user.track(Track.AUDIO)
        for unit in unwrap((result.made.place / piece.name).read_bytes(), "audio")
    ]
    (told,) = (track for track in result.only.tracks if track.medium == "audio")
    (track,) = (t for t in walk(result.file(result.only).read_bytes()) if t.medium == "audio")
    filled = {n for fill in told.fills for n in range(fill.first, fill.first + fill.count)}
    assert [sample for n, sample in enumerate(track.samples) if n not in filled] == sent
    assert (told.packets_in, told.packets_out, told.dropped) == (len(sent), len(sent), ())


def test_pictures_and_beeps_are_at_their_places_by_stamps_and_by_count(
    result: Merged, tmp_path: Path
) -> None:
    (user,) = result.made.users
    assert_pictures(result, result.only, pictures_ms(result.made, user))
    assert_beeps(result, result.only, beeps_ms(result.made, user), tmp_path)


def test_it_decodes_as_he_aac_from_its_first_frame_to_its_last(result: Merged) -> None:
    (told,) = (track for track in result.only.tracks if track.medium == "audio")
    with av.open(str(result.file(result.only))) as container:
        frames = list(container.decode(audio=0))
        assert container.streams.audio[0].codec_context.profile == "HE-AAC"
    assert {(frame.sample_rate, frame.samples) for frame in frames} == {(RATE, FRAME)}
    assert len(frames) == told.packets_out + told.inserted


def test_a_second_decoder_plays_it_without_a_word(result: Merged) -> None:
    truth.decodes_silently(result.file(result.only))


def test_in_a_mix_it_is_at_its_place_and_what_was_muted_is_silent(tmp_path: Path) -> None:
    made = _record(2, MUTED_OFTEN, tmp_path / "in")
    result = merge(made, tmp_path / "out", Options(mix=True))
    assert result.only.verdict.good, result.only.verdict.problems
    heard = truth.beeps_by_count(result.file(result.only), tmp_path)
    at = [utc_ms(result.only, seconds * TICKS_A_SECOND) for seconds in heard]
    (user,) = made.users
    assert [round(ms / 1000) * 1000 for ms in at] == beeps_ms(made, user)
    assert max(abs(ms - round(ms / 1000) * 1000) for ms in at) <= 10
