"""``make test-drift``: three hours whose sender's clock is 208 ppm fast, then slow, measured at both ends.

The recording is generated with coded time: pictures show their UTC, the sound beeps at each full second. The
merged file is decoded in its first, middle and last minute and held against what `docs/timeline.md` promises.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np

from benchmarks.__main__ import RECPIPE
from pipeline.demo.picture import read
from pipeline.demo.recorder import make
from pipeline.demo.scenario_toml import parse
from pipeline.demo.sound import onsets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.container.input import InputContainer

SECONDS = 3 * 3600
MINUTE = 60.0
WINDOWS = {"first": 0.0, "middle": SECONDS / 2 - MINUTE / 2, "last": SECONDS - MINUTE}
FPS = 10
RATE = 48_000
FRAME = 1024
SENDERS = {"fast": 48_010, "slow": 47_990}
"""Samples a second by UTC of a sender who says 48000: 208 ppm off, since no whole number is 200."""
PICTURE_MS = 1.0
SOUND_MS = 10.0
COUNT_MS = SOUND_MS + 500 * FRAME / RATE
WARM_UP = 0.5
"""Seconds of sound that are decoded before a window, since each AAC frame overlaps the one before."""

SCENARIO = """
vendor = "agora"
start = 2026-03-02T09:00:00.250Z

[[users]]
uid = "101"
size = "160x120"
fps = {fps}
sampled = {sampled}
sound = [[0.0, {seconds}.0]]
picture = [[0.25, {seconds}.0]]
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """How far pictures and beeps of one window lie from their UTC at most, in ms, and how many there are."""

    pictures: int
    beeps: int
    picture_ms: float
    stamp_ms: float
    count_ms: float

    @property
    def good(self) -> bool:
        """All are there, and where they belong; the second at each edge of a window may be cut off."""
        there = self.pictures >= (MINUTE - 1) * FPS and self.beeps >= MINUTE - 2
        near = self.picture_ms <= PICTURE_MS and self.stamp_ms <= SOUND_MS and self.count_ms <= COUNT_MS
        return there and near


def main() -> int:
    """Make, merge, measure; prints a table and returns 1 if anything is out of bounds."""
    print("clock  minute  pictures   off ms  beeps  by stamps  by count")
    good = True
    for name, sampled in SENDERS.items():
        with tempfile.TemporaryDirectory(prefix="recpipe-drift-") as made:
            good = _one(name, sampled, Path(made)) and good
    print(f"at most {'':<15} {PICTURE_MS:>8.2f} {'':>6} {SOUND_MS:>10.2f} {COUNT_MS:>9.2f}")
    print("good" if good else "OUT OF BOUNDS")
    return 0 if good else 1


def _one(name: str, sampled: int, place: Path) -> bool:
    begun = time.perf_counter()
    make(parse(SCENARIO.format(fps=FPS, sampled=sampled, seconds=SECONDS)), place / "slices")
    generated = time.perf_counter()
    command = [RECPIPE, "merge", str(place / "slices"), "-o", str(place / "out")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    merged = time.perf_counter()
    if done.returncode:
        print(done.stdout, done.stderr, f"{name}: merge ended with {done.returncode}")
        return False
    manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
    (output,) = manifest["outputs"]
    good = True
    for minute, start in WINDOWS.items():
        found = _measure(place / "out" / output["file"], output, start)
        print(
            f"{name:<6} {minute:<7} {found.pictures:>8} {found.picture_ms:>8.2f} {found.beeps:>6}"
            f" {found.stamp_ms:>10.2f} {found.count_ms:>9.2f}"
        )
        good = good and found.good
    slopes = {track["medium"]: [fit["slope_ppb"] for fit in track["clocks"]] for track in output["tracks"]}
    took = f"generated in {generated - begun:.0f} s, merged in {merged - generated:.1f} s"
    print(f"  {took}, slopes in ppb {slopes}")
    return good


def _measure(path: Path, output: dict[str, Any], start: float) -> Measured:
    with av.open(str(path)) as container:
        pictures = [abs(_utc_ms(output, at) - said) for at, said in _pictures(container, start)]
    with av.open(str(path)) as container:
        by_stamps, by_count = _beeps(container, start)
    stamps, counts = (
        [abs(ms - round(ms / 1000) * 1000) for ms in (_utc_ms(output, at) for at in heard)]
        for heard in (by_stamps, by_count)
    )
    return Measured(
        len(pictures),
        min(len(stamps), len(counts)),
        max(pictures, default=0.0),
        max(stamps, default=0.0),
        max(counts, default=0.0),
    )


def _utc_ms(output: dict[str, Any], seconds: float) -> float:
    """UTC of a file time by the manifest's map, which has one piece here."""
    (piece,) = output["map"]
    return float(piece["utc_ms"] + seconds * 1000 - piece["at"] / 90)


def _pictures(container: InputContainer, start: float) -> Iterator[tuple[float, int]]:
    """(Seconds of presentation, UTC ms that the picture shows) of one window."""
    container.seek(int(start * 1_000_000))
    for frame in container.decode(video=0):
        at = float(frame.time or 0)
        if at >= start + MINUTE:
            return
        coded = read(np.asarray(frame.to_ndarray(format="yuv420p")[: frame.height], dtype=np.uint8))
        if at >= start and coded is not None:
            yield at, coded.at_ms


def _beeps(container: InputContainer, start: float) -> tuple[Sequence[float], Sequence[float]]:
    """Seconds of the beeps of one window, by the time stamps of the frames and by how many came before."""
    stream = container.streams.audio[0]
    line = np.zeros(int((MINUTE + 2 * WARM_UP) * RATE))
    counted = np.zeros_like(line)
    zero = max(0.0, start - WARM_UP)
    origin = round(zero * RATE)
    for number, packet in enumerate(container.demux(stream)):
        at_packet = float((packet.pts or 0) * packet.time_base)
        if packet.pts is None or at_packet < zero:
            continue
        if at_packet >= start + MINUTE:
            break
        for frame in packet.decode():
            samples = frame.to_ndarray()[0]
            for sound, at in ((line, round(float(frame.time or 0) * RATE)), (counted, number * FRAME)):
                room = sound[max(0, at - origin) : at - origin + len(samples)]
                room[:] = samples[-len(room) :] if len(room) else 0
    by_stamps, by_count = (
        [(float(at) + origin) / RATE for at in onsets(sound, RATE)] for sound in (line, counted)
    )
    return _inside(by_stamps, start), _inside(by_count, start)


def _inside(beeps: Sequence[float], start: float) -> list[float]:
    """Those that are heard whole."""
    return [at for at in beeps if start - WARM_UP / 2 <= at <= start + MINUTE - WARM_UP / 2]


if __name__ == "__main__":
    sys.exit(main())
