"""Pictures of other shapes than the track's, re-encoded into it; the others go by as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.media.pictures.bitstream import bitstream
from pipeline.media.pictures.fit import Fitter
from pipeline.media.pictures.order import COPIED, ENCODED
from pipeline.media.tally import HIDDEN, UNDECODED
from pipeline.model.ledger import Sort

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.media.pictures.entry import Entry
    from pipeline.media.pictures.order import Picture
    from pipeline.media.pictures.pieces import Fitted
    from pipeline.media.tally import Tally
    from pipeline.model.shapes import Shape, Stretch
    from pipeline.model.timeline import Run


class Odd:
    """What re-encodes the odd pictures of one track, run by run.

    Args:
        shape: of the track.
        odd: the stretches of other shapes.
        entry: of the track, under whose parameter sets is encoded.
        tally: where to note what cannot be.
    """

    def __init__(self, shape: Shape, odd: Sequence[Stretch], entry: Entry, tally: Tally) -> None:
        self._shape = shape
        self._entry = entry
        self._tally = tally
        self._into = bitstream(shape.codec, in_band=True)
        # Rotation may change between key frames: what a picture refers to is then decoded first.
        self._keeps = any(replace(s.shape, clockwise=shape.clockwise) == shape for s in odd)

    def fitted(self, run: Run, codec: str, pictures: Iterator[Picture]) -> Iterator[Picture]:
        """The pictures of a run, in ``codec``: the odd ones, and what refers to them, encoded anew."""
        stream = bitstream(codec)
        group: list[tuple[int, bytes]] = []
        fitter: Fitter | None = None
        for at, ahead, key, payload, clockwise in pictures:
            if clockwise == COPIED and (fitter is None or key):
                if fitter is not None:
                    yield from self._ended(fitter, run)
                    fitter = None
                if self._keeps:
                    group = [(at, payload)] if key else [*group, (at, payload)]
                yield at, ahead, key, payload, COPIED
                continue
            data, turn = payload, clockwise
            if clockwise == COPIED:
                data, turn = stream.decodable(payload), self._shape.clockwise
            if fitter is None:
                fitter = Fitter(codec, self._shape, self._entry.sets_id)
                for earlier, unit in () if key else group:
                    fitter.prime(stream.decodable(unit), earlier)
                group = []
            if stream.hidden(data):
                fitter.prime(data, at)
                self._tally.drop(HIDDEN)
            else:
                yield from self._encoded(fitter.take(data, at, turn))
        if fitter is not None:
            yield from self._ended(fitter, run)

    def _ended(self, fitter: Fitter, run: Run) -> Iterator[Picture]:
        yield from self._encoded(fitter.end())
        if fitter.undecoded:
            self._tally.drop(UNDECODED, fitter.undecoded)
            what = f"{fitter.undecoded} pictures could not be decoded to be re-encoded; dropped"
            self._tally.note(Sort.LOSS, what, run.start, run.placed[0].piece.key)

    def _encoded(self, fitted: Iterator[Fitted]) -> Iterator[Picture]:
        for at, key, data in fitted:
            yield at, self._entry.lead, key, self._into.unit(data).payload, ENCODED
