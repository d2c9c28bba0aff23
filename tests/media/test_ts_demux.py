from __future__ import annotations

from dataclasses import replace
from itertools import islice
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.media.keys import key_times
from pipeline.media.packet import Packet
from pipeline.media.tally import Surprise
from pipeline.media.ts.demux import RunDemuxer
from pipeline.media.ts.writer import Pes as WrittenPes
from pipeline.media.ts.writer import StreamType
from pipeline.model import ticks
from pipeline.model.slices import Medium, Slice
from tests.media.ts_material import (
    FRAME,
    GOP,
    STEP,
    Codec,
    Files,
    both_slice,
    coded_pictures,
    coded_sound,
    joined,
    picture_pes,
    picture_slice,
    slice_of,
    sound_pes,
    sound_slice,
    without_pts,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.video.stream import VideoStream

SOUND, PICTURES = Medium.AUDIO, Medium.VIDEO
CODED = coded_pictures(8 * GOP)


def pieces_of(files: Files, medium: Medium) -> list[Slice]:
    return [slice_of(key, data, medium) for key, data in files.data.items()]


def demuxed(files: Files, medium: Medium) -> list[Packet]:
    demuxer = RunDemuxer(files.open, pieces_of(files, medium), medium)
    try:
        found = list(demuxer)
        assert demuxer.lost == 0
        assert demuxer.breaks == {}
        assert demuxer.position == sum(map(len, files.data.values()))
    finally:
        demuxer.close()
    assert files.open_now == 0
    return found


def written(*slices: Sequence[WrittenPes]) -> list[Packet]:
    """What must come out of slices that these PES packets were written to."""
    return [
        Packet(p.pts_ticks % ticks.WRAP, p.decode_ticks % ticks.WRAP, number, p.payload)
        for number, slice_ in enumerate(slices)
        for p in slice_
    ]


def run_of(*slices: Sequence[WrittenPes]) -> Files:
    return Files({f"{n}.ts": data for n, data in enumerate(joined(*slices))})


@pytest.mark.parametrize(
    "firsts",
    [
        pytest.param((0, 2 * GOP * STEP), id="PTS that go on"),
        pytest.param((0, 0), id="PTS that begin anew"),
        pytest.param((10**9, 5), id="PTS that go far back"),
        pytest.param((5, 10**9), id="PTS that go far ahead"),
        pytest.param((ticks.WRAP - GOP * STEP, GOP * STEP), id="PTS that wrap inside a slice"),
        pytest.param((ticks.WRAP - 2 * GOP * STEP, 0), id="PTS that wrap between slices"),
        pytest.param((ticks.WRAP // 2 - GOP * STEP, ticks.WRAP // 2), id="PTS that pass half of the range"),
    ],
)
def test_time_stamps_come_out_as_they_were_written(firsts: tuple[int, int]) -> None:
    slices = [picture_pes(CODED[n * 2 * GOP : (n + 1) * 2 * GOP], first) for n, first in enumerate(firsts)]
    assert demuxed(run_of(*slices), PICTURES) == written(*slices)
    sounds = [sound_pes(coded_sound(480)[n * 48 : (n + 1) * 48], first) for n, first in enumerate(firsts)]
    assert demuxed(run_of(*sounds), SOUND) == written(*sounds)


def test_pictures_in_another_order_keep_both_stamps() -> None:
    pes = picture_pes(coded_pictures(8 * GOP, "h264", 2)[:GOP], ticks.WRAP - 3 * STEP)
    assert any(p.pts_ticks != p.decode_ticks for p in pes)
    assert demuxed(run_of(pes), PICTURES) == written(pes)


def test_hevc_comes_out_as_it_was_written() -> None:
    pes = picture_pes(coded_pictures(8 * GOP, "hevc")[:GOP], 0, "hevc")
    assert demuxed(run_of(pes), PICTURES) == written(pes)


def test_slices_that_begin_their_counters_anew_are_no_damage() -> None:
    files = Files({f"{n}.ts": picture_slice(0, GOP, skip=n * GOP) for n in range(4)})
    expected = written(*(picture_pes(CODED[n * GOP : (n + 1) * GOP], 0) for n in range(4)))
    assert demuxed(files, PICTURES) == expected


def test_each_medium_of_a_slice_comes_out_alone() -> None:
    files = Files({"a.ts": both_slice(9000, 4500)})
    pictures = picture_pes(CODED[:30], 9000)
    sound = sound_pes(coded_sound(480)[:48], 4500)
    assert demuxed(files, PICTURES) == written(pictures)
    assert demuxed(files, SOUND) == written(sound)


def test_a_very_long_pes_comes_out_whole() -> None:
    """FFmpeg hands it out in pieces of 200 KiB."""
    filler = b"\0\0\0\1\x0c" + b"\xff" * 700_000 + b"\x80"
    pes = [
        WrittenPes(StreamType.H264, p.data + (filler if n == 1 else b""), n * STEP, key=p.key)
        for n, p in enumerate(CODED[:4])
    ]
    assert demuxed(run_of(pes), PICTURES) == written(pes)


def test_a_pes_without_stamps_is_a_pes_of_its_own() -> None:
    files = Files({"a.ts": without_pts(picture_slice(0, GOP), 5)})
    expected = written(picture_pes(CODED[:GOP], 0))
    expected[5] = expected[5]._replace(pts=None, dts=None)
    assert demuxed(files, PICTURES) == expected


def test_one_frame_of_sound_comes_out() -> None:
    pes = sound_pes(coded_sound(480)[:1], 5)
    assert demuxed(run_of(pes), SOUND) == written(pes)


def test_one_picture_comes_out() -> None:
    pes = picture_pes(CODED[:1], 5)
    assert demuxed(run_of(pes), PICTURES) == written(pes)


def test_many_slices_are_open_one_at_a_time() -> None:
    files = run_of(*(sound_pes(coded_sound(480)[n * 8 : n * 8 + 8], n * 8 * FRAME) for n in range(60)))
    assert len(demuxed(files, SOUND)) == 60
    assert files.most_open == 1


def test_a_stream_that_is_not_there_is_a_surprise() -> None:
    files = Files({"a.ts": sound_slice()})
    with pytest.raises(Surprise, match=r"FFmpeg finds no video in a\.ts"):
        RunDemuxer(files.open, pieces_of(files, SOUND), PICTURES)
    assert files.open_now == 0


def test_what_is_no_slice_at_all_is_a_surprise() -> None:
    files = Files({"a.ts": sound_slice()})
    pieces = pieces_of(files, SOUND)
    files.data["a.ts"] = b"\0" * 1000
    with pytest.raises(Surprise, match=r"a\.ts"):
        RunDemuxer(files.open, pieces, SOUND)
    assert files.open_now == 0


@pytest.mark.parametrize("gone", ["0.ts", "1.ts"])
def test_a_slice_that_is_gone_is_named(gone: str) -> None:
    files = run_of(*(picture_pes(CODED[n * GOP : (n + 1) * GOP], n * GOP * STEP) for n in range(3)))
    pieces = pieces_of(files, PICTURES)
    del files.data[gone]

    def drain() -> None:
        demuxer = RunDemuxer(files.open, pieces, PICTURES)
        try:
            for _ in demuxer:
                pass
        finally:
            demuxer.close()

    with pytest.raises(FileNotFoundError) as caught:
        drain()
    assert caught.value.filename == gone
    assert files.open_now == 0


def test_a_packet_that_is_missing_is_told_by_slice() -> None:
    good = joined(*(sound_pes(coded_sound(480)[n * 96 : (n + 1) * 96], n * 96 * FRAME) for n in range(3)))
    files = Files({f"{n}.ts": data for n, data in enumerate(good)})
    pieces = pieces_of(files, SOUND)
    files.data["1.ts"] = good[1][: 188 * 20] + good[1][188 * 21 :]
    pieces[1] = replace(pieces[1], size=len(files.data["1.ts"]))
    demuxer = RunDemuxer(files.open, pieces, SOUND)
    try:
        found = list(demuxer)
    finally:
        demuxer.close()
    assert demuxer.breaks == {1: 1}
    assert [pes.piece for pes in found if pes.torn] == [1]
    assert len(found) + demuxer.lost == 36


def test_packets_of_streams_that_damage_made_up_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyAV raises IndexError for them, depending on what lies in memory: found by spoiling slices."""
    pes = picture_pes(CODED, 0)
    files = run_of(pes)
    demuxer = RunDemuxer(files.open, pieces_of(files, PICTURES), PICTURES)
    whole, strays = demuxer._container, iter((0, 3, 5))

    def demux(stream: VideoStream) -> Iterator[Any]:
        before = next(strays, None)
        yield from islice(whole.demux(stream), before)
        if before is not None:
            raise IndexError("list index out of range")

    monkeypatch.setattr(demuxer, "_container", SimpleNamespace(demux=demux, close=whole.close))
    try:
        assert list(demuxer) == written(pes)
    finally:
        demuxer.close()


def test_the_stream_of_pictures_is_told() -> None:
    files = Files({"a.ts": both_slice(0, 0)})
    demuxer = RunDemuxer(files.open, pieces_of(files, PICTURES), PICTURES)
    try:
        assert (demuxer.pictures.codec_context.name, demuxer.pictures.width) == ("h264", 96)
    finally:
        demuxer.close()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_the_key_frames_of_a_slice_are_told(codec: Codec) -> None:
    files = Files({"a.ts": picture_slice(ticks.WRAP - GOP * STEP, 3 * GOP, codec=codec)})
    (piece,) = pieces_of(files, PICTURES)
    assert key_times(files.open, piece) == [ticks.WRAP - GOP * STEP, 0, GOP * STEP]
    assert files.open_now == 0
