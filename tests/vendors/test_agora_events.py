"""Agora's callbacks: each event's phase, what enters an event, signatures, and what is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from pipeline.vendors.agora.events import KINDS, check, parse, reply
from pipeline.vendors.events import Event, Phase
from tests.vendors.calling import (
    APP,
    NEXT,
    OWN,
    SECRETS,
    SID,
    STRANGE,
    agora,
    agora_signed,
    came,
    hmac_of,
    refusal,
    written,
)

USER = f"{SID}_QA_Room__uid_s_{{uid}}__uid_e_{{track}}.m3u8"
MIX = f"{SID}_QA_Room"
INDIVIDUAL = [
    {
        "fileName": USER.format(uid=57297, track="audio"),
        "trackType": "audio",
        "uid": "57297",
        "mixedAllUser": False,
        "isPlayable": True,
        "sliceStartTime": 1_619_172_871_089,
    },
    {
        "fileName": USER.format(uid=10230, track="video"),
        "trackType": "video",
        "uid": "10230",
        "mixedAllUser": False,
        "isPlayable": True,
        "sliceStartTime": 1_619_172_871,
    },
]
COMPOSITE = [
    {"fileName": f"{MIX}_0.mp4", "trackType": "audio_and_video", "uid": "0", "mixedAllUser": True},
    {"fileName": f"{MIX}.m3u8", "trackType": "audio_and_video", "uid": "0", "mixedAllUser": True},
]
WEB = [
    {"filename": "test_p1627613634_www.m3u8", "sliceStartTime": 1_627_613_641_393},
    {"filename": "test_p1627613634_www_0.mp4", "sliceStartTime": 1_627_613_641_393},
]


def read(document: Any) -> Event:
    return parse(written(document), APP)


@pytest.mark.parametrize(
    ("kind", "details", "phase", "reason"),
    [
        pytest.param(1, {"errorLevel": 4, "errorCode": 51}, Phase.OTHER, "", id="an error"),
        pytest.param(
            1,
            {"errorLevel": 5, "errorCode": 47, "errorMsg": "<script>", "stat": 1},
            Phase.FAILED,
            "Agora told the fatal error 47.",
            id="a fatal error",
        ),
        pytest.param(1, {}, Phase.OTHER, "", id="an error without a level"),
        pytest.param(
            1, {"errorLevel": 5}, Phase.FAILED, "Agora told the fatal error 0.", id="a fatal error, no code"
        ),
        pytest.param(2, {"module": 1, "warnCode": 32}, Phase.OTHER, "", id="a warning"),
        pytest.param(3, {"status": 5, "recordingMode": 0}, Phase.OTHER, "", id="a call that does not fit"),
        pytest.param(4, {"fileList": f"{MIX}.m3u8"}, Phase.OTHER, "", id="the first upload of a playlist"),
        pytest.param(
            11,
            {"exitStatus": 0},
            Phase.SETTLING,
            "The recording service ended, and no event told whether all is in the store.",
            id="a normal exit",
        ),
        pytest.param(
            11,
            {"leaveStatus": 0},
            Phase.SETTLING,
            "The recording service ended, and no event told whether all is in the store.",
            id="a normal exit of an older version",
        ),
        pytest.param(
            11,
            {"exitStatus": 1},
            Phase.FAILED,
            "The recording ended abnormally, with Agora's status 1.",
            id="an abnormal exit",
        ),
        pytest.param(12, {"newUid": 881}, Phase.OTHER, "", id="a fail-over"),
        pytest.param(13, {}, Phase.OTHER, "", id="high availability"),
        pytest.param(30, {"status": 0}, Phase.OTHER, "", id="the upload starts"),
        pytest.param(
            30,
            {"status": 1},
            Phase.FAILED,
            "The recorder or its upload did not start, with Agora's status 1.",
            id="the upload does not start",
        ),
        pytest.param(31, {"status": 0, "fileList": INDIVIDUAL}, Phase.READY, "", id="uploaded"),
        pytest.param(31, {"status": 0}, Phase.READY, "", id="uploaded, of a web page"),
        pytest.param(
            31,
            {"status": 2},
            Phase.PARTIAL,
            "Agora told the end of the upload with the abnormal status 2.",
            id="uploaded, abnormally",
        ),
        pytest.param(
            32,
            {"status": 0, "fileList": COMPOSITE},
            Phase.PARTIAL,
            "At least one file is in Agora's backup and comes later.",
            id="backuped",
        ),
        pytest.param(33, {"progress": 10000}, Phase.OTHER, "", id="progress"),
        pytest.param(40, {"status": 0}, Phase.STARTED, "", id="the recorder starts"),
        pytest.param(
            40,
            {"status": -1},
            Phase.FAILED,
            "The recorder or its upload did not start, with Agora's status -1.",
            id="the recorder does not start",
        ),
        pytest.param(41, {"leaveCode": 6}, Phase.STOPPED, "", id="the recorder leaves"),
        pytest.param(41, {}, Phase.STOPPED, "", id="the recorder leaves without a code"),
        pytest.param(
            41, {"leaveCode": 0}, Phase.FAILED, "The recorder did not start.", id="the recorder never came"
        ),
        pytest.param(42, {"startUtcMs": 1, "streamUid": "7"}, Phase.OTHER, "", id="slices start"),
        pytest.param(43, {"streamUid": "7", "state": 1}, Phase.OTHER, "", id="sound changes"),
        pytest.param(44, {"streamUid": "7", "state": 1}, Phase.OTHER, "", id="pictures change"),
        pytest.param(45, {"fileName": "a/b.jpg"}, Phase.OTHER, "", id="a screenshot"),
        pytest.param(
            60,
            {"aliVodInfo": {"videoId": "v"}},
            Phase.KEPT,
            "The recording is kept in ApsaraVideo VoD: there is nothing in a store to merge.",
            id="VOD starts",
        ),
        pytest.param(
            61,
            {},
            Phase.KEPT,
            "The recording is kept in ApsaraVideo VoD: there is nothing in a store to merge.",
            id="VOD has it",
        ),
        pytest.param(70, {"recorderStartTime": 1}, Phase.STARTED, "", id="a web page starts"),
        pytest.param(71, {"code": 1, "fileList": WEB}, Phase.STOPPED, "", id="a web page stops"),
        pytest.param(71, {"code": 2}, Phase.STOPPED, "", id="a web page stops at what it cannot"),
        pytest.param(71, {}, Phase.STOPPED, "", id="a web page stops without a code"),
        pytest.param(71, {"code": 7}, Phase.STOPPED, "", id="a web page stops with no known code"),
        *(
            pytest.param(
                71,
                {"code": code},
                Phase.FAILED,
                f"The recording of a web page failed: {words}.",
                id=f"a web page fails with {code}",
            )
            for code, words in (
                (3, "the engine did not start"),
                (4, "the page did not load in time"),
                (5, "the page could not be opened"),
                (6, "the recorder failed"),
            )
        ),
        pytest.param(72, {"limitType": "WebGL"}, Phase.OTHER, "", id="a web page has too much"),
        pytest.param(73, {"reason": "audio_silence"}, Phase.OTHER, "", id="a web page loads again"),
        pytest.param(80, {}, Phase.OTHER, "", id="transcoding starts"),
        pytest.param(81, {"result": "all_success"}, Phase.OTHER, "", id="transcoding ends"),
        pytest.param(90, {"fileName": "a.ts;b.ts"}, Phase.OTHER, "", id="a download failed"),
        pytest.param(100, {"status": "publishing"}, Phase.OTHER, "", id="a relay"),
        pytest.param(1001, {"result": "failed"}, Phase.OTHER, "", id="transcoding ended"),
        pytest.param(34, {}, Phase.UNKNOWN, "No page of Agora's names the event 34.", id="no known event"),
    ],
)
def test_an_event_has_its_phase(kind: int, details: dict[str, Any], phase: Phase, reason: str) -> None:
    event = read(agora(kind, **details))
    assert (event.phase, event.reason, event.kind) == (phase, reason, str(kind))


def test_every_event_of_the_pages_is_in_the_table() -> None:
    """The table above is read back: nothing is known that is not tested."""
    (table,) = test_an_event_has_its_phase.pytestmark
    assert {case.values[0] for case in table.args[1]} - {34} == KINDS


def test_an_event_holds_what_was_told() -> None:
    assert read(agora(31, status=0, fileList=INDIVIDUAL)) == Event(
        vendor="agora",
        app=APP,
        key='["2000001428:4330:107",1768908670123]',
        task=SID,
        kind="31",
        phase=Phase.READY,
        at_ms=1_768_908_670_000,
        room="QA_Room",
        files=(USER.format(uid=57297, track="audio"), USER.format(uid=10230, track="video")),
        people=("57297", "10230"),
    )


@pytest.mark.parametrize(
    ("kind", "listed", "files"),
    [
        pytest.param(32, COMPOSITE, (f"{MIX}_0.mp4", f"{MIX}.m3u8"), id="of a composite"),
        pytest.param(71, WEB, (WEB[0]["filename"], WEB[1]["filename"]), id="of a web page"),
        pytest.param(4, f"{MIX}.m3u8", (f"{MIX}.m3u8",), id="as a text"),
        pytest.param(4, f"{MIX}_a.exe", (), id="no recorder's"),
        pytest.param(31, [{"fileName": f"../{MIX}.m3u8"}], (), id="up"),
        pytest.param(31, [{"fileName": f"/{MIX}.m3u8"}], (), id="absolute"),
        pytest.param(31, [{"fileName": f"a//{MIX}.m3u8"}], (), id="of a folder without a name"),
        pytest.param(31, [{"fileName": f"a\\{MIX}.m3u8"}], (), id="with a backslash"),
        pytest.param(31, [{"fileName": f"{SID}_a\nb.m3u8"}], (), id="of two lines"),
        pytest.param(31, [{"fileName": f"{SID}_\ud800.m3u8"}], (), id="with half a character"),
        pytest.param(31, [{"fileName": "x" * 1100 + ".m3u8"}], (), id="too long"),
        pytest.param(31, [{"fileName": f"math/{MIX}.m3u8"}], (f"math/{MIX}.m3u8",), id="in a folder"),
    ],
)
def test_only_names_of_a_recorder_become_files(kind: int, listed: Any, files: tuple[str, ...]) -> None:
    assert read(agora(kind, fileList=listed)).files == files


def test_a_user_id_may_be_a_number() -> None:
    one, other = (agora(31, fileList=[INDIVIDUAL[0] | {"uid": uid}]) for uid in ("57297", 57297))
    assert read(one) == read(other)


def test_the_id_of_a_recording_may_stand_outside() -> None:
    document = agora(31)
    document["sid"] = document["payload"].pop("sid")
    assert read(document).task == SID


def test_the_time_of_notice_stands_in_for_that_of_sending() -> None:
    document = agora(31)
    del document["payload"]["sendts"]
    assert read(document).at_ms == 1_768_908_670_123


def test_deliveries_of_one_notice_have_one_key_and_others_have_others() -> None:
    again = agora(31)
    again["payload"]["sequence"] = 8
    later, other = agora(31), agora(31)
    later["notifyMs"] += 1
    other["noticeId"] = "x"
    keys = [read(document).key for document in (agora(31), again, later, other)]
    assert (keys[0] == keys[1], len(set(keys))) == (True, 3)


def test_another_product_counts_its_events_by_itself() -> None:
    document = agora(31) | {"productId": 1, "payload": {"a": "1", "b": 2}}
    event = read(document)
    assert (event.phase, event.task) == (Phase.OTHER, "")


def test_an_unknown_event_may_be_of_no_recording() -> None:
    document = agora(99) | {"payload": {}}
    assert (read(document).phase, read(document).task) == (Phase.UNKNOWN, "")


def changed(path: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(agora(31, status=0, fileList=INDIVIDUAL))
    *parents, name = path.split(".")
    inside: Any = document
    for parent in parents:
        inside = inside[int(parent) if parent.isdigit() else parent]
    if value is None:
        del inside[name]
    else:
        inside[name] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("noticeId", None, "noticeId has to be 1 to 256 visible ASCII characters and is missing."),
        ("noticeId", 7, "noticeId has to be 1 to 256 visible ASCII characters."),
        ("noticeId", "a b", "noticeId has to be 1 to 256 visible ASCII characters."),
        ("noticeId", "a" * 257, "noticeId has to be 1 to 256 visible ASCII characters."),
        (
            "notifyMs",
            1_768_908_670,
            "notifyMs has to be a whole number from 1000000000000 to 253402300799999.",
        ),
        ("notifyMs", 1.5e12, "notifyMs has to be a whole number from 1000000000000 to 253402300799999."),
        ("notifyMs", True, "notifyMs has to be a whole number from 1000000000000 to 253402300799999."),
        ("notifyMs", 10**39, "notifyMs has to be a whole number from 1000000000000 to 253402300799999."),
        ("notifyMs", "१२३", "notifyMs has to be a whole number from 1000000000000 to 253402300799999."),
        (
            "productId",
            None,
            "productId has to be a whole number from 0 to 10000000000 and is missing.",
        ),
        ("eventType", "x", "eventType has to be a whole number from 0 to 10000000000."),
        ("eventType", -1, "eventType has to be a whole number from 0 to 10000000000."),
        ("payload", None, "payload has to be an object and is missing."),
        ("payload", [], "payload has to be an object."),
        ("payload.sid", None, "payload.sid has to be an id of 1 to 64 letters and digits and is missing."),
        ("payload.sid", "../a", "payload.sid has to be an id of 1 to 64 letters and digits."),
        ("payload.sid", "", "payload.sid has to be an id of 1 to 64 letters and digits."),
        (
            "payload.cname",
            "../../etc",
            "payload.cname has to be 1 to 64 letters, digits, spaces and punctuation without slashes.",
        ),
        (
            "payload.cname",
            "..",
            "payload.cname has to be 1 to 64 letters, digits, spaces and punctuation without slashes.",
        ),
        (
            "payload.cname",
            "a\u0000b",
            "payload.cname has to be 1 to 64 letters, digits, spaces and punctuation without slashes.",
        ),
        (
            "payload.cname",
            "a" * 65,
            "payload.cname has to be 1 to 64 letters, digits, spaces and punctuation without slashes.",
        ),
        ("payload.details", "x", "payload.details has to be an object."),
        (
            "payload.details.status",
            "ok",
            "payload.details.status has to be a whole number from -10000000000 to 10000000000.",
        ),
        ("payload.details.fileList", 7, "payload.details.fileList has to be a list of at most 1000."),
        (
            "payload.details.fileList",
            [{}] * 1001,
            "payload.details.fileList has to be a list of at most 1000.",
        ),
        ("payload.details.fileList", [{}, 7], "payload.details.fileList[1] has to be an object."),
        (
            "payload.details.fileList.1.uid",
            "a/b",
            "payload.details.fileList[1].uid has to be 1 to 256 printable characters without slashes.",
        ),
    ],
)
def test_a_field_that_is_malformed_is_named(path: str, value: Any, said: str) -> None:
    assert refusal(lambda: read(changed(path, value))) == (400, said)


@pytest.mark.parametrize("at_ms", [1_000_000_000_000, 253_402_300_799_999])
def test_the_first_and_the_last_time_are_some(at_ms: int) -> None:
    assert read(changed("notifyMs", at_ms)).key == f'["2000001428:4330:107",{at_ms}]'


def test_a_list_of_a_thousand_is_read() -> None:
    assert len(read(agora(31, fileList=[INDIVIDUAL[0] | {"uid": n} for n in range(1000)])).people) == 999


def test_numbers_may_be_written_as_texts() -> None:
    document = agora(31) | {"eventType": "31", "notifyMs": "1768908670123", "productId": "3"}
    assert read(document) == read(agora(31))


PAGE = (
    b'{"eventType":10,"noticeId":"4eb720f0-8da7-11e9-a43e-53f411c2761f","notifyMs":1560408533119,'
    b'"payload":{"a":"1","b":2},"productId":1}'
)
PAGE_SIGNED = {
    "Agora-Signature": "5a3bb6a6d9fad2ea9ae3fb707a14c9d7f3136df1",
    "Agora-Signature-V2": "de96da5acf03b0021ac3b4fa2225e7ae6f3533a30d50bb02c08ea4fa748bda24",
}


@pytest.mark.parametrize(
    "names", [("Agora-Signature",), ("Agora-Signature-V2",), tuple(PAGE_SIGNED)], ids=str
)
def test_the_page_s_own_signatures_are_right(names: tuple[str, ...]) -> None:
    headers = {name: PAGE_SIGNED[name] for name in names}
    assert check(came(PAGE, headers), {"math": (b"secret",)}) == "math"
    assert parse(PAGE, "math").phase is Phase.OTHER


BODY = json.dumps(agora(31)).encode()
RIGHT = agora_signed(BODY)
FIRST, SECOND = RIGHT["Agora-Signature"], RIGHT["Agora-Signature-V2"]
MISSING = (401, "Agora-Signature-V2 is missing: this address takes signed callbacks only.")
WRONG = (401, "The signature is not that of any secret which is known for this app.")


@pytest.mark.parametrize(
    ("headers", "app"),
    [
        pytest.param(RIGHT, APP, id="both"),
        pytest.param({"Agora-Signature-V2": SECOND}, APP, id="the second alone"),
        pytest.param({"Agora-Signature": FIRST}, APP, id="the first alone"),
        pytest.param({"Agora-Signature": "0" * 40, "Agora-Signature-V2": SECOND}, APP, id="a wrong first"),
        pytest.param(agora_signed(BODY, NEXT), APP, id="the next secret"),
        pytest.param(agora_signed(BODY, b"of-another-app"), "1400000002", id="another app's secret"),
        pytest.param({"aGORA-sIGNATURE-v2": SECOND}, APP, id="letters of any case"),
    ],
)
def test_a_right_signature_tells_the_app(headers: dict[str, str], app: str) -> None:
    assert check(came(BODY, headers), SECRETS) == app


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        pytest.param({}, MISSING, id="none"),
        pytest.param({"Agora-Signature": "", "Agora-Signature-V2": ""}, MISSING, id="empty ones"),
        pytest.param({"Agora-Signature": FIRST, "Agora-Signature-V2": "0" * 64}, WRONG, id="a wrong second"),
        pytest.param({"Agora-Signature": SECOND}, WRONG, id="the second as the first"),
        pytest.param({"Agora-Signature-V2": FIRST}, WRONG, id="the first as the second"),
        pytest.param(agora_signed(BODY, STRANGE), WRONG, id="a stranger's secret"),
        pytest.param(agora_signed(BODY, b""), WRONG, id="no secret"),
        pytest.param(agora_signed(BODY + b" "), WRONG, id="of another body"),
        pytest.param({"Agora-Signature-V2": SECOND.upper()}, WRONG, id="capital letters"),
        pytest.param({"Agora-Signature-V2": SECOND[:-1]}, WRONG, id="cut"),
        pytest.param({"Agora-Signature-V2": "\xe9" * 64}, WRONG, id="no ASCII"),
    ],
)
def test_any_other_signature_is_refused(headers: dict[str, str], told: tuple[int, str]) -> None:
    assert refusal(lambda: check(came(BODY, headers), SECRETS)) == told


def test_a_signature_that_came_twice_is_refused() -> None:
    twice = came(BODY, {"Agora-Signature-V2": SECOND, "agora-signature-v2": SECOND})
    told = (401, "The header agora-signature-v2 came 2 times, expected it once.")
    assert refusal(lambda: check(twice, SECRETS)) == told


def test_without_secrets_nothing_is_right() -> None:
    assert refusal(lambda: check(came(BODY, RIGHT), {})) == WRONG
    assert refusal(lambda: check(came(BODY, RIGHT), {APP: ()})) == WRONG


def test_the_signature_is_that_of_rfc_2104() -> None:
    """The lines of the tests against the page's."""
    assert hmac_of("sha1", b"secret", PAGE).hex() == PAGE_SIGNED["Agora-Signature"]
    assert agora_signed(PAGE, b"secret") == PAGE_SIGNED
    assert OWN in SECRETS[APP]


def test_the_reply_is_json() -> None:
    assert json.loads(reply(read(agora(31)))) == {"code": 0}
