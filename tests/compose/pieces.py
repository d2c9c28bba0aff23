"""A composite that is made in many pieces, in this process or in one that can be killed."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from pipeline.api import merge
from pipeline.cli.boundary import check, signals
from pipeline.layout.canvas import Canvas
from pipeline.layout.composing import Composing
from pipeline.layout.composite import ComposeOptions
from pipeline.layout.encoding import Encoding
from pipeline.vendors.layouts import Wish

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from pipeline.model.manifest import Manifest, Output

ROOT = Path(__file__).parents[2]
CALL = """
vendor = "trtc"
start = 2026-03-02T09:00:00.250Z
slice_seconds = 4

[[users]]
uid = "ann"
number = 0
sound = [[0.0, 24.0]]
picture = [[0.2, 24.0]]

[[users]]
uid = "ben"
number = 1
size = "320x240"
fps = 10
gop_seconds = 3
sound = [[0.0, 24.0]]
picture = [[0.5, 9.0], [12.3, 24.0]]
"""
PIECE_MS, PIECES = 4000, 9
SIZE = 640, 360
COMPOSING = Composing(Canvas(*SIZE, "#204060"), Wish("auto"), encoding=Encoding(gop_ms=2000))
MANY = ComposeOptions(composing=COMPOSING, chunk_ms=PIECE_MS)
ONE = replace(MANY, chunk_ms=0)


@dataclass(frozen=True)
class Composite:
    """Files of a composite and what is told of them."""

    place: Path
    manifest: Manifest

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What is told of each."""
        return self.manifest.outputs

    @property
    def file(self) -> Path:
        """The one file."""
        (output,) = self.outputs
        return self.place / output.file


def compose(source: Path, place: Path, options: ComposeOptions = MANY, *, jobs: int = 1) -> Composite:
    """Make a composite that is good."""
    (done,) = merge(source, place, options, jobs=jobs)
    for output in done.manifest.outputs:
        assert output.verdict.good, output.verdict.problems
    return Composite(place, done.manifest)


def luma(path: Path) -> list[tuple[int, npt.NDArray[np.uint8]]]:
    """Time in the stream's own units and brightness of every picture."""
    with av.open(str(path)) as container:
        found = []
        for frame in container.decode(video=0):
            assert frame.pts is not None
            found.append(
                (frame.pts, np.asarray(frame.to_ndarray(format="yuv420p"), np.uint8)[: frame.height])
            )
        return found


def sound(path: Path) -> list[tuple[int | None, bytes]]:
    """Time and bytes of every packet of sound."""
    with av.open(str(path)) as container:
        return [(packet.pts, bytes(packet)) for packet in container.demux(audio=0) if packet.size]


def finished(place: Path) -> dict[str, tuple[int, int]]:
    """Inode and time of the pieces that are finished below a folder, and of their notes."""
    paths = [path for path in place.glob(".*.pieces/*") if not path.name.startswith(".")]
    return {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in paths}


def _run(source: str, place: str, jobs: str, number: str, kind: str) -> None:
    """Compose; be killed before the n-th rename to a note or a piece (``kind``); 0 for not at all."""
    seen = 0

    def watch(event: str, arguments: Sequence[object]) -> None:
        nonlocal seen
        if event == "os.rename" and str(arguments[1]).endswith(kind) and ".pieces/" in str(arguments[1]):
            seen += 1
            if seen == int(number):
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    with signals():
        merge(source, place, MANY, jobs=int(jobs), progress=lambda *_: check())


if __name__ == "__main__":
    _run(*sys.argv[1:])
