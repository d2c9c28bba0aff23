"""Films on their way to Tencent VOD: what is asked for, what goes wrong, and what is never told."""

from __future__ import annotations

import logging
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import BusyError, CommandError, DeniedError, StorageError
from pipeline.publish.protocol import Medium
from pipeline.publish.tencent.settings import TencentSettings
from pipeline.publish.tencent.vod import TencentVod
from tests.publish.tc3 import Fault
from tests.publish.tencent_fake import APP, SECRET_ID, SECRET_KEY, TOKEN, tencent_fake
from tests.publish.tencent_scene import ENVIRON, HASTE, KEYS, ONCE, PARTS, SHORT, Notes, film
from tests.servers.faults import DENIED, EXPIRED, Answer, Drop, Header, Truncate, every, slow_down
from tests.storage.servers import bucket

if TYPE_CHECKING:
    from tests.publish.tencent_scene import Scene
    from tests.servers.certificates import Certificates
    from tests.servers.faults import Fault as NetFault
    from tests.servers.faults import Request
    from tests.servers.s3 import S3Server


@pytest.mark.parametrize("size", [1000, PARTS], ids=["whole", "in parts"])
def test_a_film_becomes_a_medium_with_its_bytes(tencent: Scene, size: int) -> None:
    notes = Notes()
    medium = tencent.vod().publish(film(size), {}, notes)
    assert medium == Medium(tencent.published(film(size)), medium.url)
    assert medium.url.endswith(tencent.fake.media[0].path)
    assert notes.steps == ["sending", "committing"]
    methods = [seen.method for seen in tencent.cos.seen]
    assert methods.count("PUT") == (1 if size == 1000 else 2)


def test_every_setting_is_asked_for(tencent: Scene) -> None:
    settings = replace(
        tencent.settings(),
        region="ap-beijing",
        class_id=7,
        procedure="Transcode",
        source_context='{"film": "{sha256}"}',
        session_context="session",
        storage_region="ap-chongqing",
        expire_ms=1_900_000_000_500,
    )
    of = film()
    tencent.vod(settings).publish(of, {}, Notes())
    assert tencent.fake.calls("ApplyUpload") == [
        {
            "MediaType": "mp4",
            "MediaName": "A call",
            "ClassId": 7,
            "Procedure": "Transcode",
            "SourceContext": f'{{"film": "{of.sha256}"}}',
            "SessionContext": "session",
            "StorageRegion": "ap-chongqing",
            "ExpireTime": "2030-03-17T17:46:40Z",
            "SubAppId": APP,
        }
    ]
    assert tencent.api.seen[0].headers["x-tc-region"] == "ap-beijing"


def test_what_is_not_set_is_not_asked_for(tencent: Scene) -> None:
    of = film()
    tencent.vod().publish(of, {}, Notes())
    (asked,) = tencent.fake.calls("ApplyUpload")
    assert set(asked) == {"MediaType", "MediaName", "ClassId", "SourceContext", "SubAppId"}
    assert asked["SourceContext"] == f"recpipe:{of.sha256}"


def test_days_are_counted_from_the_upload(tencent: Scene) -> None:
    settings = replace(tencent.settings(), expire_days=2)
    tencent.fake.behaviour.off_s = 1_900_000_000 - tencent.fake.now_s()
    tencent.vod(settings, clock=lambda: 1_900_000_000.0).publish(film(), {}, Notes())
    assert tencent.fake.calls("ApplyUpload")[0]["ExpireTime"] == "2030-03-19T17:46:40Z"


def test_all_of_it_goes_over_tls(rclone_tls: S3Server, certificates: Certificates) -> None:
    """To rclone, which refuses trailing checksums as COS does."""
    with tencent_fake(rclone_tls, bucket(rclone_tls), certificates) as fake:
        settings = TencentSettings(
            "main",
            credentials=KEYS,
            sub_app_id=APP,
            endpoint=fake.endpoint,
            cos_endpoint=rclone_tls.endpoint,
            ca_bundle=certificates.ca,
        )
        vod = TencentVod(settings, ENVIRON, patience=HASTE)
        vod.check()
        medium = vod.publish(film(PARTS), {}, Notes())
        assert [media.file_id for media in fake.media] == [medium.id]
        assert len(fake.body_of(fake.media[0])) == PARTS

        stranger = TencentVod(replace(settings, ca_bundle=None), ENVIRON, patience=HASTE)
        with pytest.raises(StorageError, match="the certificate is not trusted") as caught:
            stranger.publish(film(), {}, Notes())
        assert not caught.value.retryable


