"""MP4 as an input: what FFmpeg's muxer makes of a slice gives the packets of that slice back."""

from __future__ import annotations

from io import BytesIO
from struct import pack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.aac import AdtsConfig, split_adts
from pipeline.media.annexb import normalise
from pipeline.media.finish import finished
from pipeline.media.look import Looker
from pipeline.media.mp4.run import AHEAD
from pipeline.media.mp4.source import adts_config, read_track
from pipeline.media.probe import picture_size
from pipeline.media.runs import open_run
from pipeline.media.tally import Surprise
from pipeline.media.ts.writer import Pes, StreamType, write_slice
from pipeline.media.unreadable import Unreadable
from pipeline.model import ticks
from pipeline.model.slices import NO_PTS, Container, Ends, Medium, Slice, State
from tests.media.mp4_material import ffmpeg, pictures, sound

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.media.packet import Packet

LATE = 2700
"""Ticks by which the sound of the material begins later than its pictures."""


def slice_of(*, codec: str = "h264", rate: int = 48000, channels: int = 2, hole: int = 0) -> bytes:
    """Two seconds of pictures and sound in a TS slice; after half the sound ``hole`` ticks of none."""
    film = pictures("hevc" if codec == "hevc" else "h264")
    stream = StreamType.HEVC if codec == "hevc" else StreamType.H264
    shown = [
        Pes(stream, data, pts, dts, key=key)
        for data, pts, dts, key in zip(film.units, film.pts, film.dts, film.keys, strict=True)
    ]
    heard = sound_from(min(film.pts) + LATE, rate, channels, hole)
    return write_slice(sorted([*shown, *heard], key=lambda pes: pes.decode_ticks))


