from __future__ import annotations

import pytest

from pipeline.storage.memory import MemoryStore
from pipeline.storage.protocol import Extras
from tests.storage.contract import StoreContract


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()

    def test_extras_are_kept(self, store: MemoryStore) -> None:
        extras = Extras("video/mp4", metadata={"recpipe": "1"}, tags={"kind": "call"})
        store.put("k", b"x", extras)
        upload = store.upload("l", extras)
        upload.part(1, b"x")
        upload.complete()
        assert store.extras("k") == store.extras("l") == extras
