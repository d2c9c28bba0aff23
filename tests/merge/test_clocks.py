"""Stamps that are not true: what media time can still tell stays right, and the manifest says how well."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest

from pipeline.demo.listing import utc17
from pipeline.demo.recorder import make
from pipeline.demo.scenario import Track
from pipeline.demo.scenario_toml import parse
from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.merge.merging import Merged, beeps_ms, merge, pictures_ms, placed_pictures, utc_ms

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made, MadeSlice

CALL = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 6

[[users]]
uid = "101"
size = "160x120"
fps = 5
gop_seconds = 2
sound = [[0.0, 120.0]]
picture = [[0.2, 120.0]]
"""
SHIFT_TAG = re.compile(r"(TIME=)(\d{17})")


def restamped(made: Made, place: Path, late: Callable[[MadeSlice, int], int]) -> Path:
    """The recording with each slice's stamp changed by milliseconds, in its name and its playlist."""
    shutil.copytree(made.place, place)
    texts = {path: path.read_text() for path in place.glob("*.m3u8")}
    for user in made.users:
        for track in (Track.AUDIO, Track.VIDEO):
            for number, piece in enumerate(user.track(track)):
                old, new = utc17(piece.start_ms), utc17(piece.start_ms + late(piece, number))
                (place / piece.name).rename(place / piece.name.replace(old, new))
                path = next(path for path in texts if f"_{track}" in path.name)
                texts[path] = texts[path].replace(old, new)
    for path, text in texts.items():
        path.write_text(text)
    return place


def merged_from(made: Made, source: Path, place: Path) -> Merged:
    (done,) = merge_all(Folder(source), place, Options(), Limits())
    return Merged(made, place, done.manifest, done.exit_code(accept_loss=False))


def off_ms(result: Merged) -> tuple[list[float], list[float]]:
    """How far each picture and each beep lies from its UTC by the manifest, in ms."""
    output = result.only
    pictures = [at - said for at, said in placed_pictures(result, output)]
    heard = [utc_ms(output, s * 90_000) for s in truth.beeps_by_pts(result.file(output))]
    expected = beeps_ms(result.made, result.sender(output))
    assert len(pictures) == len(pictures_ms(result.made, result.sender(output)))
    assert len(heard) == len(expected)
    return pictures, [at - true for at, true in zip(heard, expected, strict=True)]


def jitter(piece: MadeSlice, number: int) -> int:
    return Random(f"{piece.track}{number}").randint(-30, 30)  # noqa: S311 - the same every time


@pytest.mark.parametrize(
    ("late", "most_ms", "claimed_ms"),
    [
        pytest.param(lambda _, __: 0, 1, 1, id="exact stamps"),
        pytest.param(jitter, 30, 31, id="jitter of 30 ms"),
        pytest.param(lambda _, n: 5000 if n == 7 else 0, 1, 1, id="one stamp 5 s wrong"),
        pytest.param(lambda _, n: 300 * n, 6000, 6000, id="names that run away, 6 s in two minutes"),
    ],
)
def test_pictures_and_sound_stay_together_and_the_manifest_says_how_good_utc_is(
    late: Callable[[MadeSlice, int], int], most_ms: int, claimed_ms: int, tmp_path: Path
) -> None:
    made = make(parse(CALL), tmp_path / "made")
    result = merged_from(made, restamped(made, tmp_path / "in", late), tmp_path / "out")
    pictures, beeps = off_ms(result)
    assert max(pictures) - min(pictures) <= 1, "media time is steady, whatever the stamps say"
    assert max(abs(beep - pictures[0]) for beep in beeps) <= 10
    assert max(map(abs, pictures)) <= most_ms
    assert max(map(abs, pictures)) <= result.only.uncertainty_ms <= claimed_ms


@pytest.mark.parametrize("hours", [8, -5, 5.5])
def test_a_tag_in_a_local_time_is_read_as_one(hours: float, tmp_path: Path) -> None:
    made = make(parse(CALL), tmp_path / "made")
    source = shutil.copytree(made.place, tmp_path / "in")

    def later(tag: re.Match[str]) -> str:
        at = datetime.strptime(tag[2] + "000", "%Y%m%d%H%M%S%f").replace(tzinfo=UTC) + timedelta(hours=hours)
        return f"{tag[1]}{at:%Y%m%d%H%M%S}{at.microsecond // 1000:03d}"

    for path in source.glob("*.m3u8"):
        path.write_text(SHIFT_TAG.sub(later, path.read_text()))
    result, plain = merged_from(made, source, tmp_path / "out"), merge(made, tmp_path / "plain")
    assert result.only.sha256 == plain.only.sha256
    notes = [entry.what for entry in result.manifest.ledger]
    assert f"its tag is {hours:+g} h off the UTC of its name; read as a local time" in notes


def test_a_sender_who_stalls_is_late_only_in_the_slice_in_which_he_does(tmp_path: Path) -> None:
    stalling = CALL.replace("[[0.0, 120.0]]", "[[0.0, 50.0], [54.0, 120.0]]") + "stall = [[50.0, 4.0]]\n"
    made = make(parse(stalling), tmp_path / "in")
    result = merge(made, tmp_path / "out")
    assert max(abs(at - said) for at, said in placed_pictures(result, result.only)) <= 1
    expected = beeps_ms(made, result.sender(result.only))
    heard = [utc_ms(result.only, s * 90_000) for s in truth.beeps_by_pts(result.file(result.only))]
    assert len(heard) == len(expected)
    stalled = next(
        s for s in result.sender(result.only).track(Track.AUDIO) if s.end_ticks > 54 * 90_000 > s.start_ticks
    )
    zero = made.scenario.start_ms
    for at, true in zip(heard, expected, strict=True):
        inside = zero + 50_000 <= true <= zero + stalled.end_ticks / 90
        assert abs(at - true) <= (4010 if inside else 10)
    assert any("later than media time" in span.why for track in result.only.tracks for span in track.spans)
