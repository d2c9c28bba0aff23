"""What goes into a store is what a merge into a folder makes, to the byte; the manifest comes last."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import BusyError, CommandError, CorruptError, DeniedError, ExitCode
from pipeline.job.look import plan_all
from pipeline.job.merge import merge_all
from pipeline.journal.here import utc_ms
from pipeline.journal.journal import FOLDER, store_journal
from pipeline.journal.notes import Claim
from pipeline.model.manifest import FILE
from pipeline.model.options import OnChange, Options, Verify
from pipeline.sources.bucket import Bucket
from pipeline.sources.folder import Folder
from pipeline.steps import deliver as delivering
from pipeline.steps import stream as streaming
from pipeline.steps.deliver import Target
from pipeline.steps.place import Limits
from pipeline.steps.recheck import recheck
from pipeline.steps.stream import IntoStore
from pipeline.storage import sending
from pipeline.storage.below import Below
from pipeline.storage.memory import MemoryStore
from pipeline.storage.open import open_store
from pipeline.storage.part_sizes import Sizes
from pipeline.storage.passing import Passing
from pipeline.storage.protocol import ALWAYS, PLAIN, Extras, Stat, Unless
from pipeline.storage.verified import Verified
from tests.merge.merging import tree
from tests.servers.clients import client
from tests.sources.stored import objects, put_all, same
from tests.storage.faults import Lying, Shaky, flipped
from tests.storage.servers import HOSTILE, bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.demo.made import Made
    from pipeline.job.works import Done
    from pipeline.media.remux import Remuxed
    from pipeline.sources.protocol import Source
    from pipeline.storage.profile import Parts
    from pipeline.storage.protocol import Upload
    from tests.servers.s3 import S3Server


def merged(source: Source | Path, to: Target | Path, *, overwrite: bool = False) -> tuple[Done, ...]:
    source = Folder(source) if isinstance(source, Path) else source
    return merge_all(source, to, Options(), Limits(overwrite=overwrite))


class Small(Sizes):
    """Parts so small that a recording of seconds leaves in many."""

    @classmethod
    def within(cls, rules: Parts) -> Sizes:
        assert not rules.equal
        return Sizes(held=10_000, first=20_000, step=1000)


@pytest.fixture(params=[pytest.param(False, id="whole"), pytest.param(True, id="in parts")])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param:
        monkeypatch.setattr(sending, "PART", 64 << 10)
        monkeypatch.setattr(streaming, "Sizes", Small)


@pytest.mark.usefixtures("parts")
def test_outputs_reach_a_store_whole_and_the_second_time_nothing_is_done(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    place, store = made("plain-agora").place, MemoryStore()
    merged(place, tmp_path / "local")
    (done,) = merged(place, Target("mem:", store))
    assert (done.place, done.already) == ("mem:", False)
    assert same(objects(store), tree(tmp_path / "local"))
    assert all(output.etag for output in done.manifest.outputs)
    before = [*store.list("")]
    (again,) = merged(place, Target("mem:", store))
    assert again.already
    assert [*store.list("")] == before
    assert again.manifest == done.manifest


def test_files_of_a_merge_that_was_killed_behind_its_manifest_stay_though_the_next_run_fails(
    made: Callable[[str], Made],
) -> None:
    place, store = made("plain-agora").place, MemoryStore()
    (done,) = merged(place, Target("mem:", store))
    before = objects(store)
    journal = store_journal(store, done.manifest.job, utc_ms)
    journal.notes.claim(Claim(done.manifest.files))
    journal.lease.release()

    class Refusing(Below):
        """Takes no manifest."""

        def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
            if key == FILE:
                raise DeniedError("no.")
            return super().put(key, data, extras, unless)

    with pytest.raises(DeniedError):
        merged(place, Target("mem:", Refusing(store, "")))
    assert {key: data for key, data in objects(store).items() if not key.startswith(FOLDER)} == before
    (again,) = merged(place, Target("mem:", store))
    assert again.already
    assert objects(store) == before


def test_from_bucket_to_bucket_of_two_accounts_over_tls(
    swift_tls: S3Server, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = made("plain-trtc").place
    ours, theirs = swift_tls.accounts[:2]
    source = open_store(settings(swift_tls, bucket(swift_tls, ours), "in/"), environ(swift_tls, ours))
    name = bucket(swift_tls, theirs)
    target = open_store(settings(swift_tls, name, "out/"), environ(swift_tls, theirs))
    put_all(place, source)
    merged(place, tmp_path / "local")
    merged(Bucket("in:", source), Target("out:", target))
    assert same(objects(target), tree(tmp_path / "local"))
    with client(swift_tls, theirs) as raw:
        kept = {item["Key"] for item in raw.list_objects_v2(Bucket=name)["Contents"]}
        (mp4,) = [key for key in kept if key.endswith("_av.mp4")][:1]
        head = raw.head_object(Bucket=name, Key=mp4)
        assert head["ContentType"] == "video/mp4"
        assert "Uploads" not in raw.list_multipart_uploads(Bucket=name)
    assert all(key.startswith("out/") for key in kept)


def test_into_a_store_that_speaks_as_cos_does(
    rclone_tls: S3Server, made: Callable[[str], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "Sizes", Small)
    place = made("plain-agora").place
    target = open_store(settings(rclone_tls, bucket(rclone_tls), "out/", HOSTILE), environ(rclone_tls))
    merged(place, tmp_path / "local")
    (done,) = merged(place, Target("out:", target))
    assert same(objects(target), tree(tmp_path / "local"))
    (again,) = merged(place, Target("out:", target))
    assert again.already
    assert again.manifest == done.manifest


def test_several_recordings_get_a_folder_each(made: Callable[[str], Made], tmp_path: Path) -> None:
    store = MemoryStore()
    for name in ("late-sound", "plain-trtc"):
        put_all(made(name).place, Below(store, f"{name}/"))
    merged(Bucket("in:", store), tmp_path / "local")
    to = MemoryStore()
    done = merged(Bucket("in:", store), Target("s3://bucket/out", to))
    assert same(objects(to), tree(tmp_path / "local"))
    assert {d.place for d in done} == {
        f"s3://bucket/out/{path.name}" for path in (tmp_path / "local").iterdir()
    }


def test_an_object_that_is_in_the_way_is_not_replaced_unless_asked(made: Callable[[str], Made]) -> None:
    place, store = made("plain-agora").place, MemoryStore()
    (done,) = merged(place, Target("mem:", store))
    file = done.manifest.outputs[0].file
    store.put(file, b"mine")
    with pytest.raises(CommandError, match=f"mem:{file} exists and is not the result of this merge"):
        merged(place, Target("mem:", store))
    assert store.get(file).data == b"mine"
    merged(place, Target("mem:", store), overwrite=True)
    assert store.stat(file).size == done.manifest.outputs[0].size


def test_a_name_that_only_the_merge_finds_out_is_not_replaced_either(made: Callable[[str], Made]) -> None:
    """What changes inside a slice is met while it is copied, and the files are then others than planned."""
    source, options = Folder(made("hevc-ramp-up").place), Options(on_change=OnChange.SPLIT)
    planned = {output.file for output in plan_all(source, options)[1][0].plan.outputs}
    (done,) = merge_all(source, Target("mem:", MemoryStore()), options, Limits())
    other = min({output.file for output in done.manifest.outputs} - planned)
    store = MemoryStore()
    store.put(other, b"mine")
    with pytest.raises(CommandError, match=f"mem:{other} exists and is not the result of this merge"):
        merge_all(source, Target("mem:", store), options, Limits())
    assert objects(store) == {other: b"mine"}


def test_the_rest_of_a_target_is_not_listed(made: Callable[[str], Made]) -> None:
    """A bucket of results may hold millions."""

    class Large(MemoryStore):
        def list(self, prefix: str, after: str = "") -> Iterator[Stat]:
            assert prefix.startswith(f"{FOLDER}/")
            return super().list(prefix, after)

    place, store = made("plain-agora").place, Large()
    merged(place, Target("mem:", store))
    assert store.stat(FILE).size
    assert merged(place, Target("mem:", store))[0].already


@pytest.mark.usefixtures("parts")
def test_a_store_that_fails_leaves_neither_a_manifest_nor_an_upload(
    made: Callable[[str], Made],
) -> None:
    store = MemoryStore()

    class Full(Shaky):
        """Takes a few writes."""

        def shake(self, name: str, call: Callable[[], object]) -> object:  # type: ignore[override] # any call
            self.calls += [name] if name.startswith(("put", "part")) else []
            if self.calls[2:] and self.calls[-1] == name:
                raise BusyError("the store is full.")
            return call()

    with pytest.raises(BusyError):
        merged(made("plain-agora").place, Target("mem:", Full(store)))
    assert not [key for key in objects(store) if not key.startswith(FOLDER)]
    assert list(store.uploads("")) == []


class LyingOfFiles(Lying):
    """The journal arrives as it was sent, and is read as it is."""

    get = Below.get

    def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
        put = Below.put if key.startswith(FOLDER) else Lying.put
        return put(self, key, data, extras, unless)


@pytest.mark.usefixtures("parts")
def test_what_arrives_changed_is_taken_away_again(made: Callable[[str], Made]) -> None:
    store = MemoryStore()
    with pytest.raises(CorruptError, match="other bytes"):
        merged(made("plain-agora").place, Target("mem:", Verified(LyingOfFiles(store, flipped, times=10**6))))
    assert objects(store) == {}
    assert list(store.uploads("")) == []


def test_a_changed_object_that_no_hash_tells_is_found_by_reading_back(
    made: Callable[[str], Made],
) -> None:
    class Blind(LyingOfFiles):
        """A store whose answers tell no hash."""

        def put(self, key: str, data: bytes, extras: Extras = PLAIN, unless: Unless = ALWAYS) -> Stat:
            return replace(super().put(key, data, extras, unless), md5="")

    store = MemoryStore()
    with pytest.raises(CorruptError, match="has other bytes in the store than left"):
        merged(made("plain-agora").place, Target("mem:", Blind(store, flipped, times=1)))
    assert objects(store) == {}


def test_changed_parts_that_no_hash_tells_are_found_by_reading_back(
    made: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Blind(LyingOfFiles):
        """A store that vouches for no part; the fifth arrives changed."""

        def upload(self, key: str, extras: Extras = PLAIN) -> Upload:
            class Unhashed(Passing):
                md5 = False

                def part(self, number: int, data: bytes) -> str:
                    return super().part(number, flipped(data) if number == 5 else data)

            return Unhashed(self._store.upload(key, extras))

    monkeypatch.setattr(streaming, "Sizes", Small)
    store = MemoryStore()
    with pytest.raises(CorruptError, match=r"part 5 of .* has other bytes in the store than left"):
        merged(made("plain-agora").place, Target("mem:", Blind(store, flipped, times=0)))
    assert objects(store) == {}
    assert list(store.uploads("")) == []


def test_a_file_that_left_in_parts_is_verified_after_a_download(
    made: Callable[[str], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "Sizes", Small)
    store = MemoryStore()
    (done,) = merged(made("plain-agora").place, Target("mem:", store))
    output = done.manifest.outputs[0]
    assert output.sha256 == ""
    assert len(output.parts) > 3
    assert output.verdict.decoded > 0
    assert output.verdict.checks > 20
    for key, data in objects(store).items():
        (tmp_path / key).write_bytes(data)
    assert recheck(tmp_path, Verify.FULL).good
    whole = bytearray((tmp_path / output.file).read_bytes())
    at = output.parts[0].size + output.parts[1].size // 2
    whole[at] ^= 1
    (tmp_path / output.file).write_bytes(whole)
    checked = recheck(tmp_path, Verify.FAST).files[0]
    assert any("part 2 has other bytes" in problem for problem in checked.verdict.problems)


def test_an_object_whose_tables_are_not_as_the_manifest_tells_is_removed(
    made: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store vouches for all that left; the writer is what went wrong."""

    class Wrong(IntoStore):
        def _made(self, *given: Any) -> Remuxed:
            right = super()._made(*given)
            tracks = tuple(replace(track, end=track.end + 90_000) for track in right.tracks)
            return replace(right, tracks=tracks)

    monkeypatch.setattr(streaming, "Sizes", Small)
    monkeypatch.setattr(delivering, "IntoStore", Wrong)
    store = MemoryStore()
    (done,) = merged(made("plain-agora").place, Target("mem:", store))
    output = done.manifest.outputs[0]
    assert any("its end lies at" in problem for problem in output.verdict.problems)
    assert set(objects(store)) == {FILE}
    assert done.exit_code(accept_loss=False) is ExitCode.VERIFICATION
