"""Opus: packets of 2.5 to 120 ms, each as long as its first byte says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.media.opus import PRE_ROLL, RATE, SILENT, OpusHead, samples_of, silent_run
from pipeline.media.sound.coding import Block
from pipeline.media.sound.decode import decoder_of
from pipeline.media.sound.encode import Encoder
from pipeline.media.tally import DAMAGED, Tally
from pipeline.media.web_entry import opus_entry
from pipeline.model.ledger import Sort

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.audio.codeccontext import AudioCodecContext

    from pipeline.media.packet import Packets
    from pipeline.media.sound.codings import Codings
    from pipeline.model.slices import Format
    from pipeline.model.timeline import Run

BIT_RATE = 48_000
"""Of what is encoded, bits a second and channel: more than calls have."""


class Opus:
    """Opus as slices of WebM hold it; implements `Coding`.

    What a packet decodes to lies where its time is: the containers take the encoder's delay off the times of
    packets (CodecDelay, RFC 9559 5.1.4.1). So the first packet of a run begins before the first sample that
    is to be heard. At file zero the edit list skips what lies before it. Elsewhere it stays: it is the hardly
    audible beginning of an encoder, at its own place.

    Args:
        form: its parameters are an `OpusHead`.
    """

    rate = RATE
    frame = SILENT
    preroll = PRE_ROLL

    def __init__(self, form: Format) -> None:
        self.head = OpusHead.read(bytes.fromhex(form.parameters))
        self.channels = self.head.channels

    def entry(self) -> bytes:
        """As `Coding.entry`."""
        return opus_entry(self.head)

    def silence(self, count: int, recent: Sequence[bytes]) -> list[bytes]:
        """As `Coding.silence`."""
        return silent_run(recent[-1] if recent else b"", self.channels, count)

    def roll(self, shortest: int) -> int:
        """As `Coding.roll`: 80 ms (Encapsulation of Opus in ISO Base Media File Format 0.8.1, 4.3.6.2)."""
        return -PRE_ROLL // shortest

    def samples(self, frame: bytes) -> int:
        """As `Coding.samples`."""
        return samples_of(frame) or 0

    def decoder(self) -> AudioCodecContext:
        """As `Coding.decoder`: libopus, because FFmpeg's own differs a little from run to run."""
        return decoder_of("libopus", replace(self.head, pre_skip=0).write())

    def encoder(self) -> Encoder:
        """As `Coding.encoder`."""
        encoder = Encoder("libopus", self, bit_rate=BIT_RATE, delay=0, options={"frame_duration": "20"})
        encoder.delay = OpusHead.read(encoder.header).pre_skip
        return encoder

    def blocks(self, run: Run, packets: Packets, tally: Tally, codings: Codings) -> Iterator[Block]:  # noqa: ARG002 - a slice has one header
        """As `Coding.blocks`."""
        bad: dict[int, int] = {}
        for pts, _, piece, data, torn in packets:
            tally.packets_in += 1
            each = None if torn else samples_of(data)
            if each is None:
                tally.drop(DAMAGED)
                bad[piece] = bad.get(piece, 0) + (not torn)
                continue
            yield Block(pts, piece, [data], each, self)
        for piece, count in bad.items():
            if count:
                placed = run.placed[piece]
                what = f"{count} packets of sound are no Opus; dropped"
                tally.note(Sort.LOSS, what, placed.at, placed.piece.key)
