"""A mute amid HE-AAC that an encoder made of sound: nothing is heard in it, and what follows is at its time.

The recordings are those of the program with the frames of ``fixtures/clips`` as their sound: one half of a
clip before five seconds of mute, the other half after it.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import imageio_ffmpeg
import numpy as np
import pytest

from pipeline.demo import recorder, sender
from pipeline.demo.cut import Unit, cut, packets
from pipeline.demo.scenario import SESSION_GAP_MS, Scenario, Stretch, Track, User, Vendor
from pipeline.errors import ExitCode
from pipeline.media.encode import adts_header
from pipeline.media.ts.writer import write_slice
from tests import truth
from tests.media.listening import CLIP_DELAY, HE_FRAME, V1, V2, clip, loudest
from tests.merge.merging import SOUND_MS, TICKS_A_MS, Merged, merge, sound_ms
from tests.merge.test_payloads import walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

START_MS = 1_753_610_400_250
HALF_MS, MUTE_MS, SLICE_MS = 5_000, 5_000, 12_000
LENGTH_MS = 2 * HALF_MS + MUTE_MS
TALKS: tuple[Stretch, ...] = ((0, HALF_MS), (HALF_MS + MUTE_MS, LENGTH_MS))
TAIL = 2
"""Frames of the gap in which a decoder plays the end of what was before it."""
STILL = {V1: 1e-12, V2: 1e-3}
"""Louder nothing is after that; Parametric Stereo has echoes."""


@dataclass(frozen=True)
class Muted:
    """A merge, and which frames of the clip (first, count) each stretch of sound has.

    Attributes:
        rate: that the clip decodes to.
        pcm: what FFmpeg decodes of the output, float32 of shape (2, samples).
    """

    name: str
    merged: Merged
    halves: tuple[tuple[int, int], tuple[int, int]]
    rate: int
    pcm: NDArray[np.float32]

    def begins(self) -> list[float]:
        """Where the stretches begin, in seconds of the file."""
        (user,) = self.merged.made.users
        return [(begin - START_MS) / 1000 for begin, _ in sound_ms(self.merged.made, user)]

    def beeps(self) -> list[float]:
        """Where beeps must be heard: the clip has one each second, late by what its codec delays."""
        return [
            at + self.of_clip(second) - first * HE_FRAME / self.rate
            for at, (first, count) in zip(self.begins(), self.halves, strict=True)
            for second in range(10)
            if first * HE_FRAME / self.rate <= self.of_clip(second) < (first + count) * HE_FRAME / self.rate
        ]

    def of_clip(self, second: int) -> float:
        """Where the clip beeps for a second."""
        return second + CLIP_DELAY[self.name] / self.rate


def _record(name: str, place: Path) -> tuple[Merged, tuple[tuple[int, int], tuple[int, int]]]:
    blocks, config = clip(name)
    user = User(
        uid="7",
        number=0,
        rate=config.sample_rate,
        channels=config.channels,
        picture=((0, LENGTH_MS),),
        sound=TALKS,
    )
    scenario = Scenario(
        vendor=Vendor.AGORA, start_ms=START_MS, users=(user,), slice_ms=SLICE_MS, channel="room"
    )
    made = recorder.make(scenario, place / "recording")
    grids = [sender._Grid.of(user, stretch, scenario) for stretch in TALKS]
    halves = ((0, grids[0].frames), (grids[0].frames, grids[1].frames))

    def units() -> Iterator[Unit]:
        for grid, (first, count) in zip(grids, halves, strict=True):
            for index, block in enumerate(blocks[first : first + count]):
                coded = adts_header(len(block), config.sample_rate, config.channels) + block
                at, end = grid.ticks(index), grid.ticks(index + 1)
                yield Unit("aac", coded, at, at, end, key=True, opens=not index)

    cuts = cut(units(), scenario.slice_ms * TICKS_A_MS, SESSION_GAP_MS * TICKS_A_MS)
    for piece, within in zip(made.users[0].track(Track.AUDIO), cuts, strict=True):
        assert (within[0].at_ticks, within[-1].end_ticks) == (piece.start_ticks, piece.end_ticks)
        (made.place / piece.name).write_bytes(write_slice(packets(within, user.pts, user.pts_start)))
    return merge(made, place / "outputs"), halves


def _decoded(path: Path) -> NDArray[np.float32]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-v", "error", "-xerror"]
    command += ["-i", str(path), "-map", "0:a:0", "-f", "f32le", "pipe:1"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, b"")
    return np.frombuffer(done.stdout, dtype=np.float32).reshape(-1, 2).T


@pytest.fixture(scope="module", params=[V1, V2])
def muted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Muted:
    merged, halves = _record(request.param, tmp_path_factory.mktemp("clip"))
    rate = 2 * clip(request.param)[1].sample_rate
    return Muted(request.param, merged, halves, rate, _decoded(merged.file(merged.only)))


def test_every_frame_of_the_clip_is_in_the_file_and_the_mute_is_filled(muted: Muted) -> None:
    output = muted.merged.only
    assert muted.merged.code is ExitCode.GOOD
    assert (output.verdict.good, output.verdict.problems) == (True, ())
    (told,) = (track for track in output.tracks if track.medium == "audio")
    (track,) = (t for t in walk(muted.merged.file(output).read_bytes()) if t.medium == "audio")
    (mute, *_) = told.fills
    assert mute.count == pytest.approx(MUTE_MS / 1000 * muted.rate / HE_FRAME, abs=1)
    filled = {n for fill in told.fills for n in range(fill.first, fill.first + fill.count)}
    blocks, _ = clip(muted.name)
    (_, count), (first, more) = muted.halves
    assert count == first
    assert [s for n, s in enumerate(track.samples) if n not in filled] == list(blocks[: count + more])


def test_nothing_is_heard_in_the_mute_but_what_its_decoder_still_has_to_say(muted: Muted) -> None:
    (told,) = (track for track in muted.merged.only.tracks if track.medium == "audio")
    mute = told.fills[0]
    begin, end = mute.first * HE_FRAME, (mute.first + mute.count) * HE_FRAME
    tail = begin + TAIL * HE_FRAME
    assert loudest(muted.pcm[:, tail:end]) < STILL[muted.name]
    assert loudest(muted.pcm[:, begin:tail]) > 1e-3
    assert loudest(muted.pcm[:, end : end + TAIL * HE_FRAME]) > 1e-3, "the hiss of the clip is back at once"


def test_sound_after_the_mute_is_at_its_time_by_stamps_and_by_count(muted: Muted, tmp_path: Path) -> None:
    path = muted.merged.file(muted.merged.only)
    expected = muted.beeps()
    assert len([at for at in expected if at > TALKS[1][0] / 1000]) > 3
    half_frame = HE_FRAME / 2 / muted.rate
    for heard, allowed in (
        (truth.beeps_by_pts(path), SOUND_MS / 1000),
        (truth.beeps_by_count(path, tmp_path), SOUND_MS / 1000 + half_frame),
    ):
        assert len(heard) == len(expected)
        np.testing.assert_allclose(heard, expected, rtol=0, atol=allowed)


def test_it_plays_to_its_end_as_what_the_clip_is(muted: Muted) -> None:
    (told,) = (track for track in muted.merged.only.tracks if track.medium == "audio")
    assert muted.pcm.shape == (2, (told.packets_out + told.inserted) * HE_FRAME)
    truth.decodes_silently(muted.merged.file(muted.merged.only))
