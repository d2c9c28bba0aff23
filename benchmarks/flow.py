"""``make bench-flow``: peak memory and peak disk of a client through which 10 GB flow from store to store.

The slices lie in rclone's folder, written there as files: a minute of pictures, padded to a high bit rate, is
encoded and packed once and written again and again with its stamps moved on. The output goes to Swift, which
keeps parts on disk: rclone would keep all of them in memory until the first one comes, which comes last.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import material
from benchmarks.__main__ import RECPIPE
from benchmarks.big import padded
from benchmarks.material import Stay
from benchmarks.measure import cpu_of_children, family, machine, pss
from benchmarks.stores import BUCKET, OURS, SERVERS, SOURCE, STORE, TARGET
from pipeline.demo import agora
from pipeline.demo.listing import Listed
from pipeline.demo.scenario import Track
from pipeline.media.ts.packets import PACKET
from pipeline.media.ts.writer import Pes, StreamType, write_slice
from tests.servers import rclone, swift
from tests.servers.certificates import issue
from tests.servers.clients import AS_VENDORS_TAKE_IT, client

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_MEMORY, MOST_DISK = 300_000_000, 64_000_000
PICTURE_BYTES = 1_750_000 // material.FPS  # 14 Mbit/s
SLICE_SECONDS = 4
EVERY_SECONDS = 0.2
KEYS = 'access_key_env = "{0}_KEY"\nsecret_key_env = "{0}_SECRET"\n'
_MODULUS = 1 << 33


@dataclass(frozen=True, slots=True)
class Peaks:
    """What a command took at most, in bytes; seconds of it, and of its processors."""

    memory: int
    disk: int
    seconds: float
    cpu: float


def main() -> int:
    """Make, merge, watch; prints what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.flow")
    parser.add_argument("--gigabytes", type=float, default=10.0, help="bytes of slices, about")
    parser.add_argument("--users", type=int, default=1, help="among whom they are shared")
    parser.add_argument("--jobs", type=int, default=1, help="as of recpipe merge")
    asked = parser.parse_args()
    seconds = asked.gigabytes * 1e9 / (PICTURE_BYTES * material.FPS) / asked.users
    print(f"{machine()}; {asked.gigabytes:g} GB, users {asked.users}, --jobs {asked.jobs}\n")
    with tempfile.TemporaryDirectory(prefix="recpipe-flow-") as made, _stores(Path(made)) as settings:
        place = Path(made)
        slices = place / "rclone" / "data" / BUCKET / SOURCE
        objects, size = _record(slices, users=asked.users, seconds=round(seconds))
        config = place / "recpipe.toml"
        config.write_text("".join(STORE.format(**one) for one in settings), encoding="utf-8")
        peaks = _watched(place / "home", config, settings, asked.jobs)
    print(f"{'objects':<28} {objects:>8} {size / 1e9:>6.2f} GB in {peaks.seconds:.0f} s")
    print(f"{'client CPU an object':<28} {peaks.cpu / objects * 1000:>8.2f} ms")
    good = _row("peak memory", peaks.memory, MOST_MEMORY) & _row("peak disk", peaks.disk, MOST_DISK)
    return 0 if good else 1


def _row(name: str, found: int, most: int) -> bool:
    print(f"{name:<28} {found / 1e6:>8.0f} MB    at most {most / 1e6:.0f} MB")
    return found <= most


@contextmanager
def _stores(place: Path) -> Iterator[list[dict[str, str]]]:
    """Rclone for the slices and Swift for the output, on a core of theirs: what a table of each says."""
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, SERVERS & cores or cores)  # what is started now stays there
    certificates = issue(place)
    folders = [place / "rclone", place / "swift"]
    for folder in folders:
        folder.mkdir()
    try:
        with rclone.rclone(folders[0], certificates) as one, swift.swift(folders[1], certificates) as two:
            os.sched_setaffinity(0, cores)
            with client(two.tls, settings=AS_VENDORS_TAKE_IT) as raw:
                raw.create_bucket(Bucket=BUCKET)
            yield [
                {
                    "name": name,
                    "profile": "kodo",  # 10,000 parts, of which these are fewer than Swift's 1,000
                    "endpoint": server.endpoint,
                    "bucket": BUCKET,
                    "ca": str(server.ca),
                    "keys": KEYS.format(name.upper()),
                    "access": server.accounts[0].access_key,
                    "secret": server.accounts[0].secret_key,
                }
                for name, server in (("source", one), ("target", two.tls))
            ]
    finally:
        os.sched_setaffinity(0, cores)


