"""Waiting for recordings that are still being written, by a clock that sleeping puts forward."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import ExitCode, NoRecordingError, PlaylistError, UnsafeUriError
from pipeline.job.merge import merge_all
from pipeline.model.completeness import AT_ONCE, OF_JOBS, Settling
from pipeline.model.options import Options
from pipeline.sources.bucket import Bucket
from pipeline.sources.folder import Folder
from pipeline.steps.find import find
from pipeline.steps.place import Limits
from pipeline.steps.settle import settle
from pipeline.storage.memory import MemoryStore
from pipeline.storage.open import open_store
from tests.merge.merging import tree
from tests.sources.stored import put_all
from tests.storage.servers import bucket, environ, settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from pipeline.job.works import Done
    from pipeline.sources.protocol import Source
    from pipeline.storage.protocol import Got, Store
    from tests.servers.s3 import S3Server

MINUTE, HOUR = 60_000, 3_600_000
START = 1_772_449_200_000


class World:
    """Time that passes while somebody sleeps, and what happens in it.

    Args:
        events: what happens, by the ms after the start.
        start: UTC ms.
    """

    def __init__(self, events: dict[int, Callable[[], object]] | None = None, start: int = START) -> None:
        self.start = self.now = start
        self.events = dict(sorted((events or {}).items()))
        self.said: list[str] = []
        self.looks = 0

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += round(seconds * 1000)
        for at in [at for at in self.events if self.start + at <= self.now]:
            self.events.pop(at)()

    def settled(self, source: Source, rule: Settling = OF_JOBS) -> Source:
        def fresh() -> Source:
            self.looks += 1
            return source.fresh()

        return settle(fresh, rule, clock=lambda: self.now, sleep=self.sleep, tell=self.said.append)

    @property
    def waited(self) -> int:
        """Milliseconds."""
        return self.now - self.start


def copied(made: Made, place: Path, ago_ms: int = 0) -> Path:
    """A recording's folder, all of it written some time before the start."""
    shutil.copytree(made.place, place)
    for path in (p for p in place.rglob("*") if p.is_file()):
        written(path, START - ago_ms)
    return place


def written(path: Path, at_ms: int) -> None:
    os.utime(path, ns=(at_ms * 1_000_000, at_ms * 1_000_000))


def merged(source: Source, place: Path) -> tuple[Done, dict[str, bytes]]:
    (done,) = merge_all(source, place, Options(), Limits())
    return done, tree(place)


def first(place: Path, pattern: str) -> Path:
    return min(place.rglob(pattern))


def test_a_folder_is_taken_at_once_where_nothing_is_asked(made: Callable[[str], Made]) -> None:
    world = World()
    world.settled(Folder(made("missing-slice").place), AT_ONCE)
    assert (world.waited, world.looks, world.said) == (0, 1, [])


@pytest.mark.parametrize("name", ["plain-agora", "trtc-mp4", "onpremise", "volcengine-mp4", "web-vp9"])
def test_a_recording_that_is_complete_and_settled_is_taken_at_once(
    name: str, made: Callable[[str], Made], tmp_path: Path
) -> None:
    world = World()
    world.settled(Folder(copied(made(name), tmp_path / "rec", 2 * MINUTE)))
    assert (world.waited, world.looks, world.said) == (0, 1, [])


