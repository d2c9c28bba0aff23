from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.media.probe import picture_size
from pipeline.media.ts.packets import PACKET
from pipeline.media.ts.peek import WINDOW, Peeker
from pipeline.media.ts.writer import Pes, StreamType, write_slice
from pipeline.media.unreadable import Unreadable
from pipeline.model import ticks
from pipeline.model.slices import Ends, Medium
from tests.media.ts_material import (
    FRAME,
    GOP,
    SIZE,
    STEP,
    Codec,
    both_slice,
    coded_pictures,
    coded_sound,
    ends,
    look,
    picture_pes,
    picture_slice,
    sound_pes,
    sound_slice,
)

SOUND, PICTURES = Medium.AUDIO, Medium.VIDEO


@pytest.mark.parametrize("first", [0, 1234567, ticks.WRAP - 3 * STEP, ticks.WRAP - 1])
@pytest.mark.parametrize(("codec", "bframes"), [("h264", 0), ("h264", 2), ("hevc", 0)])
def test_pictures_say_where_they_begin_and_end(first: int, codec: Codec, bframes: int) -> None:
    found = ends(picture_slice(first, 2 * GOP, codec=codec, bframes=bframes), PICTURES)
    assert (found.first, found.span, found.step) == (first, 2 * GOP * STEP, STEP)
    assert (found.key, found.cut, found.whole, found.after) == (True, None, None, 0)
    assert (found.form.codec, found.form.width, found.form.height) == (codec, *SIZE)
    assert found.form.parameters


@pytest.mark.parametrize("first", [0, 1234567, ticks.WRAP - 3 * FRAME, ticks.WRAP - 1])
@pytest.mark.parametrize(
    ("rate", "channels", "group"), [(48_000, 1, 8), (48_000, 2, 1), (44_100, 1, 8), (16_000, 1, 5)]
)
def test_sound_says_where_it_begins_and_ends(first: int, rate: int, channels: int, group: int) -> None:
    count = 45
    found = ends(sound_slice(first, count, group=group, rate=rate, channels=channels), SOUND)
    assert found.first == first
    assert abs(found.span - ticks.ticks_of(1024 * count, rate)) <= 1
    assert found.step == ticks.ticks_of(1024, rate)
    assert (found.key, found.cut, found.whole) == (True, None, None)
    assert (found.form.codec, found.form.rate, found.form.channels) == ("aac", rate, channels)


def test_both_media_of_a_slice_are_told_and_how_much_later_each_begins() -> None:
    data = both_slice(9000, 4500)
    video, audio = ends(data, PICTURES), ends(data, SOUND)
    assert (video.first, video.span, video.after) == (9000, 30 * STEP, 4500)
    assert (audio.first, audio.span, audio.after) == (4500, 48 * FRAME, 0)
    assert video.pid != audio.pid


def test_the_delay_between_the_media_is_told_across_the_wrap() -> None:
    data = both_slice(ticks.WRAP + 100, ticks.WRAP - 100)
    assert ends(data, PICTURES).after == 200


def test_a_slice_of_sound_has_no_pictures() -> None:
    assert look(sound_slice(), PICTURES) == Unreadable("it holds no packet of this track")
    assert look(picture_slice(), SOUND) == Unreadable("it holds no packet of this track")


