"""AAC in ADTS: raw data blocks of 1024 samples without their headers."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from pipeline.media.aac import FRAME_SAMPLES, AdtsConfig, AdtsSplit, split_adts
from pipeline.media.probe import Extension, extension, sbr_header
from pipeline.media.sample_entry import audio_entry
from pipeline.media.silence import silent_frames
from pipeline.media.silence.recipe import with_silent_band
from pipeline.media.sound.coding import Block
from pipeline.media.sound.decode import decoder_of
from pipeline.media.sound.encode import Encoder
from pipeline.media.tally import DAMAGED, INCOMPLETE, Surprise, Tally
from pipeline.model.ledger import Sort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from av.audio.codeccontext import AudioCodecContext

    from pipeline.media.packet import Packets
    from pipeline.media.sound.coding import Coding
    from pipeline.media.sound.codings import Codings
    from pipeline.model.slices import Format
    from pipeline.model.timeline import Placed, Run

BIT_RATE = 64_000
"""Of what is encoded, bits a second and channel: more than calls have."""
SBR_DELAY = 481
"""Samples of the core by which SBR makes sound late: half of 577 in two filter banks and 6 slots of 64."""


class Adts:
    """AAC as slices of MPEG-TS hold it; implements `Coding`.

    Args:
        form: its parameters are those of `AdtsConfig`.
        beginning: reads the first frames of a coding.
    """

    frame = FRAME_SAMPLES
    preroll = 0

    def __init__(self, form: Format, beginning: Callable[[Coding], Sequence[bytes]]) -> None:
        self.config = AdtsConfig.from_audio_specific_config(bytes.fromhex(form.parameters))
        self.rate, self.channels = self.config.sample_rate, self.config.channels
        self._beginning = beginning

    @cached_property
    def _extension(self) -> Extension:
        """What the frames carry that no ADTS header tells."""
        return extension(self.config, self._beginning(self))

    def entry(self) -> bytes:
        """As `Coding.entry`."""
        return audio_entry(self.config, self._extension)

    def silence(self, count: int, recent: Sequence[bytes]) -> list[bytes]:
        """As `Coding.silence`."""
        sbr = self._extension is not Extension.NONE
        header = sbr_header(self.config, reversed(recent)) if sbr and count else ""
        return silent_frames(self.config, count, sbr=sbr, header=header)

    def roll(self, shortest: int) -> int:  # noqa: ARG002 - all frames are of one length
        """As `Coding.roll`; players know of AAC that a frame overlaps the one before."""
        return 0

    def samples(self, frame: bytes) -> int:  # noqa: ARG002 - all frames are of one length
        """As `Coding.samples`."""
        return FRAME_SAMPLES

    def decoder(self) -> AudioCodecContext:
        """As `Coding.decoder`."""
        return decoder_of("aac", self.config.audio_specific_config)

    def encoder(self) -> Encoder:
        """As `Coding.encoder`: FFmpeg's own, whose first frame holds nothing of what goes in.

        Into HE-AAC it encodes the core; of the high band nothing is heard.
        """
        if self._extension is Extension.NONE:
            return Encoder("aac", self, bit_rate=BIT_RATE, delay=FRAME_SAMPLES)
        finish = partial(with_silent_band, channels=self.channels)
        return Encoder("aac", self, bit_rate=BIT_RATE, delay=FRAME_SAMPLES + SBR_DELAY, finish=finish)

    def blocks(self, run: Run, packets: Packets, tally: Tally, codings: Codings) -> Iterator[Block]:
        """As `Coding.blocks`."""
        coding, config = self, self.config
        rest, before = b"", 0
        for pts, _, piece, data, torn in packets:
            if rest and piece != before and _is_cut(run, before):
                _drop_rest(run, before, tally)
                rest = b""
            before = piece
            if torn:
                tally.packets_in += 1
                tally.drop(DAMAGED)
                rest = b""
                continue
            split = split_adts(rest + data if rest else data)
            begun, rest = FRAME_SAMPLES * bool(rest), split.rest
            tally.packets_in += len(split.frames)
            if not (split.skipped or split.changed) and split.config == config:
                yield Block(pts, piece, split.frames, FRAME_SAMPLES, coding, begun)
                continue
            if split.skipped:
                _tell_skipped(split, run.placed[piece], tally)
            for first, frames, other in _alike(split):
                coding = _known(other, coding, codings, run.placed[piece])
                config = coding.config
                yield Block(pts, piece, frames, FRAME_SAMPLES, coding, begun - first * FRAME_SAMPLES)
        if rest:
            _drop_rest(run, before, tally)


def _alike(split: AdtsSplit) -> Iterator[tuple[int, list[bytes], AdtsConfig]]:
    """Frames that follow one another in one configuration, with the index of the first."""
    if split.config is None:
        return
    starts = [(0, split.config), *split.changed]
    stops = [at for at, _ in split.changed] + [len(split.frames)]
    for (first, config), stop in zip(starts, stops, strict=True):
        if first < stop:
            yield first, split.frames[first:stop], config


def _known(found: AdtsConfig, now: Adts, codings: Codings, placed: Placed) -> Adts:
    """The coding of a configuration, if the plan knows of it."""
    if found == now.config:
        return now
    coding = codings.like(found.audio_specific_config.hex())
    if not isinstance(coding, Adts):
        raise Surprise(
            f"the sound changes from {now.config.sample_rate} Hz {now.config.channels} ch to "
            f"{found.sample_rate} Hz {found.channels} ch inside {placed.piece.key}"
        )
    return coding


def _tell_skipped(split: AdtsSplit, placed: Placed, tally: Tally) -> None:
    what = f"{split.skipped} bytes of sound are no AAC; dropped"
    tally.note(Sort.LOSS, what, placed.at, placed.piece.key)


def _drop_rest(run: Run, piece: int, tally: Tally) -> None:
    """Count a frame whose end is not there."""
    tally.packets_in += 1
    tally.drop(INCOMPLETE)
    last = run.placed[piece]
    tally.note(Sort.LOSS, "its last sound frame is cut off; dropped", last.end, last.piece.key)


def _is_cut(run: Run, piece: int) -> bool:
    ends = run.placed[piece].piece.ends
    return ends is not None and (ends.cut is not None or ends.whole is not None)
