"""A call that no code of ours made: Chromium records its own fake camera and microphone, with a pause.

Real VP8 and Opus of variable rate, stamped by arrival. It is cut into slices under Agora's names, each with a
header of its own written by FFmpeg, and merged; what came out is compared with what FFmpeg decodes of the
recording itself.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest

from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.model.stamps import stamp17
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests.browser.chromium import BROWSER
from tests.browser.recording import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.packet import Packet
    from numpy.typing import NDArray

    from pipeline.model.manifest import Manifest, Output

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        BROWSER is None and os.environ.get("CI") != "true",
        reason="chromium is not installed (Debian: apt-get install chromium); CI must have it",
    ),
]

PAGE = Path(__file__).parent / "camera.html"
FLAGS = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
STEM = "38f8e3cfdc474cd56fc1ceba380d7e1a_call__uid_s_42__uid_e"
ZERO_MS = 1_772_442_000_250
SLICE_MS = 2000
HOLE_MS = 80
"""What a pause leaves in Chromium's time stamps of pictures, beside nothing at all."""
RATE = 48_000


@dataclass(frozen=True)
class Recorded:
    """The recording as Chromium left it.

    Attributes:
        data: the WebM.
        pause_ms: media time at which it was paused.
        paused_ms: for how long.
        first_key_ms: media time of the first key frame behind the pause.
    """

    data: bytes
    pause_ms: int
    paused_ms: int
    first_key_ms: int

    def utc_ms(self, media_ms: int) -> int:
        """Time stamps stand still while it is paused."""
        return ZERO_MS + media_ms + (self.paused_ms if media_ms >= self.pause_ms else 0)


