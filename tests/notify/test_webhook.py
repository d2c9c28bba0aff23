from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from urllib3.util import parse_url

from pipeline.errors import CommandError
from pipeline.notify.proxies import proxy_of
from pipeline.notify.webhook import SecretInEnvironment, SecretInFile, Url, Webhook

if TYPE_CHECKING:
    from pathlib import Path

LONG = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "scheme", "host", "port", "written"),
    [
        ("https://hooks.example.com/in", "https", "hooks.example.com", 443, None),
        (
            "https://hooks.example.com:443/in",
            "https",
            "hooks.example.com",
            443,
            "https://hooks.example.com/in",
        ),
        ("http://10.0.0.7:8080", "http", "10.0.0.7", 8080, "http://10.0.0.7:8080/"),
        ("http://receiver_1/", "http", "receiver_1", 80, None),
        ("https://[2001:db8::1]:8443/a/b?c=d&e=%20/f", "https", "[2001:db8::1]", 8443, None),
        (
            "https://Hooks.Example.COM?x=1",
            "https",
            "hooks.example.com",
            443,
            "https://hooks.example.com/?x=1",
        ),
    ],
)
def test_urls_that_are_taken(text: str, scheme: str, host: str, port: int, written: str | None) -> None:
    url = Url.parse(text)
    assert (url.scheme, url.host, url.port) == (scheme, host, port)
    assert str(url) == (written or text)
    assert Url.parse(str(url)) == url


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("ftp://h/x", "begins with ftp://, and events are sent by https or http alone"),
        ("file:///etc/passwd", "begins with file://, and events are sent by https or http alone"),
        ("HTTPS://h/x", "begins with HTTPS://, and events are sent by https or http alone"),
        ("https://user:hunter2@h/x", "holds a user or a password"),
        ("https://hunter2@h/x", "holds a user or a password"),
        ("https://good.example.com\\@evil.example.com/hunter2", "holds a user or a password"),
        ("https://h/x#hunter2", "holds a fragment"),
        ("https://h/" + "hunter2" * 400, "has over 2048 characters"),
        ("", "is none"),
        ("hunter2", "is none"),
        ("//h/hunter2", "is none"),
        ("javascript:hunter2", "is none"),
        ("https://", "is none"),
        ("https:///hunter2", "is none"),
        ("https://h:0/hunter2", "is none"),
        ("https://h:65536/hunter2", "is none"),
        ("https://h:/hunter2", "is none"),
        ("https://h:8a/hunter2", "is none"),
        ("https://-h/hunter2", "is none"),
        ("https://h\\hunter2", "is none"),
        ("https://h/hunter2 x", "is none"),
        ("https://h/hunter2\r\nX-Evil: 1", "is none"),
        ("https://h/hunter2\n", "is none"),
        ("https://h/hunter2\0", "is none"),
        ("https://h/hunter2%zz", "is none"),
        ("https://bücher.example/hunter2", "is none"),
        ("https://h/hünter", "is none"),
        ("https://[::1/hunter2", "is none"),
        ("https://१२७.0.0.1/hunter2", "is none"),
    ],
    ids=repr,
)
def test_urls_that_are_refused_are_not_repeated(text: str, sentence: str) -> None:
    with pytest.raises(CommandError) as refused:
        Url.parse(text)
    assert str(refused.value).startswith(f"the webhook's URL {sentence}")
    assert "hunter2" not in str(refused.value)
    assert str(refused.value).count(".\n") == 0


@given(st.from_regex(r"\Ahttps?://[a-z0-9\[\]:.\\@/?#%_\- \n]{0,30}\Z"))
def test_what_is_taken_is_what_the_client_will_connect_to(text: str) -> None:
    """Two readers of one URL that disagree are how requests end up somewhere else."""
    try:
        url = Url.parse(text)
    except CommandError:
        return
    if url.host.startswith("["):
        return  # whether the digits in it are an address is found out by connecting
    theirs = parse_url(str(url))
    assert (theirs.scheme, theirs.host, theirs.port or url.port) == (url.scheme, url.host, url.port)
    assert theirs.auth is None
    assert theirs.fragment is None


