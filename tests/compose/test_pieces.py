"""Composites made in pieces: as if made in one, whatever ended the runs before, by however many at once."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from pipeline.api import merge, plan, stage
from pipeline.demo.picture import Coded, read
from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.drawing.studio import Studio
from pipeline.errors import OutputError
from pipeline.layout.composite import CompositePlan
from pipeline.layout.encoding import Encoding, VideoCodec
from pipeline.layout.looks import ImageMark, Looks
from pipeline.layout.scene import Seat
from pipeline.model.options import Moment
from pipeline.sources.bucket import Bucket
from pipeline.steps import compose as steps
from pipeline.steps.pieces import Workshop, identity_of
from pipeline.storage.memory import MemoryStore
from tests.compose.pieces import (
    CALL,
    COMPOSING,
    MANY,
    ONE,
    PIECE_MS,
    PIECES,
    ROOT,
    Composite,
    compose,
    finished,
    luma,
    sound,
)
from tests.merge.merging import tree
from tests.merge.tones import RATE, samples
from tests.sources.stored import put_all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy.typing as npt

    from pipeline.demo.made import Made
    from pipeline.storage.protocol import Got

LEAST_DB = 45
"""PSNR of each frame between a composite in pieces and the same in one, of which the least was 47."""
SURELY_OVER_S = 60
POLL_S = 0.01


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(parse(CALL), tmp_path_factory.mktemp("pieces") / "source")


@pytest.fixture(scope="module")
def many(call: Made, tmp_path_factory: pytest.TempPathFactory) -> Composite:
    """In pieces, one after another."""
    return compose(call.place, tmp_path_factory.mktemp("pieces") / "many")


@pytest.fixture(scope="module")
def one(call: Made, tmp_path_factory: pytest.TempPathFactory) -> Composite:
    """In one piece."""
    return compose(call.place, tmp_path_factory.mktemp("pieces") / "one", ONE)


def said(picture: npt.NDArray[np.uint8]) -> list[Coded | None]:
    """What the pictures in both regions say."""
    scene = COMPOSING.layout.arranged(COMPOSING.canvas, [Seat("ann"), Seat("ben", 4, 3)], None)
    return [read(picture[r.y : r.bottom, r.x : r.right]) for r in scene.regions]


def psnr(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    """Of two pictures, in dB."""
    error = float(np.mean(np.square(a.astype(np.float64) - b)))
    return float(10 * np.log10(255**2 / max(error, 1e-9)))


def assert_alike(first: Composite, second: Composite) -> None:
    """As long, in step, and as good as the same picture by picture."""
    assert [o.duration for o in first.outputs] == [o.duration for o in second.outputs]
    ours, theirs = luma(first.file), luma(second.file)
    assert [at for at, _ in ours] == [at for at, _ in theirs]
    assert [said(picture) for _, picture in ours] == [said(picture) for _, picture in theirs]
    assert min(psnr(a, b) for (_, a), (_, b) in zip(ours, theirs, strict=True)) >= LEAST_DB


def test_in_pieces_it_is_as_in_one(many: Composite, one: Composite) -> None:
    spans = [len(c.outputs[0].tracks[0].spans) for c in (many, one)]
    assert spans == [PIECES, 1]
    assert_alike(many, one)
    read_in = [coded.user for _, picture in luma(many.file) for coded in said(picture) if coded]
    assert read_in.count(0) > 340, "nearly every frame was compared by what it says"
    assert sound(many.file) == sound(one.file)


def test_in_hevc_too(call: Made, tmp_path: Path) -> None:
    assert COMPOSING.encoding is not None
    hevc = replace(COMPOSING, encoding=replace(COMPOSING.encoding, codec=VideoCodec.HEVC), sound=None)
    options = replace(MANY, composing=hevc, end=Moment.parse("8"))
    made = [
        compose(call.place, tmp_path / str(ms), replace(options, chunk_ms=ms), jobs=2) for ms in (PIECE_MS, 0)
    ]
    assert [len(c.outputs[0].tracks[0].spans) for c in made] == [2, 1]
    assert_alike(*made)


def test_two_at_once_make_the_same_bytes_as_one(call: Made, many: Composite, tmp_path: Path) -> None:
    compose(call.place, tmp_path, jobs=2)
    assert tree(tmp_path) == tree(many.place)


def test_a_file_that_may_only_be_so_long_goes_on_in_the_next(
    call: Made, one: Composite, tmp_path: Path
) -> None:
    parts = compose(call.place, tmp_path, replace(ONE, composing=replace(COMPOSING, most_ms=10_000)))
    (whole,) = one.outputs
    assert [o.file[-len("_composite_0.mp4") :] for o in parts.outputs] == [
        f"_composite_{n}.mp4" for n in range(3)
    ]
    assert [o.utc_zero_ms - whole.utc_zero_ms for o in parts.outputs] == [0, 10_000, 20_000]
    assert sum(o.duration for o in parts.outputs) == whole.duration
    shown = [
        (o.utc_zero_ms * 90 + at, said(picture))
        for o in parts.outputs
        for at, picture in luma(parts.place / o.file)
    ]
    expected = [(whole.utc_zero_ms * 90 + at, said(picture)) for at, picture in luma(one.file)]
    assert shown == expected
    heard = np.concatenate([samples(parts.place / o.file) for o in parts.outputs], axis=1)
    alone = samples(one.file)
    assert abs(heard.shape[1] - alone.shape[1]) <= RATE // 1000
    edges = [_loud(each) for each in (heard, alone)]
    assert len(edges[0]) == 24
    assert np.abs(edges[0] - edges[1]).max() <= RATE // 1000


def _loud(heard: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Samples at which a beep begins."""
    at = np.flatnonzero(np.abs(heard[0]) > 0.2)
    return np.asarray(at[np.concatenate([[True], np.diff(at) > RATE // 2])], dtype=np.int64)


class Counting:
    """Counts the pieces that are made in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        real = steps._piece

        def piece(shop: Workshop, name: str, tell: Callable[[], None] = lambda: None) -> None:
            self.made.append(name)
            real(shop, name, tell)

        monkeypatch.setattr(steps, "_piece", piece)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    return Counting(monkeypatch)


EVERY = ["sound", *(f"{n:05d}" for n in range(PIECES))]


def start(
    call: Made, place: Path, *, jobs: int = 1, number: int = 0, kind: str = ""
) -> subprocess.Popen[str]:
    """A run in a process group of its own, which kills itself before the n-th rename to such a file."""
    arguments = [str(call.place), str(place), str(jobs), str(number), kind]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.compose.pieces", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def killed(call: Made, place: Path, number: int, kind: str) -> None:
    """A run that was killed before the n-th rename to such a file."""
    process = start(call, place, number=number, kind=kind)
    _, told = process.communicate(timeout=SURELY_OVER_S)
    assert process.returncode == -signal.SIGKILL, told


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        pytest.param(1, ".mp4", id="before the first piece has its name", marks=pytest.mark.soak),
        pytest.param(3, ".json", id="before a piece has its note", marks=pytest.mark.soak),
        pytest.param(7, ".json", id="before the last piece has its note"),
    ],
)
def test_after_a_kill_only_what_was_not_finished_is_made(
    number: int, kind: str, call: Made, many: Composite, counting: Counting, tmp_path: Path
) -> None:
    killed(call, tmp_path, number, kind)
    notes = {name.removesuffix(".json") for name in finished(tmp_path) if name.endswith(".json")}
    assert sorted(notes) == sorted(EVERY[: number - 1])
    compose(call.place, tmp_path)
    assert counting.made == EVERY[number - 1 :]
    assert tree(tmp_path) == tree(many.place)


@pytest.mark.parametrize(
    ("number", "jobs"),
    [(signal.SIGKILL, 2), (signal.SIGTERM, 2), pytest.param(signal.SIGTERM, 1, marks=pytest.mark.soak)],
)
def test_a_run_that_is_stopped_from_outside_goes_on_where_it_was(
    number: signal.Signals, jobs: int, call: Made, many: Composite, counting: Counting, tmp_path: Path
) -> None:
    process = start(call, tmp_path, jobs=jobs)
    deadline = time.monotonic() + SURELY_OVER_S
    while sum(name.endswith(".json") for name in finished(tmp_path)) < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(POLL_S)
    os.kill(process.pid, number)
    process.communicate(timeout=SURELY_OVER_S)
    assert process.returncode != 0
    kept = finished(tmp_path)
    notes = {name.removesuffix(".json") for name in kept if name.endswith(".json")}
    if number == signal.SIGTERM:
        (folder,) = tmp_path.iterdir()
        assert [path.name for path in folder.glob(".*")] == [], "only finished pieces stay"
    compose(call.place, tmp_path)
    assert counting.made == [name for name in EVERY if name not in notes]
    assert len(counting.made) < len(EVERY)
    assert tree(tmp_path) == tree(many.place)


def test_a_piece_that_was_damaged_is_made_anew(
    call: Made, many: Composite, counting: Counting, tmp_path: Path
) -> None:
    killed(call, tmp_path, len(EVERY), ".json")
    (folder,) = tmp_path.glob(".*.pieces")
    flipped = folder / "00001.mp4"
    data = bytearray(flipped.read_bytes())
    data[len(data) // 2] ^= 1
    flipped.write_bytes(data)
    (folder / "00002.json").write_text("{")
    (folder / "00003.mp4").unlink()
    (folder / "sound.json").write_text("{}")
    compose(call.place, tmp_path)
    assert counting.made == ["sound", "00001", "00002", "00003", EVERY[-1]]
    assert tree(tmp_path) == tree(many.place)


class Stored(MemoryStore):
    """Counts how often each object is fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: Counter[str] = Counter()

    def get(self, key: str) -> Got:
        self.fetched[key] += 1
        return super().get(key)


def test_the_sound_of_several_users_is_fetched_once_by_the_piece_that_mixes_it(
    call: Made, tmp_path: Path
) -> None:
    store = Stored()
    put_all(call.place, store)
    alone = replace(MANY, composing=replace(COMPOSING, encoding=Encoding(fps=1)), chunk_ms=0)
    (film,) = plan(call.place, alone)[0].outputs
    assert isinstance(film, CompositePlan)
    source = Bucket("memory", store)
    source.objects()
    shop = Workshop(film, source, Studio({}), tmp_path, identity_of(film))
    steps._piece(shop, steps.SOUND)
    heard = [p.piece.key for s in film.speakers for run in s.audio.runs for p in run.placed]
    assert len(film.speakers) == 2
    assert store.fetched == Counter(heard)


def test_pieces_of_other_work_are_not_taken(
    call: Made, one: Composite, counting: Counting, tmp_path: Path
) -> None:
    killed(call, tmp_path, 4, ".json")
    compose(call.place, tmp_path, ONE)
    assert counting.made == ["sound", "00000"]
    assert tree(tmp_path) == tree(one.place)


def test_pieces_with_another_image_under_the_same_name_are_not_taken(call: Made, tmp_path: Path) -> None:
    """Half of the film would show the old one."""
    logo = tmp_path / "logo.png"
    Image.new("RGB", (8, 8), "#ff0000").save(logo)
    looks = Looks(marks=(ImageMark("logo.png", 0, 0, 8, 8),))
    options = replace(MANY, composing=replace(COMPOSING, looks=looks), folder=str(tmp_path))
    (film,) = plan(call.place, options)[0].outputs
    (again,) = plan(call.place, options)[0].outputs
    assert isinstance(film, CompositePlan)
    assert isinstance(again, CompositePlan)
    before = identity_of(film)
    assert identity_of(again) == before
    Image.new("RGB", (8, 8), "#00ff00").save(logo)
    assert identity_of(film) != before


def test_with_another_image_under_the_same_name_the_composite_is_made_anew(
    call: Made, tmp_path: Path
) -> None:
    place, logo = tmp_path / "out", tmp_path / "logo.png"
    looks = Looks(marks=(ImageMark("logo.png", 0, 0, 8, 8),))
    composing = replace(COMPOSING, looks=looks, sound=None)
    options = replace(ONE, composing=composing, folder=str(tmp_path), end=Moment.parse("1"))

    def made(colour: str) -> tuple[bool, bytes]:
        Image.new("RGB", (8, 8), colour).save(logo)
        (done,) = merge(call.place, place, options, overwrite=True)
        return done.already, (place / done.manifest.outputs[0].file).read_bytes()

    (first, red), (second, again), (third, green) = made("#ff0000"), made("#ff0000"), made("#00ff00")
    assert (first, second, third) == (False, True, False)
    assert again == red != green


@pytest.mark.parametrize("jobs", [1, 2])
def test_who_asks_whether_pieces_are_of_this_work_reads_the_plan_once(
    jobs: int, call: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The plan of a long call is megabytes of slices; for every piece it would take longer than the piece."""
    asked: list[str] = []

    def told(film: CompositePlan) -> str:
        asked.append(film.file)
        return "the same"

    monkeypatch.setattr(steps, "identity_of", told)
    compose(call.place, tmp_path, replace(MANY, end=Moment.parse("8")), jobs=jobs)
    assert len(asked) == 1


def test_what_is_in_the_way_of_pieces_is_the_place_s_fault_and_not_a_slice_s(
    call: Made, one: Composite, tmp_path: Path
) -> None:
    in_the_way = tmp_path / f".{one.file.name}.pieces"
    in_the_way.write_text("not ours")
    with pytest.raises(OutputError, match=r"cannot be written \(File exists\): choose another place"):
        compose(call.place, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [in_the_way.name]


def test_a_piece_that_vanishes_while_others_are_made_is_told(
    call: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    real = steps._piece

    def piece(shop: Workshop, name: str, tell: Callable[[], None] = lambda: None) -> None:
        real(shop, name, tell)
        shop.file(steps.SOUND).unlink(missing_ok=True)

    monkeypatch.setattr(steps, "_piece", piece)
    with pytest.raises(OutputError, match=r"sound\.mp4 was removed or changed .*: run again\.$"):
        compose(call.place, tmp_path, replace(ONE, end=Moment.parse("1")))


def test_pieces_that_nobody_goes_on_with_are_gone_and_those_of_a_run_are_not(
    call: Made, tmp_path: Path
) -> None:
    left, busy = tmp_path / ".old.mp4.pieces", tmp_path / ".busy.mp4.pieces"
    for folder in (left, busy):
        folder.mkdir()
        (folder / "00000.mp4").write_bytes(b"a piece")
    with (tmp_path / ".busy.mp4.part").open("wb") as part:
        fcntl.flock(part, fcntl.LOCK_EX)
        merge(call.place, tmp_path, replace(ONE, end=Moment.parse("1")))
        assert (left.exists(), busy.exists()) == (False, True)


def test_a_part_reads_the_sound_of_its_own_time_alone(call: Made) -> None:
    (whole,) = plan(call.place, MANY)[0].outputs
    parts = plan(call.place, replace(MANY, composing=replace(COMPOSING, most_ms=4000)))[0].outputs
    heard = [{p.piece.key for s in o.speakers for run in s.audio.runs for p in run.placed} for o in parts]
    every = {p.piece.key for s in whole.speakers for run in s.audio.runs for p in run.placed}
    assert set().union(*heard) == every
    assert any(keys < every for keys in heard)


def test_pieces_that_do_not_fit_together_are_made_anew_by_the_next_run(
    call: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ValueError("the pieces of a composite were encoded by different encoders")

    with monkeypatch.context() as patch:
        patch.setattr(steps, "join", refuse)
        with pytest.raises(OutputError, match=r"cannot be put together \(.*different encoders\): run again"):
            merge(call.place, tmp_path, replace(ONE, end=Moment.parse("1")))
    assert list(tmp_path.iterdir()) == []


def test_the_stage_is_that_of_the_whole_call_however_long_its_files_may_be(call: Made) -> None:
    parts = replace(ONE, composing=replace(COMPOSING, most_ms=2000))
    assert stage(call.place, parts) == stage(call.place, ONE)
