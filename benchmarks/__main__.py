"""``make bench``: the rows of the speed table, each against its peer in the same run."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import material, peers, stores
from benchmarks.composites import Bench as Composites
from benchmarks.material import Stay
from benchmarks.measure import Side, Taken, in_turn, machine, peak_memory, run
from benchmarks.queues import COMPOSITE, COPIES
from benchmarks.queues import Bench as Queues

if TYPE_CHECKING:
    from collections.abc import Sequence

HOUR = 3600.0
HOLES = 10
HOLE_SECONDS = 20.0
TURNS = 10
ROWS = ("copy", "off", "users", "holes", "fit", "vp8", "s3", "memory")
COMPOSITES = ("compose", "meeting", "cost", "workers", "spread", "compose_memory")
QUEUES = ("rates", "takeover", "capacity")
RECPIPE = str(Path(sysconfig.get_path("scripts")) / "recpipe")


def main() -> int:
    """Make the material, run every row, print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--runs", type=int, default=7, help="counted runs of each side")
    parser.add_argument("--rows", default=",".join((*ROWS, *COMPOSITES, *QUEUES)), help="which rows, by name")
    asked = parser.parse_args()
    rows = asked.rows.split(",")
    print(f"{machine()}; {_version()}; medians of {asked.runs} alternating runs\n")
    print(f"{'row':<44} {'ours s':>8} {'peer s':>8} {'ratio':>6} {'at most':>8}   peer")
    with tempfile.TemporaryDirectory(prefix="recpipe-bench-") as made:
        place = Path(made)
        bench = _Bench(place, asked.runs)
        composites, queues = Composites(place, asked.runs, RECPIPE), Queues(place, asked.runs, RECPIPE)
        for name in rows:
            if name == "takeover":
                queues.takeover(composites.nine())
                continue
            if name == "capacity":
                queues.capacity("a call of 1 h and 4 users, copied", bench.four(), 1.0, 16, COPIES)
                queues.capacity(
                    "a call of 10 min and 4 users, composed", composites.four(), 1 / 6, 4, COMPOSITE
                )
                continue
            whose = composites if name in COMPOSITES else queues if name in QUEUES else bench
            getattr(whose, name)()
    return 0