def test_a_webhook_shows_neither_its_secrets_nor_its_token() -> None:
    webhook = Webhook(Url.parse("https://h.example.com/T0KEN?k=T0KEN"), (SecretInEnvironment("HOOK"),))
    assert "T0KEN" not in repr(webhook)
    assert webhook.name == "the webhook at https://h.example.com"


def test_a_webhook_without_a_secret_cannot_be() -> None:
    with pytest.raises(CommandError, match="has no secret"):
        Webhook(Url.parse("https://h/"), ())


@pytest.mark.parametrize("name", ["", "a b", "1x", "whsec_a+b/c=", "ä"])
def test_what_is_no_name_of_a_variable_is_not_repeated(name: str) -> None:
    with pytest.raises(ValueError, match=r"^expected the name of an environment variable, not the webhook's"):
        SecretInEnvironment(name)


def test_a_secret_comes_out_of_the_environment() -> None:
    assert SecretInEnvironment("HOOK").read({"HOOK": LONG}) == LONG.encode()


@pytest.mark.parametrize("text", [LONG, f"{LONG}\n", f"{LONG}\r\n", f"\n {LONG}"])
def test_a_secret_comes_out_of_a_file_without_the_line_that_ends_it(text: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(text.encode())
    assert SecretInFile(tmp_path / "secret").read({}) == LONG.encode()


@pytest.mark.parametrize("secret", ["x" * 15, "x" * 1025])
def test_a_secret_that_is_none_is_told_by_its_place_alone(secret: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(secret)
    for where in (SecretInEnvironment("HOOK"), SecretInFile(tmp_path / "secret")):
        with pytest.raises(CommandError, match="holds no secret for a webhook: expected 16 to 1024") as told:
            where.read({"HOOK": secret})
        assert "xxx" not in str(told.value)


def test_a_secret_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="the environment has no HOOK: set it to the webhook's secret"):
        SecretInEnvironment("HOOK").read({"HOOK": ""})
    with pytest.raises(CommandError, match=r"nowhere cannot be read \(No such file or directory\)"):
        SecretInFile(tmp_path / "nowhere").read({})


HTTPS, HTTP = "https://a.example.com/x", "http://a.example.com:81/x"
P, Q = "http://p:3128", "http://q:3128"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        pytest.param(HTTPS, {}, "", id="nothing is asked"),
        pytest.param(HTTPS, {"https_proxy": P, "HTTPS_PROXY": Q}, P, id="small letters come first"),
        pytest.param(HTTPS, {"HTTPS_PROXY": Q}, Q, id="large letters"),
        pytest.param(HTTPS, {"http_proxy": P}, "", id="of another scheme"),
        pytest.param(HTTP, {"http_proxy": P}, P, id="http"),
        pytest.param(HTTP, {"HTTP_PROXY": P}, "", id="HTTP_PROXY may be a request's header Proxy"),
        pytest.param(HTTP, {"ALL_PROXY": P}, P, id="for all"),
        pytest.param(HTTPS, {"all_proxy": P, "https_proxy": Q}, Q, id="its own before that for all"),
        pytest.param(HTTPS, {"all_proxy": P, "no_proxy": "*"}, "", id="none for any"),
        pytest.param(HTTPS, {"all_proxy": P, "NO_PROXY": "A.example.COM"}, "", id="none for the host"),
        pytest.param(HTTPS, {"all_proxy": P, "no_proxy": "x, .example.com"}, "", id="none for the domain"),
        pytest.param(HTTPS, {"all_proxy": P, "no_proxy": "ample.com"}, P, id="part of a label is no domain"),
        pytest.param(HTTPS, {"all_proxy": P, "no_proxy": ", ,"}, P, id="nothing spared"),
        pytest.param(HTTP, {"all_proxy": P, "no_proxy": "a.example.com:81"}, "", id="none for the port"),
        pytest.param(HTTP, {"all_proxy": P, "no_proxy": "a.example.com:82"}, P, id="another port"),
        pytest.param("http://[::1]/", {"all_proxy": P, "no_proxy": "::1"}, "", id="an IPv6 address"),
    ],
)
def test_a_proxy_is_used_where_the_environment_says_so(url: str, environ: dict[str, str], proxy: str) -> None:
    assert proxy_of(Url.parse(url), environ) == proxy
