"""What a posted job may name, each thing that it may not with its sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CommandError, ForbiddenError
from pipeline.job.spec_json import parse_job
from pipeline.storage.settings import read_settings
from pipeline.worker.serve.allowed import Allowed, permitted
from pipeline.worker.serve.operations.settings import operations_settings
from tests.operations.listener import ALLOWED, STORES, written

JOB = {"version": 1, "source": "calls:live/room7", "targets": [{"place": "out:room7"}]}
HOOK = {"url": "https://hooks.example.com/recpipe"}


@pytest.fixture
def allowed(tmp_path: Path) -> Allowed:
    """As the file of the tests says."""
    return operations_settings(read_settings(str(written(tmp_path, ALLOWED)), {})).allowed


def job(**changed: Any) -> str:
    return json.dumps({**JOB, **changed})


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({}, id="a part of a store, and below it"),
        pytest.param({"source": "calls:live/"}, id="the part itself"),
        pytest.param({"source": "calls:live"}, id="the part itself, without its slash"),
        pytest.param({"targets": [{"place": "out:"}]}, id="a whole store"),
        pytest.param({"source": "recordings/a"}, id="a folder below the root"),
        pytest.param({"targets": [{"place": "done"}]}, id="a folder that is not there yet"),
        pytest.param({"source": "."}, id="the root"),
        pytest.param({"source": "calls:live/通话/ñ"}, id="names of all languages"),
    ],
)
def test_what_is_listed_may_be_named(allowed: Allowed, changed: dict[str, Any]) -> None:
    made = json.loads(permitted(job(**changed), allowed))
    for address in (made["source"], made["targets"][0]["place"]):
        assert ":" in address or address.startswith(str(allowed.targets.root))


def test_a_receiver_gets_its_secret_from_the_operator(allowed: Allowed) -> None:
    made = permitted(job(notify=[HOOK]), allowed)
    (hook,) = parse_job(made, "it", Path("/")).webhooks
    assert [secret.name for secret in hook.secrets if hasattr(secret, "name")] == ["HOOK_SECRET"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        pytest.param({"source": "calls:other/room"}, "source: .*does not list", id="another part of a store"),
        pytest.param({"source": "calls:live2/room"}, "source: .*does not list", id="a longer name"),
        pytest.param({"source": "calls:"}, "source: .*does not list", id="more than the part"),
        pytest.param({"source": "out:live/a"}, "source: .*does not list", id="a store to be written only"),
        pytest.param({"source": "calls:live/../x"}, "'..'", id="a prefix that leads out"),
        pytest.param({"source": "calls:live//x"}, "no empty part", id="a prefix with an empty part"),
        pytest.param(
            {"source": "calls:live/\u202ex"}, "nobody sees", id="a prefix with a change of direction"
        ),
        pytest.param({"source": "calls:live/\0"}, "source", id="a prefix with NUL"),
        pytest.param({"source": "s3://live/room"}, "only stores that have a name", id="a bucket"),
        pytest.param({"source": "http://127.0.0.9:1/x"}, "holds credentials or a port", id="an endpoint"),
        pytest.param({"source": "/etc"}, "outside the root", id="a folder elsewhere"),
        pytest.param({"source": "../x"}, "outside the root", id="a folder above"),
        pytest.param({"source": "a/../../x"}, "outside the root", id="a folder above, by a way around"),
        pytest.param({"source": "way-out/x"}, "outside the root", id="a folder behind a link"),
        pytest.param({"folder": "way-out"}, "folder: .*outside", id="own files behind a link"),
        pytest.param({"folder": "/"}, "folder: .*outside", id="own files anywhere"),
        pytest.param(
            {"targets": [{"place": "calls:live/a"}]}, "targets.0.place: .*not list", id="a store to read"
        ),
        pytest.param({"targets": [{"place": "out:a"}, {"vod": "main"}]}, "targets.1.vod", id="a VOD service"),
        pytest.param({"notify": [{"url": "http://127.0.0.1:1/"}]}, "notify.0.url", id="a receiver"),
        pytest.param(
            {"notify": [{"url": HOOK["url"] + "/x"}]}, "notify.0.url", id="another path of a receiver"
        ),
        pytest.param(
            {"notify": [{"url": "https://hooks.example.com@127.0.0.1/recpipe"}]}, "notify.0.url", id="a user"
        ),
        pytest.param({"notify": [{**HOOK, "secret_env": ["HOME"]}]}, "url alone", id="a secret"),
        pytest.param({"notify": [{**HOOK, "secret_file": ["/etc/passwd"]}]}, "url alone", id="a file"),
        pytest.param({"notify": [{**HOOK, "ca_bundle": "x"}]}, "url alone", id="certificates"),
        pytest.param({"delete_source": "after-verify"}, "remove slices", id="removing slices"),
        pytest.param({"limits": {"overwrite": True}}, "replace", id="replacing what others made"),
    ],
)
def test_what_is_not_listed_may_not(allowed: Allowed, changed: dict[str, Any], words: str) -> None:
    assert allowed.targets.root is not None
    (allowed.targets.root / "way-out").symlink_to("/")
    with pytest.raises(ForbiddenError, match=words) as caught:
        permitted(job(**changed), allowed)
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "no JSON",
        job(endpoint="http://127.0.0.9:1"),
        job(version=2),
        job(limits={"overwrite": 0}),
        "[" * 100_000,
        job(notify=[{"url": 1}]),
        job(targets=[]),
        '{"a": NaN}',
        '"\\ud800"',
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_job_is_told_so(allowed: Allowed, text: str) -> None:
    with pytest.raises(CommandError, match="what was posted is no") as caught:
        permitted(text, allowed)
    assert not isinstance(caught.value, ForbiddenError)


def test_everything_is_told_at_once(allowed: Allowed) -> None:
    with pytest.raises(ForbiddenError) as caught:
        permitted(
            job(source="/etc", targets=[{"place": "s3://b"}, {"vod": "x"}], delete_source="after-verify"),
            allowed,
        )
    for where in ("source:", "targets.0.place:", "targets.1.vod:", "delete_source:"):
        assert where in str(caught.value)


def test_where_a_field_stands_twice_what_is_checked_is_what_is_used(allowed: Allowed) -> None:
    twice = job().replace('"version": 1', '"version": 1, "source": "/etc"')
    assert json.loads(permitted(twice, allowed))["source"] == JOB["source"]


def test_without_a_table_nothing_may_be_named() -> None:
    with pytest.raises(ForbiddenError, match=r"source: .*; targets.0.place: "):
        permitted(job(), Allowed())
    with pytest.raises(ForbiddenError, match=r"source: .*has no root"):
        permitted(job(source="x"), Allowed())


@pytest.mark.parametrize(
    ("table", "words"),
    [
        pytest.param(
            'sources = ["nobody:x"]', r"operations.sources.0: there is no \[stores.nobody\]", id="store"
        ),
        pytest.param('targets = ["/srv"]', "operations.targets.0: expected NAME:prefix", id="a folder"),
        pytest.param(
            'targets = ["s3://bucket/"]', "operations.targets.0: expected NAME:prefix", id="a bucket"
        ),
        pytest.param('sources = ["calls:a/../"]', "operations.sources.0: .*'..'", id="a way out"),
        pytest.param('vod = ["main"]', r"operations.vod.0: there is no \[vod.main\]", id="a VOD service"),
        pytest.param("deletes = 1", "operations.deletes: ", id="no truth value"),
        pytest.param("colour = 1", "operations.colour: is not known", id="an unknown field"),
        pytest.param('bearer_env = "a b"', "operations.bearer_env: expected the name", id="no variable"),
        pytest.param('bearer_env = "A"\nbearer_file = "b"', "two places for one token", id="two tokens"),
        pytest.param('[[operations.notify]]\nurl = "ftp://x"', "operations.notify.0: .*https", id="a URL"),
        pytest.param(
            '[[operations.notify]]\nurl = "https://x"', "notify.0: it has no secret", id="no secret"
        ),
    ],
)
def test_what_is_wrong_with_the_table_is_told_with_its_path(tmp_path: Path, table: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        operations_settings(read_settings(str(written(tmp_path, table)), {}))


def test_nothing_is_below_a_root_that_is_gone(tmp_path: Path) -> None:
    """A disk that is not mounted: its files would come to lie on another."""
    allowed = operations_settings(read_settings(str(written(tmp_path)), {})).allowed
    (tmp_path / "root").rmdir()
    with pytest.raises(CommandError, match="it cannot be looked for below the root"):
        allowed.sources.checked("recordings")


def test_the_root_must_be_there_and_is_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "recpipe.toml").write_text(f'{STORES}\n[operations]\nroot = "nowhere"')
    with pytest.raises(CommandError, match=r"operations\.root: it is no folder"):
        operations_settings(read_settings(str(tmp_path / "recpipe.toml"), {}))


@pytest.mark.parametrize("token", ["short", "", "x" * 2000])
def test_a_token_that_is_none_is_told_without_itself(tmp_path: Path, token: str) -> None:
    settings = operations_settings(read_settings(str(written(tmp_path, 'bearer_env = "TOKEN"')), {}))
    with pytest.raises(CommandError, match="TOKEN gives no token for the operations listener") as caught:
        settings.token({"TOKEN": token})
    assert not token or token not in str(caught.value)


def test_a_token_comes_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("0123456789abcdef\n")
    settings = operations_settings(read_settings(str(written(tmp_path, 'bearer_file = "token"')), {}))
    assert settings.token({}) == b"0123456789abcdef"
