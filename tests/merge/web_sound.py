"""Sound of web senders: Opus in WebM slices under Agora's names, and what of it must be heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.demo.listing import utc17
from pipeline.demo.sound import beep_seconds, beeps
from pipeline.demo.webm import OpusTrack, write_slice
from pipeline.media.encode_webm import OPUS_FRAME, CodedFrame, encode_opus
from pipeline.media.webm.blocks import packets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.media.encode_webm import Application
    from pipeline.media.opus import OpusHead

ZERO_MS = 1_753_610_400_250
RATE = 48_000
STEM = "0123456789abcdef0123456789abcdef_room__uid_s_7__uid_e"


@dataclass(frozen=True)
class WebSound:
    """What a web sender says and how it is recorded.

    Attributes:
        stretches: from and to in milliseconds since `ZERO_MS`.
        frame: samples of a packet.
        slice_ms: how long a slice is at least.
        anew: the times of each slice count from its own beginning, else they go on through the call.
        split: a stretch begins a slice of its own; else a mute lies inside a slice.
        late: ticks by which the stamp of a packet differs from its true time, by its number.
        bit_rate: of the encoder; with little of it and ``voip`` sound is coded by SILK.
        application: what the encoder optimises for.
    """

    stretches: tuple[tuple[int, int], ...] = ((0, 16_000),)
    channels: int = 1
    frame: int = OPUS_FRAME
    slice_ms: int = 5_000
    anew: bool = True
    split: bool = True
    late: Callable[[int], int] = lambda _: 0
    bit_rate: int = 48_000
    application: Application = "audio"

    @property
    def beeps_ms(self) -> list[int]:
        """UTC of every beep that is heard whole."""
        return [
            second * 1000
            for from_ms, _ in self.stretches
            for second in beep_seconds(0, self._count(from_ms), RATE, ZERO_MS + from_ms)
        ]

    def record(self, place: Path, stem: str = STEM) -> list[bytes]:
        """Write the slices and their playlist; returns the packets in order."""
        place.mkdir(parents=True, exist_ok=True)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3"]
        sent: list[bytes] = []
        for head, frames, start, end in self._slices():
            stamp = utc17(ZERO_MS + start // 90)
            base = start if self.anew else 0
            moved = [CodedFrame(f.data, f.at_ticks - base, f.key) for f in frames]
            data = write_slice(OpusTrack(head), moved, cluster_ticks=90_000)
            if not sent:
                lines.append(f"#EXT-X-AGORA-TRACK-EVENT:EVENT=START,TRACK_TYPE=AUDIO,TIME={stamp}")
            lines += [f"#EXTINF:{(end - start) / 90_000:.6f}", f"{stem}_audio_{stamp}.webm"]
            (place / f"{stem}_audio_{stamp}.webm").write_bytes(data)
            sent += [f.data for f in frames]
        (place / f"{stem}_audio.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST"]) + "\n")
        return sent

    def _count(self, from_ms: int) -> int:
        to_ms = next(b for a, b in self.stretches if a == from_ms)
        return (to_ms - from_ms) * RATE // 1000 // self.frame * self.frame

    def _slices(self) -> list[tuple[OpusHead, list[CodedFrame], int, int]]:
        """Header, packets, and the ticks from the first sample that is heard to the end."""
        out: list[tuple[OpusHead, list[CodedFrame], int, int]] = []
        number = 0
        length = self.frame * 90_000 // RATE
        for from_ms, _ in self.stretches:
            count = self._count(from_ms)
            samples = beeps(0, count, RATE, ZERO_MS + from_ms, channels=self.channels, tone_hz=1000)
            coded = encode_opus(
                [samples],
                channels=self.channels,
                start_ticks=from_ms * 90,
                frame=self.frame,
                bit_rate=self.bit_rate,
                application=self.application,
            )
            delay = coded.head.pre_skip * 90_000 // RATE
            for index, frame in enumerate(coded.frames):
                opens = not index and (self.split or not out)
                at = frame.at_ticks + delay
                if opens or at - out[-1][2] >= self.slice_ms * 90:
                    out.append((coded.head, [], at, at))
                head, frames, start, _ = out[-1]
                frames.append(CodedFrame(frame.data, frame.at_ticks + self.late(number), key=True))
                out[-1] = head, frames, start, at + length
                number += 1
        return out


def packets_in(path: Path) -> list[bytes]:
    """The packets of a slice, read by our reader."""
    with path.open("rb") as file:
        return [packet.data for packet in packets(file, path.stat().st_size)]
