"""Pieces of pictures and the sound in one file, which equals the file of one piece in times and pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from pipeline.drawing.studio import Studio
from pipeline.layout.canvas import Canvas
from pipeline.layout.composed import composed
from pipeline.layout.composing import Composing
from pipeline.layout.composite import ComposeOptions
from pipeline.layout.encoding import Encoding, SoundEncoding, VideoCodec
from pipeline.media.compose.chunk import make_chunk
from pipeline.media.compose.join import join
from pipeline.media.mix.encode import AacFile
from pipeline.media.mp4.reader import read_movie
from pipeline.model import ticks
from pipeline.vendors.layouts import Wish
from tests import truth
from tests.media.composing import T0_MS, recorded, sender

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from numpy.typing import NDArray

    from pipeline.layout.composite import CompositePlan
    from pipeline.media.compose.chunk import Decoded
    from pipeline.media.compose.join import Joined
    from pipeline.media.mp4.reader import Movie
    from tests.media.composing import Recorded

CANVAS = Canvas(160, 120)
SECONDS = 7


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """One user, alone on the canvas: what is drawn is what he says."""
    user = sender(picture=((0, SECONDS * 1000),), bframes=2, fps=15)
    return recorded(tmp_path_factory.mktemp("call") / "recording", user)


@dataclass(frozen=True)
class Film:
    """A file, what it was made from and what was told of it."""

    path: Path
    plan: CompositePlan
    joined: Joined
    decoded: tuple[Decoded, ...]

    @property
    def movie(self) -> Movie:
        with self.path.open("rb") as file:
            return read_movie(file, self.path.stat().st_size)

    def frames(self) -> list[tuple[int, NDArray[np.uint8]]]:
        """Ticks and pixels of each picture, edits honoured."""
        with av.open(str(self.path)) as container:
            out = []
            for frame in container.decode(video=0):
                assert frame.pts is not None
                assert frame.time_base is not None
                at = round(frame.pts * frame.time_base * ticks.TICKS)
                out.append((at, frame.to_ndarray().astype(np.uint8)))
        return out


def plan_of(call: Recorded, chunk_ms: int, **encoding: object) -> CompositePlan:
    fields: dict[str, object] = {"gop_ms": 1000, **encoding}
    composing = Composing(CANVAS, Wish("grid"), encoding=replace(Encoding(), **fields))  # type: ignore[arg-type] # its fields
    (plan,) = composed("call", call.times, ComposeOptions(composing=composing, chunk_ms=chunk_ms))
    return plan


def pieces_of(call: Recorded, plan: CompositePlan, place: Path) -> tuple[list[Path], tuple[Decoded, ...]]:
    paths: list[Path] = []
    decoded: list[Decoded] = []
    for chunk in plan.chunks:
        path = place / f"{chunk.number}.mp4"
        with path.open("w+b") as sink:
            decoded += make_chunk(plan, chunk, Studio({}), call.folder.open, sink)
        paths.append(path)
    return paths, tuple(decoded)


def sound_of(place: Path, seconds: float, rate: int = 48_000) -> Path:
    path = place / "sound.mp4"
    wave = np.sin(np.arange(int(48_000 * seconds)) / 20)[None].astype(np.float32)
    with path.open("w+b") as sink:
        file = AacFile(sink, 1, 64_000, wave.shape[1], creation_ms=T0_MS, title="x", rate=rate)
        file.push(wave)
        file.end()
    return path


def film(call: Recorded, place: Path, chunk_ms: int, *, sound: bool = False, **encoding: object) -> Film:
    place.mkdir()
    plan = plan_of(call, chunk_ms, **encoding)
    pieces, decoded = pieces_of(call, plan, place)
    path = place / "film.mp4"
    with path.open("w+b") as sink:
        joined = join(plan, pieces, sound_of(place, SECONDS) if sound else None, sink)
    return Film(path, plan, joined, decoded)


@pytest.mark.parametrize("codec", VideoCodec)
@pytest.mark.parametrize("fps", [7, 15, 24])
def test_pieces_make_the_file_of_one_piece(
    codec: VideoCodec, fps: int, call: Recorded, tmp_path: Path
) -> None:
    whole = film(call, tmp_path / "whole", 0, codec=codec, fps=fps)
    parts = film(call, tmp_path / "parts", 2000, codec=codec, fps=fps)
    assert (len(whole.plan.chunks), len(parts.plan.chunks)) == (1, 4)
    assert parts.movie.tracks[0].duration == whole.movie.tracks[0].duration
    one, other = whole.frames(), parts.frames()
    assert [at for at, _ in other] == [at for at, _ in one]
    assert [at for at, _ in other] == [parts.plan.at(n) for n in range(parts.plan.frames)]
    for (_, left), (_, right) in zip(one, other, strict=True):
        error = np.square(left.astype(float) - right.astype(float)).mean()
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > 32
    truth.decodes_silently(parts.path)


def test_each_frame_shows_the_picture_of_its_instant(call: Recorded, tmp_path: Path) -> None:
    made = film(call, tmp_path / "film", 2000, fps=24)
    for at, coded in truth.pictures(made.path):
        utc_ms = T0_MS + float(at) * 1000
        latest = max(taken for taken in call.pictures_ms if taken <= utc_ms + 0.02)
        assert (coded.at_ms, coded.user) == (latest, 1)
    assert len(truth.pictures(made.path)) == made.plan.frames == made.joined.frames


def test_every_piece_decodes_alone_and_counts_its_packets(call: Recorded, tmp_path: Path) -> None:
    made = film(call, tmp_path / "film", 2000)
    for chunk in made.plan.chunks:
        path = tmp_path / "film" / f"{chunk.number}.mp4"
        truth.decodes_silently(path)
        assert len(truth.pictures(path)) == chunk.end - chunk.first
    assert [(each.uid, each.source, each.undecoded) for each in made.decoded] == [("1", "camera", 0)] * 4
    assert sum(each.packets for each in made.decoded) <= len(call.pictures_ms)
    assert all(each.packets >= 14 for each in made.decoded)


def test_sound_and_pictures_lie_a_second_of_each_in_turn(call: Recorded, tmp_path: Path) -> None:
    made = film(call, tmp_path / "film", 2000, sound=True)
    pictures, sound = made.movie.tracks
    assert (pictures.handler, sound.handler) == ("vide", "soun")
    assert (made.joined.frames, made.joined.sounds) == (len(pictures.sizes), len(sound.sizes))
    for track in (pictures, sound):
        second = track.dts // track.timescale
        firsts = [track.offsets[np.flatnonzero(second == n)[0]] for n in range(SECONDS - 1)]
        assert firsts == sorted(firsts)
    both = [np.concatenate([t.offsets[t.dts // t.timescale < 3] for t in (pictures, sound)]).max()]
    assert both[0] < min(t.offsets[t.dts // t.timescale > 5].min() for t in (pictures, sound))
    with av.open(str(made.path)) as container:
        assert container.duration is not None
        assert abs(container.duration / 1_000_000 - SECONDS) < 0.05
    truth.decodes_silently(made.path)


def test_the_digests_are_those_of_the_payloads(call: Recorded, tmp_path: Path) -> None:
    one = film(call, tmp_path / "one", 2000, sound=True, preset="ultrafast")
    other = film(call, tmp_path / "other", 2000, sound=True, preset="ultrafast")
    alone = film(call, tmp_path / "alone", 2000, preset="ultrafast")
    assert one.joined == other.joined
    assert alone.joined == replace(one.joined, sound="", sounds=0)
    assert one.path.read_bytes() == other.path.read_bytes()


class Watching(BytesIO):
    """A sink that counts which files below a folder are open while it is written."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self._place = str(place)
        self.most_open = 0

    def write(self, data: ReadableBuffer) -> int:
        links = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
        self.most_open = max(self.most_open, sum(str(link).startswith(self._place) for link in links))
        return super().write(data)


