from __future__ import annotations

import gc
import hashlib
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.media.remux import remux
from pipeline.media.tally import Surprise
from pipeline.media.ts.writer import write_slice
from pipeline.model import ticks
from pipeline.model.options import Options
from pipeline.model.plan import OutputPlan, plan
from tests.media.mp4_material import complaints
from tests.media.remuxing import copied, copy_of
from tests.media.ts_material import (
    FRAME,
    GOP,
    STEP,
    T0_MS,
    Files,
    coded_sound,
    picture_slice,
    recording_of,
    sound_pes,
    sound_slice,
    time_of,
    user_of,
)

if TYPE_CHECKING:
    from pathlib import Path

SECOND = ticks.TICKS


def call() -> tuple[Files, OutputPlan]:
    """Eight seconds of pictures, sound that begins later, is muted for a while and ends before them."""
    files = Files(
        {
            "v0.ts": picture_slice(0, 4 * GOP),
            "v1.ts": picture_slice(4 * SECOND, 4 * GOP, skip=4 * GOP),
            "a0.ts": sound_slice(SECOND, 120),
            "a1.ts": sound_slice(5 * SECOND, 90, skip=120),
        }
    )
    user = user_of(
        files,
        video=[("v0.ts", 0), ("v1.ts", 4 * SECOND)],
        audio=[("a0.ts", SECOND), ("a1.ts", 5 * SECOND)],
    )
    (output,) = plan(recording_of(user), [time_of(user)], Options()).outputs
    return files, output


@pytest.mark.parametrize("processes", [1, 2])
def test_a_call_becomes_a_file_that_plays(tmp_path: Path, processes: int) -> None:
    files, output = call()
    path = tmp_path / "call.mp4"
    with path.open("w+b") as sink:
        made = remux(output, files.open, sink, processes=processes)
    assert complaints(path) == ""
    assert made.duration == 8 * SECOND
    assert [(t.medium, t.packets_in, t.packets_out) for t in made.tracks] == [
        ("video", 8 * GOP, 8 * GOP),
        ("audio", 210, 210),
    ]
    assert files.open_now == 0
    assert files.most_open <= 2


def test_any_number_of_processes_gives_the_same_bytes_and_the_same_story() -> None:
    files, output = call()
    sinks = [BytesIO() for _ in range(3)]
    stories = [remux(output, files.open, sink, processes=n) for n, sink in enumerate(sinks, start=1)]
    assert len({sink.getvalue() for sink in sinks}) == 1
    assert stories[0] == stories[1] == stories[2]


@pytest.mark.parametrize("processes", [1, 2])
def test_progress_is_every_byte_that_was_read(processes: int) -> None:
    files, output = call()
    told: list[int] = []
    remux(output, files.open, BytesIO(), told.append, processes=processes)
    assert sum(told) == sum(map(len, files.data.values()))
    assert all(count >= 0 for count in told)


def test_the_hash_of_a_track_is_over_the_copied_samples(tmp_path: Path) -> None:
    made = copy_of(
        tmp_path,
        video=[(picture_slice(0, 2 * GOP), 0)],
        audio=[(sound_slice(SECOND, 48), SECOND)],
    )
    sound = b"".join(s.block for s in coded_sound(480)[:48])
    assert made.told("audio").payload_sha256 == hashlib.sha256(sound).hexdigest()
    assert made.told("video").payload_sha256 == hashlib.sha256(b"".join(made.samples("video"))).hexdigest()


def test_moov_stands_first_and_the_file_is_dated(tmp_path: Path) -> None:
    made = copy_of(tmp_path, video=[(picture_slice(), 0)])
    movie = made.movie
    assert movie.moov_before_mdat
    assert movie.creation_ms // 1000 == T0_MS // 1000
    assert movie.title == "ann"


def test_chunks_of_both_media_are_interleaved_by_the_second(tmp_path: Path) -> None:
    made = copy_of(tmp_path, video=[(picture_slice(0, 8 * GOP), 0)], audio=[(sound_slice(0, 375), 0)])
    video, audio = made.track("video"), made.track("audio")
    for n in range(8 * GOP):
        sound_then = audio.offsets[min(374, n * STEP // FRAME)]
        between = abs(int(video.offsets[n]) - int(sound_then))
        assert between < 2 * max(sum(video.sizes[:GOP]), 48 * 400)


def missing_of(files: Files, output: OutputPlan, processes: int) -> str:
    """The slice that a failing copy names; the exception and its frames are gone afterwards."""
    try:
        remux(output, files.open, BytesIO(), processes=processes)
    except FileNotFoundError as error:
        return str(error.filename)
    return ""


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("gone", ["v0.ts", "v1.ts", "a0.ts", "a1.ts"])
def test_a_slice_that_is_gone_is_named_and_nothing_is_left_open(gone: str, processes: int) -> None:
    files, output = call()
    del files.data[gone]
    assert missing_of(files, output, processes) == gone
    gc.collect()
    assert files.open_now == 0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_surprise_in_the_sound_comes_through(processes: int) -> None:
    files, output = call()
    stereo = sound_pes(coded_sound(480, 48_000, 2)[:90], 5 * SECOND)
    files.data["a1.ts"] = write_slice(stereo)[: len(files.data["a1.ts"])]
    with pytest.raises(Surprise, match=r"the sound changes .* inside a1\.ts"):
        remux(output, files.open, BytesIO(), processes=processes)


class Full(BytesIO):
    """A disk that is full after so many bytes."""

    def write(self, data: object) -> int:
        if self.tell() + len(data) > 50_000:  # type: ignore[arg-type] # any buffer
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type] # any buffer


@pytest.mark.parametrize("processes", [1, 2])
def test_a_full_disk_is_told(processes: int) -> None:
    files, output = call()
    with pytest.raises(OSError, match="No space left"):
        remux(output, files.open, Full(), processes=processes)
    assert files.open_now == 0


PIECES = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 90, 900, 9000, 27_000, 3 * SECOND]), st.integers(1, 2), st.booleans()
    ),
    min_size=1,
    max_size=4,
)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(video=PIECES, audio=PIECES, late=st.integers(-3000, 3000), b_frames=st.booleans())
def test_any_call_gives_a_good_file(
    tmp_path: Path,
    video: list[tuple[int, int, bool]],
    audio: list[tuple[int, int, bool]],
    late: int,
    b_frames: bool,  # noqa: FBT001 - drawn
) -> None:
    files = Files()
    places: dict[str, list[tuple[str, int]]] = {"v": [], "a": []}
    for letter, chain, after in (("v", video, max(0, late) * 90), ("a", audio, max(0, -late) * 90)):
        skip, now = 0, after
        for number, (gap, seconds, anew) in enumerate(chain):
            now += gap
            key, first = f"{letter}{number}.ts", 90 if anew else 10**6 + now
            if letter == "v":
                count = GOP * seconds
                data = picture_slice(first, count, skip=skip, bframes=2 if b_frames else 0)
                now += count * STEP
            else:
                count = 30 * seconds
                data = sound_slice(first, count, skip=skip)
                now += count * FRAME
            skip = (skip + count) % (4 * GOP) if letter == "v" else skip + count
            files.data[key] = data
            places[letter].append((key, now - count * (STEP if letter == "v" else FRAME)))
    made = copied(tmp_path, files, user_of(files, places["v"], places["a"]))
    assert made.problems() == ()
    for told in made.made.tracks:
        assert told.packets_in == told.packets_out + sum(d.packets for d in told.dropped)
    assert made.losses == []
