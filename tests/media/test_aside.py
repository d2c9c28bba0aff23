from __future__ import annotations

import multiprocessing
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from pipeline.media.aside import Aside
from pipeline.media.mp4.writer import SampleTimes, TrackHeader
from pipeline.media.sounds import Sounds
from pipeline.media.tally import Chunk, Made, Surprise
from pipeline.model.options import Options
from pipeline.model.plan import plan
from tests.media.ts_material import Files, recording_of, sound_slice, time_of, user_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADER = TrackHeader("soun", 48_000, b"\0\0\0\x08mp4a", "microphone")


class Scripted:
    """A copier that does what it was told, in its own process."""

    def __init__(self, act: Callable[[], None], chunks: int = 3) -> None:
        self._act = act
        self._chunks = chunks

    def header(self) -> TrackHeader:
        return HEADER

    def chunks(self) -> Iterator[Chunk]:
        for number in range(self._chunks):
            yield Chunk(number, [1], b"x", copied=True)
        self._act()

    @property
    def ends(self) -> int:
        return 7

    def made(self, end: int, payload_sha256: str) -> Made:
        raise AssertionError((end, payload_sha256))


def aside(act: Callable[[], None], chunks: int = 3) -> Aside:
    return Aside(lambda _: Scripted(act, chunks), lambda _: None)


def kill_myself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def surprise() -> None:
    raise Surprise("the sound changes")


def no_file() -> None:
    raise FileNotFoundError(2, "No such file or directory", "a.ts")


def children() -> int:
    return len(multiprocessing.active_children())


def test_a_track_that_is_copied_aside_is_the_one_that_is_copied_here() -> None:
    files = Files({"a.ts": sound_slice(0, 240)})
    user = user_of(files, audio=[("a.ts", 0)])
    (output,) = plan(recording_of(user), [time_of(user)], Options()).outputs
    track = output.audio
    assert track is not None
    here_told: list[int] = []
    there_told: list[int] = []
    here = Sounds(output, track, files.open, here_told.append)
    there = Aside(lambda progress: Sounds(output, track, files.open, progress), there_told.append)
    try:
        assert there.header() == here.header()
        assert list(there.chunks()) == list(here.chunks())
        assert there_told == here_told
        assert there.ends == here.ends
        mine, other = here.made(0, "hash"), there.made(0, "hash")
    finally:
        there.close()
    assert (other.track, other.entries) == (mine.track, mine.entries)
    assert other.times.dts.tolist() == mine.times.dts.tolist()
    assert isinstance(other.times, SampleTimes)
    assert children() == 0


def test_a_process_that_is_killed_in_mid_way_raises_and_leaves_nothing() -> None:
    """Most often the kernel does it, when memory runs out."""
    there = aside(kill_myself)
    got: list[Chunk] = []
    with pytest.raises((EOFError, ConnectionError)):
        got.extend(there.chunks())
    there.close()
    assert children() == 0


@pytest.mark.parametrize(
    ("act", "error", "text"),
    [
        pytest.param(surprise, Surprise, "the sound changes", id="a surprise"),
        pytest.param(no_file, FileNotFoundError, "a.ts", id="a slice that is gone"),
    ],
)
def test_what_goes_wrong_there_is_raised_here(
    act: Callable[[], None], error: type[Exception], text: str
) -> None:
    there = aside(act)
    got: list[Chunk] = []
    with pytest.raises(error) as caught:
        got += there.chunks()
    there.close()
    assert text in str(caught.value)
    assert type(caught.value) is error
    assert children() == 0


def test_closing_in_mid_way_ends_the_process_at_once() -> None:
    there = aside(lambda: time.sleep(60), 1000)
    chunks = there.chunks()
    assert next(chunks).at == 0
    before = time.monotonic()
    there.close()
    assert time.monotonic() - before < 5
    assert children() == 0


def test_a_process_whose_pipe_is_full_is_ended_too() -> None:
    there = aside(lambda: None, 100_000)
    next(there.chunks())
    there.close()
    assert children() == 0


def test_nothing_is_known_before_all_chunks_were_taken() -> None:
    there = aside(lambda: None)
    with pytest.raises(AssertionError, match="before all chunks"):
        _ = there.ends
    there.close()
    assert children() == 0
