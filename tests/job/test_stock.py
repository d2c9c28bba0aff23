"""Where finished pieces of composites lie between hosts, in a folder and in a store: one set of laws."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from pipeline.errors import OutputError
from pipeline.steps.deliver import Target
from pipeline.steps.pieces import Workshop
from pipeline.steps.publish import FolderPlace
from pipeline.steps.stock import OLD_MS, Stock, forget_old, stock_of
from pipeline.storage.memory import MemoryStore
from pipeline.storage.protocol import Extras

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.steps.place import Place

ONE, OTHER = "1" * 64, "2" * 64
JOB = "0123456789abcdef"


@dataclass(slots=True)
class Here:
    """A place, and a stock in it."""

    place: Place
    folder: Path

    @property
    def stock(self) -> Stock:
        return stock_of(self.place, JOB)

    def names(self) -> list[str]:
        """Of all that is in the place."""
        return [stat.key for stat in self.place.objects.list("")]

    def put(self, name: str = "00001", data: bytes = b"pictures", identity: str = ONE) -> None:
        """A piece that was finished on this host."""
        with self.stock.scratch() as folder:
            nothing = cast("Any", None)
            shop = Workshop(nothing, nothing, nothing, folder, identity)
            made = folder / ".part"
            made.write_bytes(data)
            shop.finish(name, made, {"decoded": []})
            self.stock.put(shop, name)

    def fetched(self, name: str = "00001", identity: str = ONE) -> dict[str, bytes]:
        """What another host has of a piece then."""
        folder = self.folder / "fetched"
        folder.mkdir(exist_ok=True)
        self.stock.fetch(identity, name, folder)
        return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(params=["folder", "store"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Here:
    if request.param == "store":
        extras = Extras(tags={"team": "support"}, storage_class="GLACIER", encryption="AES256")
        return Here(Target("store:", MemoryStore(), extras), tmp_path)
    (tmp_path / "place").mkdir()
    return Here(FolderPlace(tmp_path / "place", journaled=True), tmp_path)


def test_a_piece_is_found_by_others_with_its_note(here: Here) -> None:
    here.stock.begin(ONE)
    here.put()
    assert here.stock.finished(ONE) == {"00001"}
    found = here.fetched()
    assert found.pop("00001.mp4") == b"pictures"
    note = json.loads(found.pop("00001.json"))
    assert note == {"decoded": [], "of": ONE, "sha256": hashlib.sha256(b"pictures").hexdigest()}
    assert found == {}


def test_pieces_of_another_plan_are_others(here: Here) -> None:
    for identity in (ONE, OTHER):
        here.stock.begin(identity)
        here.put(data=identity.encode(), identity=identity)
    assert here.fetched(identity=OTHER)["00001.mp4"] == OTHER.encode()
    assert here.stock.finished(ONE) == here.stock.finished(OTHER) == {"00001"}


def test_who_makes_it_twice_leaves_what_the_last_note_says(here: Here) -> None:
    here.stock.begin(ONE)
    here.put()
    here.put(data=b"by another kind of processor")
    assert here.fetched()["00001.mp4"] == b"by another kind of processor"


def test_what_is_not_waited_for_is_not_put_there(here: Here) -> None:
    with pytest.raises(OutputError, match="no pieces are waited for"):
        here.stock.check(ONE)
    here.stock.begin(ONE)
    with pytest.raises(OutputError, match="no pieces are waited for"):
        here.put(identity=OTHER)
    assert here.stock.finished(OTHER) == frozenset()


def test_who_comes_late_leaves_nothing_behind(here: Here) -> None:
    here.stock.begin(ONE)
    with here.stock.scratch() as folder:
        here.stock.clear()
        nothing = cast("Any", None)
        shop = Workshop(nothing, nothing, nothing, folder, ONE)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "made").write_bytes(b"late")
        shop.finish("00001", folder / "made", {})
        with pytest.raises(OutputError, match="no pieces are waited for"):
            here.stock.put(shop, "00001")
    here.stock.clear()
    assert here.names() == []


@pytest.mark.parametrize("kind", [".json", ".mp4"])
def test_of_what_is_lost_nothing_is_told(here: Here, kind: str) -> None:
    here.stock.begin(ONE)
    here.put()
    (key,) = [key for key in here.names() if key.endswith(kind)]
    here.place.objects.delete(key)
    assert "00001.json" not in here.fetched()


@pytest.mark.parametrize("note", [b"", b"{", b"[]", b"{}", b'{"sha256": 3}'], ids=repr)
def test_a_note_that_is_none_is_a_piece_that_is_lost(here: Here, note: bytes) -> None:
    here.stock.begin(ONE)
    here.put()
    (key,) = [key for key in here.names() if key.endswith(".json")]
    here.place.objects.put(key, note)
    assert here.fetched() == {}


def test_nothing_stays_of_it(here: Here) -> None:
    here.stock.clear()
    here.stock.begin(ONE)
    here.put()
    here.stock.clear()
    assert here.names() == []
    assert here.place.left(JOB) == frozenset()


def test_pieces_are_no_notes_of_the_job(here: Here) -> None:
    here.stock.begin(ONE)
    here.put()
    assert here.place.left(JOB) == frozenset()


def test_uploads_that_a_killed_process_left_go_too(tmp_path: Path) -> None:
    here = Here(Target("store:", store := MemoryStore()), tmp_path)
    here.stock.begin(ONE)
    store.upload(f".recpipe/{JOB}/pieces/x.mp4").part(1, b"part")
    store.upload("another's.mp4").part(1, b"part")
    here.stock.clear()
    assert [key for key, _ in store.uploads("")] == ["another's.mp4"]


def test_what_nobody_went_on_with_for_a_week_goes(tmp_path: Path) -> None:
    now_ms = 1_772_442_000_000
    for job, age_ms in (("old", OLD_MS + 1), ("young", OLD_MS - 1), (JOB, OLD_MS + 1)):
        place = tmp_path / ".recpipe" / job / "pieces"
        place.mkdir(parents=True)
        (place / "piece.mp4").touch()
        os.utime(place / "piece.mp4", ns=((now_ms - age_ms) * 1_000_000,) * 2)
    (tmp_path / ".recpipe" / "old.json").touch()
    forget_old(FolderPlace(tmp_path, journaled=True), JOB, now_ms)
    assert sorted(path.name for path in (tmp_path / ".recpipe").iterdir()) == [JOB, "old.json", "young"]
