"""Events sent to real servers on the loopback."""

from __future__ import annotations

import logging
import socket
from itertools import count
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError, ExitCode, NotifyError, ReceiverBusyError
from pipeline.model.manifest import Refusal
from pipeline.model.summary import summary_of
from pipeline.notify.event import Event
from pipeline.notify.sending import send
from pipeline.notify.webhook import SecretInEnvironment, SecretInFile, Url, Webhook
from pipeline.storage.retrying import Patience
from tests.notify.receiver import HangsUp, Says, Sleeps, receiver
from tests.outcomes import manifest, output, slice_lost

if TYPE_CHECKING:
    from pathlib import Path

    from tests.notify.receiver import Deed, Receiver
    from tests.servers.certificates import Certificates

NOW_MS = 1_772_442_000_999
OLD, NEW = b"0ld-secret-of-32-bytes-0123456789", b"n3w-secret-of-32-bytes-0123456789"
ENVIRON = {"HOOK_OLD": OLD.decode(), "HOOK": NEW.decode()}
HASTE = Patience(seconds=60, first=0, longest=0)
EVENT = Event.of(
    "job-1",
    summary_of(
        manifest(output(), output("张三"), refused=(Refusal("bob", "", "no"),), ledger=(slice_lost(1),)),
        place="vod:room7",
    ),
)


def hook(server: Receiver, certificates: Certificates | None = None) -> Webhook:
    return Webhook(
        Url.parse(server.url), (SecretInEnvironment("HOOK"),), certificates.ca if certificates else None
    )


def sent(webhook: Webhook, patience: Patience = HASTE, **environ: str) -> None:
    send(webhook, EVENT, now_ms=lambda: NOW_MS, environ=ENVIRON | environ, patience=patience)


def test_an_event_arrives_over_tls_as_it_was_signed(certificates: Certificates) -> None:
    with receiver(certificates=certificates) as server:
        sent(hook(server, certificates))
    (came,) = server.seen.deliveries
    assert (came.method, came.target) == ("POST", "/events?token=t0ken-of-the-url")
    assert (came.body, came.id, came.timestamp) == (EVENT.body(), EVENT.id, "1772442000")
    assert came.signed_by(NEW)
    assert not came.signed_by(OLD)
    assert came.headers["content-type"] == "application/json"
    assert came.headers["user-agent"].startswith("recpipe/")


