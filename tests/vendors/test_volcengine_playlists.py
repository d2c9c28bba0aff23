"""Volcengine's playlists: what HLS itself says, whatever the slices are called."""

from __future__ import annotations

import pytest

from pipeline.errors import UnsafeUriError
from pipeline.vendors.base import Segment
from pipeline.vendors.volcengine import read_playlist

KEY = "mytask_myroom_user1_C_1700000000000_000030_c4694fa1.m3u8"
TEXT = """#EXTM3U
#EXT-X-VERSION:3
#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z
#EXTINF:10.0,
whatever-0.ts
#EXT-X-DISCONTINUITY
#EXTINF:5.5,
whatever-1.ts
"""


def test_slices_are_read_by_what_hls_says_of_them() -> None:
    found = read_playlist(TEXT + "#EXT-X-ENDLIST\n", KEY)
    assert found.segments == (
        Segment("whatever-0.ts", 10_000_000, start_ms=1_700_000_000_000),
        Segment("whatever-1.ts", 5_500_000, discontinuity=True),
    )
    assert (found.ended, found.start_ms, found.user_id, found.notes) == (True, None, None, ())


@pytest.mark.parametrize("time", ["", "yesterday", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z"])
def test_a_date_that_is_none_or_has_no_zone_is_noted_and_not_used(time: str) -> None:
    found = read_playlist(TEXT.replace("2023-11-14T22:13:20.000Z", time), KEY)
    assert found.segments[0].start_ms is None
    assert [note.partition(":")[0] for note in found.notes] == ["a tag has an unreadable time"]


def test_a_playlist_without_an_end_is_not_ended() -> None:
    assert not read_playlist(TEXT, KEY).ended


def test_a_line_that_leaves_the_folder_is_refused() -> None:
    with pytest.raises(UnsafeUriError, match="expected a bare file name"):
        read_playlist("#EXTM3U\n#EXTINF:1,\n../up.ts\n", KEY)
