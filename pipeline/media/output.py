"""One output made in the container that was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from pipeline.media.mp4.sink import Sink
from pipeline.media.remux import Remuxed, remux

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.model.plan import OutputPlan


def make(
    output: OutputPlan,
    open_slice: Callable[[str], BinaryIO],
    sink: BinaryIO | Sink,
    scratch: Callable[[], BinaryIO],
    progress: Callable[[int], None] = lambda _: None,
    *,
    processes: int = 1,
    hashing: bool = True,
) -> Remuxed:
    """Write a complete file; the same bytes with any number of processes.

    Args:
        output: the plan; it must not be refused.
        open_slice: opens a slice's key for reading.
        sink: an empty file that can be written, read and sought; where `OutputPlan.streamable`, anything
            that takes the media and then the head.
        scratch: opens a file without a name, for what is only needed meanwhile.
        progress: called now and then with input bytes read since the last call.
        processes: with more than one, sound is copied beside the pictures.
        hashing: hash the copied payloads, so that the file can be checked against what was read.

    Raises:
        Surprise: the stream is not what its ends promised.
        OSError: a slice cannot be read or the sink not written.
        TypeError: the sink is no file and the output is not streamable.
    """
    if output.streamable:
        return remux(output, open_slice, sink, progress, processes=processes, hashing=hashing)
    if isinstance(sink, Sink):
        raise TypeError(f"{output.file} is not copied as it is: it takes a file that can be read and sought")
    # What few outputs need is imported with them: a fifth of the start of a plain copy.
    if output.speakers:
        from pipeline.media.mix.sound import encode_sound

        return encode_sound(output, open_slice, sink, progress, hashing=hashing)
    if not output.container.wrapped:
        return remux(output, open_slice, sink, progress, processes=processes, hashing=hashing)
    from pipeline.media.wrap.matroska import wrap

    with scratch() as movie:
        made = remux(output, open_slice, movie, progress, processes=processes, hashing=hashing)
        wrap(movie, sink, output.container)
    return made
