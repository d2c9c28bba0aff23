"""Two recorders of one call: what both have is used once, what one has is not lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario import Track
from pipeline.demo.scenario_toml import parse
from pipeline.errors import ExitCode
from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.merge.merging import (
    Merged,
    assert_beeps,
    assert_pictures,
    beeps_ms,
    pictures_ms,
    placed_pictures,
)

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.demo.made import Made

CALL = """
vendor = "{vendor}"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 6

[[users]]
uid = "101"
size = "160x120"
fps = 10
gop_seconds = 2
pts_start = {pts}
sound = [[{sound}, 40.0]]
picture = [[{picture}, 40.0]]
"""
PREFIX = {"agora": "bak0_", "trtc": "ha1_"}


def two_recorders(vendor: str, place: Path, *, dies_after: int, takes_over: float) -> Made:
    """The first recorder stops after some slices, without ENDLIST; the second begins at some second.

    Returns the truth, as the first recorder would have had it.
    """
    whole = make(parse(CALL.format(vendor=vendor, pts=126_000, sound="0.0", picture="0.2")), place / "in")
    for track in (Track.AUDIO, Track.VIDEO):
        slices = whole.users[0].track(track)
        (playlist,) = whole.place.glob(f"*_{track}.m3u8")
        lines = playlist.read_text().splitlines()
        playlist.write_text("\n".join([*lines[: lines.index(slices[dies_after - 1].name) + 1], ""]))
        for piece in slices[dies_after:]:
            (whole.place / piece.name).unlink()
    late = CALL.format(
        vendor=vendor, pts=987_654_321, sound=f"{takes_over:.1f}", picture=f"{takes_over + 0.2:.1f}"
    )
    second = make(parse(late), place / "second")
    prefix = PREFIX[vendor]
    for path in second.place.iterdir():
        data = path.read_bytes()
        if path.suffix == ".m3u8":
            lines = path.read_text().splitlines()
            data = (
                "\n".join(prefix + line if line.endswith(".ts") else line for line in lines).encode() + b"\n"
            )
        (whole.place / f"{prefix}{path.name}").write_bytes(data)
    return whole


def merged(made: Made, place: Path) -> Merged:
    (done,) = merge_all(Folder(made.place), place, Options(), Limits())
    return Merged(made, place, done.manifest, done.exit_code(accept_loss=False))


@pytest.mark.parametrize("vendor", PREFIX)
@pytest.mark.parametrize(
    ("dies_after", "takes_over"),
    [
        pytest.param(4, 18.0, id="an overlap of a slice"),
        pytest.param(7, 12.0, id="both to the end"),
        pytest.param(3, 12.5, id="an overlap of some seconds"),
    ],
)
def test_what_both_recorders_have_is_used_once(
    vendor: str, dies_after: int, takes_over: float, tmp_path: Path
) -> None:
    made = two_recorders(vendor, tmp_path, dies_after=dies_after, takes_over=takes_over)
    result = merged(made, tmp_path / "out")
    assert result.code is ExitCode.GOOD, result.manifest.losses
    user = result.sender(result.only)
    assert_pictures(result, result.only, pictures_ms(made, user))
    assert_beeps(result, result.only, beeps_ms(made, user), tmp_path)
    truth.decodes_silently(result.file(result.only))


@pytest.mark.parametrize("vendor", PREFIX)
def test_what_neither_recorder_has_is_a_loss(vendor: str, tmp_path: Path) -> None:
    made = two_recorders(vendor, tmp_path, dies_after=2, takes_over=20.0)
    result = merged(made, tmp_path / "out")
    assert result.code is ExitCode.LOSSES
    assert {entry.track for entry in result.manifest.losses} == {"audio", "video"}
    assert all("the recorder was replaced" in entry.what for entry in result.manifest.losses)
    shown = [said for _, said in placed_pictures(result, result.only)]
    gone = set(pictures_ms(made, result.sender(result.only))) - set(shown)
    zero = made.scenario.start_ms
    assert all(zero + 12_000 <= at <= zero + 20_200 for at in gone)
    assert all(abs(at - said) <= 1 for at, said in placed_pictures(result, result.only))


@pytest.mark.parametrize("vendor", PREFIX)
def test_a_slice_that_the_other_recorder_has_is_no_loss(vendor: str, tmp_path: Path) -> None:
    made = two_recorders(vendor, tmp_path, dies_after=7, takes_over=12.0)
    (made.place / made.users[0].track(Track.AUDIO)[4].name).unlink()
    result = merged(made, tmp_path / "out")
    assert result.code is ExitCode.GOOD
    assert any("another recorder has that time" in entry.what for entry in result.manifest.ledger)
    user = result.sender(result.only)
    assert_pictures(result, result.only, pictures_ms(made, user))
    assert_beeps(result, result.only, beeps_ms(made, user), tmp_path)