def test_while_a_secret_is_changed_both_sign(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(OLD + b"\n")
    secrets = (SecretInFile(tmp_path / "old"), SecretInEnvironment("HOOK"))
    with receiver() as server:
        sent(Webhook(Url.parse(server.url), secrets))
    (came,) = server.seen.deliveries
    assert came.signed_by(OLD)
    assert came.signed_by(NEW)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_answer_of_success_is_a_yes(status: int) -> None:
    with receiver(Says(status)) as server:
        sent(hook(server))
    assert len(server.seen.deliveries) == 1


@pytest.mark.parametrize(
    "deed",
    [
        *(pytest.param(Says(code), id=str(code)) for code in (408, 425, 429, 500, 502, 503, 504, 599)),
        pytest.param(Says(503, (("Retry-After", "0"),)), id="503, at once"),
        pytest.param(Says(503, (("Retry-After", "soon"),)), id="503, a Retry-After that is none"),
        pytest.param(HangsUp(), id="the connection breaks after the request was read"),
    ],
)
def test_what_may_pass_is_sent_again_with_the_same_id_and_bytes_at_another_time(deed: Deed) -> None:
    seconds = count(1_772_442_000)
    with receiver(deed, deed) as server:
        send(hook(server), EVENT, now_ms=lambda: next(seconds) * 1000, environ=ENVIRON, patience=HASTE)
    came = server.seen.deliveries
    assert [each.timestamp for each in came] == ["1772442000", "1772442001", "1772442002"]
    assert {(each.id, each.body) for each in came} == {(EVENT.id, EVENT.body())}
    assert all(each.signed_by(NEW) for each in came)


@pytest.mark.parametrize(
    ("headers", "after"),
    [
        pytest.param((("Retry-After", "3600"),), 3600.0, id="in seconds"),
        pytest.param(
            (("Retry-After", "Mon, 02 Mar 2099 10:00:00 GMT"),), None, id="as a date, which is far away"
        ),
    ],
)
def test_a_wait_that_is_asked_for_and_too_long_is_not_begun(
    headers: tuple[tuple[str, str], ...], after: float | None
) -> None:
    with receiver(*[Says(503, headers)] * 3) as server, pytest.raises(ReceiverBusyError) as gave_up:
        sent(hook(server))
    assert len(server.seen.deliveries) == 1
    assert gave_up.value.after == after if after else (gave_up.value.after or 0) > 1e9
    assert str(gave_up.value).endswith(" is busy (503 Service Unavailable): run again later.")
    assert (gave_up.value.retryable, gave_up.value.exit_code) == (True, ExitCode.OUTPUT)


def test_a_wait_that_is_asked_for_and_short_is_kept() -> None:
    """By a clock of its own: ten seconds pass with each look, so two waits fit and a third does not."""
    looks = count(0, 10)
    busy = Says(429, (("Retry-After", "1"),))
    with receiver(*[busy] * 9) as server, pytest.raises(ReceiverBusyError, match="429 Too Many Requests"):
        send(
            hook(server),
            EVENT,
            now_ms=lambda: NOW_MS,
            environ=ENVIRON,
            patience=Patience(seconds=30, first=0, longest=0),
            clock=lambda: float(next(looks)),
        )
    assert len(server.seen.deliveries) == 3


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (400, "refuses the event (400 Bad Request): what it expects is known where it runs."),
        (
            401,
            "refuses the event (401 Unauthorized): check that it knows the webhook's secret, and the time.",
        ),
        (403, "refuses the event (403 Forbidden): check that it knows the webhook's secret, and the time."),
        (404, "refuses the event (404 Not Found): check the webhook's URL."),
        (405, "refuses the event (405 Method Not Allowed): check the webhook's URL: it must take POST."),
        (409, "refuses the event (409 Conflict): what it expects is known where it runs."),
        (
            410,
            "refuses the event (410 Gone): it wants no more events: take the webhook out, or name another.",
        ),
        (413, "refuses the event (413 Request Entity Too Large): let it take larger bodies."),
        (499, "refuses the event (499): what it expects is known where it runs."),
    ],
)
def test_a_refusal_is_told_once_and_at_once(status: int, sentence: str) -> None:
    with receiver(Says(status, (("X-Reason", "no"),))) as server, pytest.raises(NotifyError) as refused:
        sent(hook(server))
    origin = server.url.partition("/events")[0]
    assert str(refused.value) == f"the webhook at {origin} {sentence}"
    assert (refused.value.retryable, refused.value.exit_code) == (False, ExitCode.OUTPUT)
    assert len(server.seen.deliveries) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 304, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with receiver() as other:
        to = (("Location", other.url),)
        with receiver(Says(status, to)) as server, pytest.raises(NotifyError) as refused:
            sent(hook(server))
    assert "sends the event on to another place" in str(refused.value)
    assert "that is not followed: give the URL that takes it." in str(refused.value)
    assert not refused.value.retryable
    assert (len(server.seen.deliveries), other.seen.deliveries) == (1, [])


def test_a_receiver_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.notify.sending.READ_SECONDS", 0.1)
    with receiver(*[Sleeps()] * 100) as server, pytest.raises(ReceiverBusyError) as late:
        sent(hook(server), Patience(seconds=0.5, first=0.01, longest=0.01))
    assert str(late.value).endswith(" does not answer in time: run again later.")
    assert {each.id for each in server.seen.deliveries} == {EVENT.id}
    assert len(server.seen.deliveries) > 1


def test_where_nobody_listens_it_is_told_and_may_pass() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    webhook = Webhook(Url.parse(f"http://127.0.0.1:{port}/x"), (SecretInEnvironment("HOOK"),))
    with pytest.raises(ReceiverBusyError, match=r"the connection broke .*Connection refused.*: run again"):
        sent(webhook, Patience(seconds=0.1, first=0.01, longest=0.01))


def test_a_receiver_whose_certificate_nobody_vouches_for_gets_nothing(certificates: Certificates) -> None:
    with receiver(certificates=certificates) as server, pytest.raises(NotifyError) as refused:
        sent(hook(server))
    assert "has a certificate that is not trusted (" in str(refused.value)
    assert not refused.value.retryable
    assert server.seen.deliveries == []


def test_a_certificate_of_another_name_is_not_trusted(certificates: Certificates) -> None:
    with receiver(certificates=certificates, host="127.0.0.2") as server, pytest.raises(NotifyError) as no:
        sent(hook(server, certificates))
    assert "IP address mismatch, certificate is not valid for '127.0.0.2'" in str(no.value)
    assert server.seen.deliveries == []


