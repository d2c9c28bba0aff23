"""Files in a store are checked where they lie: what is good is told so, and what is not, why."""

from __future__ import annotations

import re
import shutil
from collections import namedtuple
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError, ConditionError, ExitCode, NoSpaceError
from pipeline.job.merge import merge_all
from pipeline.model.containers import Container
from pipeline.model.manifest import FILE, Manifest, Output
from pipeline.model.options import Options, Tracks, Verify
from pipeline.sources.bucket import Bucket
from pipeline.sources.folder import Folder
from pipeline.steps import stream as streaming
from pipeline.steps.deliver import Target
from pipeline.steps.place import Limits
from pipeline.steps.recheck_stored import Beside, recheck_stored
from pipeline.storage import sending
from pipeline.storage.below import Below
from pipeline.storage.memory import MemoryStore
from pipeline.storage.protocol import Got, Stat
from tests.merge.merging import tree
from tests.sources.stored import put_all
from tests.sources.test_deliver import Small

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pipeline.demo.made import Made

    Damage = Callable[["Watched", Output], object]

BOTH = (Verify.FAST, Verify.FULL)


class Watched(MemoryStore):
    """Counts the bytes that are read, and can be told to say that an object is still the one it was."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0
        self.says: dict[str, str] = {}

    def stat(self, key: str) -> Stat:
        return self._told(super().stat(key))

    def get_range(self, key: str, start: int, length: int) -> Got:
        got = super().get_range(key, start, length)
        self.read += len(got.data)
        return Got(got.data, self._told(got.stat))

    def _told(self, stat: Stat) -> Stat:
        return replace(stat, etag=self.says.get(stat.key, stat.etag))

    def spoil(self, key: str, at: int) -> None:
        """Change a byte."""
        data = bytearray(super().get(key).data)
        data[at] ^= 1
        self.put(key, bytes(data))

    def lie(self, key: str, at: int) -> None:
        """Change a byte, and say nothing of it."""
        etag = super().stat(key).etag
        self.spoil(key, at)
        self.says[key] = etag


@pytest.fixture(params=[pytest.param(False, id="whole"), pytest.param(True, id="in parts")])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param:
        monkeypatch.setattr(sending, "PART", 64 << 10)
        monkeypatch.setattr(streaming, "Sizes", Small)
    return bool(request.param)


def stored(place: Path, options: Options | None = None) -> tuple[Watched, Manifest]:
    store = Watched()
    (done,) = merge_all(Folder(place), Target("mem:", store), options or Options(), Limits())
    store.read = 0
    return store, done.manifest


def problems(store: Watched, level: Verify) -> dict[str, str]:
    """What is wrong, by the files' paths."""
    found = recheck_stored(Target("mem:", store), level)
    assert found.exit_code is (ExitCode.GOOD if found.good else ExitCode.VERIFICATION)
    return {each.path: "; ".join(each.verdict.problems) for each in found.files if not each.verdict.good}


@pytest.mark.parametrize("level", BOTH)
def test_what_was_delivered_is_good(level: Verify, made: Callable[[str], Made], *, parts: bool) -> None:
    store, manifest = stored(made("plain-agora").place)
    assert any(output.parts[1:] for output in manifest.outputs) is parts
    found = recheck_stored(Target("mem:", store), level)
    assert found.good
    assert [each.path for each in found.files] == [f"mem:{output.file}" for output in manifest.outputs]
    assert [each.uid for each in found.files] == [output.uid for output in manifest.outputs]
    assert all((each.verdict.decoded > 0) is (level is Verify.FULL) for each in found.files)


