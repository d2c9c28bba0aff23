"""Recordings merged out of stores come out as those merged out of folders, to the byte."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ConditionError, InputError, NoRecordingError
from pipeline.job.look import inspect_all
from pipeline.job.merge import merge_all
from pipeline.model.options import Options
from pipeline.sources.bucket import Bucket
from pipeline.sources.folder import Folder
from pipeline.steps.find import find
from pipeline.steps.place import Limits
from pipeline.storage.below import Below
from pipeline.storage.memory import MemoryStore
from pipeline.storage.open import open_store
from tests.merge.merging import tree
from tests.servers.faults import every, faulty, slow_down
from tests.sources.stored import put_all
from tests.storage.servers import HOSTILE, bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from pipeline.demo.made import Made
    from pipeline.sources.protocol import Source
    from pipeline.storage.protocol import Got
    from tests.servers.s3 import S3Server

FIXTURES = [
    "plain-agora",
    "plain-trtc",
    "audiovideo-trtc",
    "ramp-up-in-slices",
    "missing-slice",
    "truncated-slice",
    "web-vp9",
    "web-combined-index",
    "trtc-mp4",
    "onpremise",
    "mix-agora-hls",
]


def merged_from(source: Source, place: Path, jobs: int = 1) -> dict[str, bytes]:
    merge_all(source, place, Options(), Limits(jobs=jobs))
    return tree(place)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_merge_from_memory_is_that_of_the_folder(
    name: str, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = made(name).place
    store = MemoryStore()
    put_all(place, store)
    local = merged_from(Folder(place), tmp_path / "local")
    assert merged_from(Bucket("memory", store), tmp_path / "stored") == local
    assert any(file.endswith((".mp4", ".m4a")) for file in local)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_merge_from_swift_over_tls_is_that_of_the_folder(
    jobs: int, swift_tls: S3Server, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = made("screen-and-camera").place
    store = open_store(settings(swift_tls, bucket(swift_tls), "calls/1/"), environ(swift_tls))
    put_all(place, store)
    local = merged_from(Folder(place), tmp_path / "local")
    assert merged_from(Bucket("swift", store), tmp_path / "stored", jobs) == local


def test_what_is_copied_aside_is_read_by_no_thread_of_this_process(
    made: Callable[[str], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process is forked for the sound: no thread goes on in it, and locks that one held stay locked."""
    place = made("plain-agora").place
    store = MemoryStore()
    put_all(place, store)
    source, here = Bucket("memory", store), []
    whole = source.whole

    def remembered(*tracks: Sequence[str]) -> Callable[[str], BinaryIO]:
        opened = whole(*tracks)

        def opening(key: str) -> BinaryIO:
            here.append(key)  # not seen where it happens in another process
            return opened(key)

        return opening

    monkeypatch.setattr(source, "whole", remembered)
    merge_all(source, tmp_path / "out", Options(uids=("101",)), Limits(jobs=2))
    assert here
    assert not [key for key in here if "_audio_" in key]