def test_of_many_pieces_one_is_open_at_a_time(call: Recorded, tmp_path: Path) -> None:
    plan = plan_of(call, 1000, preset="ultrafast")
    pieces, _ = pieces_of(call, plan, tmp_path)
    sink = Watching(tmp_path)
    join(plan, pieces, sound_of(tmp_path, SECONDS), sink)
    assert len(pieces) == SECONDS
    assert sink.most_open == 2, "a piece and the sound"


@pytest.mark.parametrize("rate", [16_000, 44_100, 48_000])
def test_a_file_of_sound_alone(rate: int, call: Recorded, tmp_path: Path) -> None:
    composing = Composing(CANVAS, Wish("grid"), sound=SoundEncoding(rate, 1))
    (plan,) = composed("call", call.times, ComposeOptions(composing=composing))
    path = tmp_path / "mix.mp4"
    with path.open("w+b") as sink:
        joined = join(plan, [], sound_of(tmp_path, SECONDS, rate), sink)
    assert (joined.pictures, joined.frames) == ("", 0)
    with path.open("rb") as file:
        (track,) = read_movie(file, path.stat().st_size).tracks
    assert (track.handler, track.timescale, len(track.sizes)) == ("soun", rate, joined.sounds)
    truth.decodes_silently(path)


def test_pieces_that_do_not_fit_are_refused(call: Recorded, tmp_path: Path) -> None:
    plan = plan_of(call, 2000)
    pieces, _ = pieces_of(call, plan, tmp_path)
    other = plan_of(call, 2000, profile="baseline")
    folder = tmp_path / "other"
    folder.mkdir()
    strangers, _ = pieces_of(call, other, folder)

    def refused(paths: list[Path], told: str) -> None:
        with (tmp_path / "film.mp4").open("w+b") as sink, pytest.raises(ValueError, match=told):
            join(plan, paths, None, sink)

    refused([*pieces[:-1], strangers[-1]], "were encoded by different encoders")
    with (tmp_path / "both.mp4").open("w+b") as sink:
        join(plan, pieces, sound_of(tmp_path, 7), sink)
    refused([tmp_path / "both.mp4", *pieces[1:]], "has one track")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(pieces[0].read_bytes()[:-500])
    refused([cut, *pieces[1:]], "ends at byte")
