"""User ids are whatever people chose: each gets a file name that no shell and no file system trips over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import av
import pytest

from pipeline.demo.recorder import make
from pipeline.demo.scenario import Scenario, Style, User, Vendor
from pipeline.errors import ExitCode
from pipeline.job.merge import merge_all
from pipeline.model.manifest import FILE
from pipeline.model.options import Options
from pipeline.sources.folder import Folder
from pipeline.steps.place import Limits
from tests.merge.merging import merge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UIDS = (
    "a\"b'c`$(reboot)",
    "line\nbreak\r\ttab",
    "😀👩‍👩‍👧",
    "--help",
    "-rf",
    ".hidden",
    "..",
    "a/b\\c",
    "Ann",
    "ann",
    "ANN",
    "Straße",
    "strasse",
    "%2e",
    "bell\x07\x1b[31m",
    "con",
    "长" * 33,
    " ",
)


def test_any_user_id_gives_a_safe_name_of_its_own_and_stays_what_it_is(tmp_path: Path) -> None:
    users = tuple(User(uid=uid, number=n, sound=((0, 1500),)) for n, uid in enumerate(UIDS))
    scenario = Scenario(
        vendor=Vendor.TRTC,
        start_ms=1_772_442_000_250,
        slice_ms=10_000,
        channel="4711",
        users=users,
        style=Style(written=False),
    )
    result = merge(make(scenario, tmp_path / "in"), tmp_path / "out")
    assert result.code is ExitCode.GOOD
    assert sorted(output.uid for output in result.outputs) == sorted(UIDS)
    names = [output.file for output in result.outputs]
    assert len({name.casefold() for name in names}) == len(UIDS)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*names, FILE}
    for name in names:
        assert len(name.encode()) <= 130
        assert not name.startswith((".", "-"))
        assert name.isprintable()
        assert not set(name) & set("\"'`$()/\\ \n\r\t&|;<>*?!#~")
    for output in result.outputs:
        with av.open(str(result.file(output))) as container:
            assert container.metadata["title"] == output.uid


@pytest.mark.parametrize(
    "uid", ["x" * 300, "长" * 100, "-" * 300], ids=["ascii", "three bytes each", "dashes"]
)
def test_a_tagged_user_id_of_300_bytes_is_cut_in_the_name_alone(
    uid: str, copy: Callable[[str], Path], tmp_path: Path
) -> None:
    place = copy("audio-only")
    playlist = next(place.glob("*.m3u8"))
    text = playlist.read_text("utf-8")
    assert "#EXT-X-TRTC-USER-ID:voice\n" in text
    playlist.write_text(text.replace("-ID:voice\n", f"-ID:{uid}\n"), "utf-8")
    (done,) = merge_all(Folder(place), tmp_path / "out", Options(), Limits())
    (output,) = done.manifest.outputs
    assert output.uid == uid
    assert len(output.file.encode()) <= 130
    assert not output.file.startswith("-")
    assert (tmp_path / "out" / output.file).is_file()