def test_a_recording_that_is_complete_has_to_settle(made: Callable[[str], Made], tmp_path: Path) -> None:
    place = copied(made("plain-agora"), tmp_path / "rec", MINUTE // 2)
    late = first(place, "*.ts")
    world = World({MINUTE: lambda: late.write_bytes(late.read_bytes() + bytes(188))})
    world.settled(Folder(place))
    # It was to begin after 90 s, saw the change then, and waited from there.
    assert world.waited == 90_000 + 2 * MINUTE
    assert world.said == [
        f"waiting for {place}: all of it is there, and may still change: at most 1:30 more."
    ]


def test_a_slice_that_comes_late_is_in_the_outputs(made: Callable[[str], Made], tmp_path: Path) -> None:
    whole = made("plain-agora")
    place = copied(whole, tmp_path / "rec")
    late = first(place, "*_video_*.ts")
    late.rename(tmp_path / "late")
    world = World({HOUR: lambda: shutil.copy2(tmp_path / "late", late)})
    done, files = merged(world.settled(Folder(place)), tmp_path / "out")
    assert HOUR + 2 * MINUTE <= world.waited <= HOUR + 2 * MINUTE + 300_000
    assert done.exit_code(accept_loss=False) is ExitCode.GOOD
    assert files == merged(Folder(whole.place), tmp_path / "whole")[1]
    assert world.said[0] == f"waiting for {place}: slice {late.name} is not there: at most 6:00:00 more."
    assert 3 <= len(world.said) <= 10


def stores(request: pytest.FixtureRequest, kind: str) -> Store:
    if kind == "memory":
        return MemoryStore()
    server: S3Server = request.getfixturevalue(kind)
    return open_store(settings(server, bucket(server), "calls/1/"), environ(server))


@pytest.mark.parametrize("kind", ["memory", "swift_tls"])
def test_a_slice_that_comes_late_into_a_store_is_in_the_outputs(
    kind: str, request: pytest.FixtureRequest, made: Callable[[str], Made], tmp_path: Path
) -> None:
    whole = made("plain-trtc").place
    store = stores(request, kind)
    put_all(whole, store)
    late = first(whole, "*_video_*.ts")
    key = late.relative_to(whole).as_posix()
    store.delete(key)
    start = max(stat.modified_ms for stat in store.list(""))
    world = World({HOUR: lambda: store.put(key, late.read_bytes())}, start)
    source = world.settled(Bucket("calls:1", store))
    assert merged(source, tmp_path / "out")[1] == merged(Folder(whole), tmp_path / "whole")[1]
    assert HOUR + 2 * MINUTE <= world.waited < HOUR + 8 * MINUTE
    assert world.said[0] == f"waiting for calls:1: slice {key} is not there: at most 6:00:00 more."


def test_playlists_are_read_again_only_after_a_change(made: Callable[[str], Made]) -> None:
    class Counting(MemoryStore):
        reads = 0

        def get_range(self, key: str, start: int, length: int) -> Got:
            self.reads += 1
            return super().get_range(key, start, length)

    store = Counting()
    put_all(made("missing-slice").place, store)
    find(Bucket("memory", store))
    once = store.reads
    store.reads = 0
    world = World()
    world.settled(Bucket("memory", store).fresh(), Settling(0, START + 6 * HOUR))
    assert world.looks > 10
    assert store.reads == once > 0


@pytest.mark.parametrize(
    ("name", "sort", "what"),
    [
        ("missing-slice", "loss", "is listed by its playlist and is not there"),
        ("empty-slice", "loss", "has 0 bytes"),
        ("no-endlist-crlf-bom", "note", "it has no ENDLIST: the recording was not finished"),
        ("no-playlist", "note", "its slices are placed by their names"),
    ],
)
def test_what_does_not_come_is_in_the_ledger_when_the_limit_is_over(
    name: str, sort: str, what: str, made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = copied(made(name), tmp_path / "rec")
    world = World()
    source = world.settled(Folder(place))
    assert world.waited == 6 * HOUR
    (inventory,) = find(source).inventories
    assert inventory.missing
    done, _ = merged(source, tmp_path / "out")
    assert [e for e in done.manifest.ledger if e.sort == sort and what in e.what]
    assert world.said[-1] == (
        f"{place} has not changed for long enough and is taken as it is: {inventory.missing[0]}"
        f"{' (and 1 more)' if len(inventory.missing) > 1 else ''}."
    )


def test_each_thing_that_was_waited_for_has_its_own_entry(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    """Two slices gone, one emptied, one cut to half of what FILE-ATTR says, both playlists without an end."""
    place = copied(made("plain-trtc"), tmp_path / "rec")
    gone, gone_too, emptied, cut, *_ = sorted(place.rglob("*.ts"))
    gone.unlink()
    gone_too.unlink()
    emptied.write_bytes(b"")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 376 * 188])
    lists = sorted(place.rglob("*.m3u8"))
    for path in lists:
        path.write_text(path.read_text().replace("#EXT-X-ENDLIST", ""))
    (inventory,) = find(Folder(place)).inventories
    done, _ = merged(Folder(place), tmp_path / "out")
    told = {entry.key for entry in done.manifest.ledger}
    keys = [path.relative_to(place).as_posix() for path in (gone, gone_too, emptied, cut, *lists)]
    assert len(inventory.missing) == len(keys)
    for key in keys:
        assert [sentence for sentence in inventory.missing if key in sentence]
        assert key in told


def test_a_recording_that_grows_is_waited_for_as_long_as_it_grows(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    """A call of four days: something comes every hour, and the limit counts from the last of it."""
    place = copied(made("missing-slice"), tmp_path / "rec")
    listed = first(place, "*.m3u8")
    hours = 96
    grow = {n * HOUR: lambda n=n: written(listed, START + n * HOUR) for n in range(1, hours + 1)}
    world = World(grow)  # type: ignore[arg-type] # of a default argument that binds
    world.settled(Folder(place))
    assert hours * HOUR + 6 * HOUR <= world.waited <= hours * HOUR + 6 * HOUR + 300_000


def test_a_playlist_that_is_just_being_written_is_waited_for(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = copied(made("plain-agora"), tmp_path / "rec")
    half = first(place, "*.m3u8")
    text = half.read_bytes()
    half.write_bytes(b"")
    written(half, START)
    world = World({MINUTE: lambda: half.write_bytes(text)})
    assert find(world.settled(Folder(place))).inventories[0].missing == ()
    assert "is no playlist, its first line is not #EXTM3U" in world.said[0]
    assert world.waited < HOUR


def test_a_playlist_that_stays_broken_is_told_when_the_limit_is_over(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = copied(made("plain-agora"), tmp_path / "rec")
    first(place, "*.m3u8").write_bytes(b"")
    world = World()
    source = world.settled(Folder(place))
    assert world.waited >= 6 * HOUR
    with pytest.raises(PlaylistError):
        find(source)


def test_a_playlist_written_anew_between_listing_and_reading_is_looked_at_again(
    made: Callable[[str], Made],
) -> None:
    class Live(MemoryStore):
        """Its recorder writes a playlist right before it is read, twice."""

        left = 2

        def get_range(self, key: str, start: int, length: int) -> Got:
            if key.endswith(".m3u8") and self.left:
                self.left -= 1
                self.put(key, self.get(key).data + b"\n")
            return super().get_range(key, start, length)

    store = Live()
    put_all(made("plain-agora").place, store)
    world = World()
    source = world.settled(Bucket("memory", store), Settling(MINUTE, 6 * HOUR))
    assert find(source).inventories[0].missing == ()
    assert store.left == 0
    assert any("changed after it was listed" in sentence for sentence in world.said)


def test_a_playlist_that_leaves_its_folder_is_refused_at_once(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = copied(made("plain-agora"), tmp_path / "rec")
    playlist = first(place, "*.m3u8")
    playlist.write_text(playlist.read_text().replace("#EXT-X-ENDLIST", "../../etc/passwd\n#EXT-X-ENDLIST"))
    world = World()
    with pytest.raises(UnsafeUriError):
        world.settled(Folder(place))
    assert world.waited == 0


def test_a_place_without_a_recording_is_not_waited_for(tmp_path: Path) -> None:
    world = World()
    for source in (Folder(tmp_path), Bucket("s3://b/typo", MemoryStore())):
        with pytest.raises(NoRecordingError):
            world.settled(source)
    assert world.waited == 0


def test_a_folder_tells_when_its_files_were_written(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_bytes(b"x")
    written(tmp_path / "a.ts", START + 7)
    assert [item.modified_ms for item in Folder(tmp_path).objects()] == [START + 7]


def test_a_store_tells_when_its_objects_were_written() -> None:
    store = MemoryStore()
    stat = store.put("a.ts", b"x")
    assert [item.modified_ms for item in Bucket("memory", store).objects()] == [stat.modified_ms]


def test_when_files_were_written_makes_no_other_work_of_it(
    made: Callable[[str], Made], tmp_path: Path
) -> None:
    place = copied(made("plain-agora"), tmp_path / "rec")
    merged(Folder(place), tmp_path / "out")
    before = Folder(place).objects()
    for path in place.rglob("*.*"):
        written(path, START + HOUR)
    assert Folder(place).objects() == before
    assert merged(Folder(place), tmp_path / "out")[0].already
