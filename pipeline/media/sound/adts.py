"""AAC in ADTS: raw data blocks of 1024 samples without their headers."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.media.aac import FRAME_SAMPLES, AdtsConfig, AdtsSplit, split_adts
from pipeline.media.probe import Extension, extension, sbr_header
from pipeline.media.sample_entry import audio_entry
from pipeline.media.silence import silent_frames
from pipeline.media.sound.coding import Block
from pipeline.media.tally import DAMAGED, INCOMPLETE, Surprise, Tally
from pipeline.model.ledger import Sort

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.media.packet import Packets
    from pipeline.model.slices import Format
    from pipeline.model.timeline import Placed, Run


class Adts:
    """AAC as slices of MPEG-TS hold it; implements `Coding`.

    Args:
        form: its parameters are those of `AdtsConfig`.
        beginning: reads the first frames.
    """

    frame = FRAME_SAMPLES
    preroll = 0

    def __init__(self, form: Format, beginning: Callable[[], Sequence[bytes]]) -> None:
        self.config = AdtsConfig.from_audio_specific_config(bytes.fromhex(form.parameters))
        self.rate, self.channels = self.config.sample_rate, self.config.channels
        self._beginning = beginning

    @cached_property
    def _extension(self) -> Extension:
        """What the frames carry that no ADTS header tells."""
        return extension(self.config, self._beginning())

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

    def blocks(self, run: Run, packets: Packets, tally: Tally) -> Iterator[Block]:
        """As `Coding.blocks`."""
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
            begun, rest = bool(rest), split.rest
            if split.skipped or split.changed or split.config != self.config:
                self._check(split, run.placed[piece], tally)
            tally.packets_in += len(split.frames)
            if split.frames:
                yield Block(pts, piece, split.frames, FRAME_SAMPLES, begun)
        if rest:
            _drop_rest(run, before, tally)

    def _check(self, split: AdtsSplit, placed: Placed, tally: Tally) -> None:
        """Whether a PES still holds what the plan was made for."""
        found = split.changed[0][1] if split.changed else split.config
        if found is not None and found != self.config:
            raise Surprise(
                f"the sound changes from {self.config.sample_rate} Hz {self.config.channels} ch to "
                f"{found.sample_rate} Hz {found.channels} ch inside {placed.piece.key}"
            )
        if split.skipped:
            tally.note(
                Sort.LOSS, f"{split.skipped} bytes of sound are no AAC; dropped", placed.at, placed.piece.key
            )


def _drop_rest(run: Run, piece: int, tally: Tally) -> None:
    """Count a frame whose end is not there."""
    tally.packets_in += 1
    tally.drop(INCOMPLETE)
    last = run.placed[piece]
    tally.note(Sort.LOSS, "its last sound frame is cut off; dropped", last.end, last.piece.key)


def _is_cut(run: Run, piece: int) -> bool:
    ends = run.placed[piece].piece.ends
    return ends is not None and (ends.cut is not None or ends.whole is not None)
