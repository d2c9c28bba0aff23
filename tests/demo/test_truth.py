"""The measuring instrument itself: files that FFmpeg made, whose times are known."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import imageio_ffmpeg
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario import Track
from pipeline.demo.scenario_toml import parse
from tests.truth import beeps_by_count, beeps_by_pts, decodes_silently, pictures, shown

if TYPE_CHECKING:
    from pipeline.demo.made import Made

FIXTURES = Path(__file__).parents[2] / "fixtures"


def _made(name: str, tmp_path: Path) -> Made:
    return make(parse((FIXTURES / f"{name}.toml").read_text("utf-8")), tmp_path / name)


def _first(made: Made, track: Track) -> Path:
    return made.place / made.users[0].track(track)[0].name


def _mux(*arguments: str | Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, timeout=60)


def test_a_late_picture_is_seen_where_the_edit_list_puts_it(tmp_path: Path) -> None:
    made = _made("late-picture", tmp_path)
    sound, picture = _first(made, Track.AUDIO), _first(made, Track.VIDEO)
    out = tmp_path / "out.mp4"
    _mux("-i", sound, "-itsoffset", "9", "-i", picture, "-map", "0:a", "-map", "1:v", "-c", "copy", out)
    decodes_silently(out)
    seen = pictures(out)
    assert len(seen) == len(made.users[0].track(Track.VIDEO)[0].pictures_ms)
    for at, coded in seen:
        assert abs(at - Fraction(coded.at_ms - made.scenario.start_ms, 1000)) <= Fraction(1, 1000)
    expected = [0.75 + second for second in range(15)]
    assert beeps_by_pts(out) == pytest.approx(expected, abs=0.001)
    assert beeps_by_count(out, tmp_path) == pytest.approx(expected, abs=0.001)


def test_counting_closes_a_hole_that_pts_keep(tmp_path: Path) -> None:
    made = _made("mute-and-rejoin", tmp_path)
    sound = _first(made, Track.AUDIO)
    by_pts, by_count = beeps_by_pts(sound), beeps_by_count(sound, tmp_path)
    zero = by_pts[0] - 0.75
    assert [at - zero for at in by_pts] == pytest.approx([0.75 + at for at in range(8)] + [14.75], abs=0.001)
    # 8 s of sound are 375 whole frames; the second stretch follows at once.
    assert by_count == pytest.approx([0.75 + at for at in range(9)], abs=0.001)


@pytest.mark.parametrize(("turn", "readable"), [(-90, True), (90, False), (0, False)])
def test_pictures_are_turned_as_the_display_matrix_says(turn: int, readable: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column of the table
    made = _made("rotation-90", tmp_path)
    out = tmp_path / "out.mp4"
    _mux("-display_rotation", str(turn), "-i", _first(made, Track.VIDEO), "-c", "copy", out)
    sent = [coded.at_ms for _, coded in pictures(out)]
    assert sent == (list(made.users[0].track(Track.VIDEO)[0].pictures_ms) if readable else [])
    assert len(list(shown(out))) == len(made.users[0].track(Track.VIDEO)[0].pictures_ms)


def test_a_damaged_file_is_not_silent(tmp_path: Path) -> None:
    data = bytearray(_first(_made("video-only", tmp_path), Track.VIDEO).read_bytes())
    for at in range(188 * 20, len(data), 188 * 7):
        data[at + 20 : at + 150] = bytes(130)
    damaged = tmp_path / "damaged.ts"
    damaged.write_bytes(data)
    with pytest.raises(AssertionError):
        decodes_silently(damaged)