def test_one_picture_has_a_length_that_is_a_guess() -> None:
    found = ends(picture_slice(500, 1), PICTURES)
    assert (found.first, found.span, found.step) == (500, ticks.TICKS // 15, ticks.TICKS // 15)


def test_two_pictures_have_the_step_between_them() -> None:
    coded = coded_pictures(8 * GOP)[:2]
    pes = [Pes(StreamType.H264, p.data, n * 9000, key=p.key) for n, p in enumerate(coded)]
    found = ends(write_slice(pes), PICTURES)
    assert (found.span, found.step) == (18_000, 9000)


def test_the_step_is_the_usual_one_where_pictures_pause() -> None:
    coded = coded_pictures(8 * GOP)[:20]
    pes = [
        Pes(StreamType.H264, p.data, n * STEP + (900_000 if n > 12 else 0), key=p.key)
        for n, p in enumerate(coded)
    ]
    found = ends(write_slice(pes), PICTURES)
    assert (found.step, found.span) == (STEP, 900_000 + 20 * STEP)


def test_one_frame_of_sound_is_told() -> None:
    """A last slice of 0.04 s once stopped a merge for good (field report of Agora users)."""
    found = ends(sound_slice(77, 1), SOUND)
    assert (found.first, found.span, found.step) == (77, FRAME, FRAME)
    two = ends(sound_slice(77, 2), SOUND)
    assert two.span == 2 * FRAME


def test_a_packet_alone_behind_a_mute_is_believed_where_the_playlist_ends_there() -> None:
    coded, late = coded_sound(480), 10 * ticks.TICKS
    data = write_slice([*sound_pes(coded[:24], 0), *sound_pes(coded[24:32], late)])
    found = look(data, SOUND, late + 8 * FRAME)
    assert isinstance(found, Ends)
    assert found.span == late + 8 * FRAME
    damaged = look(data, SOUND, 32 * FRAME)
    assert isinstance(damaged, Ends)
    assert damaged.span == 32 * FRAME


def test_pictures_that_begin_without_a_key_frame_say_so() -> None:
    found = ends(picture_slice(0, 10, skip=3), PICTURES)
    assert not found.key
    assert found.form.parameters == ""
    assert found.form.codec == "h264"


def test_only_both_ends_of_a_large_slice_are_read() -> None:
    coded = coded_pictures(8 * GOP)
    many = [
        Pes(StreamType.H264, p.data + b"\0\0\0\1\x0c" + b"\xff" * 20_000, n * STEP, key=p.key)
        for n, p in enumerate(coded)
    ]
    data = write_slice(many)
    assert len(data) > 50 * WINDOW

    class Watched(BytesIO):
        taken = 0

        def read(self, size: int | None = -1) -> bytes:
            got = super().read(size)
            Watched.taken += len(got)
            return got

    found = Peeker(picture_size).look(Watched(data), len(data), PICTURES)
    assert isinstance(found, Ends)
    assert found.span == 8 * GOP * STEP
    assert Watched.taken <= 20 * WINDOW


def test_the_size_of_parameter_sets_is_asked_for_once() -> None:
    asked = []

    def size_of(codec: str, sets: bytes) -> tuple[int, int]:
        asked.append((codec, sets))
        return SIZE

    peeker = Peeker(size_of)
    for first in (0, 90_000):
        data = picture_slice(first)
        peeker.look(BytesIO(data), len(data), PICTURES)
    assert len(asked) == 1


def test_junk_before_the_first_packet_is_stepped_over() -> None:
    data = b"\x47junk" + b"\0" * 300 + picture_slice(500)
    found = ends(data, PICTURES)
    assert (found.first, found.span) == (500, 2 * GOP * STEP)
    assert found.whole == (305, len(data))


@pytest.mark.parametrize("missing", [1, 100, 187])
def test_a_last_packet_that_is_cut_off_is_left_out(missing: int) -> None:
    data = picture_slice(500)[:-missing]
    found = ends(data, PICTURES)
    assert found.whole == (0, len(data) - len(data) % PACKET)
    assert found.cut == 500 + (2 * GOP - 1) * STEP
    assert found.span == (2 * GOP - 1) * STEP


def cut_in_the_last_pes(data: bytes, pid: int) -> bytes:
    """The slice without the last TS packet of its last PES, where that has several."""
    packets = [data[n : n + PACKET] for n in range(0, len(data), PACKET)]
    mine = [n for n, p in enumerate(packets) if (p[1] & 0x1F) << 8 | p[2] == pid]
    last = mine[-1]
    assert not packets[last][1] & 0x40
    return b"".join(packets[:last])


def test_sound_that_is_cut_between_two_packets_says_so_by_its_length() -> None:
    data = sound_slice(0, 48)
    found = ends(cut_in_the_last_pes(data, ends(data, SOUND).pid), SOUND)
    assert found.cut == 40 * FRAME
    assert 40 * FRAME <= found.span < 48 * FRAME


def test_pictures_cut_between_two_packets_are_told_where_the_playlist_says_they_go_on() -> None:
    coded = coded_pictures(8 * GOP)[:29]
    big = Pes(StreamType.H264, coded_pictures(8 * GOP)[GOP].data * 4, 29 * STEP, key=True)
    data = write_slice([*picture_pes(coded, 0), big])
    short = cut_in_the_last_pes(data, ends(data, PICTURES).pid)
    listed = look(short, PICTURES, 4 * ticks.TICKS)
    assert isinstance(listed, Ends)
    assert listed.cut == 29 * STEP
    assert ends(short, PICTURES).cut is None


def test_a_private_stream_is_named() -> None:
    data = bytearray(sound_slice())
    data = data.replace(bytes([0x0F, 0xE1, 0x00]), bytes([0x06, 0xE1, 0x00]))
    found = look(bytes(data), SOUND)
    assert found == Unreadable("its stream is private: only H.264, HEVC and AAC are known in MPEG-TS")


@pytest.mark.parametrize(
    ("stream_type", "codec"), [(0x02, "mpeg2video"), (0x01, "mpeg1video"), (0x10, "mpeg4")]
)
def test_another_codec_of_pictures_is_told_and_left_to_the_plan(stream_type: int, codec: str) -> None:
    data = picture_slice().replace(bytes([0x1B, 0xE1, 0x00]), bytes([stream_type, 0xE1, 0x00]))
    assert ends(data, PICTURES).form.codec == codec


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "it has only 0 bytes", id="nothing"),
        pytest.param(b"G" + b"\0" * 100, "it has only 101 bytes", id="half a packet"),
        pytest.param(
            b"<!DOCTYPE html><html><body>" + b"Access denied " * 100,
            "it is an HTML or XML page, probably a download that was refused",
            id="an HTML page",
        ),
        pytest.param(
            b'\n<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>' + b" " * 400,
            "it is an HTML or XML page, probably a download that was refused",
            id="an XML error of a store",
        ),
        pytest.param(b"\x1aE\xdf\xa3" + b"\1" * 1000, "it is WebM or Matroska", id="a WebM file"),
        pytest.param(
            np.random.default_rng(1).bytes(100_000), "it is no MPEG-TS (no sync bytes)", id="random bytes"
        ),
        pytest.param(b"\0" * 100_000, "it is no MPEG-TS (no sync bytes)", id="zeros"),
        pytest.param(b"\x47" * 10_000, "it has no program association table", id="sync bytes only"),
        pytest.param(
            (b"\x47\x1f\xff\x10" + b"\xff" * 184) * 50,
            "it has no program association table",
            id="null packets",
        ),
        pytest.param(
            picture_slice()[: 1 * PACKET] * 9, "its program map names no stream", id="no program map"
        ),
        pytest.param(
            picture_slice()[: 2 * PACKET] * 9,
            "it holds no packet of this track",
            id="tables and nothing else",
        ),
    ],
)
def test_what_is_no_slice_says_what_it_is(data: bytes, why: str) -> None:
    assert look(data, PICTURES) == Unreadable(why)


