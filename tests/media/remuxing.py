"""Slices copied into a file, and what stands in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.media.mp4.reader import read_movie
from pipeline.media.remux import Remuxed, remux
from pipeline.model import ticks
from pipeline.model.options import Options, Verify
from pipeline.model.plan import OutputPlan, plan
from pipeline.steps.render import describe
from pipeline.steps.verify import verify
from tests.media.ts_material import T0_MS, Files, recording_of, time_of, user_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.media.mp4.reader import Movie, Track
    from pipeline.model.manifest import Output, OutputTrack
    from pipeline.model.plan import Cut
    from pipeline.model.slices import User


@dataclass(frozen=True, slots=True)
class Copied:
    """A file, what was planned and what was told of it."""

    path: Path
    plan: OutputPlan
    made: Remuxed

    @property
    def movie(self) -> Movie:
        with self.path.open("rb") as file:
            return read_movie(file, self.path.stat().st_size)

    @property
    def output(self) -> Output:
        return describe(self.plan, self.made)

    def problems(self) -> tuple[str, ...]:
        """What a full verification finds."""
        return verify(self.path, self.output, Verify.FULL)[0].problems

    def told(self, medium: str) -> OutputTrack:
        (found,) = (track for track in self.made.tracks if track.medium == medium)
        return found

    def dropped(self, medium: str) -> dict[str, int]:
        return {d.reason: d.packets for d in self.told(medium).dropped}

    def track(self, medium: str) -> Track:
        handler = {"video": "vide", "audio": "soun"}[medium]
        (found,) = (track for track in self.movie.tracks if track.handler == handler)
        return found

    def samples(self, medium: str) -> list[bytes]:
        """The bytes of every sample."""
        track = self.track(medium)
        data = self.path.read_bytes()
        places = zip(track.offsets.tolist(), track.sizes.tolist(), strict=True)
        return [data[at : at + size] for at, size in places]

    def at(self, medium: str) -> list[int]:
        """Where every sample is presented, in ticks after file zero by its edits."""
        track = self.track(medium)
        lead, media = 0, 0
        for edit in track.edits:
            if edit.media_time >= 0:
                media = edit.media_time
                break
            lead += edit.duration * ticks.TICKS // self.movie.timescale
        times = np.asarray(track.dts + track.cts) - media
        return [lead + ticks.ticks_of(int(time), track.timescale) for time in times]

    @property
    def losses(self) -> list[str]:
        return [entry.what for entry in self.made.entries if entry.sort == "loss"]


def copied(
    place: Path,
    files: Files,
    user: User,
    *,
    options: Options | None = None,
    cuts: Mapping[tuple[str, str], Cut] | None = None,
    processes: int = 1,
) -> Copied:
    """The only output of a user, made; nothing is left open."""
    (output,) = plan(recording_of(user), [time_of(user)], options or Options(), cuts=cuts).outputs
    assert output.refusal == ""
    path = place / f"{processes}.mp4"
    with path.open("w+b") as sink:
        made = remux(output, files.open, sink, processes=processes)
    assert files.open_now == 0
    return Copied(path, output, made)


def copy_of(
    place: Path,
    *,
    video: Sequence[tuple[bytes, int]] = (),
    audio: Sequence[tuple[bytes, int]] = (),
    options: Options | None = None,
) -> Copied:
    """As `copied`, from slices given as their bytes and ticks after the recording's start."""
    files = Files()
    places: dict[str, list[tuple[str, int]]] = {"v": [], "a": []}
    for letter, slices in (("v", video), ("a", audio)):
        for number, (data, after) in enumerate(slices):
            key = f"{letter}{number}.ts"
            files.data[key] = data
            places[letter].append((key, after))
    user = user_of(files, places["v"], places["a"])
    return copied(place, files, user, options=options)


def utc(after: int) -> int:
    """UTC ticks so many ticks after the recording's start."""
    return ticks.from_ms(T0_MS) + after