@dataclass(frozen=True)
class Call:
    """The recording and what was made of it."""

    recorded: Recorded
    place: Path
    manifest: Manifest

    @property
    def output(self) -> Output:
        (output,) = self.manifest.outputs
        return output

    @property
    def file(self) -> Path:
        return self.place / self.output.file


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Recorded, cut and merged."""
    found = recorded(PAGE.read_bytes(), 3, *FLAGS)
    place = tmp_path_factory.mktemp("call")
    (place / "in").mkdir()
    data = found["before"] + found["after"]
    with av.open(BytesIO(data), "r") as container:
        packets: list[Packet[Any]] = [p for p in container.demux() if p.size]
        pictures = [p for p in packets if p.stream.type == "video"]
        sound = [p for p in packets if p.stream.type == "audio"]
        pause_ms = _pause_ms(pictures, len(found["before"]))
        keys = (_ms(p) for p in pictures if p.is_keyframe and _ms(p) >= pause_ms)
        recording = Recorded(data, pause_ms, round(float(found["paused"])), next(keys))
        _write_slices(recording, place / "in", "video", pictures)
        _write_slices(recording, place / "in", "audio", sound)
    (done,) = merge_all(Folder(place / "in"), place / "out", Options(), Limits())
    return Call(recording, place / "out", done.manifest)


def _ms(packet: Packet[Any]) -> int:
    assert packet.pts is not None
    return packet.pts


def _pause_ms(pictures: Sequence[Packet[Any]], handed: int) -> int:
    """Media time of the first picture behind the pause: around the byte up to which data was handed over.

    What was still being encoded came later; a hole or a key frame shows where it ends.
    """
    later = next(n for n, p in enumerate(pictures) if (p.pos or 0) >= handed)
    near = pairwise(pictures[max(0, later - 2) :])
    return next(_ms(b) for a, b in near if _ms(b) - _ms(a) > HOLE_MS or b.is_keyframe)


def _write_slices(recording: Recorded, place: Path, kind: str, packets: Sequence[Packet[Any]]) -> None:
    """Slices that begin at key frames and behind the pause, and their playlist."""
    cuts: list[list[Packet[Any]]] = []
    resumed: list[Packet[Any]] = []
    for packet in packets:
        at = _ms(packet)
        behind = bool(cuts) and _ms(cuts[-1][-1]) < recording.pause_ms <= at
        full = bool(cuts) and packet.is_keyframe and at - _ms(cuts[-1][0]) >= SLICE_MS
        if not cuts or behind or full:
            cuts.append([])
        cuts[-1].append(packet)
        resumed = cuts[-1] if behind else resumed
    lines = ["#EXTM3U"]
    for cut in cuts:
        start = recording.utc_ms(_ms(cut[0]))
        name = f"{STEM}_{kind}_{stamp17(start)}.webm"
        seconds = (recording.utc_ms(_ms(cut[-1])) - start) / 1000 + 0.05
        lines += [*["#EXT-X-DISCONTINUITY"] * (cut is resumed), f"#EXTINF:{seconds:.3f}", name]
        with av.open(str(place / name), "w", format="webm") as out:
            stream = out.add_stream_from_template(cut[0].stream)
            for packet in cut:
                packet.stream = stream
                out.mux(packet)
    (place / f"{STEM}_{kind}.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def _decoded(file: str | BytesIO) -> list[tuple[float, NDArray[np.int16]]]:
    """Milliseconds and luma of each picture, as FFmpeg decodes them."""
    with av.open(file, "r") as container:
        stream = container.streams.video[0]
        return [
            (float(1000 * frame.pts * stream.time_base), frame.to_ndarray(format="gray").astype(np.int16))
            for frame in container.decode(stream)
            if frame.pts is not None and stream.time_base is not None
        ]


def test_every_picture_that_can_be_decoded_is_there_at_its_own_time(call: Call) -> None:
    output, recording = call.output, call.recorded
    zero = output.utc_zero_ms
    sent = [
        (recording.utc_ms(round(at)), luma)
        for at, luma in _decoded(BytesIO(recording.data))
        if not recording.pause_ms <= round(at) < recording.first_key_ms
    ]
    shown = [(zero + at, luma) for at, luma in _decoded(str(call.file))]
    assert len(shown) == len(sent)
    assert max(abs(a - b) for (a, _), (b, _) in zip(shown, sent, strict=True)) <= 1
    errors = [float(((a - b) ** 2).mean()) for (_, a), (_, b) in zip(shown, sent, strict=True)]
    assert max(errors) < 65  # a PSNR of 30 dB: it is that picture and no other


def test_what_is_dropped_is_told(call: Call) -> None:
    recording = call.recorded
    track = next(track for track in call.output.tracks if track.medium == "video")
    dropped = sum(each.packets for each in track.dropped)
    assert track.packets_in == track.packets_encoded + dropped
    assert bool(dropped) == (recording.first_key_ms > recording.pause_ms)
    told = [entry.what for entry in call.manifest.ledger if "before the first key frame" in entry.what]
    assert bool(told) == bool(dropped)


def _heard(file: str | BytesIO) -> NDArray[np.float64]:
    """The sound by sample count, mono."""
    with av.open(file, "r") as container:
        parts = [frame.to_ndarray().mean(axis=0) for frame in container.decode(audio=0)]
    return np.concatenate(parts)


@pytest.mark.parametrize("side", ["before the pause", "after it"])
def test_the_sound_lies_where_it_was_recorded(side: str, call: Call) -> None:
    """By count: the place at which the output is most like the recording."""
    output, recording = call.output, call.recorded
    original, merged = _heard(BytesIO(recording.data)), _heard(str(call.file))
    zero = output.utc_zero_ms - ZERO_MS
    begin = 1000 if side == "before the pause" else recording.pause_ms + 1000
    piece = original[begin * 48 : (begin + 2000) * 48]
    around = 200 * 48
    at = (recording.utc_ms(begin) - ZERO_MS - zero) * 48
    there = merged[at - around : at + len(piece) + around]
    likeness = np.correlate(there[::4], piece[::4], "valid")
    off_ms = (int(np.argmax(np.abs(likeness))) * 4 - around) / 48
    assert abs(off_ms) <= 60  # Chromium stamps a packet of sound by its arrival


def test_the_pause_is_silent_and_no_picture_changes_in_it(call: Call) -> None:
    output, recording = call.output, call.recorded
    begin = recording.utc_ms(recording.pause_ms) - recording.paused_ms - output.utc_zero_ms
    merged = _heard(str(call.file))[(begin + 300) * 48 : (begin + recording.paused_ms - 300) * 48]
    assert np.abs(merged).max() < 1e-3
    times = [at for at, _ in _decoded(str(call.file))]
    inside = bisect_left(times, begin + recording.paused_ms - 100) - bisect_left(times, begin + 200)
    assert inside == 0