def _watched(home: Path, config: Path, settings: Sequence[dict[str, str]], jobs: int) -> Peaks:
    """Merge in a process whose every folder to write into is ``home``, and look at both now and then."""
    home.mkdir()
    environ = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home)}
    environ |= {k: v for k, v in os.environ.items() if k == "PYTHONPATH"}
    for one in settings:
        environ |= {
            f"{one['name'].upper()}_KEY": one["access"],
            f"{one['name'].upper()}_SECRET": one["secret"],
        }
    command = [
        *("taskset", "-c", OURS, RECPIPE, "merge", f"source:{SOURCE}", "-o", f"target:{TARGET}"),
        *("--config", str(config), "--jobs", str(jobs)),
    ]
    before, begun = cpu_of_children(), time.perf_counter()
    with (home.parent / "said").open("wb") as said:
        process = subprocess.Popen(command, cwd=home, env=environ, stdout=said, stderr=said)
        ended = threading.Event()
        peaks = [0, 0]

        def watch() -> None:
            while not ended.wait(EVERY_SECONDS):
                peaks[0] = max(peaks[0], sum(map(pss, family(process.pid))))
                peaks[1] = max(peaks[1], _on_disk(home))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        ended.set()
        watcher.join()
    if code:
        raise RuntimeError((home.parent / "said").read_text(encoding="utf-8", errors="replace")[-2000:])
    return Peaks(peaks[0], peaks[1], time.perf_counter() - begun, cpu_of_children() - before)


def _on_disk(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512
        except OSError:
            continue  # it is gone
    return total


def _record(place: Path, *, users: int, seconds: int) -> tuple[int, int]:
    """A recording of users with such pictures and plain sound; how many slices, and their bytes."""
    place.mkdir(parents=True)
    scenario = material.scenario_of(users)
    minute = [_minute_slice(start) for start in range(0, 60, SLICE_SECONDS)]
    for user in scenario.users:
        material.write_track(place, scenario, user, Track.AUDIO, material.audio_slices([Stay(0, seconds)]))
        listed: list[Listed] = []
        for start in range(0, seconds, SLICE_SECONDS):
            at_ms = scenario.start_ms + start * 1000
            name = agora.slice_name(scenario, user, Track.VIDEO, at_ms)
            first = start // SLICE_SECONDS % len(minute) * SLICE_SECONDS
            data = minute[first // SLICE_SECONDS].moved((start - first) * material.TICKS)
            (place / name).write_bytes(data)
            listed.append(Listed(name, at_ms, SLICE_SECONDS * 1_000_000, len(data), not listed))
        text = agora.playlist(scenario, user, Track.VIDEO, listed)
        (place / agora.playlist_name(scenario, user, Track.VIDEO, ())).write_bytes(text)
    slices = list(place.glob("*.ts"))
    return len(slices), sum(path.stat().st_size for path in slices)


@dataclass(frozen=True, slots=True)
class _Template:
    """A slice, and where its stamps are."""

    data: bytes
    clocks: tuple[int, ...]
    stamps: tuple[int, ...]

    def moved(self, ticks: int) -> bytes:
        """The same with all stamps later (ISO/IEC 13818-1 2.4.3.5 and 2.4.3.7)."""
        out = bytearray(self.data)
        for at in self.clocks:
            base = int.from_bytes(out[at : at + 6], "big")
            out[at : at + 6] = (((base >> 15) + ticks) % _MODULUS << 15 | base & 0x7FFF).to_bytes(6, "big")
        for at in self.stamps:
            a, b, c, d, e = out[at : at + 5]
            pts = ((a >> 1 & 7) << 30 | b << 22 | c >> 1 << 15 | d << 7 | e >> 1) + ticks
            out[at] = a & 0xF1 | pts >> 29 & 0x0E
            out[at + 1 : at + 5] = ((pts >> 15 & 0x7FFF) << 17 | 1 << 16 | (pts & 0x7FFF) << 1 | 1).to_bytes(
                4, "big"
            )
        return bytes(out)


def _minute_slice(start: int) -> _Template:
    """Padded pictures from a second of the minute on, packed."""
    begin, end = start * material.TICKS, (start + SLICE_SECONDS) * material.TICKS
    packets = [
        Pes(
            StreamType.H264,
            padded(p.data, max(32, PICTURE_BYTES - len(p.data))),
            material.TICKS + p.pts_ticks,
            key=p.key,
        )
        for p in material.pictures()
        if begin <= p.pts_ticks < end
    ]
    data = write_slice(packets)
    clocks: list[int] = []
    stamps: list[int] = []
    for at in range(0, len(data), PACKET):
        adapted = data[at + 3] & 0x20
        if adapted and data[at + 4] and data[at + 5] & 0x10:
            clocks.append(at + 6)
        payload = at + 4 + (1 + data[at + 4] if adapted else 0)
        if data[at + 1] & 0x40 and data[payload : payload + 3] == b"\0\0\1":
            fields = (payload + 9, payload + 14)
            stamps += fields if data[payload + 7] & 0x40 else fields[:1]
    return _Template(data, tuple(clocks), tuple(stamps))


if __name__ == "__main__":
    sys.exit(main())
