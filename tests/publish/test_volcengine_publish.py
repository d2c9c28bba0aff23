"""A film becomes a medium: through a real connection, under faults, and with no secret in any sentence."""

from __future__ import annotations

import logging
import random
import threading
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from pipeline.errors import BusyError, CommandError, DeniedError, NoBucketError, StorageError
from pipeline.publish.volcengine.settings import GET_META, Function, StorageClass
from pipeline.publish.volcengine.vod import VolcengineVod
from tests.publish.volcengine_fake import volcengine
from tests.publish.volcengine_material import (
    ENV,
    PART,
    QUICK,
    SHORT,
    Journal,
    environ,
    film,
    film_of,
    settings,
    vod,
)
from tests.publish.volcengine_space import Asked, Login, Refuse, Space
from tests.servers.faults import Drop, Truncate, Wait, at, every, faulty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.publish.protocol import Film, Vod
    from tests.publish.volcengine_fake import VolcengineFake
    from tests.publish.volcengine_space import Rule
    from tests.servers.certificates import Certificates
    from tests.servers.faults import Fault

PARTS = film(3 * PART + 7)
WHOLE = film(1000)
ASKED_FOR_PARTS = [
    "ListFileMetaInfosByFileNames",
    "ApplyUploadInfo",
    "init",
    "part",
    "part",
    "part",
    "finish",
]


@pytest.fixture
def fake() -> Iterator[VolcengineFake]:
    with volcengine() as server:
        yield server


def published(there: Vod, given: Film) -> str:
    return there.publish(given, {}, Journal()).id


def refusing(kind: str, refuse: Refuse, times: int = 1) -> Rule:
    """The first requests of a kind are refused."""
    left = {kind: times}

    def rule(asked: Asked) -> Refuse | None:
        if not left.get(asked.kind):
            return None
        left[asked.kind] -= 1
        return refuse

    return rule


def test_it_is_what_publishing_asks_for(fake: VolcengineFake) -> None:
    there: Vod = vod(fake)
    assert there.name == "Volcengine VOD main (space films)"


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        pytest.param(
            WHOLE, ["ListFileMetaInfosByFileNames", "ApplyUploadInfo", "put"], id="a small one, whole"
        ),
        pytest.param(PARTS, ASKED_FOR_PARTS, id="a larger one, in parts"),
        pytest.param(
            film(PART - 1), ["ListFileMetaInfosByFileNames", "ApplyUploadInfo", "put"], id="just whole"
        ),
        pytest.param(
            film(PART),
            ["ListFileMetaInfosByFileNames", "ApplyUploadInfo", "init", "part", "finish"],
            id="just in parts",
        ),
    ],
)
def test_a_film_becomes_one_medium_of_its_bytes(fake: VolcengineFake, given: Film, kinds: list[str]) -> None:
    medium = vod(fake).publish(given, {}, Journal())
    (made,) = fake.space.media
    assert (medium.id, medium.url) == (made.vid, "")
    with given.open() as file:
        assert made.data == file.read()
    assert made.path == f"{given.sha256}/user-42_2026-1.mp4"
    assert fake.space.kinds() == [*kinds, "CommitUploadInfo"]


def test_it_works_over_tls_and_with_temporary_credentials(certificates: Certificates) -> None:
    space = Space(login=Login.temporary(), region="ap-southeast-1")
    with volcengine(space, certificates) as fake:
        assert published(vod(fake), PARTS) == space.media[0].vid
        vod(fake).check()


def test_whoever_nobody_vouches_for_gets_nothing(certificates: Certificates) -> None:
    with volcengine(certificates=certificates) as fake:
        with pytest.raises(StorageError, match="the certificate is not trusted") as caught:
            published(vod(fake, ca_bundle=None), WHOLE)
        assert not caught.value.retryable
        assert fake.space.asked == []


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("user_42.mp4", "user_42.mp4"),
        ("a b+c?d$e&f%20.mp4", "a-b-c-d-e-f-20.mp4"),
        ("日本語.mp4", "film.mp4"),
        (".mp4", "film.mp4"),
        ("x" * 300 + ".mp4", "x" * 200 + ".mp4"),
    ],
)
def test_a_path_has_only_what_every_page_allows(fake: VolcengineFake, file: str, name: str) -> None:
    published(vod(fake, folder="calls/2026/"), replace(WHOLE, file=file))
    assert fake.space.media[0].path == f"calls/2026/{WHOLE.sha256}/{name}"