@pytest.mark.usefixtures("parts")
def test_fast_reads_the_tables_alone_and_full_reads_everything(
    made: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.steps.recheck_stored.TABLES", 1)
    store, manifest = stored(made("plain-agora").place)
    size = sum(output.size for output in manifest.outputs)
    recheck_stored(Target("mem:", store), Verify.FAST)
    assert 0 < store.read < size / 4
    store.read = 0
    recheck_stored(Target("mem:", store), Verify.FULL)
    assert size <= store.read < 3 * size  # tables and joins are read by themselves


DAMAGES: Mapping[str, tuple[Damage, str, str]] = {
    "is gone": (
        lambda store, output: store.delete(output.file),
        "it is not there",
        "it is not there",
    ),
    "ends early": (
        lambda store, output: store.put(output.file, store.get(output.file).data[:-1]),
        "bytes instead of",
        "bytes instead of",
    ),
    "has another byte in its media": (
        lambda store, output: store.spoil(output.file, output.size - 9),
        "it was written anew; --level full tells whether its bytes are the same",
        "other bytes than its MD5|its SHA-256 is not that of the manifest",
    ),
    "has another byte that its store does not tell": (
        lambda store, output: store.lie(output.file, output.size - 9),
        "",
        "other bytes than its MD5|its SHA-256 is not that of the manifest",
    ),
    "has other tables that its store does not tell": (
        lambda store, output: store.lie(output.file, store.get(output.file).data.index(b"stts") + 11),
        "cannot be read back|instead of",
        "cannot be read back|instead of",
    ),
    "was written anew with the same bytes": (
        lambda store, output: store.says.update({output.file: "another"}),
        "its ETag is another instead of .*: it was written anew",
        "",
    ),
}


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("level", BOTH)
@pytest.mark.parametrize("name", DAMAGES)
def test_a_file_that(name: str, level: Verify, made: Callable[[str], Made]) -> None:
    damage, fast, full = DAMAGES[name]
    store, manifest = stored(made("plain-agora").place)
    damage(store, manifest.outputs[1])
    expected = fast if level is Verify.FAST else full
    found = problems(store, level)
    assert set(found) == ({f"mem:{manifest.outputs[1].file}"} if expected else set())
    assert all(re.search(expected, text) for text in found.values())


OTHERS = {
    Container.MKV: ("b-frames", Options(container=Container.MKV)),
    Container.WEBM: ("web-vp9", Options(container=Container.WEBM, tracks=Tracks.VIDEO)),
    Container.MP3: ("stereo-44100", Options(container=Container.MP3, tracks=Tracks.AUDIO)),
}


@pytest.mark.parametrize("container", OTHERS)
def test_another_container_is_fetched_for_full_alone(
    container: Container, made: Callable[[str], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    name, options = OTHERS[container]
    store, manifest = stored(made(name).place, options)
    assert problems(store, Verify.FAST) == {}
    assert store.read == 0
    assert problems(store, Verify.FULL) == {}
    assert store.read >= manifest.outputs[0].size
    file = manifest.outputs[0].file
    store.lie(file, manifest.outputs[0].size // 2)
    assert problems(store, Verify.FAST) == {}
    assert "SHA-256" in problems(store, Verify.FULL)[f"mem:{file}"]
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_has_no_room_to_be_fetched_is_told(
    made: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, options = OTHERS[Container.MKV]
    store, _ = stored(made(name).place, options)
    usage = namedtuple("usage", "free")  # noqa: PYI024 - of shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10))
    with pytest.raises(NoSpaceError, match=r"where it is fetched to, has 10: .* set TMPDIR"):
        problems(store, Verify.FULL)


@pytest.mark.parametrize("level", BOTH)
@pytest.mark.parametrize("name", ["plain-agora", "web-vp9"])
def test_a_folder_that_was_uploaded_by_hand_has_no_etags_and_is_checked_too(
    name: str, level: Verify, made: Callable[[str], Made], tmp_path: Path
) -> None:
    options = OTHERS[Container.WEBM][1] if name == "web-vp9" else Options()
    (done,) = merge_all(Folder(made(name).place), tmp_path, options, Limits())
    store = Watched()
    put_all(tmp_path, store)
    assert problems(store, level) == {}
    output = done.manifest.outputs[0]
    store.spoil(output.file, output.size - 1)
    movie = output.container == "mp4"
    assert bool(problems(store, level)) is (level is Verify.FULL or not movie)


def test_folders_are_checked_each_and_only_those_with_a_manifest(made: Callable[[str], Made]) -> None:
    store = MemoryStore()
    for name in ("late-sound", "plain-trtc"):
        put_all(made(name).place, Below(store, f"{name}/"))
    to = MemoryStore()
    done = merge_all(Bucket("in:", store), Target("mem:x/", Below(to, "x/")), Options(), Limits())
    for key in (
        "x/a",
        "x/.recpipe/job/owner.json",
        "x/0/0/manifest.json",
        "x/~/z",
        "x//y",
        "y/manifest.json",
    ):
        to.put(key, b"")
    found = recheck_stored(Target("mem:x/", Below(to, "x/")), Verify.FAST)
    assert found.good
    expected = [f"{each.place}/{output.file}" for each in done for output in each.manifest.outputs]
    assert sorted(each.path for each in found.files) == sorted(expected)


def test_one_file_is_checked_by_the_manifest_beside_it(made: Callable[[str], Made]) -> None:
    store, manifest = stored(made("plain-agora").place)
    place, file = Target("mem:", store), manifest.outputs[1].file
    store.delete(manifest.outputs[0].file)

    def asked(name: str) -> list[str]:
        below = Target(f"mem:{name}", Below(store, f"{name}/"))
        return [each.path for each in recheck_stored(below, Verify.FAST, Beside(place, name)).files]

    assert asked(file) == [f"mem:{file}"]
    assert asked(FILE) == [f"mem:{output.file}" for output in manifest.outputs]
    with pytest.raises(
        CommandError, match=r"mem:manifest\.json does not name other\.mp4: give one of the files"
    ):
        asked("other.mp4")


def test_a_place_without_a_manifest_is_told() -> None:
    store = MemoryStore()
    store.put("a/b/c", b"")
    place = Target("mem:out", store)
    for beside in (None, Beside(Target("mem:", MemoryStore()), "out")):
        with pytest.raises(
            CommandError, match=r"mem:out has no manifest\.json, nor has a folder in it: give a"
        ):
            recheck_stored(place, Verify.FULL, beside)


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff"])
def test_a_manifest_that_is_none_is_told(data: bytes) -> None:
    store = Watched()
    store.put(FILE, data)
    assert set(problems(store, Verify.FULL)) == {"mem:manifest.json"}


def test_a_manifest_names_nothing_outside_of_its_place(made: Callable[[str], Made]) -> None:
    store, manifest = stored(made("plain-agora").place)
    outside = replace(manifest.outputs[0], file="../other.mp4")
    store.put(FILE, replace(manifest, outputs=(outside,)).to_json().encode())
    (text,) = problems(store, Verify.FULL).values()
    assert "which is no bare file name" in text


def test_a_file_that_is_written_anew_meanwhile_ends_the_check(made: Callable[[str], Made]) -> None:
    class Anew(Watched):
        def get_range(self, key: str, start: int, length: int) -> Got:
            self.spoil(key, 0)
            return super().get_range(key, start, length)

    store = Anew()
    merge_all(Folder(made("plain-agora").place), Target("mem:", store), Options(), Limits())
    with pytest.raises(ConditionError, match=r"changed after it was listed .*: run again"):
        recheck_stored(Target("mem:", store), Verify.FULL)


def test_nothing_is_written(made: Callable[[str], Made], tmp_path: Path) -> None:
    store, _ = stored(made("plain-agora").place)
    before = [*store.list("")]
    for level in BOTH:
        problems(store, level)
    assert [*store.list("")] == before
    assert tree(tmp_path) == {}