def test_a_check_leaves_nothing(tencent: Scene) -> None:
    tencent.vod().check()
    assert [name for name, _ in tencent.fake.asked] == ["SearchMedia"]
    assert (tencent.fake.uploads, tencent.cos.seen) == ({}, [])


def test_credentials_that_may_only_write_are_enough(tencent: Scene) -> None:
    tencent.fake.behaviour.write_only = True
    assert tencent.vod().publish(film(PARTS), {}, Notes()).id == tencent.published(film(PARTS))


@pytest.mark.parametrize("code", ["RequestLimitExceeded.UinLimitExceeded", "InternalError.DBError"])
def test_a_busy_service_is_asked_again(tencent: Scene, code: str) -> None:
    tencent.fake.behaviour.rule = lambda _, number: Fault(code, "Later.") if number < 3 else None
    assert tencent.vod().publish(film(), {}, Notes()).id == tencent.published(film())
    assert len(tencent.fake.calls("ApplyUpload")) == 3


def test_a_service_that_stays_busy_is_told_when_the_time_is_over(tencent: Scene) -> None:
    tencent.fake.behaviour.rule = lambda *_: Fault("RequestLimitExceeded", "Your quota is used up.")
    with pytest.raises(
        BusyError, match=r"ApplyUpload: the service is busy \(RequestLimitExceeded: Your quota"
    ):
        tencent.vod(patience=SHORT).publish(film(), {}, Notes())
    assert len(tencent.api.seen) > 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Drop(), id="dropped before the answer"),
        pytest.param(Drop(after=True), id="dropped after the answer"),
        pytest.param(slow_down(), id="503"),
        pytest.param(slow_down("0"), id="503 with Retry-After"),
        pytest.param(Truncate(1), id="cut off"),
        pytest.param(Answer(HTTPStatus.BAD_GATEWAY, "Bad"), id="502"),
    ],
)
@pytest.mark.parametrize("side", ["api", "cos"])
def test_what_fails_now_and_then_is_asked_for_again_and_one_medium_comes_out(
    tencent: Scene, side: str, fault: NetFault
) -> None:
    if side == "api":
        tencent.api.rule = lambda request: fault if request.number in {1, 3} else None
    else:
        tencent.cos_rule = every(3, fault)
    assert tencent.vod().publish(film(PARTS), {}, Notes()).id == tencent.published(film(PARTS))


def test_the_wait_that_the_service_asks_for_is_kept(tencent: Scene) -> None:
    tencent.api.rule = every(1, slow_down("3600"))
    with pytest.raises(BusyError, match="status 503"):
        tencent.vod().publish(film(), {}, Notes())
    assert len(tencent.api.seen) == 1


@pytest.mark.parametrize("refusal", [EXPIRED, DENIED], ids=["told so", "just denied"])
def test_credentials_that_expire_between_the_parts_begin_the_upload_anew(
    tencent: Scene, refusal: Answer
) -> None:
    def rule(request: Request) -> NetFault | None:
        expired = len(tencent.fake.uploads) == 1 and "partNumber=2" in request.query
        if expired:
            now_s.step = 10_000
        return refusal if expired else None

    class Clock:
        """Ours; it jumps behind the credentials' end when they expire."""

        step = 0

        def __call__(self) -> float:
            return tencent.fake.now_s() + self.step

    now_s = Clock()
    tencent.cos_rule = rule
    tencent.fake.behaviour.off_s = 0
    notes = Notes()
    settings = tencent.settings()
    vod = TencentVod(settings, ENVIRON, patience=HASTE, clock=now_s)
    assert vod.publish(film(PARTS), {}, notes).id == tencent.published(film(PARTS))
    assert notes.steps == ["sending", "sending", "committing"]
    assert len(tencent.fake.uploads) == 2