@pytest.mark.parametrize("storage", StorageClass, ids=lambda storage: storage.name.lower())
@pytest.mark.parametrize("given", [WHOLE, PARTS], ids=["whole", "in parts"])
def test_the_storage_class_is_told_to_the_api_and_with_the_bytes(
    fake: VolcengineFake, storage: StorageClass, given: Film
) -> None:
    published(vod(fake, storage_class=storage), given)
    (session,) = fake.space.sessions.values()
    assert session.storage == str(int(storage))


def test_the_commit_has_the_title_the_functions_and_what_callbacks_get(fake: VolcengineFake) -> None:
    snapshot = Function("Snapshot", '{"SnapshotTime":2.3}')
    there = vod(fake, functions=(snapshot, GET_META), workflow="8ecb", callback_args="a=1&b=2")
    published(there, replace(WHOLE, title="Mondays: 片 & more"))
    (made,) = fake.space.media
    assert made.functions == [
        {"Name": "GetMeta"},
        {"Name": "Snapshot", "Input": {"SnapshotTime": 2.3}},
        {"Name": "StartWorkflow", "Input": {"TemplateId": "8ecb"}},
        {"Name": "AddOptionInfo", "Input": {"Title": "Mondays: 片 & more"}},
    ]
    assert made.callback == "a=1&b=2"


def test_few_parts_are_under_way_and_each_is_read_by_itself(fake: VolcengineFake) -> None:
    lengths: list[int] = []
    held: list[int] = []
    data = random.Random(1).randbytes(40 * PART)  # noqa: S311 - material, no secret
    given = film_of(data)

    def opened() -> object:
        file = given.open()
        real = file.read

        def read(length: int = -1) -> bytes:
            lengths.append(length)
            held.append(len(lengths) - fake.space.kinds().count("part"))
            return real(length)

        file.read = read  # type: ignore[method-assign] # a reader that tells what it is asked
        return file

    met, first = threading.Barrier(2), iter(range(2))

    def together(asked: Asked) -> None:
        """The first two parts wait for one another."""
        if asked.kind == "part" and next(first, None) is not None:
            met.wait(30)

    fake.space.rule = together
    published(vod(fake), replace(given, open=opened))  # type: ignore[arg-type] # as above
    assert fake.space.media[0].data == data
    assert lengths == [PART] * 40
    assert 1 < max(held) <= 4
    assert 1 < fake.space.most_at_once <= 4


def test_a_check_tells_that_all_is_well_and_leaves_nothing_behind(fake: VolcengineFake) -> None:
    vod(fake).check()
    assert fake.space.kinds() == ["ListFileMetaInfosByFileNames"]
    assert (fake.space.sessions, fake.space.media, fake.space.files) == ({}, [], {})


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        pytest.param({"secret_key": "wrong"}, DeniedError, "SignatureDoesNotMatch", id="a wrong secret"),
        pytest.param({"access_key": "AKLTwrong"}, DeniedError, "InvalidClientTokenId", id="an unknown key"),
        pytest.param({"token": "STS2old"}, DeniedError, "InvalidClientTokenId", id="a wrong session token"),
    ],
)
def test_wrong_credentials_are_told_at_once(
    fake: VolcengineFake, change: dict[str, str], error: type[StorageError], sentence: str
) -> None:
    right = settings(
        fake, credentials=replace(ENV, session_token_env="VOD_TOKEN" if "token" in change else "")
    )
    there = VolcengineVod(right, environ(replace(fake.space.login, **change)), patience=QUICK)
    for act in (there.check, lambda: published(there, WHOLE)):
        with pytest.raises(error, match=sentence):
            act()
    assert len(fake.space.asked) == 2


@pytest.mark.parametrize(
    "action", ["ListFileMetaInfosByFileNames", "ApplyUploadInfo", "CommitUploadInfo"], ids=str
)
def test_a_right_that_is_missing_is_named(action: str) -> None:
    with (
        volcengine(Space(denied=frozenset({action}))) as fake,
        pytest.raises(DeniedError, match=rf"{action} is refused \(AccessDenied.*check the credentials"),
    ):
        published(vod(fake), WHOLE)


