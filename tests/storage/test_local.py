from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.errors import NoBucketError, ObjectMissingError, StorageError
from pipeline.storage.local import UNFINISHED, LocalStore
from tests.storage.contract import StoreContract

if TYPE_CHECKING:
    from pathlib import Path


class TestLocal(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path)

    @pytest.mark.parametrize(
        "key",
        [
            pytest.param("../out", id="outside"),
            pytest.param("/etc/x", id="absolute"),
            pytest.param("a//b", id="an empty part"),
            pytest.param("a/./b", id="a dot"),
            pytest.param("a/", id="a folder"),
            pytest.param("", id="nothing"),
            pytest.param("a\0b", id="NUL"),
            pytest.param(f"{UNFINISHED}/x", id="where the unfinished lies"),
            pytest.param("é" * 128, id="a name of 256 bytes"),
        ],
    )
    def test_a_key_that_can_be_no_file_is_refused(self, store: LocalStore, key: str) -> None:
        for touch in (store.stat, store.get, store.delete, store.upload, lambda k: store.put(k, b"x")):
            with pytest.raises(StorageError, match="cannot be a"):
                touch(key)

    def test_a_key_below_an_object_is_refused(self, store: LocalStore) -> None:
        store.put("a", b"x")
        with pytest.raises(StorageError, match="a/b"):
            store.put("a/b", b"y")

    def test_a_folder_is_no_object(self, store: LocalStore) -> None:
        store.put("a/b", b"x")
        with pytest.raises(ObjectMissingError, match="a is not there"):
            store.get("a")

    def test_a_folder_that_does_not_exist_cannot_be_listed(self, tmp_path: Path) -> None:
        with pytest.raises(NoBucketError, match="nowhere is no folder: give one that exists"):
            LocalStore(tmp_path / "nowhere").list("")

    def test_linked_folders_and_links_to_nothing_are_not_listed(
        self, store: LocalStore, tmp_path: Path
    ) -> None:
        store.put("real/a", b"x")
        (tmp_path / "folder").symlink_to(tmp_path / "real")
        (tmp_path / "nothing").symlink_to(tmp_path / "gone")
        (tmp_path / "file").symlink_to(tmp_path / "real" / "a")
        assert [stat.key for stat in store.list("")] == ["file", "real/a"]

    def test_nothing_unfinished_stays_after_a_put(self, store: LocalStore, tmp_path: Path) -> None:
        store.put("a", b"x")
        with pytest.raises(StorageError):
            store.put("a/b", b"x")
        assert list((tmp_path / UNFINISHED).iterdir()) == []
