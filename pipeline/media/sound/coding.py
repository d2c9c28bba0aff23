"""What copying must know of a coding of sound, whatever it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from av.audio.codeccontext import AudioCodecContext

    from pipeline.media.packet import Packets
    from pipeline.media.sound.codings import Codings
    from pipeline.media.sound.encode import Encoder
    from pipeline.media.tally import Tally
    from pipeline.model.timeline import Run


class Block(NamedTuple):
    """Frames out of one packet of a slice; a named tuple because there are ten thousands.

    ``pts`` is a time stamp, None without one; the first frame begins ``begun`` samples before it. ``piece``
    is the index of the slice. A frame has ``each`` samples, all of a block the same number, in the same
    ``coding``.
    """

    pts: int | None
    piece: int
    frames: list[bytes]
    each: int
    coding: Coding
    begun: int = 0


class Coding(Protocol):
    """One configuration of one coding: how its frames come out of packets, and how long they are.

    Attributes:
        rate: samples a second in which its frames are counted.
        channels: as the slices' headers say.
        frame: samples of a silent frame; sound is right by count to half of it.
        preroll: samples before file zero that a decoder needs to be right there; the file keeps them and its
            edit list skips them.
    """

    rate: int
    channels: int
    frame: int
    preroll: int

    def entry(self) -> bytes:
        """The sample entry of the track."""

    def blocks(self, run: Run, packets: Packets, tally: Tally, codings: Codings) -> Iterator[Block]:
        """The frames of a run that begins in this coding; those that cannot be used are counted and told.

        Args:
            run: the run.
            packets: its packets.
            tally: where they are counted.
            codings: those that the plan knows of, which may follow inside the run.

        Raises:
            Surprise: frames of another.
        """

    def silence(self, count: int, recent: Sequence[bytes]) -> list[bytes]:
        """``count`` silent frames after the frames ``recent``, of which there are none at the beginning."""

    def samples(self, frame: bytes) -> int:
        """How many samples a frame has."""

    def decoder(self) -> AudioCodecContext:
        """A decoder of its frames that puts out all samples of each."""

    def encoder(self) -> Encoder:
        """An encoder into its frames."""

    def roll(self, shortest: int) -> int:
        """How many samples before one must be decoded for it to be right, if they have ``shortest`` or more.

        As roll_distance of ISO/IEC 14496-12 10.1: negative, 0 for none.
        """
