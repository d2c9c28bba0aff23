from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.media.reopen import decode_joins, read_facts
from pipeline.model import ticks
from pipeline.model.checks import compare
from pipeline.model.options import Verify
from pipeline.steps.verify import verify
from tests.media.remuxing import Copied, copy_of
from tests.media.ts_material import FRAME, GOP, STEP, T0_MS, picture_slice, sound_slice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.model.manifest import Output

SECOND = ticks.TICKS


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Copied:
    """Two stretches of pictures with B pictures, and two of sound with silence between them."""
    return copy_of(
        tmp_path_factory.mktemp("film"),
        video=[
            (picture_slice(0, 2 * GOP, bframes=2), 0),
            (picture_slice(4 * SECOND, 2 * GOP, skip=2 * GOP, bframes=2), 4 * SECOND),
        ],
        audio=[(sound_slice(900, 90), 900), (sound_slice(4 * SECOND, 90, skip=90), 4 * SECOND)],
    )


def problems(path: Path, output: Output) -> list[str]:
    return [check.problem for check in compare(output, read_facts(path, output)) if not check.good]


def test_a_good_file_is_found_as_it_was_told(film: Copied) -> None:
    facts = read_facts(film.path, film.output)
    assert problems(film.path, film.output) == []
    data = film.path.read_bytes()
    assert (facts.size, facts.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert facts.index_first
    assert facts.creation_ms // 1000 == T0_MS // 1000
    video, audio = facts.tracks
    assert (video.handler, video.entry, video.samples, video.rising) == ("vide", "avc1", 4 * GOP, True)
    assert (audio.handler, audio.entry, audio.timescale) == ("soun", "mp4a", 48_000)
    assert video.first_key
    assert sorted(video.at) == [0, 2 * GOP - 1, 2 * GOP, 4 * GOP - 1]
    assert [video.at[n].at for n in (0, 2 * GOP)] == [0, 4 * SECOND]
    assert [video.at[n].sync for n in (0, 2 * GOP)] == [True, True]
    assert (video.end, audio.end) == (6 * SECOND, film.told("audio").end)
    assert audio.samples == 180 + film.told("audio").inserted


def test_places_that_are_not_in_the_file_are_not_told(film: Copied) -> None:
    (video, audio) = film.output.tracks
    beyond = replace(video, spans=(replace(video.spans[0], first=10**6), *video.spans[1:]))
    facts = read_facts(film.path, replace(film.output, tracks=(beyond, audio)))
    assert 10**6 not in facts.tracks[0].at


def test_a_file_with_more_tracks_than_were_told_is_read_all_the_same(film: Copied) -> None:
    told = replace(film.output, tracks=film.output.tracks[:1], av_offset_ms=None)
    assert problems(film.path, told) == ["2 tracks instead of 1"]


def test_both_sides_of_every_join_are_decoded(film: Copied) -> None:
    decoded, failed = decode_joins(film.path, film.output)
    assert failed == ()
    # Pictures: from file zero, from the second stretch, and from the last second, each to the end of its GOP.
    assert 3 * GOP <= decoded <= 4 * GOP + 4 * 50


def broken(film: Copied, place: Path, change: Callable[[bytearray], None]) -> Path:
    data = bytearray(film.path.read_bytes())
    change(data)
    path = place / "broken.mp4"
    path.write_bytes(data)
    return path


def sample_at(film: Copied, medium: str, number: int) -> tuple[int, int]:
    track = film.track(medium)
    return int(track.offsets[number]), int(track.sizes[number])


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_byte_in_any_copied_sample_is_found(
    film: Copied, tmp_path: Path, data: st.DataObject
) -> None:
    medium = data.draw(st.sampled_from(["video", "audio"]))
    silent = {n for f in film.told(medium).fills for n in range(f.first, f.first + f.count)}
    count = len(film.track(medium).sizes)
    number = data.draw(st.integers(0, count - 1).filter(lambda n: n not in silent))
    at, size = sample_at(film, medium, number)
    offset = data.draw(st.integers(0, size - 1))

    def flip(content: bytearray) -> None:
        content[at + offset] ^= 1 << data.draw(st.integers(0, 7))

    path = broken(film, tmp_path, flip)
    assert problems(path, film.output) == [f"{medium}: the payloads are not those that were read"]


def test_a_flipped_byte_in_the_silence_is_found_once_the_hash_is_known(film: Copied, tmp_path: Path) -> None:
    at, _ = sample_at(film, "audio", film.told("audio").fills[0].first)

    def flip(content: bytearray) -> None:
        content[at] ^= 1

    data = film.path.read_bytes()
    known = replace(film.output, size=len(data), sha256=hashlib.sha256(data).hexdigest())
    assert problems(film.path, known) == []
    assert problems(broken(film, tmp_path, flip), known) == ["its SHA-256 is not that of the manifest"]


@pytest.mark.parametrize("keep", [0, 7, 30, 500, 5000, 20_000, -1, -10_000])
def test_a_file_that_is_cut_off_cannot_be_read(film: Copied, tmp_path: Path, keep: int) -> None:
    def cut(content: bytearray) -> None:
        del content[keep:]

    path = broken(film, tmp_path, cut)
    with pytest.raises(ValueError, match=r"\w"):
        read_facts(path, film.output)
    verdict, facts = verify(path, film.output, Verify.FULL)
    assert facts is None
    assert verdict.problems[0].startswith("it cannot be read back: ")


def test_a_file_that_is_gone_cannot_be_read(film: Copied, tmp_path: Path) -> None:
    verdict, _ = verify(tmp_path / "gone.mp4", film.output, Verify.FULL)
    assert verdict.problems[0].startswith("it cannot be read back: ")


@pytest.mark.parametrize(
    ("medium", "index", "where"),
    [
        pytest.param("video", 0, "the video at 0:00.000", id="the first picture"),
        pytest.param("video", 2 * GOP, "the video at 0:04.000", id="the picture after a join"),
        pytest.param("video", 4 * GOP - 1, "the video at 0:05.000", id="the last picture"),
        pytest.param("audio", 0, "the audio at 0:00.010", id="the first frame of sound"),
        pytest.param("audio", 89, "the audio at", id="the frame before a join"),
    ],
)
def test_damage_at_a_join_is_found_by_decoding(
    film: Copied, tmp_path: Path, medium: str, index: int, where: str
) -> None:
    at, size = sample_at(film, medium, index)

    def damage(content: bytearray) -> None:
        head = 40 if medium == "video" else 0
        begin = at + min(head, size // 2)
        content[begin : at + size] = b"\xff" * (at + size - begin)

    decoded, failed = decode_joins(broken(film, tmp_path, damage), film.output)
    assert any(problem.startswith(where) and "does not decode" in problem for problem in failed), failed
    assert decoded > 0


def test_the_verdict_holds_what_was_checked_and_decoded(film: Copied) -> None:
    full, facts = verify(film.path, film.output, Verify.FULL)
    assert full.good
    assert full.level == "full"
    assert full.decoded > 3 * GOP
    fast, _ = verify(film.path, film.output, Verify.FAST)
    assert (fast.level, fast.decoded, fast.checks) == ("fast", 0, full.checks)
    off, nothing = verify(film.path, film.output, Verify.OFF)
    assert (off.level, off.checks, off.good) == ("off", 0, True)
    assert facts is not None
    assert nothing is None


def boxes(data: bytearray, name: bytes) -> list[int]:
    """Where the contents of boxes of this name begin."""
    found, at = [], data.find(name)
    while at >= 0:
        found.append(at + 4)
        at = data.find(name, at + 1)
    return found


def change_at(data: bytearray, box: bytes, offset: int, by: int) -> None:
    """Add to the 32-bit number at an offset in the first box of a name."""
    at = boxes(data, box)[0] + offset
    data[at : at + 4] = (int.from_bytes(data[at : at + 4], "big") + by).to_bytes(4, "big")


def shift_edit(data: bytearray) -> None:
    """Make the empty edit in front of the sound 20 ms longer."""
    at = boxes(data, b"elst")[-1]
    assert int.from_bytes(data[at + 12 : at + 16], "big") == 0xFFFFFFFF
    length = int.from_bytes(data[at + 8 : at + 12], "big")
    data[at + 8 : at + 12] = (length + 1800).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(shift_edit, "a span lies at", id="an edit list that puts sound elsewhere"),
        pytest.param(lambda d: change_at(d, b"mvhd", 4, 1), "creation_time is", id="another creation time"),
        pytest.param(lambda d: change_at(d, b"stss", 8, 1), "no key frame", id="another key frame at first"),
        pytest.param(lambda d: change_at(d, b"tkhd", 40, 1), "turned by None", id="another matrix"),
        pytest.param(lambda d: change_at(d, b"hdlr", 8, 1), "handler is", id="another handler"),
        pytest.param(lambda d: change_at(d, b"ctts", 12, 9000), "a span lies at", id="pictures elsewhere"),
    ],
)
def test_tables_that_were_changed_are_found(
    film: Copied, tmp_path: Path, change: Callable[[bytearray], None], problem: str
) -> None:
    found = verify(broken(film, tmp_path, change), film.output, Verify.FAST)[0].problems
    assert any(problem in text for text in found), found


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_any_damage_gives_a_verdict_and_no_crash(
    film: Copied, tmp_path: Path, changes: list[tuple[int, int]]
) -> None:
    def damage(content: bytearray) -> None:
        for at, value in changes:
            content[at] = value

    verdict, _ = verify(broken(film, tmp_path, damage), film.output, Verify.FULL)
    assert verdict.checks > 0