def test_a_space_that_is_not_there_is_told(fake: VolcengineFake) -> None:
    with pytest.raises(NoBucketError, match="there is no such space here"):
        vod(fake, space="elsewhere").check()


def test_a_variable_that_is_not_set_is_told(fake: VolcengineFake) -> None:
    with pytest.raises(CommandError, match="no VOD_KEY and no VOD_SECRET"):
        VolcengineVod(settings(fake), {})


@pytest.mark.parametrize("field", ["access_key", "secret_key", "token"])
def test_credentials_that_no_header_can_hold_are_refused_unsaid(fake: VolcengineFake, field: str) -> None:
    broken = replace(fake.space.login, **{field: "tell-no-one\n"})
    changed = settings(fake, credentials=replace(ENV, session_token_env="VOD_TOKEN" if broken.token else ""))
    with pytest.raises(DeniedError, match="a line break") as caught:
        VolcengineVod(changed, environ(broken))
    assert "tell-no-one" not in str(caught.value)


def test_an_empty_film_is_refused_before_anything_is_asked(fake: VolcengineFake) -> None:
    with pytest.raises(StorageError, match="is empty"):
        published(vod(fake), film_of(b""))
    assert fake.space.asked == []


@pytest.mark.parametrize("given", [WHOLE, PARTS], ids=["whole", "in parts"])
def test_a_film_that_became_shorter_is_told(fake: VolcengineFake, given: Film) -> None:
    with pytest.raises(StorageError, match="it was changed while it was sent"):
        published(vod(fake), replace(given, size=given.size + 1))
    assert fake.space.media == []