class _Bench:
    """The rows; material is made when the first row asks for it."""

    def __init__(self, place: Path, runs: int) -> None:
        self._place = place
        self._runs = runs

    def _recording(self, name: str, *, users: int, stays: Sequence[Stay]) -> Path:
        place = self._place / name
        return place if place.exists() else material.record(place, users=users, stays=stays)

    def four(self) -> Path:
        """The hour of four users."""
        return self._recording("four", users=4, stays=[Stay(0, HOUR)])

    def copy(self) -> None:
        """An hour of one user against a plain copy; the sizes are checked before the times."""
        source = self._recording("hour", users=1, stays=[Stay(0, HOUR)])
        ours, theirs = self._ours(source), self._copying(source, 1)
        _row("merge 1 h, 1 user", in_turn(ours, theirs, self._runs), 1.0, "ffmpeg -c copy")
        slices = [str(p) for p in sorted(source.glob("*.ts"))]
        cat = Side(
            "cat", [["sh", "-c", 'cat "$@" > ' + str(self._place / "cat.bin"), "cat", *slices]], lambda: None
        )
        print(f"{'  cat of the slices, for comparison':<44} {min(run(cat) for _ in range(3)):>8.2f}")

    def off(self) -> None:
        """The same without verification."""
        source = self._recording("hour", users=1, stays=[Stay(0, HOUR)])
        ours = self._ours(source, "--verify", "off")
        _row(
            "the same with --verify off",
            in_turn(ours, self._copying(source, 1), self._runs),
            0.7,
            "ffmpeg -c copy",
        )

    def users(self) -> None:
        """Four users at once against four copies one after another."""
        source = self.four()
        ours = self._ours(source, "--jobs", "2")
        taken = in_turn(ours, self._copying(source, 4), self._runs)
        _row("merge 1 h, 4 users, --jobs 2", taken, 0.7, "4 x ffmpeg -c copy")

    def holes(self) -> None:
        """Ten holes held, against decoding everything onto a canvas."""
        length = (HOUR - HOLES * HOLE_SECONDS) / (HOLES + 1)
        stays = [
            Stay(round(n * (length + HOLE_SECONDS)), round(n * (length + HOLE_SECONDS) + length))
            for n in range(HOLES + 1)
        ]
        source = self._recording("holes", users=1, stays=stays)
        pieces = _pieces(source, self._place / "pieces")
        out = self._place / "vendor.mp4"
        command = peers.vendors_way(pieces, stays, (material.WIDTH, material.HEIGHT), material.FPS, out)
        theirs = Side("vendors' way", [command], lambda: out.unlink(missing_ok=True))
        _row(
            "merge 1 h with 10 holes held", in_turn(self._ours(source), theirs, self._runs), 0.03, theirs.name
        )

    def fit(self) -> None:
        """A twentieth of the hour turned, in ten stretches, against encoding everything in the same way."""
        source = self._recording("hour", users=1, stays=[Stay(0, HOUR)])
        place = self._place / "turned"
        if not place.exists():
            apart = HOUR / TURNS
            # Encoding goes on to the next key frame, so a stretch is so much longer than its tags say.
            turns = [
                Stay(n * apart + 1, n * apart + 1 + HOUR / 20 / TURNS - material.GOP) for n in range(TURNS)
            ]
            material.turned(source, place, turns)
        out = self._place / "encoded.mp4"
        video, audio = next(source.glob("*video.m3u8")), next(source.glob("*audio.m3u8"))
        theirs = Side("x264", [peers.encode(video, audio, out)], lambda: out.unlink(missing_ok=True))
        taken = in_turn(self._ours(place), theirs, self._runs)
        _row("merge 1 h, 5 % of it fitted", taken, 0.09, "all of it re-encoded")

    def vp8(self) -> None:
        """Ten minutes of VP8 encoded as H.264, against FFmpeg with the same settings of x264."""
        source = self._place / "web"
        if not source.exists():
            material.record_web(source, Stay(0, HOUR / 6))
        out = self._place / "web.mp4"
        slices, audio = sorted(source.glob("*.webm")), next(source.glob("*audio.m3u8"))
        command = peers.encode_web(slices, audio, self._place / "web.txt", out)
        theirs = Side("x264", [command], lambda: out.unlink(missing_ok=True))
        taken = in_turn(self._ours(source), theirs, self._runs)
        _row("10 min of VP8 to H.264", taken, 1.05, "ffmpeg, same x264 settings")

    def s3(self) -> None:
        """An hour of one user from bucket to bucket, against its bytes fetched and put as they are."""
        source = self._recording("hour", users=1, stays=[Stay(0, HOUR)])
        with stores.benches(self._place / "servers", source, RECPIPE) as found:
            for bench in found:
                taken = in_turn(bench.ours, bench.theirs, self._runs)
                _row(f"bucket to bucket, 1 h, {bench.name}", taken, 1.5, "parallel get, multipart put")
                each = [side.median_cpu * 1000 / len(list(source.glob("*.ts"))) for side in taken]
                print(
                    f"{'  CPU of the client, ms an object':<44} {each[0]:>8.2f} {each[1]:>8.2f}", flush=True
                )

    def memory(self) -> None:
        """Peak memory of one and three hours."""
        for hours in (1, 3):
            name = "hour" if hours == 1 else "three"
            source = self._recording(name, users=1, stays=[Stay(0, hours * HOUR)])
            out = self._place / "out"
            shutil.rmtree(out, ignore_errors=True)
            peak = peak_memory([RECPIPE, "merge", str(source), "-o", str(out)])
            packets = round(hours * HOUR * (material.FPS + material.RATE / material.FRAME))
            most = 120_000_000 + 100 * packets
            print(
                f"{f'peak memory, merge {hours} h':<44} {peak / 1e6:>5.0f} MB    at most {most / 1e6:.0f} MB"
            )

    def _ours(self, source: Path, *options: str) -> Side:
        out = self._place / "out"
        command = [RECPIPE, "merge", str(source), "-o", str(out), *options]
        return Side("recpipe", [command], lambda: shutil.rmtree(out, ignore_errors=True))

    def _copying(self, source: Path, users: int) -> Side:
        outs = [self._place / f"copy{n}.mp4" for n in range(users)]
        videos, audios = sorted(source.glob("*video.m3u8")), sorted(source.glob("*audio.m3u8"))
        commands = [peers.copy(v, a, o) for v, a, o in zip(videos, audios, outs, strict=True)]

        def clean() -> None:
            for out in outs:
                out.unlink(missing_ok=True)

        return Side("ffmpeg", commands, clean)


def _pieces(source: Path, place: Path) -> list[tuple[Path, Path]]:
    """A playlist for each contiguous piece, cut at the DISCONTINUITY tags, in a folder beside the slices."""
    place.mkdir(exist_ok=True)
    cut: dict[str, list[Path]] = {}
    for kind in ("video", "audio"):
        text = next(source.glob(f"*{kind}.m3u8")).read_text(encoding="utf-8")
        for n, part in enumerate(text.split("#EXT-X-DISCONTINUITY\n")[1:]):
            lines = [
                str(source / line) if not line.startswith("#") else line
                for line in part.splitlines()
                if line.startswith("#EXTINF") or not line.startswith("#")
            ]
            target = place / f"{kind}{n}.m3u8"
            head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:60\n"
            target.write_text(head + "\n".join(lines) + "\n#EXT-X-ENDLIST\n", encoding="utf-8")
            cut.setdefault(kind, []).append(target)
    return list(zip(cut["video"], cut["audio"], strict=True))


def _row(name: str, taken: tuple[Taken, Taken], at_most: float, peer: str) -> None:
    ours, theirs = taken
    ratio = ours.median / theirs.median
    print(
        f"{name:<44} {ours.median:>8.2f} {theirs.median:>8.2f} {ratio:>6.2f} {at_most:>8}   {peer}",
        flush=True,
    )


def _version() -> str:
    told = subprocess.run([peers.binary(), "-version"], capture_output=True, text=True, check=True).stdout
    return " ".join(told.split()[:3])


if __name__ == "__main__":
    sys.exit(main())
