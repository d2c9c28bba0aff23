"""Answers: which error a refusal is, and that no answer is taken for what it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import (
    BusyError,
    ConditionError,
    CorruptError,
    DeniedError,
    NoBucketError,
    ObjectMissingError,
    StorageError,
)
from pipeline.publish.volcengine import answers
from pipeline.publish.volcengine.answers import Address
from pipeline.publish.volcengine.upload import Cut
from pipeline.publish.volcengine.wire import Answer

ADDRESS: dict[str, Any] = {
    "StoreInfos": [{"StoreUri": "bucket/a.mp4", "Auth": "A"}],
    "UploadHosts": ["one.example.com", "two.example.com:8443"],
    "UploadHeader": [{"Key": "X-A", "Value": "1"}, {"Key": "bad name", "Value": "2"}],
    "SessionKey": "S",
}


def api(status: int, code: str = "", message: str = "") -> Answer:
    error = {"Error": {"Code": code, "Message": message}} if code else {}
    return Answer(status, {}, json.dumps({"ResponseMetadata": error}).encode())


def host(status: int, code: object = None, message: str = "") -> Answer:
    error = {"code": code, "error": "", "message": message}
    return Answer(status, {}, json.dumps({"success": 1, "error": error}).encode())


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (api(401, "MissingAuthenticationToken"), DeniedError),
        (api(401, "InvalidClientTokenId"), DeniedError),
        (api(401, "SignatureDoesNotMatch"), DeniedError),
        (api(401, "LackProjectPolicy"), DeniedError),
        (api(403, "LackPolicy"), DeniedError),
        (api(403, "AccessDenied"), DeniedError),
        (api(200, "InvalidCredential"), DeniedError),
        (api(403, "ACodeOfTomorrow"), DeniedError),
        (api(429, "FlowLimitExceeded"), BusyError),
        (api(429, "AccountFlowLimitExceeded"), BusyError),
        (api(200, "InternalError"), BusyError),
        (api(500, "UndefinedError"), BusyError),
        (api(502, "FailToConnect"), BusyError),
        (api(503, "ServiceUnavailableTemp"), BusyError),
        (api(504, "InternalServiceTimeout"), BusyError),
        (api(500, "ACodeOfTomorrow"), BusyError),
        (api(502), BusyError),
        (Answer(504, {}, b"<html>"), BusyError),
        (Answer(403, {}, b"<html>"), DeniedError),
        (Answer(200, {}, b"<html>"), StorageError),
        (Answer(302, {}, b""), StorageError),
        (api(400, "InvalidParameter.InvalidSpaceName"), NoBucketError),
        (api(400, "InvalidParameter", "file already existed"), ConditionError),
        (api(400, "InvalidParameter", "something"), StorageError),
        (api(404, "InvalidActionOrVersion"), ObjectMissingError),
    ],
    ids=lambda value: f"{value.status} {value.body[:70]!r}" if isinstance(value, Answer) else value.__name__,
)
def test_a_refusal_of_the_api_is_the_error_that_tells_who_must_act(
    answer: Answer, kind: type[StorageError]
) -> None:
    refusal = answers.refusal_of(answer)
    assert refusal is not None
    assert refusal.kind is kind


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (host(401, 401), DeniedError),
        (host(403, 403, "expired"), DeniedError),
        (host(200, 403), DeniedError),
        (host(404), ObjectMissingError),
        (host(200, 404), ObjectMissingError),
        (host(503), BusyError),
        (host(200, 500), BusyError),
        (host(429), BusyError),
        (Answer(502, {}, b"<html>"), BusyError),
        (host(400, 4000, "crc32 does not match"), CorruptError),
        (host(400, 4000, "file already exists"), ConditionError),
        (host(400, 4000), StorageError),
        (host(200), StorageError),
        (Answer(200, {}, b"{}"), StorageError),
        (Answer(307, {}, b""), StorageError),
    ],
    ids=lambda value: f"{value.status} {value.body[:70]!r}" if isinstance(value, Answer) else value.__name__,
)
def test_a_refusal_of_an_upload_host_is_told_by_its_status_and_its_words(
    answer: Answer, kind: type[StorageError]
) -> None:
    refusal = answers.upload_refusal_of(answer)
    assert refusal is not None
    assert answers.upload_kind(refusal) is kind


def test_success_is_no_refusal() -> None:
    assert answers.refusal_of(Answer(200, {}, b'{"ResponseMetadata":{},"Result":{}}')) is None
    assert (
        answers.refusal_of(Answer(200, {}, b'{"ResponseMetadata":{"Error":{"Code":""}},"Result":{}}')) is None
    )
    assert answers.upload_refusal_of(Answer(200, {}, b'{"success":0}')) is None


def test_an_address_has_all_that_the_bytes_need() -> None:
    read = answers.address_of({"Data": {"UploadAddress": ADDRESS}})
    hosts = ("one.example.com", "two.example.com:8443")
    assert read == Address("S", "bucket/a.mp4", "A", hosts, (("X-A", "1"),))


@pytest.mark.parametrize(
    "changed",
    [
        {"SessionKey": ""},
        {"StoreInfos": []},
        {"StoreInfos": [{"StoreUri": "", "Auth": "A"}]},
        {"StoreInfos": [{"StoreUri": "u", "Auth": "A\r\nX: y"}]},
        {"UploadHosts": []},
        {"UploadHosts": ["evil.example.com/path"]},
        {"UploadHosts": ["user@evil.example.com"]},
    ],
    ids=json.dumps,
)
def test_an_address_that_lacks_something_is_none(changed: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"it has no|no host"):
        answers.address_of({"Data": {"UploadAddress": {**ADDRESS, **changed}}})


@pytest.mark.parametrize(
    ("infos", "vid"),
    [
        pytest.param([], "", id="nothing"),
        pytest.param(None, "", id="no list"),
        pytest.param([{"FileName": "a", "Vid": "v1"}], "v1", id="its file"),
        pytest.param([{"FileName": "b", "Vid": "v1"}], "", id="another file"),
        pytest.param([{"FileName": "a", "Vid": "", "MaterialId": "m"}], "", id="a file that is no medium"),
        pytest.param(
            [{"FileName": "a", "Vid": "v2"}, {"FileName": "a", "Vid": "v1"}],
            "v1",
            id="always the same of two",
        ),
    ],
)
def test_the_medium_of_a_path(infos: object, vid: str) -> None:
    assert answers.vid_of({"VodFileMetaInfos": infos}, "a") == vid


@given(
    st.binary(max_size=60)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "ResponseMetadata",
                        "Error",
                        "Result",
                        "Data",
                        "success",
                        "error",
                        "code",
                        "UploadAddress",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
    ).map(lambda d: json.dumps(d).encode())
)
def test_no_answer_makes_the_reader_fail_otherwise_than_it_says(body: bytes) -> None:
    answer = Answer(200, {}, body)
    answers.refusal_of(answer)
    answers.upload_refusal_of(answer)
    for read in (answers.address_of, answers.committed_of):
        with pytest.raises(ValueError, match="it has no"):
            read(answers.result_of(answer))
    answers.vid_of(answers.result_of(answer), "a")


@given(st.integers(1, 10_000_000), st.integers(1, 5000))
def test_parts_cover_a_film_without_a_gap_and_none_is_short(size: int, part: int) -> None:
    cut = Cut.of(size, part)
    assert cut.count <= 10_000
    spans = [cut.span(number) for number in range(1, cut.count + 1)]
    ends = [start + length for start, length in spans]
    assert [start for start, _ in spans] == [0, *ends[:-1]][: len(spans)]
    assert not spans or (ends[-1] == size and all(part <= length < 2 * cut.length for _, length in spans))
    assert spans or size < part


def test_an_hour_goes_in_parts_of_twenty_mebibytes_and_a_terabyte_in_larger_ones() -> None:
    assert Cut.of(1 << 30) == Cut(1 << 30, 20 << 20, 51)
    assert Cut.of(1 << 40) == Cut(1 << 40, 109_951_163, 9_999)
