"""Which characters a font has: made tables of each format, real fonts against what FreeType draws."""

from __future__ import annotations

import struct
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.drawing.cmap import NoFontError, coverage
from tests.drawing.written import alone, dejavu

GROUPS = struct.pack(">HHIII", 12, 0, 40, 0, 2) + struct.pack(">6I", 65, 67, 0, 0x1F600, 0x1F601, 9)
ARRAY = struct.pack(">5H", 6, 16, 0, 65, 3) + struct.pack(">3H", 4, 0, 5)
SEGMENTS = struct.pack(">7H", 4, 48, 0, 8, 0, 0, 0) + struct.pack(
    ">19H",
    *(67, 75, 82, 0xFFFF),  # last characters
    *(0, 65, 70, 80, 0xFFFF),  # a pad, first characters
    *(1, 0x10000 - 72, 3, 1),  # deltas: the second makes 72 glyph 0
    *(0, 0, 4, 0xFFFF),  # offsets: the third points at the glyphs below
    *(1, 0),  # glyphs of 80 and 81; 82 lies behind the end
)


def font(*tables: tuple[int, int, bytes]) -> bytes:
    """A font that has nothing but a table of characters: platform, encoding and body of each kind of it."""
    at, heads, bodies = 4 + 8 * len(tables), b"", b""
    for platform, encoding, body in tables:
        heads += struct.pack(">HHI", platform, encoding, at + len(bodies))
        bodies += body
    cmap = struct.pack(">HH", 0, len(tables)) + heads + bodies
    return (
        struct.pack(">IHHHH", 0x10000, 1, 0, 0, 0) + struct.pack(">4sIII", b"cmap", 0, 28, len(cmap)) + cmap
    )


def characters(data: bytes, index: int = 0) -> list[int]:
    has = coverage(BytesIO(data), index)
    return [code for code in (*range(0x200), 0xFFFF, *range(0x1F5F0, 0x1F610)) if code in has]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        pytest.param(font((3, 10, GROUPS)), [66, 67, 0x1F600, 0x1F601], id="groups, without glyph 0"),
        pytest.param(font((0, 3, ARRAY)), [65, 67], id="an array, without glyph 0"),
        pytest.param(font((3, 1, SEGMENTS)), [65, 66, 67, 70, 71, 73, 74, 75, 80], id="segments"),
        pytest.param(font((3, 1, ARRAY), (3, 10, GROUPS)), [66, 67, 0x1F600, 0x1F601], id="the full table"),
        pytest.param(font((1, 0, GROUPS), (3, 1, ARRAY)), [65, 67], id="the one of Unicode"),
    ],
)
def test_characters_are_read_from_every_format(data: bytes, found: list[int]) -> None:
    assert characters(data) == found


def test_a_font_of_a_collection_is_read() -> None:
    head = struct.pack(">4sIIII", b"ttcf", 0x10000, 2, 20, 20)
    whole = bytearray(head + font((3, 1, ARRAY)))
    struct.pack_into(">I", whole, 20 + 12 + 8, 28 + 20)
    assert characters(bytes(whole), 1) == [65, 67]
    with pytest.raises(NoFontError, match="it has 2 fonts, and number 2"):
        coverage(BytesIO(whole), 2)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(b"", "cannot be read", id="empty"),
        pytest.param(b"GIF89a" + bytes(100), "cannot be read", id="another format"),
        pytest.param(font(), "no table of Unicode", id="no table inside"),
        pytest.param(font((3, 0, ARRAY)), "no table of Unicode", id="symbols"),
        pytest.param(font((3, 1, struct.pack(">HH", 2, 0))), "format 2", id="an old format"),
        pytest.param(
            font((3, 10, struct.pack(">HHIII", 12, 0, 0, 0, 1 << 31))), "cut off", id="a false count"
        ),
    ],
)
def test_what_does_not_tell_its_characters_is_no_font(data: bytes, told: str) -> None:
    with pytest.raises(NoFontError, match=told):
        coverage(BytesIO(data))


@given(st.sampled_from([GROUPS, ARRAY, SEGMENTS]), st.data())
def test_any_damage_is_read_or_refused(table: bytes, data: st.DataObject) -> None:
    broken = bytearray(font((3, 1, table)))
    for _ in range(data.draw(st.integers(1, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    with suppress(NoFontError):
        assert len(coverage(BytesIO(bytes(broken[: data.draw(st.integers(0, len(broken)))])))) <= 0x110000


def test_a_character_is_there_exactly_where_freetype_draws_another_glyph_than_the_box() -> None:
    path = dejavu()
    with path.open("rb") as file:
        has = coverage(file)
    box = alone(chr(0x10FFFF), path)
    letters = [chr(code) for code in (*range(0x41, 0x2000, 5), *range(0x4E00, 0x9FFF, 500), 0x1F600, 0x1F9FF)]
    shown = {each for each in letters if not np.array_equal(alone(each, path), box)}
    seen = {each for each in letters if ord(each) in has}
    assert shown == seen
    assert 0 < len(seen) < len(letters)
