"""The fake itself: it refuses a wrong order of calls, and what is not what it was told."""

from __future__ import annotations

import zlib
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import StorageError
from pipeline.publish.volcengine.answers import upload_refusal_of
from pipeline.publish.volcengine.calls import Calls
from pipeline.publish.volcengine.wire import Wire
from pipeline.storage.stores import Keys
from tests.publish.volcengine_fake import CARRIED, volcengine
from tests.publish.volcengine_material import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.publish.volcengine.answers import Address
    from tests.publish.volcengine_fake import VolcengineFake

DATA = b"0123456789"
CRC = f"{zlib.crc32(DATA):08x}"
NOTHING: Mapping[str, str] = MappingProxyType({})
OTHER = f"{zlib.crc32(b'other'):08x}"


@pytest.fixture
def fake() -> Iterator[VolcengineFake]:
    with volcengine() as server:
        yield server


def login(fake: VolcengineFake) -> Keys:
    return Keys(fake.space.login.access_key, fake.space.login.secret_key)


def calls(fake: VolcengineFake) -> Calls:
    return Calls(settings(fake), login(fake), Wire("fake", login(fake)))


class Host:
    """What an upload host says to requests that no client of ours makes."""

    def __init__(self, fake: VolcengineFake, size: int = len(DATA)) -> None:
        self.address: Address = calls(fake).apply("a/b.mp4", size)
        self._fake = fake
        self._wire = Wire("fake", login(fake))

    def put(self, query: str = "", body: bytes = DATA, changed: Mapping[str, str] = NOTHING) -> str:
        """Why it is refused; "" where it is not."""
        headers = {"Authorization": self.address.auth, "Content-CRC32": CRC, CARRIED[0]: CARRIED[1]}
        headers |= {"X-Storage-Mode": "gateway"} if query else {}
        headers |= changed
        url = f"{self._fake.endpoint}/{self.address.uri}" + (f"?{query}" if query else "")
        refusal = upload_refusal_of(self._wire.send("it", "PUT", url, headers, body))
        return refusal.message if refusal else ""

    def begun(self) -> str:
        assert self.put("uploads", b"") == ""
        return next(iter(self._fake.space.uploads))


def test_a_session_that_nobody_applied_for_is_not_committed(fake: VolcengineFake) -> None:
    with pytest.raises(StorageError, match=r"no session \*\*\*"):
        calls(fake).commit("invented", "")


def test_a_session_without_its_bytes_is_not_committed(fake: VolcengineFake) -> None:
    session = calls(fake).apply("a/b.mp4", 10).session
    with pytest.raises(StorageError, match="the session has no bytes"):
        calls(fake).commit(session, "")


def test_a_session_whose_upload_was_not_ended_is_not_committed(fake: VolcengineFake) -> None:
    host = Host(fake)
    assert host.put(f"partNumber=1&uploadID={host.begun()}") == ""
    with pytest.raises(StorageError, match="the session has no bytes"):
        calls(fake).commit(host.address.session, "")


def test_a_part_comes_after_the_beginning(fake: VolcengineFake) -> None:
    assert Host(fake).put("partNumber=1&uploadID=invented") == "no such upload"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (f"0:{CRC},1:{CRC}", "parts are missing"),
        (f"0:{OTHER}", "the parts are others"),
        (f"2:{CRC}", "counted from neither 0 nor 1"),
        (f"0:{CRC},0:{CRC}", "not in order"),
    ],
)
def test_an_upload_ends_with_the_parts_that_came(fake: VolcengineFake, body: str, why: str) -> None:
    host = Host(fake)
    upload = host.begun()
    assert host.put(f"partNumber=1&uploadID={upload}") == ""
    end = f"uploadID={upload}&ObjectContentType=video/mp4"
    assert host.put(end, body.encode()) == why
    assert host.put(end, f"1:{CRC}".encode()) == ""
    assert host.put(end, f"1:{CRC}".encode()) == "no such upload"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"Content-CRC32": OTHER}, "crc32 does not match"),
        ({"Content-CRC32": ""}, "no checksum"),
        ({CARRIED[0]: "another"}, "a header of the address is missing"),
        ({"X-Storage-Mode": "gateway"}, "storage mode"),
        ({"X-Upload-Storage-Class": "ia"}, "another storage class than applied for"),
        ({"Authorization": "invented"}, "invented is not for"),
    ],
    ids=str,
)
def test_bytes_are_what_they_are_said_to_be(fake: VolcengineFake, changed: dict[str, str], why: str) -> None:
    host = Host(fake)
    assert why in host.put(changed=changed)
    assert host.put() == ""


def test_credentials_are_for_one_file(fake: VolcengineFake) -> None:
    first, second = Host(fake), calls(fake).apply("a/c.mp4", 10)
    assert "is not for" in first.put(changed={"Authorization": second.auth})


def test_no_more_bytes_come_than_were_applied_for(fake: VolcengineFake) -> None:
    assert Host(fake, size=9).put() == "not as many bytes as applied for"
