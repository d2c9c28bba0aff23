"""What one would use instead: FFmpeg on the playlists, and the vendors' way of filling holes.

The graphs are built with ffmpeg-python and run by us; the binary is the system's ffmpeg when there is one,
else the one that imageio-ffmpeg brings.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import ffmpeg
import imageio_ffmpeg

from pipeline.media.pictures.pieces import CRF, KEY_EVERY, PRESET
from pipeline.model.ticks import TICKS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.material import Stay


def binary() -> str:
    """Path of the ffmpeg that is measured."""
    return shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


def copy(video: Path, audio: Path, out: Path) -> list[str]:
    """``ffmpeg -c copy`` on the two playlists of a user: the fastest that one can do by hand."""
    ins = ["-i", str(video), "-i", str(audio)]
    return [
        binary(),
        "-v",
        "error",
        "-nostdin",
        *ins,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c",
        "copy",
        "-y",
        str(out),
    ]


def encode(video: Path, audio: Path, out: Path) -> list[str]:
    """Pictures decoded and encoded anew as recpipe fits them, sound copied."""
    ins = ["-i", str(video), "-i", str(audio), "-map", "0:v", "-map", "1:a", "-c:a", "copy"]
    settings = ["-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF["h264"]), "-bf", "0"]
    return [binary(), "-v", "error", "-nostdin", *ins, *settings, "-fps_mode", "passthrough", "-y", str(out)]


def encode_web(slices: Sequence[Path], audio: Path, listing: Path, out: Path) -> list[str]:
    """VP8 slices joined by FFmpeg and encoded as recpipe does, each picture at its own time; sound copied.

    Args:
        slices: in their order.
        audio: the playlist of the sound.
        listing: a file to write their names into.
        out: the MP4.
    """
    listing.write_text("".join(f"file '{path}'\n" for path in slices), encoding="utf-8")
    ins = ["-f", "concat", "-safe", "0", "-i", str(listing), "-i", str(audio)]
    maps = ["-map", "0:v", "-map", "1:a", "-c:a", "copy", "-c:v", "libx264"]
    every = ["-force_key_frames", f"expr:gte(t,n_forced*{KEY_EVERY // TICKS})", "-sc_threshold", "0"]
    settings = ["-preset", PRESET, "-crf", str(CRF["h264"]), "-bf", "0", *every]
    return [
        *(binary(), "-v", "error", "-nostdin", *ins, *maps, *settings),
        *("-fps_mode", "passthrough", "-y", str(out)),
    ]


def vendors_way(
    pieces: Sequence[tuple[Path, Path]], stays: Sequence[Stay], size: tuple[int, int], fps: int, out: Path
) -> list[str]:
    """One graph as the vendors' scripts build it.

    Each contiguous piece is decoded, scaled and laid onto a black canvas at its offset with its last frame
    repeated, its sound is delayed and mixed; x264 veryfast and AAC.

    Args:
        pieces: playlists of pictures and sound of each contiguous piece.
        stays: when each piece plays.
        size: width and height of the canvas.
        fps: of the output.
        out: the MP4.
    """
    width, height = size
    end = stays[-1].end
    canvas = ffmpeg.input(f"color=black:s={width}x{height}:r={fps}:d={end}", f="lavfi")
    sounds = []
    for (video, audio), stay in zip(pieces, stays, strict=True):
        picture = ffmpeg.input(str(video)).video.filter("scale", width, height)
        picture = picture.filter("setpts", f"PTS-STARTPTS+{stay.start}/TB")
        canvas = canvas.overlay(picture, eof_action="repeat")
        sound = ffmpeg.input(str(audio)).audio.filter("aresample", **{"async": 1})
        sounds.append(sound.filter("adelay", round(stay.start * 1000), all=1))
    mixed = ffmpeg.filter(sounds, "amix", inputs=len(sounds), normalize=0)
    graph = ffmpeg.output(
        canvas, mixed, str(out), vcodec="libx264", preset="veryfast", r=fps, acodec="aac", t=end
    )
    command: list[str] = graph.global_args("-v", "error", "-nostdin").overwrite_output().compile(cmd=binary())
    return command
