"""Pictures that change their size or rotation: copied where they can be, fitted, split or kept as asked."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.job.look import plan_all
from pipeline.model.options import OnChange, Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.merge.merging import (
    TICKS_A_MS,
    Merged,
    assert_beeps,
    assert_pictures,
    beeps_ms,
    merge,
    pictures_ms,
    placed_pictures,
    tree,
)
from tests.merge.test_payloads import walk
from tests.ts_unwrapper import unwrap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.model.manifest import Output, OutputTrack
    from tests.merge.conftest import Merging

CHANGING = {
    # fixture: size of the file, degrees of its matrix, stretches re-encoded in ms of file time
    "ramp-up": ((1280, 720), 0, [(200, 6000)]),
    "ramp-up-in-slices": ((640, 360), 0, [(200, 3000), (14_000, 16_000)]),
    "portrait-landscape": ((320, 180), 0, [(8000, 12_000)]),
    # up to the next key frame, which comes every 2 s, because pictures refer to those before them
    "rotation-changes": ((320, 180), 0, [(5200, 8200), (18_300, 24_000)]),
    "hevc-ramp-up": ((640, 360), 0, [(200, 4000)]),
}


def assert_shown(result: Merged, output: Output, expected: list[int]) -> None:
    """As many pictures as expected, each at its place; some may lie on their side and cannot be read."""
    placed = placed_pictures(result, output)
    assert len(list(truth.shown(result.file(output)))) == len(expected)
    assert {said for _, said in placed} <= set(expected)
    assert all(abs(at - said) <= 1 for at, said in placed)
    on_their_side = any("on their side" in decision.why for decision in output.decisions)
    assert len(placed) == len(expected) or on_their_side


every_change = pytest.mark.parametrize("name", CHANGING)


def pictures_of(result: Merged) -> OutputTrack:
    return next(track for track in result.only.tracks if track.medium == "video")


@every_change
def test_only_the_rarer_shapes_are_encoded_and_every_picture_is_accounted_for(
    name: str, merged: Merging
) -> None:
    size, clockwise, encoded = CHANGING[name]
    result = merged(name)
    told = pictures_of(result)
    assert ((told.width, told.height), told.clockwise) == (size, clockwise)
    assert [(e.at // TICKS_A_MS, e.until // TICKS_A_MS) for e in told.encoded] == encoded
    assert told.packets_in == told.packets_out + told.packets_encoded
    assert told.packets_in == len(pictures_ms(result.made, result.sender(result.only)))
    assert told.dropped == ()


@every_change
def test_what_is_copied_is_copied_byte_for_byte(name: str, merged: Merging) -> None:
    result = merged(name)
    told = pictures_of(result)
    track = next(t for t in walk(result.file(result.only).read_bytes()) if t.medium == "video")
    anew = {n for each in told.encoded for n in range(each.first, each.first + each.count)}
    copied = [sample for n, sample in enumerate(track.samples) if n not in anew]
    assert told.payload_sha256 == hashlib.sha256(b"".join(copied)).hexdigest()
    slices = [s.name for s in result.sender(result.only).slices if s.track != "audio"]
    sent = [
        unit.payload
        for slice_name in slices
        for unit in unwrap((result.made.place / slice_name).read_bytes(), "video", in_band=True)
    ]
    places = iter(sent)
    assert all(sample in places for sample in copied), "in the order in which they were sent"
    assert not {track.samples[n] for n in anew} & set(sent)


@every_change
def test_what_is_encoded_keeps_its_aspect_inside_the_frame(name: str, merged: Merging) -> None:
    result = merged(name)
    user = result.sender(result.only).user
    told = pictures_of(result)
    zero = result.only.utc_zero_ms - result.made.scenario.start_ms
    with av.open(str(result.file(result.only))) as container:
        for frame in container.decode(video=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            at_ms = round(frame.pts * frame.time_base * 1000) + zero
            shape = user.shape_at(at_ms)
            sides = shape.size if shape.rotation % 180 == 0 else shape.size[::-1]
            scale = min(told.width / sides[0], told.height / sides[1])
            luma = np.asarray(frame.to_ndarray(format="yuv420p")[: frame.height], dtype=np.uint8)
            shown = truth.without_bars(luma).shape[::-1]
            assert shown == pytest.approx([side * scale for side in sides], abs=2)


@every_change
def test_a_deep_plan_knows_what_merge_will_encode(
    name: str, merged: Merging, made: Callable[[str], Made]
) -> None:
    (planned,) = plan_all(Folder(made(name).place), Options(), deep=True)[1]
    (output,) = planned.plan.outputs
    zero = output.zero
    told = pictures_of(merged(name))
    assert output.shape is not None
    assert (output.shape.width, output.shape.height) == (told.width, told.height)
    for stretch in output.odd:
        start, end = stretch.start - zero, stretch.end - zero
        assert any(e.at <= start and end <= e.until for e in told.encoded)


def test_two_jobs_and_two_runs_encode_the_same_bytes(made: Callable[[str], Made], tmp_path: Path) -> None:
    for name in ("ramp-up-in-slices", "hevc-ramp-up"):
        one = merge(made(name), tmp_path / name / "one")
        two = merge(made(name), tmp_path / name / "two", limits=Limits(jobs=2))
        assert tree(one.place) == tree(two.place)


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("ramp-up", [(320, 180, 0), (640, 360, 0), (1280, 720, 0)]),
        ("ramp-up-in-slices", [(320, 180, 0), (640, 360, 0), (480, 360, 0), (640, 360, 0)]),
        ("portrait-landscape", [(320, 180, 0), (180, 320, 0), (320, 180, 0)]),
        ("rotation-changes", [(320, 180, 0), (320, 180, 90), (320, 180, 0), (320, 180, 180)]),
        ("hevc-ramp-up", [(320, 180, 0), (640, 360, 0)]),
    ],
)
def test_splitting_makes_one_copied_file_for_each_shape(
    name: str, shapes: list[tuple[int, int, int]], merged: Merging, tmp_path: Path
) -> None:
    result = merged(name, Options(on_change=OnChange.SPLIT))
    assert result.code is ExitCode.GOOD
    videos = [next(t for t in output.tracks if t.medium == "video") for output in result.outputs]
    assert [(t.width, t.height, t.clockwise) for t in videos] == shapes
    assert not any(track.encoded for track in videos)
    user = result.sender(result.outputs[0])
    every = pictures_ms(result.made, user)
    zeros = [*(output.utc_zero_ms for output in result.outputs[1:]), every[-1] + 1]
    for output, end in zip(result.outputs, zeros, strict=True):
        start = output.utc_zero_ms if output is not result.outputs[0] else every[0]
        assert_shown(result, output, [at for at in every if start <= at < end])
        beeps = [at for at in beeps_ms(result.made, user) if output.utc_zero_ms <= at < end]
        inside = [at for at in beeps if at + 60 < end and at - 60 > output.utc_zero_ms]
        if inside == beeps:
            assert_beeps(result, output, beeps, tmp_path)
        truth.decodes_silently(result.file(output))


@every_change
def test_copying_all_keeps_every_packet_and_says_what_players_do(name: str, merged: Merging) -> None:
    result = merged(name, Options(on_change=OnChange.COPY))
    told = pictures_of(result)
    assert (told.packets_out, told.packets_encoded) == (told.packets_in, 0)
    assert any("some players stop" in decision.why for decision in result.only.decisions)
    assert_shown(result, result.only, pictures_ms(result.made, result.sender(result.only)))


SWITCHING = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z

[[users]]
uid = "7"
size = "320x180"
fps = 10
picture = [[0.0, 8.0], [40.0, 52.0]]
sound = [[0.0, 52.0]]
changes = [{ at = 2.0, size = "640x360" }, { at = 44.0, rotation = 270 }, { at = 47.0, size = "320x180" }]
"""


def test_changes_before_and_after_an_absence_with_all_options_of_gaps(tmp_path: Path) -> None:
    made = make(parse(SWITCHING), tmp_path / "in")
    result = merge(made, tmp_path / "out")
    assert result.code is ExitCode.GOOD
    assert_pictures(result, result.only, pictures_ms(made, result.sender(result.only)))
    assert_beeps(result, result.only, beeps_ms(made, result.sender(result.only)), tmp_path)
    truth.decodes_silently(result.file(result.only))