def sound_from(begin: int, rate: int = 48000, channels: int = 2, hole: int = 0) -> list[Pes]:
    """Two seconds of sound, a frame a packet."""
    frames, config = sound(rate, channels, seconds=2)
    out = []
    for number, frame in enumerate(frames):
        at = begin + ticks.ticks_of(number * 1024, rate) + (hole if number >= len(frames) // 2 else 0)
        out.append(Pes(StreamType.AAC, config.header(len(frame)) + frame, at, at, key=True))
    return out


def look(data: bytes, medium: Medium) -> Ends | Unreadable:
    return Looker(picture_size).look(BytesIO(data), len(data), medium)


def ends_of(data: bytes, medium: Medium) -> Ends:
    found = look(data, medium)
    assert isinstance(found, Ends), found
    return found


def run_of(data: bytes, medium: Medium, opened: Callable[[str], Any] | None = None) -> list[Packet]:
    piece = Slice("a.mp4", len(data), State.PRESENT, 0, "name", ends=ends_of(data, medium))
    run = open_run(opened or (lambda _: BytesIO(data)), [piece], medium)
    try:
        return list(run)
    finally:
        run.close()


def units_of(data: bytes, codec: str) -> list[tuple[int, int, bytes]]:
    """PTS and DTS after the first PTS, and payload, of every picture."""
    out = run_of(data, Medium.VIDEO)
    zero = min(p.pts for p in out if p.pts is not None)
    name: Any = codec
    return [
        (ticks.forward(p.pts or 0, zero), ticks.forward(p.dts or 0, zero), normalise(p.data, name).payload)
        for p in out
    ]


def frames_of(data: bytes) -> list[tuple[int, bytes]]:
    """Ticks after the first PTS and block of every frame of sound, each packet counted from its own PTS."""
    out = run_of(data, Medium.AUDIO)
    rate = ends_of(data, Medium.AUDIO).form.rate
    zero = out[0].pts or 0
    return [
        (ticks.forward((p.pts or 0), zero) + ticks.ticks_of(1024 * n, rate), frame)
        for p in out
        for n, frame in enumerate(split_adts(p.data).frames)
    ]


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_pictures_come_back_with_their_times_and_their_parameter_sets(codec: str) -> None:
    ts = slice_of(codec=codec)
    mp4 = finished(ts)
    before, after = units_of(ts, codec), units_of(mp4, codec)
    assert after == before
    assert ends_of(mp4, Medium.VIDEO).form == ends_of(ts, Medium.VIDEO).form
    assert ends_of(mp4, Medium.VIDEO).span == ends_of(ts, Medium.VIDEO).span


@pytest.mark.parametrize(
    ("rate", "channels", "hole"),
    [(48000, 2, 0), (44100, 1, 0), (16000, 1, 0), (48000, 1, 90_000), (48000, 2, 1920 * 3)],
)
def test_sound_comes_back_with_its_times_and_its_holes(rate: int, channels: int, hole: int) -> None:
    ts = slice_of(rate=rate, channels=channels, hole=hole)
    mp4 = finished(ts)
    before, after = frames_of(ts), frames_of(mp4)
    assert [frame for _, frame in after] == [frame for _, frame in before]
    assert max(abs(a - b) for (a, _), (b, _) in zip(after, before, strict=True)) <= 3
    assert ends_of(mp4, Medium.AUDIO).form == ends_of(ts, Medium.AUDIO).form


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_edit_lists_keep_sound_and_pictures_apart_as_they_were(codec: str) -> None:
    mp4 = finished(slice_of(codec=codec), created_ms=1_700_000_000_999)
    shown, heard = ends_of(mp4, Medium.VIDEO), ends_of(mp4, Medium.AUDIO)
    assert shown.container is heard.container is Container.MP4
    assert (heard.after - shown.after, shown.after) == (LATE, 0)
    assert ticks.forward(heard.first, shown.first) == LATE
    assert shown.created_ms == heard.created_ms == 1_700_000_000_000
    assert finished_without_a_time().created_ms == 0


def finished_without_a_time() -> Ends:
    return ends_of(finished(slice_of()), Medium.AUDIO)


def test_what_an_encoder_needs_first_lies_before_the_movie_begins(tmp_path: Path) -> None:
    """FFmpeg's own AAC encoder: the edit list skips its 1024 samples of priming."""
    path = tmp_path / "a.mp4"
    done = ffmpeg("-f", "lavfi", "-i", "sine=duration=1:sample_rate=48000", "-c:a", "aac", str(path))
    assert done.returncode == 0, done.stderr
    ends = ends_of(path.read_bytes(), Medium.AUDIO)
    assert ends.after == -1920
    assert ends.first == ticks.WRAP - 1920


def test_a_movie_of_one_medium_has_nothing_of_the_other() -> None:
    found = look(finished(write_slice(sound_from(0))), Medium.VIDEO)
    assert found == Unreadable("it holds no packet of this track")


def test_a_fragmented_movie_is_refused_with_the_reason() -> None:
    found = look(finished(slice_of(), fragmented=True), Medium.VIDEO)
    assert isinstance(found, Unreadable)
    assert "the file is fragmented" in found.why


def test_a_movie_that_was_never_finished_has_no_moov() -> None:
    mp4 = finished(slice_of())
    found = look(mp4[: mp4.index(b"moov") - 4], Medium.VIDEO)
    assert found == Unreadable("it has no moov: it was cut off, or never finished")
    found = look(mp4[:-20], Medium.VIDEO)
    assert isinstance(found, Unreadable)
    assert found.why.startswith("moov: ")


def moov_first(mp4: bytes, tmp_path: Path) -> bytes:
    source, path = tmp_path / "end.mp4", tmp_path / "front.mp4"
    source.write_bytes(mp4)
    done = ffmpeg("-i", str(source), "-c", "copy", "-movflags", "faststart", str(path))
    assert done.returncode == 0, done.stderr
    return path.read_bytes()


def test_of_a_movie_that_was_cut_off_what_is_there_is_used(tmp_path: Path) -> None:
    whole = moov_first(finished(slice_of()), tmp_path)
    half = whole[: len(whole) * 3 // 5]
    for medium in Medium:
        all_of_it, there = run_of(whole, medium), run_of(half, medium)
        assert 0 < len(there) < len(all_of_it)
        last = len(there) - 1
        assert [p.data for p in there[:last]] == [p.data for p in all_of_it[:last]]
        ends = ends_of(half, medium)
        assert ends.cut == NO_PTS
        assert ends.span < ends_of(whole, medium).span
    piece = Slice("a.mp4", len(half), State.PRESENT, 0, "name", ends=ends_of(half, Medium.VIDEO))
    run = open_run(lambda _: BytesIO(half), [piece], Medium.VIDEO)
    count = len(list(run))
    assert run.lost == len(run_of(whole, Medium.VIDEO)) - count
    assert run.breaks == {0: 1}


class Reluctant(BytesIO):
    """Gives at most 1000 bytes at a time, as raw files may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size, 1000) if size and size > 0 else 1000)


def test_samples_are_read_ahead_whatever_the_file_gives_at_a_time() -> None:
    mp4 = finished(slice_of())
    assert len(mp4) < AHEAD
    piece = Slice("a.mp4", len(mp4), State.PRESENT, 0, "name", ends=ends_of(mp4, Medium.VIDEO))
    run = open_run(lambda _: BytesIO(mp4), [piece, piece], Medium.VIDEO)
    twice = list(run)
    assert [p.data for p in twice] == [p.data for p in run_of(mp4, Medium.VIDEO)] * 2
    assert {p.piece for p in twice} == {0, 1}
    assert run.position == 2 * len(mp4)


@pytest.mark.parametrize(
    ("specific", "config"),
    [
        pytest.param("1188", AdtsConfig(2, 3, 1), id="AAC-LC, mono"),
        pytest.param("1210", AdtsConfig(2, 4, 2), id="AAC-LC, stereo, 44.1 kHz"),
        pytest.param("2b11880800", AdtsConfig(2, 6, 2), id="HE-AAC that says so"),
        pytest.param("eb098800", AdtsConfig(2, 6, 1), id="HE-AAC v2"),
    ],
)
def test_an_audio_specific_config_is_that_of_an_adts_header(specific: str, config: AdtsConfig) -> None:
    assert adts_config(bytes.fromhex(specific)) == config


@pytest.mark.parametrize("specific", ["f94640", "178000000000", "0190"])
def test_sound_that_adts_cannot_carry_is_refused(specific: str) -> None:
    with pytest.raises(ValueError, match="its AAC has no place in ADTS"):
        adts_config(bytes.fromhex(specific))


def test_an_adts_header_is_read_back() -> None:
    frames, config = sound()
    stream = b"".join(config.header(len(f)) + f for f in frames)
    split = split_adts(stream)
    assert (split.frames, split.config, split.rest, split.skipped) == (frames, config, b"", 0)
    with pytest.raises(ValueError, match="too long for ADTS"):
        config.header(8185)


def patched(kind: bytes, at: int, value: bytes) -> bytes:
    """The movie with other bytes ``at`` bytes into the body of the first box of a type."""
    mp4 = finished(slice_of())
    place = mp4.index(kind, mp4.index(b"moov")) + 4 + at
    return mp4[:place] + value + mp4[place + len(value) :]


@pytest.mark.parametrize(
    ("data", "medium", "why"),
    [
        pytest.param(patched(b"avc1", -4, b"encv"), Medium.VIDEO, "it is encrypted (encv)", id="encrypted"),
        pytest.param(
            patched(b"elst", 4, pack(">I", 9)), Medium.VIDEO, "elst", id="an edit list that is not all there"
        ),
    ],
)
def test_what_cannot_be_read_is_told(data: bytes, medium: Medium, why: str) -> None:
    found = look(data, medium)
    assert isinstance(found, Unreadable)
    assert why in found.why


@pytest.mark.parametrize(
    ("data", "codec"),
    [
        pytest.param(patched(b"avc1", -4, b"av01"), "av1 in MP4", id="AV1"),
        pytest.param(patched(b"avc1", -4, b"bvc1"), "bytevc1", id="ByteVC1"),
        pytest.param(patched(b"avc1", -4, b"bvc2"), "bytevc2", id="its successor"),
        pytest.param(patched(b"avc1", -4, b"xyz1"), "xyz1 in MP4", id="a codec that nobody knows"),
    ],
)
def test_other_codecs_have_a_name(data: bytes, codec: str) -> None:
    assert ends_of(data, Medium.VIDEO).form.codec == codec


def test_a_sample_whose_lengths_are_wrong_is_torn() -> None:
    mp4 = finished(slice_of())
    track = read_track(BytesIO(mp4), len(mp4), Medium.VIDEO)
    assert track is not None
    at = int(track.offsets[10])
    out = run_of(mp4[:at] + b"\xff" + mp4[at + 1 :], Medium.VIDEO)
    assert [p.torn for p in out] == [n == 10 for n in range(len(out))]


@settings(max_examples=60, deadline=None)
@given(at=st.floats(0, 1), value=st.integers(0, 255), keep=st.floats(0.2, 1))
def test_damage_is_a_reason_or_other_packets_and_never_a_crash(at: float, value: int, keep: float) -> None:
    mp4 = bytearray(MOVIE)
    low = MOVIE.index(b"moov")
    mp4[low + int(at * (len(mp4) - low - 1))] = value
    data = bytes(mp4[: int(keep * len(mp4))]) if keep < 0.9 else bytes(mp4)
    for medium in Medium:
        found = look(data, medium)
        if isinstance(found, Ends) and found.form.codec in {"h264", "aac"}:
            piece = Slice("a.mp4", len(data), State.PRESENT, 0, "name", ends=found)
            try:
                list(open_run(lambda _: BytesIO(data), [piece], medium))
            except Surprise as surprise:
                assert str(surprise).startswith("a.mp4 cannot be read: ")  # noqa: PT017 - it need not come


MOVIE = finished(slice_of())