@pytest.mark.parametrize(
    ("refuse", "kind"),
    [
        (Refuse(429, "FlowLimitExceeded"), "ApplyUploadInfo"),
        (Refuse(429, "AccountFlowLimitExceeded", headers=(("Retry-After", "1"),)), "CommitUploadInfo"),
        (Refuse(500, "InternalError"), "ListFileMetaInfosByFileNames"),
        (Refuse(502, "FailToConnect"), "CommitUploadInfo"),
        (Refuse(503, 503), "init"),
        (Refuse(500, 5000), "part"),
        (Refuse(400, 4000, "crc32 does not match"), "part"),
        (Refuse(504, 504), "finish"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else f"{value.status} {value.code}",
)
def test_what_passes_by_itself_is_tried_again(fake: VolcengineFake, refuse: Refuse, kind: str) -> None:
    fake.space.rule = refusing(kind, refuse, times=2 if not refuse.headers else 1)
    assert published(vod(fake), PARTS) == fake.space.media[0].vid
    assert len(fake.space.media) == 1


def test_a_service_that_stays_busy_is_told_in_the_end(fake: VolcengineFake) -> None:
    fake.space.rule = lambda _: Refuse(503, "ServiceUnavailableTemp")
    with pytest.raises(BusyError, match="ServiceUnavailableTemp"):
        published(vod(fake, patience=SHORT), WHOLE)
    assert len(fake.space.asked) > 1


@pytest.mark.parametrize(
    "fault", [Drop(), Drop(after=True), Truncate(10)], ids=["before", "after", "half an answer"]
)
@pytest.mark.parametrize("count", [3, 4, 5])
def test_every_request_that_is_dropped_is_made_again(fake: VolcengineFake, fault: Fault, count: int) -> None:
    with faulty(fake.as_s3(), every(count, fault)) as proxy:
        fake.upload_hosts = [f"127.0.0.1:{proxy.port}"]
        assert published(vod(fake, endpoint=proxy.server.endpoint), PARTS) == fake.space.media[0].vid
        assert len(proxy.seen) > 8
    assert len(fake.space.media) == 1


def test_an_upload_host_that_does_not_answer_is_passed_over_for_the_next(fake: VolcengineFake) -> None:
    with faulty(fake.as_s3(), every(1, Drop())) as deaf:
        fake.upload_hosts = [f"127.0.0.1:{deaf.port}", f"127.0.0.1:{fake.port}"]
        assert published(vod(fake), PARTS) == fake.space.media[0].vid
        assert deaf.seen


@pytest.mark.parametrize("kind", ["put", "init", "part", "finish"])
def test_credentials_that_expire_under_way_are_applied_for_again(fake: VolcengineFake, kind: str) -> None:
    expired: list[Asked] = []

    def rule(asked: Asked) -> None:
        if asked.kind == kind and not expired:
            expired.append(asked)
            fake.space.expire()

    fake.space.rule = rule
    journal = Journal()
    vod(fake).publish(WHOLE if kind == "put" else PARTS, {}, journal)
    assert len(fake.space.media) == 1
    assert len(fake.space.sessions) == 2
    assert journal.stages == ["uploading", "uploading", "committing"]


def test_an_upload_in_parts_that_is_gone_is_begun_again(fake: VolcengineFake) -> None:
    fake.space.rule = refusing("part", Refuse(404, 404))
    assert published(vod(fake), PARTS) == fake.space.media[0].vid
    assert len(fake.space.sessions) == 2


def test_addresses_that_let_nothing_in_are_not_applied_for_without_end(fake: VolcengineFake) -> None:
    fake.space.rule = refusing("put", Refuse(403, 403, "no entry"), times=99)
    with pytest.raises(DeniedError, match=r"the film is refused \(403 no entry\)"):
        published(vod(fake), WHOLE)
    assert fake.space.kinds().count("ApplyUploadInfo") == 3


@pytest.mark.parametrize("kind", ["put", "init", "part", "finish"])
def test_bytes_that_are_refused_are_no_medium(fake: VolcengineFake, kind: str) -> None:
    fake.space.rule = refusing(kind, Refuse(400, 4000, "not like this"), times=99)
    with pytest.raises(StorageError, match=r"does not take the request \(4000 not like this\)"):
        published(vod(fake), WHOLE if kind == "put" else PARTS)
    assert fake.space.media == []


@pytest.mark.parametrize("hours", [-1, 1, 30], ids=["behind", "ahead", "by more than a day"])
def test_requests_are_signed_by_the_service_s_clock(hours: int) -> None:
    with volcengine(Space(ahead_s=hours * 3600)) as fake:
        published(vod(fake), PARTS)
        assert fake.space.kinds().count("ListFileMetaInfosByFileNames") == 2
        assert len(fake.space.media) == 1


def test_a_clock_that_stays_wrong_is_told(fake: VolcengineFake) -> None:
    fake.space.rule = lambda _: Refuse(403, "InvalidTimestamp")
    with pytest.raises(DeniedError, match="this machine's clock is wrong: set it"):
        vod(fake).check()
    assert len(fake.space.asked) == 1


def test_a_redirect_is_not_followed(fake: VolcengineFake) -> None:
    fake.space.rule = refusing("put", Refuse(307, 307, headers=(("Location", fake.endpoint + "/else"),)))
    with pytest.raises(StorageError, match="307"):
        published(vod(fake), WHOLE)
    assert fake.space.kinds().count("put") == 1


def test_a_service_that_is_not_there_is_told_in_the_end(fake: VolcengineFake) -> None:
    there = vod(fake, patience=SHORT, endpoint="http://127.0.0.1:9")
    with pytest.raises(BusyError, match="the connection broke"):
        published(there, WHOLE)


def test_a_server_that_speaks_no_tls_is_told_at_once(fake: VolcengineFake) -> None:
    with pytest.raises(StorageError, match="no TLS as we speak it"):
        vod(fake, endpoint=fake.endpoint.replace("http:", "https:")).check()


def test_an_address_at_a_host_that_is_none_is_not_gone_to(fake: VolcengineFake) -> None:
    fake.upload_hosts = ["127.0.0.1/else"]
    with pytest.raises(StorageError, match="the answer is not what the service documents"):
        published(vod(fake), WHOLE)
    assert "put" not in fake.space.kinds()


# Secrets.


def _everything(
    caught: pytest.ExceptionInfo[BaseException] | None, caplog: pytest.LogCaptureFixture, there: Vod
) -> str:
    """All that anybody could read: the error with all that led to it, every log record, the object."""
    told = "".join(traceback.format_exception(caught.value)) if caught else ""
    records = [f"{r.getMessage()} {r.__dict__}" for r in caplog.records]
    return "\n".join([told, *records, repr(there), there.name])


def _secrets(fake: VolcengineFake) -> list[str]:
    login = fake.space.login
    auths = [session.auth for session in fake.space.sessions.values()]
    found = [login.access_key, login.secret_key, login.token, *auths, *fake.space.sessions]
    return [secret for secret in found if secret]


FAULTS: dict[str, Callable[[VolcengineFake], None]] = {
    "nothing": lambda _: None,
    "a commit that is refused with its session in the message": lambda fake: setattr(
        fake.space, "rule", lambda asked: _forgotten(fake, asked)
    ),
    "bytes that are refused with their credentials in the message": lambda fake: setattr(
        fake.space, "rule", lambda asked: fake.space.expire() if asked.kind == "part" else None
    ),
    "a commit that is busy": lambda fake: setattr(
        fake.space, "rule", lambda asked: Refuse(503, 503) if asked.kind == "CommitUploadInfo" else None
    ),
}


def _forgotten(fake: VolcengineFake, asked: Asked) -> Refuse | None:
    if asked.kind != "CommitUploadInfo":
        return None
    session = asked.query["SessionKey"]
    said = f"no session {session} or {quote(session, safe='')} of {fake.space.login}"
    return Refuse(400, "InvalidParameter", said)


@pytest.mark.parametrize("fault", FAULTS)
def test_no_secret_is_in_any_sentence_or_log(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with volcengine(Space(login=Login.temporary())) as fake:
        FAULTS[fault](fake)
        there = vod(fake, patience=SHORT)
        caught = None
        if fault == "nothing":
            published(there, PARTS)
        else:
            with pytest.raises(StorageError) as caught:
                published(there, PARTS)
        text = _everything(caught, caplog, there)
        assert "CommitUploadInfo" in text or "part" in text  # the logs are on
        assert [secret for secret in _secrets(fake) if secret in text] == []
        assert [key for key in fake.space.sessions if quote(key, safe="") in text] == []


def test_a_session_of_an_earlier_run_is_in_no_sentence(
    fake: VolcengineFake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    journal = Journal()
    vod(fake).publish(PARTS, {}, journal)
    fake.space.media.clear()
    session = journal.last["session"]
    fake.space.rule = lambda asked: (
        Refuse(503, "InternalError", f"of {session}") if asked.kind == "CommitUploadInfo" else None
    )
    there = vod(fake, patience=SHORT)
    with pytest.raises(BusyError, match=r"InternalError: of \*\*\*") as caught:
        there.publish(PARTS, journal.last, Journal())
    assert session not in _everything(caught, caplog, there)


@pytest.mark.parametrize("logger", ["urllib3.connectionpool", "urllib3.connection"])
def test_a_target_is_logged_without_its_session(logger: str, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger(logger).warning("%s (url=%s)", 1, "https://h/?Action=C&SessionKey=eyJ9&X=1")
    assert caplog.messages == ["1 (url=https://h/?Action=C&SessionKey=***&X=1)"]


def test_a_signature_that_is_refused_with_both_keys_in_the_message_tells_none_of_them(
    fake: VolcengineFake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = Login(access_key=fake.space.login.access_key)
    there = VolcengineVod(settings(fake), environ(wrong), patience=SHORT)
    with pytest.raises(DeniedError) as caught:
        there.check()
    text = _everything(caught, caplog, there)
    assert wrong.access_key not in text
    assert wrong.secret_key not in text


def test_a_secret_is_not_in_the_sentence_of_a_connection_that_breaks_while_committing(
    fake: VolcengineFake, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    with faulty(fake.as_s3(), at(4, Wait(60))) as proxy:
        fake.upload_hosts = [f"127.0.0.1:{proxy.port}"]
        there = vod(fake, patience=SHORT, endpoint=proxy.server.endpoint)
        proxy.rule = lambda request: Drop() if "CommitUploadInfo" in request.query else None
        with pytest.raises(BusyError, match="CommitUploadInfo: the connection broke") as caught:
            published(there, WHOLE)
        text = _everything(caught, caplog, there)
        assert [secret for secret in _secrets(fake) if secret in text] == []
    assert list(tmp_path.iterdir()) == []
