"""Files of AAC without time stamps: every frame once, at the place that its count gives it."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.media import adts
from pipeline.media.aac import split_adts
from pipeline.media.look import Looker
from pipeline.media.probe import picture_size
from pipeline.media.runs import open_run
from pipeline.media.unreadable import Unreadable
from pipeline.model import ticks
from pipeline.model.slices import NO_PTS, Container, Ends, Medium, Slice, State
from tests.media.mp4_material import adts as stream
from tests.media.mp4_material import sound


def look(data: bytes, medium: Medium = Medium.AUDIO) -> Ends | Unreadable:
    return Looker(picture_size).look(BytesIO(data), len(data), medium)


def packets(*files: bytes) -> list[tuple[int, int, list[bytes]]]:
    """PTS, file and frames of each packet."""
    pieces = []
    for number, data in enumerate(files):
        ends = look(data)
        assert isinstance(ends, Ends)
        pieces.append(Slice(str(number), len(data), State.PRESENT, 0, "name", ends=ends))
    run = open_run(lambda key: BytesIO(files[int(key)]), pieces, Medium.AUDIO)
    found = [(p.pts or 0, p.piece, split_adts(p.data).frames) for p in run]
    run.close()
    return found


@pytest.mark.parametrize(("rate", "channels"), [(48000, 2), (44100, 1), (16000, 1)])
def test_frames_come_out_once_and_are_placed_by_their_count(rate: int, channels: int) -> None:
    data = stream(rate, channels, seconds=2)
    frames, config = sound(rate, channels, seconds=2)
    ends = look(data)
    assert isinstance(ends, Ends)
    assert (ends.first, ends.container, ends.cut) == (0, Container.ADTS, None)
    assert ends.span == ticks.ticks_of(1024 * len(frames), rate)
    assert (ends.form.rate, ends.form.channels) == (config.sample_rate, config.channels)
    out = packets(data, data)
    assert [frame for _, piece, some in out for frame in some if piece == 0] == frames
    count = 0
    for pts, piece, some in out:
        count = count if piece == 0 or count < len(frames) else 0
        assert pts == ticks.ticks_of(1024 * count, rate)
        count += len(some)
    assert [piece for _, piece, _ in out] == sorted(piece for _, piece, _ in out)


def test_there_are_no_pictures_in_it() -> None:
    assert look(stream(), Medium.VIDEO) == Unreadable("it holds no packet of this track")


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.999])
def test_a_frame_without_its_end_is_told(kept: float) -> None:
    data = stream()[: int(len(stream()) * kept)]
    ends = look(data)
    assert isinstance(ends, Ends)
    assert ends.cut == NO_PTS
    assert ends.span == sum(len(some) for _, _, some in packets(data)) * 1920


@pytest.mark.parametrize("head", [b"", b"\xff", b"\xff\xf1", b"\x47" * 400, b"\xff\xf1" * 8192, b"<html>"])
def test_other_bytes_are_no_adts(head: bytes) -> None:
    assert not adts.is_adts(head)


@given(at=st.integers(0, 3000), value=st.integers(0, 255))
def test_damage_is_told_or_overlooked_and_never_crashes(at: int, value: int) -> None:
    data = bytearray(stream())
    data[at] = value
    found = look(bytes(data))
    assert isinstance(found, Unreadable) or found.span > 0
