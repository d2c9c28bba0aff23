"""A recording that no code of ours wrote: FFmpeg's own HLS muxer cut it, under an Agora recorder's names."""

from __future__ import annotations

import hashlib
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import av
import imageio_ffmpeg
import pytest

from pipeline.demo.listing import utc17
from pipeline.errors import ExitCode
from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests import truth
from tests.ts_unwrapper import unwrap

START_MS = 1_772_442_000_250
STEM = "38f8e3cfdc474cd56fc1ceba380d7e1a_demo1__uid_s_7__uid_e_"
PICTURES = "testsrc2=size=320x180:rate=25:duration=21"
SOUND = "sine=frequency=440:beep_factor=4:sample_rate=48000:duration=21"


def recorded(place: Path, medium: str, source: str, codec: list[str]) -> list[Path]:
    """One track cut by FFmpeg, its slices and its playlist named as Agora does."""
    raw = place / "raw"
    raw.mkdir(exist_ok=True)
    playlist = raw / f"{medium}.m3u8"
    hls = [
        "-f",
        "hls",
        "-hls_time",
        "5",
        "-hls_list_size",
        "0",
        "-hls_segment_filename",
        str(raw / f"{medium}%d.ts"),
    ]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        source,
        *codec,
        *hls,
        str(playlist),
    ]
    subprocess.run(command, check=True, timeout=120)
    out: list[Path] = []
    text, at_us = playlist.read_text(), 0
    for seconds, name in re.findall(r"#EXTINF:([\d.]+),\n(\S+)", text):
        named = place / f"{STEM}{medium}_{utc17(START_MS + at_us // 1000)}.ts"
        (raw / name).rename(named)
        text = text.replace(name, named.name)
        out.append(named)
        at_us += round(float(seconds) * 1_000_000)
    (place / f"{STEM}{medium}.m3u8").write_text(text)
    playlist.unlink()
    return out


@pytest.mark.parametrize("bframes", [0, 2])
def test_what_ffmpeg_cut_is_put_together_byte_for_byte(bframes: int, tmp_path: Path) -> None:
    place = tmp_path / "in"
    place.mkdir()
    x264 = ["-c:v", "libx264", "-preset", "veryfast", "-g", "50", "-bf", str(bframes)]
    slices = {
        "video": recorded(place, "video", PICTURES, x264),
        "audio": recorded(place, "audio", SOUND, ["-c:a", "aac", "-b:a", "64k"]),
    }
    (place / "raw").rmdir()
    (done,) = merge_all(Folder(place), tmp_path / "out", Options(), Limits())
    assert done.exit_code(accept_loss=False) is ExitCode.GOOD
    (output,) = done.manifest.outputs
    for track in output.tracks:
        sent = [u.payload for path in slices[track.medium] for u in unwrap(path.read_bytes(), track.medium)]
        assert track.packets_out == len(sent)
        assert track.payload_sha256 == hashlib.sha256(b"".join(sent)).hexdigest()
    path = Path(done.place) / output.file
    truth.decodes_silently(path)
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    assert len(frames) == 21 * 25
    steps = {round((b.time - a.time) * 1000) for a, b in pairwise(frames)}
    assert steps == {40}
    assert output.duration / 90_000 == pytest.approx(21, abs=0.1)  # B-pictures begin two later by PTS