def test_credentials_that_always_expire_too_soon_are_told(tencent: Scene) -> None:
    tencent.fake.behaviour.lives_s = -1
    told = r"1_av\.mp4: Tencent's temporary credentials expired 3 times before its 1000 bytes had arrived"
    with pytest.raises(StorageError, match=told):
        tencent.vod().publish(film(), {}, Notes())
    assert len(tencent.fake.uploads) == 3
    assert tencent.fake.media == []


def test_a_store_that_denies_is_no_expiry(tencent: Scene) -> None:
    tencent.cos_rule = every(1, DENIED)
    with pytest.raises(DeniedError, match="AccessDenied"):
        tencent.vod().publish(film(), {}, Notes())
    assert len(tencent.fake.uploads) == 1


def test_bytes_that_arrived_changed_are_not_committed(tencent: Scene) -> None:
    def rule(request: Request) -> NetFault | None:
        return Header("Content-Length", "7") if request.method == "HEAD" else None

    tencent.cos_rule = rule
    with pytest.raises(StorageError, match=r"1_av\.mp4 has 7 bytes of 1000 in the store") as caught:
        tencent.vod(patience=SHORT).publish(film(), {}, Notes())
    assert caught.value.retryable
    assert tencent.fake.media == []


@pytest.mark.parametrize("hours", [-2, 3])
def test_a_wrong_clock_of_this_machine_is_told_and_set_right_for_signatures(
    tencent: Scene, hours: int
) -> None:
    tencent.fake.behaviour.off_s = hours * 3600
    told = rf"this machine's clock is {abs(hours) * 3600 // 1000}\d\d\d s off the service's: set it"
    with pytest.raises(BusyError, match=told):
        tencent.vod(patience=ONCE).publish(film(), {}, Notes())
    assert tencent.vod().publish(film(), {}, Notes()).id == tencent.published(film())


def test_a_wrong_clock_without_a_right_one_is_told(tencent: Scene) -> None:
    tencent.fake.behaviour.off_s, tencent.fake.behaviour.dated = 3600, False
    with pytest.raises(DeniedError, match="this machine's clock is wrong: set it"):
        tencent.vod().check()


def test_signatures_that_expire_on_a_right_clock_are_told(tencent: Scene) -> None:
    tencent.fake.behaviour.rule = lambda *_: Fault("AuthFailure.SignatureExpire", "The signature is expired.")
    with pytest.raises(DeniedError, match="its clock says the same as ours"):
        tencent.vod().check()


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        pytest.param({"T_ID": "AKIDother"}, "AuthFailure.SecretIdNotFound", id="an unknown id"),
        pytest.param({"T_KEY": "other"}, "AuthFailure.SignatureFailure", id="a wrong secret"),
        pytest.param({"T_TOKEN": "other"}, "AuthFailure.TokenFailure", id="a wrong token"),
    ],
)
def test_wrong_credentials_are_told_and_asked_for_once(
    tencent: Scene, environ: dict[str, str], code: str
) -> None:
    vod = TencentVod(tencent.settings(), {**ENVIRON, **environ}, patience=HASTE)
    for call in (vod.check, lambda: vod.publish(film(), {}, Notes())):
        with pytest.raises(DeniedError, match=rf"{code}: .*: check the credentials and their rights"):
            call()
    assert len(tencent.api.seen) == 2


@pytest.mark.parametrize(
    "code", ["UnauthorizedOperation", "FailedOperation.InvalidVodUser", "AuthFailure.UnauthorizedOperation"]
)
def test_rights_that_lack_are_told(tencent: Scene, code: str) -> None:
    tencent.fake.behaviour.rule = lambda *_: Fault(code, "No.")
    with pytest.raises(DeniedError, match=f"{code}: No. RequestId request-"):
        tencent.vod().publish(film(), {}, Notes())