def set_at(box: bytes, offset: int, value: int) -> Callable[[bytearray], None]:
    """A change of one byte, counted from the first byte of a box's name."""

    def change(content: bytearray) -> None:
        content[content.index(box) + offset] = value

    return change


@pytest.mark.parametrize("value", [0, 1, 0x80, 0xFF])
@pytest.mark.parametrize(
    ("box", "offset"),
    [
        pytest.param(b"ftyp", 4, id="the brand"),
        pytest.param(b"ftyp", 12, id="a compatible brand"),
        pytest.param(b"avcC", 0, id="the box of the parameter sets"),
        pytest.param(b"dref", 8, id="the length of a data reference"),
        pytest.param(b"dref", 15, id="the kind of a data reference"),
        pytest.param(b"stsd", 15, id="the kind of a sample entry"),
        *(pytest.param(b"esds", n, id=f"byte {n} of the sound's configuration") for n in range(8, 34)),
    ],
)
def test_what_ffmpeg_cannot_open_gives_a_verdict(
    film: Copied, tmp_path: Path, box: bytes, offset: int, value: int
) -> None:
    path = broken(film, tmp_path, set_at(box, offset, value))
    verdict, _ = verify(path, film.output, Verify.FULL)
    assert verdict.checks > 0
    assert all("\n" not in problem for problem in verdict.problems)


@pytest.mark.parametrize("name", [b"ann", b"camera", b"microphone"])
def test_a_name_that_is_no_text_gives_a_verdict(film: Copied, tmp_path: Path, name: bytes) -> None:
    def damage(content: bytearray) -> None:
        content[content.rindex(name, 0, content.index(b"mdat"))] = 0x80

    verdict, _ = verify(broken(film, tmp_path, damage), film.output, Verify.FULL)
    assert verdict.checks > 0


def test_a_track_without_spans_is_not_decoded(film: Copied) -> None:
    bare = tuple(replace(track, spans=()) for track in film.output.tracks)
    assert decode_joins(film.path, replace(film.output, tracks=bare)) == (0, ())


def test_a_single_picture_and_a_single_frame_are_decoded(tmp_path: Path) -> None:
    small = copy_of(tmp_path, video=[(picture_slice(0, 1), 0)], audio=[(sound_slice(0, 2), 0)])
    assert small.problems() == ()
    decoded, failed = decode_joins(small.path, small.output)
    assert failed == ()
    assert decoded >= 3
    assert small.made.duration >= max(STEP, 2 * FRAME)