def test_a_merge_from_a_store_that_speaks_as_cos_does(
    rclone_tls: S3Server, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = made("plain-trtc").place
    where = settings(rclone_tls, bucket(rclone_tls), "room/", HOSTILE)
    store = open_store(where, environ(rclone_tls))
    put_all(place, store)
    local = merged_from(Folder(place), tmp_path / "local")
    assert merged_from(Bucket("rclone", store), tmp_path / "stored", 2) == local


def test_only_what_lies_below_the_prefix_is_seen(made: Callable[[str], Made]) -> None:
    store = MemoryStore()
    put_all(made("plain-agora").place, Below(store, "rec/"))
    put_all(made("plain-trtc").place, Below(store, "recording2/"))
    (inventory,) = find(Bucket("s3://b/rec", Below(store, "rec/"))).inventories
    assert inventory.recording.vendor == "agora"


def test_hidden_objects_and_what_stands_for_folders_are_not_seen() -> None:
    store = MemoryStore()
    for key in ("a.ts", "b/", ".hidden", "b/.recpipe/x", "b/c.ts"):
        store.put(key, b"")
    assert [item.key for item in Bucket("memory", store).objects()] == ["a.ts", "b/c.ts"]


def test_what_stands_for_the_prefix_itself_is_not_seen() -> None:
    """Consoles write an empty object of the prefix's name when a folder is made."""
    store = MemoryStore()
    store.put("room/", b"")
    source = Bucket("s3://b/room", Below(store, "room/"))
    assert source.objects() == ()
    with pytest.raises(NoRecordingError, match="s3://b/room is empty"):
        find(source)


def test_a_store_is_listed_once_and_anew_where_that_is_asked_for() -> None:
    store = MemoryStore()
    store.put("a.ts", b"")
    source = Bucket("memory", store)
    before = source.objects()
    store.delete("a.ts")
    store.put("b.ts", b"")
    assert source.objects() == before
    again = source.fresh()
    assert [item.key for item in again.objects()] == ["b.ts"]
    assert (again.name, again.task) == (source.name, source.task)


class Counting(MemoryStore):
    """Counts what is fetched, whole or in ranges."""

    fetched = 0
    ranges = 0

    def get(self, key: str) -> Got:
        self.fetched += 1
        return super().get(key)

    def get_range(self, key: str, start: int, length: int) -> Got:
        self.ranges += 1
        return super().get_range(key, start, length)


def slices(count: int, size: int) -> tuple[Bucket, Counting, list[str]]:
    """A source of objects of one size, what counts its requests, and its keys."""
    store = Counting()
    keys = [f"{number:02}.ts" for number in range(count)]
    for number, key in enumerate(keys):
        store.put(key, bytes([number]) * size)
    source = Bucket("memory", store)
    source.objects()
    return source, store, keys


def looked_at(source: Bucket, keys: Sequence[str]) -> None:
    """Both ends of all of them, as of what is read again later."""
    ends = source.ends(keys, again=True)
    for key in keys:
        with ends(key) as file:
            file.seek(-1, 2)
            file.read()


def test_what_is_looked_at_and_kept_is_fetched_once() -> None:
    source, store, keys = slices(20, 400_000)
    looked_at(source, keys)
    opened = source.whole(keys)
    assert [opened(key).read() for key in keys] == [bytes([n]) * 400_000 for n in range(20)]
    assert (store.fetched, store.ranges) == (20, 0)


def test_what_is_kept_is_bounded_and_of_the_rest_only_the_ends_are_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.sources.bucket.KEPT", 5 * 400_000)
    source, store, keys = slices(20, 400_000)
    looked_at(source, keys[:10])
    looked_at(source, keys[10:])
    assert (store.fetched, store.ranges) == (5, 2 * 15)
    opened = source.whole(keys)
    assert [opened(key).read() for key in keys] == [bytes([n]) * 400_000 for n in range(20)]
    assert (store.fetched, store.ranges) == (20, 2 * 15)


def test_what_other_processes_will_read_is_not_kept() -> None:
    source, store, keys = slices(20, 400_000)
    source.shared(2)
    looked_at(source, keys)
    assert (store.fetched, store.ranges) == (0, 2 * 20)


def test_a_process_that_reads_one_track_lets_go_of_what_was_kept_of_others() -> None:
    source, _, keys = slices(20, 400_000)
    looked_at(source, keys)
    opened = source.whole(keys[:10], keys[10:])
    fork = multiprocessing.get_context("fork")
    receiver, sender = fork.Pipe(duplex=False)

    def child() -> None:
        first = opened(keys[10]).read(1)
        sender.send((first, sorted(source._kept)))

    process = fork.Process(target=child, daemon=True)
    process.start()
    assert receiver.poll(20), "it hangs"
    assert receiver.recv() == (bytes([10]), keys[11:])
    process.join()
    assert len(source._kept) == 20


def test_what_is_not_read_again_is_looked_at_by_its_ends() -> None:
    source, store, keys = slices(20, 400_000)
    ends = source.ends(keys, again=False)
    for key in keys:
        ends(key).read(1)
    assert (store.fetched, store.ranges) == (0, 2 * 20)


def test_many_tracks_wait_in_the_memory_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mix reads all users at once: neither bytes nor threads may grow with their number."""
    monkeypatch.setattr("pipeline.sources.bucket.ROOM", 600)
    monkeypatch.setattr("pipeline.sources.bucket.THREADS", 4)
    tracks = [[f"{user}/{number:02}.ts" for number in range(20)] for user in range(60)]
    store = Counting()
    for key in (key for keys in tracks for key in keys):
        store.put(key, b"0123456789")
    source = Bucket("memory", store)
    source.objects()
    before = threading.active_count()
    opened = source.whole(*tracks)
    for keys in tracks:
        assert [opened(key).read() for key in keys[:2]] == [b"0123456789"] * 2
    assert threading.active_count() - before <= 60
    assert store.fetched <= 60 * (2 + 1)


def test_an_empty_prefix_is_told() -> None:
    with pytest.raises(NoRecordingError, match="s3://bucket/room is empty"):
        find(Bucket("s3://bucket/room", MemoryStore()))


def test_a_prefix_with_too_many_objects_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sources.bucket.MOST_OBJECTS", 3)
    store = MemoryStore()
    for number in range(4):
        store.put(str(number), b"")
    with pytest.raises(InputError, match="s3://b holds over 3 objects: give the prefix of one recording"):
        Bucket("s3://b", store).objects()


class WrittenAnew(MemoryStore):
    """A recorder writes the slice that is read as the ``nth`` anew, right before."""

    def __init__(self, nth: int) -> None:
        super().__init__()
        self._left = nth

    def get(self, key: str) -> Got:
        if key.endswith(".ts"):
            self._left -= 1
            if self._left == 0:
                self.put(key, b"other bytes")
        return super().get(key)


@pytest.mark.parametrize("nth", [1, 3])
def test_a_slice_that_changes_after_the_listing_ends_the_merge_with_a_sentence(
    nth: int, made: Callable[[str], Made], tmp_path: Path
) -> None:
    store = WrittenAnew(nth)
    put_all(made("plain-agora").place, store)
    with pytest.raises(ConditionError, match=r"\.ts changed after it was listed .*: run again"):
        merged_from(Bucket("memory", store), tmp_path / "out")
    assert tree(tmp_path / "out") == {}


def test_an_inspection_reads_the_ends_alone(made: Callable[[str], Made]) -> None:
    place = made("ramp-up").place
    store = MemoryStore()
    put_all(place, store)
    source = Bucket("memory", store)
    assert inspect_all(source) == inspect_all(Folder(place))
    assert source.read < sum(stat.size for stat in store.list(""))


def test_requests_that_are_refused_for_a_while_change_nothing(
    swift_http: S3Server, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = made("plain-agora").place
    name = bucket(swift_http)
    put_all(place, open_store(settings(swift_http, name), environ(swift_http)))
    local = merged_from(Folder(place), tmp_path / "local")
    with faulty(swift_http, every(3, slow_down("0"))) as between:
        where = replace(settings(swift_http, name), endpoint=between.server.endpoint)
        source = Bucket("swift", open_store(where, environ(swift_http)))
        assert merged_from(source, tmp_path / "stored") == local