def test_sound_that_is_no_adts_is_unreadable() -> None:
    data = write_slice([Pes(StreamType.AAC, b"\x12" * 500, 0, key=True)])
    assert look(data, SOUND) == Unreadable("its first audio packet holds no aac header")


DATA = {SOUND: sound_slice(0, 24), PICTURES: picture_slice(0, GOP)}


@settings(deadline=None)
@given(
    medium=st.sampled_from(list(Medium)),
    changes=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=20),
    keep=st.integers(0, 10_000),
    listed=st.integers(0, 10**6),
)
def test_damage_is_told_or_overlooked_and_never_crashes(
    medium: Medium, changes: list[tuple[int, int]], keep: int, listed: int
) -> None:
    data = bytearray(DATA[medium][:keep])
    for at, value in changes:
        if at < len(data):
            data[at] = value
    found = look(bytes(data), medium, listed)
    if isinstance(found, Unreadable):
        assert found.why
    else:
        assert 0 <= found.first < ticks.WRAP
        assert found.span > 0
        assert found.step > 0


@settings(deadline=None)
@given(first=st.integers(0, ticks.WRAP - 1), count=st.integers(1, 100), group=st.integers(1, 8))
def test_any_length_of_sound_is_told(first: int, count: int, group: int) -> None:
    found = ends(write_slice(sound_pes(coded_sound(480)[:count], first, group=group)), SOUND)
    assert (found.first, found.span) == (first, count * FRAME)


def test_a_medium_that_begins_behind_a_long_key_frame_is_seen() -> None:
    """Pictures of a camera begin with a key frame of 100 kB and more, and sound may stand behind it."""
    (first, *_) = coded_pictures(GOP)
    long = Pes(StreamType.H264, first.data + b"\0\0\1\x06\x05" + b"\x80" * 300_000, 9000, 9000, key=True)
    data = write_slice([long, *sound_pes(coded_sound(48), 8000)])
    assert len(long.payload) > 10 * WINDOW
    assert ends(data, SOUND).first == 8000
    assert (ends(data, PICTURES).first, ends(data, PICTURES).after) == (9000, 1000)
