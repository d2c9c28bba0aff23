"""Where the files of a naming go: folders before names, and not into the source."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError
from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.bucket import Bucket
from pipeline.sources.folder import Folder
from pipeline.steps.deliver import Target
from pipeline.steps.folders import placed
from pipeline.steps.place import Limits
from pipeline.storage.memory import MemoryStore
from tests.sources.stored import put_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.demo.made import Made

TRTC = Options(name="trtc")


@pytest.mark.parametrize(
    ("source", "dest", "inside"),
    [
        pytest.param("calls:room7", "calls:room7", True, id="the source itself"),
        pytest.param("calls:room7", "calls:room7/out", True, id="below it"),
        pytest.param("calls:room7/", "calls:room7", True, id="with a slash"),
        pytest.param("calls:", "calls:out", True, id="in a whole store"),
        pytest.param("calls:room7", "calls:room70", False, id="beside it"),
        pytest.param("calls:room7/in", "calls:room7", False, id="above it"),
        pytest.param("calls:room7", "vod:room7", False, id="in another store"),
    ],
)
def test_names_of_a_vendor_stay_out_of_the_source(source: str, dest: str, *, inside: bool) -> None:
    where, to = Bucket(source, MemoryStore()), Target(dest, MemoryStore())
    assert placed(where, to, Options()) is to
    if inside:
        with pytest.raises(CommandError, match=f"{dest} lies in {source}, where they would be read as one"):
            placed(where, to, TRTC)
    else:
        assert placed(where, to, TRTC) is to


def test_a_folder_and_a_store_are_apart(tmp_path: Path) -> None:
    to = Target(f"{tmp_path}/out", MemoryStore())
    assert placed(Folder(tmp_path), to, TRTC) is to
    assert placed(Bucket("calls:", MemoryStore()), Path("calls:"), TRTC) == Path("calls:")


def test_a_link_into_the_source_is_seen_through(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(CommandError, match="lies in"):
        placed(Folder(tmp_path / "in"), tmp_path / "link" / "out", TRTC)


def test_folders_before_names_are_folders_of_a_store(made: Callable[[str], Made]) -> None:
    calls, vod = MemoryStore(), MemoryStore()
    put_all(made("plain-trtc").place, calls)
    source, options = Bucket("calls:", calls), Options(name="trtc:a_1/b/", uids=("anna@example.com",))
    to = placed(source, Target("vod:films", vod), options)
    assert isinstance(to, Target)
    assert to.name == "vod:films/a_1/b"
    merge_all(source, Target("vod:films", vod), options, Limits())
    assert [stat.key for stat in vod.list("")] == [
        "a_1/b/20055501_1042317788__UserId_s_YW5uYUBleGFtcGxlLmNvbQ..__UserId_e_main.mp4",
        "a_1/b/manifest.json",
    ]
