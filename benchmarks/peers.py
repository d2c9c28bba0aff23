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


X264 = {"vcodec": "libx264", "preset": "veryfast", "crf": 23, "pix_fmt": "yuv420p"}
"""As a composite is encoded unless somebody says otherwise."""


def grid(
    users: Sequence[tuple[Path, Path]], size: tuple[int, int], columns: int, fps: int, out: Path
) -> list[str]:
    """All users side by side, as one does it with FFmpeg: scale, xstack, amix.

    Args:
        users: playlists of pictures and sound, of users who are there all the time.
        size: width and height of the canvas; cells have even sides.
        columns: and rows.
        fps: of the output.
        out: the MP4.
    """
    width, height = size[0] // columns // 2 * 2, size[1] // columns // 2 * 2
    cells = [ffmpeg.input(str(video)).video.filter("scale", width, height) for video, _ in users]
    places = "|".join(f"{width * (n % columns)}_{height * (n // columns)}" for n in range(len(users)))
    picture = ffmpeg.filter(cells, "xstack", inputs=len(cells), layout=places, fill="black")
    picture = picture.filter("pad", *size).filter("fps", fps)
    sound = ffmpeg.filter(
        [ffmpeg.input(str(audio)).audio for _, audio in users], "amix", inputs=len(users), normalize=0
    ).filter("alimiter")
    return _composite(picture, sound, fps, out)


def meeting(
    users: Sequence[Sequence[tuple[Sequence[Path], Sequence[Path], Stay]]],
    cells: Sequence[tuple[int, int, int, int]],
    size: tuple[int, int],
    fps: int,
    out: Path,
) -> list[str]:
    """A meeting with people who come and go: each stay laid over a canvas while it lasts.

    Args:
        users: of each the stays: slices of pictures, slices of sound, when.
        cells: of each left, top, width and height.
        size: width and height of the canvas.
        fps: of the output.
        out: the MP4.
    """
    end = max(stay.end for each in users for *_, stay in each)
    canvas = ffmpeg.input(f"color=black:s={size[0]}x{size[1]}:r={fps}:d={end}", f="lavfi").video
    sounds = []
    for each, (x, y, width, height) in zip(users, cells, strict=True):
        for video, audio, stay in each:
            if video:
                picture = ffmpeg.input("concat:" + "|".join(map(str, video)), f="mpegts").video
                picture = picture.filter("scale", width, height)
                picture = picture.filter("setpts", f"PTS-STARTPTS+{stay.start}/TB")
                enable = f"between(t,{stay.start},{stay.end})"
                canvas = canvas.overlay(picture, x=x, y=y, eof_action="pass", enable=enable)
            if audio:
                sound = ffmpeg.input("concat:" + "|".join(map(str, audio)), f="mpegts").audio
                sounds.append(sound.filter("adelay", round(stay.start * 1000), all=1))
    mixed = ffmpeg.filter(sounds, "amix", inputs=len(sounds), normalize=0).filter("alimiter")
    return _composite(canvas, mixed, fps, out, t=end)


def _composite(picture: object, sound: object, fps: int, out: Path, **more: object) -> list[str]:
    graph = ffmpeg.output(
        picture, sound, str(out), **X264, r=fps, g=4 * fps, acodec="aac", ac=2, audio_bitrate="128k", **more
    )
    command: list[str] = graph.global_args("-v", "error", "-nostdin").overwrite_output().compile(cmd=binary())
    return command