def test_a_port_that_speaks_no_tls_is_told(certificates: Certificates) -> None:
    with receiver() as server:
        webhook = Webhook(
            Url.parse(server.url.replace("http:", "https:")), (SecretInEnvironment("HOOK"),), certificates.ca
        )
        with pytest.raises(NotifyError, match=r"does not speak TLS as we do \(.*\): check its URL"):
            sent(webhook)


def test_certificates_that_are_none_are_told(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no PEM")
    secrets = (SecretInEnvironment("HOOK"),)
    for name in ("ca.pem", "nowhere.pem"):
        with pytest.raises(CommandError, match=rf"{name} holds no certificates that can be used"):
            sent(Webhook(Url.parse("https://127.0.0.1:9/"), secrets, tmp_path / name))


def test_without_its_secret_nothing_is_sent() -> None:
    with receiver() as server:
        webhook = Webhook(Url.parse(server.url), (SecretInEnvironment("HOOK"), SecretInEnvironment("LOST")))
        with pytest.raises(CommandError, match="the environment has no LOST"):
            sent(webhook)
    assert server.seen.deliveries == []


@pytest.mark.parametrize("deed", [Says(204), Says(302), Says(403), Says(500), HangsUp()], ids=str)
def test_neither_secret_nor_token_is_in_a_message_or_a_log(
    deed: Deed, caplog: pytest.LogCaptureFixture
) -> None:
    """The client's own debugging output has the token: it shows every request line."""
    caplog.set_level(logging.DEBUG)
    said = ""
    with receiver(*[deed] * 1000) as server:
        try:
            sent(hook(server), Patience(seconds=0.05, first=0.01, longest=0.01))
        except NotifyError as error:
            said = f"{error!r} {error} {error.__cause__!r}"
    assert server.seen.deliveries
    assert "secret-of-32-bytes" not in said + caplog.text
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
    assert "t0ken-of-the-url" not in said + "".join(ours)


def test_a_proxy_of_the_environment_carries_what_it_cannot_read(certificates: Certificates) -> None:
    with receiver() as proxy, receiver(certificates=certificates) as server:
        login = proxy.url.replace("http://", "http://me:p%40ss@").partition("/events")[0]
        sent(hook(server, certificates), https_proxy=login)
    (asked,) = proxy.seen.deliveries
    assert (asked.method, asked.target) == ("CONNECT", f"127.0.0.1:{server.server_port}")
    assert asked.headers["proxy-authorization"] == "Basic bWU6cEBzcw=="
    (came,) = server.seen.deliveries
    assert came.signed_by(NEW)
    assert "proxy-authorization" not in came.headers


def test_a_proxy_for_http_is_asked_for_the_whole_url_and_spared_where_it_is_not_wanted() -> None:
    with receiver() as proxy, receiver() as server:
        where = proxy.url.partition("/events")[0]
        sent(hook(server), http_proxy=where)
        assert [each.target for each in proxy.seen.deliveries] == [server.url]
        sent(hook(server), http_proxy=where, no_proxy="127.0.0.1")
        assert len(proxy.seen.deliveries) == 1
        assert [each.signed_by(NEW) for each in server.seen.deliveries] == [True]


@pytest.mark.parametrize("proxy", ["socks5://me:p4ss@p:1080", "http://me:p4ss@[p", "://p4ss"])
def test_a_proxy_that_is_none_is_told_without_its_password(proxy: str) -> None:
    with receiver() as server, pytest.raises(CommandError) as told:
        sent(hook(server), http_proxy=proxy)
    assert "the environment's proxy for http://127.0.0.1" in str(told.value)
    assert "p4ss" not in str(told.value)
    assert server.seen.deliveries == []


def test_a_proxy_that_is_not_there_is_told_without_its_password(certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        proxy = f"http://me:p4ss@127.0.0.1:{free.getsockname()[1]}"
    with receiver(certificates=certificates) as server, pytest.raises(ReceiverBusyError) as told:
        sent(hook(server, certificates), Patience(seconds=0.1, first=0.01, longest=0.01), https_proxy=proxy)
    assert "Unable to connect to proxy" in str(told.value)
    assert "p4ss" not in f"{told.value} {told.value.__cause__!r}"
    assert server.seen.deliveries == []
