"""``make test-big``: an output of more than 4 GB, verified, opened by FFmpeg and decoded at its end.

The input is sparse: one slice of 20 s, padded with SEI messages to 50 MB, stands for all slices by symbolic
links under their own names; PTS begin anew in each, as some recorders do.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import av

from benchmarks import material
from benchmarks.__main__ import RECPIPE
from pipeline.demo.listing import utc17
from pipeline.media.ts.writer import Pes, StreamType, write_slice

SLICES = 90
SLICE_SECONDS = 20
PADDING = 165_000  # bytes a picture
START_MS = 1_772_442_000_250
FOUR_GB = 1 << 32


def main() -> int:
    """Make, merge, check; prints what was measured."""
    with tempfile.TemporaryDirectory(prefix="recpipe-big-") as made:
        place = Path(made)
        source = _record(place / "slices")
        begun = time.perf_counter()
        done = subprocess.run([RECPIPE, "merge", str(source), "-o", str(place / "out")], check=False)
        seconds = time.perf_counter() - begun
        manifest = json.loads((place / "out" / "manifest.json").read_text(encoding="utf-8"))
        output = manifest["outputs"][0]
        last = _last_picture(place / "out" / output["file"])
        free = shutil.disk_usage(place).free
    print(f"{output['size']} bytes in {seconds:.1f} s, exit code {done.returncode}, {free // 10**9} GB free")
    print(f"verdict: {output['verdict']}")
    expected = SLICES * SLICE_SECONDS
    print(f"last picture decoded at {last:.3f} s of {expected} s")
    good = output["size"] > FOUR_GB and not output["verdict"]["problems"] and not done.returncode
    return 0 if good and expected - 1 < last < expected else 1


def _record(place: Path) -> Path:
    place.mkdir()
    stem = "0123456789abcdef0123456789abcdef_big__uid_s_1__uid_e_video"
    first = place / f"{stem}_{utc17(START_MS)}.ts"
    first.write_bytes(padded_slice())
    lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SLICE_SECONDS}"]
    for n in range(SLICES):
        name = f"{stem}_{utc17(START_MS + n * SLICE_SECONDS * 1000)}.ts"
        if n:
            (place / name).symlink_to(first)
        lines += [f"#EXTINF:{SLICE_SECONDS}.000000", name]
    (place / f"{stem}.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n", encoding="ascii")
    return place


def padded_slice(padding: int = PADDING) -> bytes:
    """20 s of pictures, each with so many bytes before its slice; 16 or more."""
    pictures = [p for p in material.pictures() if p.pts_ticks < SLICE_SECONDS * material.TICKS]
    return write_slice(
        [
            Pes(StreamType.H264, padded(p.data, padding), material.TICKS + p.pts_ticks, key=p.key)
            for p in pictures
        ]
    )


def padded(picture: bytes, count: int) -> bytes:
    """A picture with a user data SEI message of ``count`` bytes before its slice (ISO/IEC 14496-10 D.1.6)."""
    size = b"\xff" * (count // 255) + bytes([count % 255])
    message = b"\0\0\1\x06\x05" + size + b"recpipe padding " + b"\x55" * (count - 16) + b"\x80"
    slice_at = max(picture.rfind(b"\0\0\1\x65"), picture.rfind(b"\0\0\1\x41"), picture.rfind(b"\0\0\1\x61"))
    return picture[:slice_at] + message + picture[slice_at:]


def _last_picture(path: Path) -> float:
    """Seconds at which FFmpeg presents the last picture it decodes."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        container.seek(int((SLICES * SLICE_SECONDS - 3) * 1_000_000))
        return max(float(frame.time or 0) for frame in container.decode(stream))


if __name__ == "__main__":
    sys.exit(main())
