"""Names of what merge scripts and recpipe make of a recording: known, and never an input.

Sources: Agora, merge files (``convert.py``, ``convert_v2.py``) and the on-premise SDK's ``video_convert.py``;
recpipe's own names are those of `pipeline.model.outputs`.
"""

from __future__ import annotations

import re

OUTPUT = "the result of a merge script, not an input"

_OUTPUT = re.compile(
    r".+_(?:\d+_merge(?:_\d+\.\d+_\d+\.\d+)?(?:_av)?\.(?:mp4|m4a)"
    r"|\d{17}_(?:av|video)\.(?:mp4|mkv|webm)|\d{17}(?:_mix)?\.m4a|\d{17}(?:_mix\.mp3|\.mka)"
    r"|\d{17}_(?:\d+|sheet)\.jpg|\d{17}\.png)",
    re.ASCII | re.DOTALL,
)


def is_output(name: str) -> bool:
    """Whether a bare name is that of a merged file or of a picture taken from one.

    >>> is_output("100_20190611073246073_av.mp4"), is_output("100_0_merge.m4a"), is_output("100_1.mp4")
    (True, True, False)
    >>> is_output("100_20190611073246073_av.mkv"), is_output("sid_room_20190611073246073_mix.mp3")
    (True, True)
    """
    return _OUTPUT.fullmatch(name) is not None
