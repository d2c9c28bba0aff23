"""A merge and what must have come of it: expectations computed from the truth about the recording alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import pytest

from pipeline.demo.scenario import FaultKind, Source, Track
from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.ts_unwrapper import unwrap

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from pipeline.demo.made import Made, MadeSlice, MadeUser
    from pipeline.demo.picture import Coded
    from pipeline.errors import ExitCode, RecpipeError
    from pipeline.model.manifest import Manifest, Output

TICKS_A_MS = 90
TICKS_A_SECOND = 90_000
PICTURE_MS = 1
"""How far a picture may be from its place."""
SOUND_MS = 10
"""How far sound may be from its place by time stamps; by sample count half an AAC frame more."""
BEEP_MS = 40


@dataclass(frozen=True)
class Merged:
    """A recording and its outputs."""

    made: Made
    place: Path
    manifest: Manifest
    code: ExitCode

    @property
    def outputs(self) -> tuple[Output, ...]:
        return self.manifest.outputs

    def file(self, output: Output) -> Path:
        return self.place / output.file

    def sender(self, output: Output) -> MadeUser:
        """The truth about the user of an output."""
        return self.made.user(output.uid, Source(output.source))

    @property
    def only(self) -> Output:
        """The output, where there must be just one."""
        (output,) = self.outputs
        return output


def merge(made: Made, place: Path, options: Options | None = None, limits: Limits | None = None) -> Merged:
    """Merge a made recording, which must hold one recording of one vendor."""
    (done,) = merge_all(Folder(made.place), place, options or Options(), limits or Limits())
    return Merged(made, place, done.manifest, done.exit_code(accept_loss=False))


MOST_CHARACTERS = 300
"""A sentence for a person, whatever the input holds."""


def refused(folder: Folder | Path, place: Path, kind: type[RecpipeError], *, jobs: int = 1) -> str:
    """The sentence that a merge ends with; it has the right kind, and nothing is left behind."""
    folder = folder if isinstance(folder, Folder) else Folder(folder)
    with pytest.raises(kind) as caught:
        merge_all(folder, place, Options(), Limits(jobs=jobs))
    assert type(caught.value) is kind
    sentence = str(caught.value)
    assert 0 < len(sentence) < MOST_CHARACTERS
    assert sentence.isprintable()
    assert not place.is_dir() or tree(place) == {}
    return sentence


def tree(place: Path) -> dict[str, bytes]:
    """Every file below a folder, hidden ones included, by its relative path."""
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def has(output: Output, medium: str) -> bool:
    """Whether the output says that it has such a track."""
    return any(track.medium == medium for track in output.tracks)


def pictures_ms(made: Made, user: MadeUser) -> list[int]:
    """UTC of all pictures that can be delivered."""
    slices = [s for track in (Track.VIDEO, Track.BOTH) for s in user.track(track)]
    return [at for piece in slices for at in _whole_pictures(made, piece)]


def _whole_pictures(made: Made, piece: MadeSlice) -> list[int]:
    if piece.useless:
        return []
    if piece.fault is not FaultKind.TRUNCATED:
        return list(piece.pictures_ms)
    units = unwrap((made.place / piece.name).read_bytes(), "video")
    there = {unit.pts for unit in units if unit.whole}
    pts = {at: piece.first_pts + (at - piece.pictures_ms[0]) * TICKS_A_MS for at in piece.pictures_ms}
    return [at for at in piece.pictures_ms if pts[at] in there]


def beeps_ms(made: Made, user: MadeUser) -> list[int]:
    """UTC of all beeps of which no part was in a slice that cannot be delivered."""
    lost = [
        (
            made.scenario.start_ms + s.start_ticks / TICKS_A_MS,
            made.scenario.start_ms + s.end_ticks / TICKS_A_MS,
        )
        for s in user.track(Track.AUDIO)
        if s.useless
    ]
    return [at for at in user.beeps_ms if all(at + BEEP_MS <= a or at >= b for a, b in lost)]


def sound_ms(made: Made, user: MadeUser) -> list[tuple[float, float]]:
    """UTC of the stretches of sound."""
    zero = made.scenario.start_ms
    return [(zero + a / TICKS_A_MS, zero + b / TICKS_A_MS) for a, b in user.sound]


def first_and_end_ms(made: Made, user: MadeUser) -> tuple[float, float]:
    """UTC of a user's first media, and of the end of his last."""
    pictures, sound = pictures_ms(made, user), sound_ms(made, user)
    begins = [*(a for a, _ in sound), *pictures[:1]]
    ends = [*(b for _, b in sound), *(at + user.user.frame_ms for at in pictures[-1:])]
    return min(begins), max(ends)


def utc_ms(output: Output, at_ticks: float) -> float:
    """UTC of a file time by the manifest's map."""
    piece = next(p for p in reversed(output.map) if p.at <= at_ticks + PICTURE_MS * TICKS_A_MS)
    return piece.utc_ms + (at_ticks - piece.at) / TICKS_A_MS


@cache
def seen(path: Path) -> list[tuple[Fraction, Coded]]:
    """The pictures of a file, decoded once."""
    return truth.pictures(path)


def placed_pictures(merged: Merged, output: Output) -> list[tuple[float, int]]:
    """(UTC by the manifest, UTC that the picture says) of each picture of an output, in milliseconds."""
    pictures = seen(merged.file(output))
    return [(utc_ms(output, float(at * TICKS_A_SECOND)), coded.at_ms) for at, coded in pictures]


def assert_pictures(merged: Merged, output: Output, expected: list[int]) -> None:
    """Every expected picture is there, at its place, and no other."""
    placed = placed_pictures(merged, output)
    assert [said for _, said in placed] == expected
    off = max((abs(at - said) for at, said in placed), default=0)
    assert off <= PICTURE_MS, f"a picture is {off} ms from its place"


def assert_beeps(merged: Merged, output: Output, expected: list[int], tmp: Path) -> None:
    """Every expected beep is heard at its place by time stamps and by sample count, and no other."""
    assert_heard(merged.file(output), output, expected, tmp)


def assert_heard(path: Path, output: Output, expected: list[int], tmp: Path) -> None:
    """As `assert_beeps`, of the file of an output."""
    track = next(track for track in output.tracks if track.medium == "audio")
    half_frame_ms = {"aac": 512, "opus": 480}[track.codec] * 1000 / track.rate
    rounded_ms = 0.5 if output.container in {"mkv", "webm"} else 0  # times are whole milliseconds there
    for how, heard, allowed in (
        ("time stamps", truth.beeps_by_pts(path), SOUND_MS + rounded_ms),
        ("count", truth.beeps_by_count(path, tmp), SOUND_MS + half_frame_ms),
    ):
        at = [utc_ms(output, seconds * TICKS_A_SECOND) for seconds in heard]
        assert [round(ms / 1000) * 1000 for ms in at] == expected, f"other beeps by {how}"
        off = max((abs(ms - round(ms / 1000) * 1000) for ms in at), default=0)
        assert off <= allowed, f"a beep is {off} ms from its place by {how}"
