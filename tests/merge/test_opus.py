"""Sound of web senders, Opus in WebM, copied into MP4: every packet, at its place, by stamps and by count."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av
import pytest

from pipeline.demo.agora import playlist_name
from pipeline.demo.recorder import make
from pipeline.demo.scenario import Track
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.job.merge import merge_all
from pipeline.media.mp4.dump import dump
from pipeline.media.mp4.reader import read_movie
from pipeline.model.options import Moment, Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.merge.merging import assert_heard
from tests.merge.web_sound import RATE, ZERO_MS, WebSound

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.model.manifest import Manifest, Output, OutputTrack

MUTED = ((0, 6_000), (8_340, 12_010), (13_033, 19_000))
RECORDINGS = {
    "mono, each slice counts from 0": WebSound(),
    "stereo, times go on": WebSound(channels=2, anew=False),
    "mutes between slices": WebSound(MUTED),
    "mutes inside slices, stereo": WebSound(MUTED, channels=2, anew=False, split=False),
    "stamps that jitter by 8 ms": WebSound(late=lambda n: n * 7919 % 1440 - 720 if n else 0, anew=False),
    "packets of 60 ms": WebSound(MUTED, frame=2880),
    "packets of 2.5 ms": WebSound(((0, 5_000), (6_100, 9_000)), frame=120),
    "speech in SILK": WebSound(MUTED, application="voip", bit_rate=12_000),
}


@dataclass(frozen=True)
class Result:
    """A recording, what was sent in it, and the only output."""

    sound: WebSound
    sent: list[bytes]
    manifest: Manifest
    path: Path
    code: ExitCode

    @property
    def output(self) -> Output:
        (output,) = self.manifest.outputs
        return output

    @property
    def told(self) -> OutputTrack:
        (track,) = self.output.tracks
        return track

    def samples(self) -> list[bytes]:
        """Every sample in the file."""
        data = self.path.read_bytes()
        with self.path.open("rb") as file:
            (track,) = read_movie(file, len(data)).tracks
        places = zip(track.offsets.tolist(), track.sizes.tolist(), strict=True)
        return [data[at : at + size] for at, size in places]


def merged(sound: WebSound, place: Path, options: Options | None = None) -> Result:
    sent = sound.record(place / "in")
    (done,) = merge_all(Folder(place / "in"), place / "out", options or Options(), Limits())
    assert done.manifest.refused == ()
    (output,) = done.manifest.outputs
    path = place / "out" / output.file
    return Result(sound, sent, done.manifest, path, done.exit_code(accept_loss=False))


@pytest.fixture(scope="module", params=RECORDINGS)
def result(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Result:
    return merged(RECORDINGS[request.param], tmp_path_factory.mktemp("opus"))


def test_the_verdict_is_good_and_nothing_is_lost(result: Result) -> None:
    assert result.output.verdict.problems == ()
    assert result.output.verdict.good
    assert result.code is ExitCode.GOOD


def test_every_packet_is_in_the_file_byte_for_byte(result: Result) -> None:
    told = result.told
    assert (told.packets_in, told.packets_out, told.dropped) == (len(result.sent), len(result.sent), ())
    filled = {n for fill in told.fills for n in range(fill.first, fill.first + fill.count)}
    samples = result.samples()
    assert [sample for n, sample in enumerate(samples) if n not in filled] == result.sent
    assert len(samples) == len(result.sent) + told.inserted


def test_every_beep_is_heard_at_its_place_by_stamps_and_by_count(result: Result, tmp_path: Path) -> None:
    assert_heard(result.path, result.output, result.sound.beeps_ms, tmp_path)


def test_file_zero_is_the_first_sample_that_is_heard(result: Result) -> None:
    jitter_ms = 8 if result.sound.late(1) else 0
    assert result.output.utc_zero_ms == pytest.approx(ZERO_MS, abs=jitter_ms)
    first = result.told.spans[0]
    assert (first.at, first.utc_ms) == (0, result.output.utc_zero_ms)


def test_a_second_decoder_plays_it_without_a_word(result: Result) -> None:
    truth.decodes_silently(result.path)


def test_it_has_rate_channels_and_length_of_what_was_sent(result: Result) -> None:
    with av.open(str(result.path)) as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.codec.canonical_name == "opus"
        assert (stream.codec_context.sample_rate, stream.codec_context.channels) == (
            RATE,
            result.sound.channels,
        )
        assert stream.start_time == 0


def test_what_an_encoder_puts_before_the_sound_is_skipped_by_an_edit_and_players_roll_80_ms(
    tmp_path: Path,
) -> None:
    made = merged(WebSound(((0, 3_000),)), tmp_path)
    with made.path.open("rb") as file:
        boxes = dump(file)
    assert "dOps 19 000100000000bb80000000" in boxes
    assert f"elst 28 v0 flags 0 (1) {made.output.duration}@312*1.0" in boxes
    assert "sgpd 26 v1 flags 0 roll 0000000200000001fffc" in boxes
    assert "Opus" in boxes.splitlines()[0]


PICTURES = """
vendor = "agora"
start = 2025-07-27T10:00:00.250Z
[[users]]
uid = "7"
size = "160x120"
fps = 10
picture = [[0.0, 12.0]]
"""


@pytest.mark.parametrize(
    ("stretch", "packets", "offset_ms"),
    [
        pytest.param((0, 12_000), 0, 0, id="with the pictures"),
        pytest.param((3_210, 12_000), 160, 3204, id="3.21 s after them"),
        pytest.param((12, 9_000), 0, 6, id="hardly after them, and not so long"),
    ],
)
def test_sound_beside_pictures_is_heard_at_its_place(
    stretch: tuple[int, int], packets: int, offset_ms: int, tmp_path: Path
) -> None:
    scenario = parse(PICTURES)
    make(scenario, tmp_path / "in")
    sound = WebSound((stretch,), channels=2)
    sound.record(
        tmp_path / "in", playlist_name(scenario, scenario.users[0], Track.VIDEO, [])[: -len("_video.m3u8")]
    )
    (done,) = merge_all(Folder(tmp_path / "in"), tmp_path / "out", Options(), Limits())
    (output,) = done.manifest.outputs
    path = tmp_path / "out" / output.file
    assert output.verdict.problems == ()
    assert (output.file, output.utc_zero_ms) == ("7_20250727100000250_av.mp4", ZERO_MS)
    assert output.av_offset_ms == offset_ms
    assert sum(fill.count for fill in output.tracks[1].fills if not fill.first) == packets
    assert 0 <= output.duration - output.tracks[1].end < 1800
    assert_heard(path, output, sound.beeps_ms, tmp_path)
    assert [coded.at_ms - at * 1000 for at, coded in truth.pictures(path)] == [ZERO_MS] * 120
    truth.decodes_silently(path)


@pytest.mark.parametrize("start_ms", [3_120, 7_001])
def test_a_cut_keeps_80_ms_before_it_for_the_decoder(start_ms: int, tmp_path: Path) -> None:
    cut = Options(start=Moment.parse(f"{start_ms / 1000:.3f}"), end=Moment.parse("12"))
    made = merged(WebSound(), tmp_path, cut)
    assert made.output.verdict.problems == ()
    assert made.output.utc_zero_ms == ZERO_MS + start_ms
    wanted = [at for at in made.sound.beeps_ms if ZERO_MS + start_ms <= at < ZERO_MS + 12_000]
    assert_heard(made.path, made.output, wanted, tmp_path)
    with made.path.open("rb") as file:
        (edit,) = read_movie(file, made.path.stat().st_size).tracks[0].edits
    assert 60 * 48 < edit.media_time <= 80 * 48


def test_a_packet_that_is_none_is_dropped_and_told(tmp_path: Path) -> None:
    sound = WebSound(((0, 6_000),))
    sent = sound.record(tmp_path / "in")
    (path, *_) = sorted((tmp_path / "in").glob("*.webm"))
    bad = bytes((sent[50][0] | 3, 0)) + sent[50][2:]
    data = path.read_bytes()
    assert data.count(sent[50]) == 1
    path.write_bytes(data.replace(sent[50], bad))
    (done,) = merge_all(Folder(tmp_path / "in"), tmp_path / "out", Options(), Limits())
    (output,) = done.manifest.outputs
    assert output.verdict.problems == ()
    assert [(d.reason, d.packets) for d in output.tracks[0].dropped] == [("damaged", 1)]
    assert [entry.what for entry in done.manifest.losses] == ["1 packets of sound are no Opus; dropped"]
    assert_heard(tmp_path / "out" / output.file, output, sound.beeps_ms, tmp_path)