def test_variables_that_are_not_set_are_told(tencent: Scene) -> None:
    with pytest.raises(CommandError, match="the environment has no T_KEY"):
        TencentVod(tencent.settings(), {**ENVIRON, "T_KEY": ""}).check()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"storage_region": "eu-frankfurt"}, "InvalidParameterValue.StorageRegion"),
        ({"sub_app_id": 7}, "InvalidParameterValue.SubAppId"),
        ({"sub_app_id": None}, "InvalidParameterValue.SubAppId"),
    ],
    ids=["a region that is not enabled", "another application", "no application"],
)
def test_what_the_service_does_not_take_is_told(tencent: Scene, change: dict[str, int], code: str) -> None:
    vod = tencent.vod(replace(tencent.settings(), **change))  # type: ignore[arg-type] # a field of each type
    with pytest.raises(StorageError, match=rf"does not take the request \({code}: ") as caught:
        vod.publish(film(), {}, Notes())
    assert not caught.value.retryable


CODES = ("AuthFailure.SecretIdNotFound", "InternalError", "InvalidParameterValue.VodSessionKey", "Other")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("action", ["ApplyUpload", "CommitUpload"])
def test_no_secret_is_in_a_sentence_even_where_the_service_repeats_it(
    tencent: Scene, action: str, code: str
) -> None:
    tencent.fake.behaviour.rule = lambda name, _: Fault(code, "No.") if name == action else None
    tencent.fake.behaviour.echoes = f"{SECRET_ID} {SECRET_KEY} {TOKEN}"
    notes = Notes()
    with pytest.raises(StorageError) as caught:
        tencent.vod(patience=SHORT).publish(film(), {}, notes)
    error: BaseException | None = caught.value
    texts = []
    while error is not None:
        texts += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    _expect_no_secret(tencent, " ".join(texts))


def test_no_secret_is_in_a_log_or_in_what_is_kept(tencent: Scene, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    notes = Notes()
    vod = tencent.vod()
    vod.publish(film(PARTS), {}, notes)
    assert "urllib3" in caplog.text
    _expect_no_secret(tencent, f"{caplog.text} {vod!r} {tencent.settings()!r}")
    kept = " ".join(notes.kept.values())
    assert not any(upload.token in kept for upload in tencent.fake.uploads.values())


def _expect_no_secret(tencent: Scene, text: str) -> None:
    handed_out = [secret for up in tencent.fake.uploads.values() for secret in (up.key, up.token)]
    own = (SECRET_ID, SECRET_KEY, TOKEN, tencent.fake.cos.accounts[0].secret_key)
    assert [secret for secret in (*own, *handed_out) if secret in text] == []


@pytest.mark.parametrize("name", ["T_ID", "T_TOKEN"])
def test_a_key_that_no_header_takes_is_told_without_it(tencent: Scene, name: str) -> None:
    vod = TencentVod(tencent.settings(), {**ENVIRON, name: "secret\nsecret"}, patience=HASTE)
    with pytest.raises(DeniedError, match="a line break or another character") as caught:
        vod.check()
    assert caught.value.__cause__ is None
    assert "secret\nsecret" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"StorageBucket": "evil.example/x"}, "'evil.example/x' in 'us-east-1' is no bucket of COS"),
        ({"StorageRegion": "evil.example"}, "in 'evil.example' is no bucket of COS"),
        ({"TempCertificate": None}, "the answer lacks what an upload needs"),
        ({"MediaStoragePath": ""}, "the answer lacks what an upload needs"),
    ],
    ids=["a host for a bucket", "a host for a region", "no credentials", "no path"],
)
def test_an_answer_that_leads_nowhere_is_refused(
    tencent: Scene, answer: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tencent.fake._apply_upload
    monkeypatch.setattr(tencent.fake, "_apply_upload", lambda asked: {**real(asked), **answer})  # type: ignore[dict-item] # it is no fault
    with pytest.raises(StorageError, match=told):
        tencent.vod().publish(film(), {}, Notes())
    assert tencent.cos.seen == []


@pytest.mark.parametrize("file_id", [None, "", 7], ids=["none", "an empty one", "a number"])
def test_a_commit_without_a_file_id_is_told(
    tencent: Scene, file_id: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tencent.fake, "_commit_upload", lambda _: {"FileId": file_id})
    with pytest.raises(StorageError, match="CommitUpload: the answer has no FileId"):
        tencent.vod().publish(film(), {}, Notes())
