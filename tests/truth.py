"""What an output really shows and sounds like, measured by decoding it.

The reader of test media: PyAV for times, the FFmpeg of imageio-ffmpeg as the independent second reader.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import av
import imageio_ffmpeg
import numpy as np

from pipeline.demo.picture import Coded, read
from pipeline.demo.sound import onsets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction
    from pathlib import Path

    import numpy.typing as npt
    from av.video.frame import VideoFrame

_TIMEOUT_S = 300
_BAR = 24  # luma between the black of bars (16) and of test pictures (32)


def shown(path: Path) -> Iterator[tuple[Fraction, Coded | None]]:
    """(presentation time in seconds, what the picture says) of every picture in presentation order.

    Edit lists are honoured as FFmpeg does, pictures are turned upright as the file's display matrix says, and
    black bars are cut away. None stands for a picture that carries no time.
    """
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield _seconds(frame.pts, frame.time_base), read(without_bars(_upright(frame)))


def pictures(path: Path) -> list[tuple[Fraction, Coded]]:
    """As `shown`, without the pictures that carry no time."""
    return [(at, coded) for at, coded in shown(path) if coded is not None]


def beeps_by_count(path: Path, tmp: Path) -> list[float]:
    """Seconds of the beeps when samples are counted from the first one decoded, as most players do."""
    wav = tmp / f"{path.stem}.pcm"
    arguments = ["-v", "error", "-xerror", "-y", "-i", str(path), "-vn", "-map", "0:a:0"]
    arguments += ["-f", "s16le", "-c:a", "pcm_s16le", str(wav)]
    _ffmpeg(arguments)
    rate, channels = _sound_shape(path)
    samples = np.fromfile(wav, dtype="<i2").reshape(-1, channels)[:, 0] / 32768
    wav.unlink()
    return [float(at) / rate for at in onsets(samples, rate)]


def beeps_by_pts(path: Path) -> list[float]:
    """Seconds of the beeps when each decoded frame is put where its PTS says."""
    parts: list[tuple[int, npt.NDArray[np.float64]]] = []
    rate = _sound_shape(path)[0]
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            at = round(_seconds(frame.pts, frame.time_base) * rate)
            parts.append((at, frame.to_ndarray()[0].astype(np.float64)))
    if not parts:
        return []
    zero = min(at for at, _ in parts)
    line = np.zeros(max(at + len(samples) for at, samples in parts) - zero)
    for at, samples in parts:
        line[at - zero : at - zero + len(samples)] = samples
    return [(float(at) + zero) / rate for at in onsets(line, rate)]


def decodes_silently(path: Path) -> None:
    """Assert that FFmpeg decodes every stream of the file without a word."""
    arguments = ["-v", "error", "-xerror", "-i", str(path), "-map", "0", "-f", "null", "-"]
    assert _ffmpeg(arguments) == ""


def _ffmpeg(arguments: list[str]) -> str:
    done = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", *arguments],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def _sound_shape(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as container:
        context = container.streams.audio[0].codec_context
        return context.sample_rate, context.channels


def _seconds(pts: int | None, time_base: Fraction | None) -> Fraction:
    assert pts is not None, "a decoded frame has no time"
    assert time_base is not None, "a decoded frame has no time base"
    return pts * time_base


def without_bars(luma: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """A picture without the black bars around it; even the black of a test picture is lighter than those."""
    rows, columns = (np.flatnonzero(luma.mean(axis=axis) > _BAR) for axis in (1, 0))
    if not len(rows):
        return luma
    return luma[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _upright(frame: VideoFrame) -> npt.NDArray[np.uint8]:
    luma = frame.to_ndarray(format="yuv420p")[: frame.height]
    # frame.rotation is anticlockwise, as np.rot90 turns.
    return np.rot90(luma, frame.rotation // 90)
