"""A TS slice as the MP4 that FFmpeg's muxer makes of it: what recorders deliver as a finished file."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import av


def finished(ts: bytes, created_ms: int = 0, *, fragmented: bool = False) -> bytes:
    """The packets of a TS slice in an MP4 whose line begins at the first of them, whatever is shown then.

    Args:
        ts: the slice.
        created_ms: UTC ms that the file says it was made at, to the second; 0 for nothing.
        fragmented: with ``moof`` boxes.
    """
    out = BytesIO()
    options = {"movflags": "frag_keyframe"} if fragmented else {}
    with (
        av.open(BytesIO(ts), "r", format="mpegts") as source,
        av.open(out, "w", format="mp4", options=options) as sink,
    ):
        if created_ms:
            made = datetime.fromtimestamp(created_ms // 1000, UTC)
            sink.metadata["creation_time"] = f"{made:%Y-%m-%dT%H:%M:%S}Z"
        packets = [packet for packet in source.demux() if packet.pts is not None and packet.dts is not None]
        zero = min((packet.pts for packet in packets if packet.pts is not None), default=0)
        copies = {stream.index: sink.add_stream_from_template(stream) for stream in source.streams}
        for packet in packets:
            index = packet.stream.index
            packet.pts = None if packet.pts is None else packet.pts - zero
            packet.dts = None if packet.dts is None else packet.dts - zero
            packet.stream = copies[index]
            sink.mux(packet)
    return out.getvalue()
