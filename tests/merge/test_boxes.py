"""The box tree of outputs as text: what a change to the muxer does to the files is read in its diff.

What the encoders of the test pictures decide (sizes of samples, places of chunks, decoder configurations) is
left out: another build of them must not change these texts.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pipeline.media.mp4.dump import dump

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.merge.conftest import Merging

_ENCODERS_CHOICE = [
    (r"(?m)^((?: *)(?:stsz|stco|co64) .*?\(\d+\)).*$", r"\1 ..."),
    (r"(?m)^( *(?:avcC|hvcC|esds)) .*$", r"\1 ..."),
    (r"(?m)^((?:mdat|free|moov|ftyp)|(?: *)(?:trak|mdia|minf|stbl|stsd|avc1|hvc1|mp4a)) \d+", r"\1 ..."),
]


def _structure(text: str) -> str:
    for pattern, instead in _ENCODERS_CHOICE:
        text = re.sub(pattern, instead, text)
    return text


@pytest.mark.parametrize(
    "name",
    [
        *("plain-agora", "b-frames", "late-picture", "late-sound", "rotation-90", "mute-and-rejoin", "hevc"),
        *("web-vp8", "web-opus"),
    ],
)
def test_the_boxes_are_those_that_were_reviewed(
    name: str, merged: Merging, golden: Callable[[str, str], None]
) -> None:
    result = merged(name)
    with result.file(result.outputs[0]).open("rb") as file:
        golden(f"merge/golden/{name}.txt", _structure(dump(file)))
