"""[serve] of recpipe.toml: all that is wrong with it at once, and no secret in what is said of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError
from pipeline.storage.settings import read_settings
from pipeline.vendors.events import Phase
from pipeline.worker.serve.inbox.rules import USUAL
from pipeline.worker.serve.inbox.settings import ServeSettings, serve_settings
from tests.serve.served import JOB, STORES, WHOLE, configured

if TYPE_CHECKING:
    from pathlib import Path


def read(folder: Path, text: str) -> ServeSettings:
    return serve_settings(read_settings(str(configured(folder, text)), {}))


def rule(job: str = JOB, more: str = "") -> str:
    return f'{STORES}\n[[serve.rules]]\nname = "a"\nvendor = "trtc"\n{more}\n{job}\n'


def app(*places: str, route: str = "trtc") -> str:
    return f'\n[[serve.apps]]\nroute = "{route}"\nsigned_by = {json.dumps(places)}\n'


def test_a_file_without_the_table_serves_nothing(tmp_path: Path) -> None:
    found = read(tmp_path, STORES)
    assert (dict(found.apps), dict(found.rules), found.secrets({})) == ({}, {}, {})


def test_a_whole_file(tmp_path: Path) -> None:
    found = read(tmp_path, WHOLE)
    assert set(found.rules) == {"trtc", "agora", "volcengine", "stored"}
    assert found.rules["trtc"].phases == USUAL
    assert found.rules["trtc"].limit_ms == 6 * 3_600_000
    assert found.rules["trtc"].deadline_ms == 86_400_000
    assert found.secrets({"SERVE_SECRET": "123456"})["trtc"] == {"20055501": (b"123456",)}


def test_rules_of_vendors_that_nobody_signs_for_are_named(tmp_path: Path) -> None:
    assert read(tmp_path, WHOLE).unheard == ()
    assert read(tmp_path, rule() + app("env:A", route="agora")).unheard == ("a",)
    assert read(tmp_path, rule() + app("env:A", route="tuicallkit")).unheard == ()


def test_a_rule_says_when_by_when_and_how_soon(tmp_path: Path) -> None:
    more = 'app = "7"\non = ["ready", "stopped"]\ndeadline = "2h"\npriority = 3'
    found = read(tmp_path, rule(more=more)).rules["a"]
    assert found.phases == {Phase.READY, Phase.STOPPED}
    assert (found.app, found.deadline_ms, found.priority) == ("7", 7_200_000, 3)


def test_a_job_may_be_a_file_and_its_own_files_are_beside_it(tmp_path: Path) -> None:
    (tmp_path / "jobs").mkdir()
    job = {"version": 1, "source": "calls:{task}", "targets": [{"place": "vod:{task}"}]}
    hook = {"url": "https://example.com/", "secret_file": ["hook"]}
    (tmp_path / "jobs" / "a.json").write_text(json.dumps(job | {"notify": [hook]}))
    found = read(tmp_path, rule('job = "jobs/a.json"')).rules["a"]
    assert json.loads(found.template.document)["folder"] == str(tmp_path / "jobs")


def test_secrets_are_in_the_environment_or_in_files_two_of_them_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"the new one\n")
    found = read(tmp_path, app("env:OLD", "file:new"))
    assert found.secrets({"OLD": "the old one"}) == {"trtc": {"default": (b"the old one", b"the new one")}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param(app("hunter2 is it"), "apps.0.signed_by: expected env:NAME or file:PATH", id="a secret"),
        pytest.param(app(), "apps.0.signed_by", id="no place of a secret"),
        pytest.param(app("env:A", "env:B", "env:C"), "apps.0.signed_by", id="three places"),
        pytest.param(app("env:A") * 2, "has that app twice", id="an app twice"),
        pytest.param(app("env:A", route="zoom"), "apps.0.route", id="a route that is none"),
        pytest.param("[serve]\nbind = 1", "serve.bind: is not known", id="a field that is none"),
        pytest.param(rule() + rule().removeprefix(STORES), "a rule a already", id="a rule twice"),
        pytest.param(rule('job = "no.json"'), "no.json cannot be read", id="a file that is not there"),
        pytest.param(rule("job = {version = 1}"), "source: is missing", id="a job that is none"),
        pytest.param(
            rule(JOB.replace("calls:", "other:")),
            "other:meeting/task: [serve] of recpipe.toml does not list",
            id="another store",
        ),
        pytest.param(
            rule(JOB.replace("calls:", "s3://bucket/")), "only stores that have a name", id="any bucket"
        ),
        pytest.param(rule(JOB.replace("calls:", "{room}:")), "rules.0", id="a store that an event names"),
        pytest.param(rule(JOB.replace("vod:", "/srv/")), "has no root", id="a folder without a root"),
        pytest.param(rule(JOB.replace("meeting/", "meeting/../")), "'..'", id="a prefix with .."),
        pytest.param(rule(more='on = ["started"]'), "rules.0.on.0", id="a phase that starts nothing"),
        pytest.param(rule(more='deadline = "soon"'), "no duration", id="a time that is none"),
        pytest.param(rule(more='on = "ready"'), "rules.0.on", id="a text for a list"),
        pytest.param(
            rule(JOB.replace("{name}", "{room}")),
            "rules.0 (a): job.targets: each recording needs a place of its own",
            id="a place for all calls of a room",
        ),
        pytest.param(
            rule(JOB.replace("{task}", "{tusk}")),
            "source: {tusk} is none of {task}, {room}",
            id="no such field",
        ),
        pytest.param(
            rule(JOB.replace("{name}", "{nome}")), "place: {nome} is none of", id="no such field of a place"
        ),
        pytest.param(
            rule(more='app = "8"') + app("env:A").replace("signed_by", 'app = "7"\nsigned_by'),
            'rules.0 (a): app "8" has no entry in [[serve.apps]]',
            id="an app that nobody signs for",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_path(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(CommandError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as caught:
        read(tmp_path, rule(JOB.replace("calls:", "other:")) + app("x") + app("env:A") * 2)
    for words in ("rules.0 (a): job.source: other:", "apps.0.signed_by", "apps.2: route trtc"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ("/root/in/{task}", True),
        ("/root/in/link/{task}", False),
        ("/root/{task}", False),
        ("in/{task}", False),
    ],
)
def test_folders_are_below_the_root_links_followed(tmp_path: Path, place: str, *, inside: bool) -> None:
    (tmp_path / "root" / "in").mkdir(parents=True)
    (tmp_path / "root" / "in" / "link").symlink_to(tmp_path)
    place = place.replace("/root", str(tmp_path / "root"))
    text = rule(JOB.replace("vod:{day}/{name}", place)) + f'\n[serve]\nroot = "{tmp_path / "root" / "in"}"\n'
    if inside:
        assert read(tmp_path, text).places.root == tmp_path / "root" / "in"
    else:
        with pytest.raises(CommandError, match=r"outside the root|an absolute path"):
            read(tmp_path, text)


def test_a_root_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"serve\.root: it is no folder"):
        read(tmp_path, f'[serve]\nroot = "{tmp_path}/gone"\n')


def test_a_ring_of_links_is_said(tmp_path: Path) -> None:
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    text = rule(JOB.replace("vod:{day}/{name}", f"{tmp_path}/ring/a")) + f'\n[serve]\nroot = "{tmp_path}"\n'
    with pytest.raises(CommandError, match="it cannot be looked for below the root"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    ("environ", "words"),
    [({}, "SERVE_SECRET is not set"), ({"SERVE_SECRET": "short"}, "6 to 1024 bytes")],
)
def test_a_secret_that_is_not_there_ends_it_before_it_begins(
    tmp_path: Path, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        read(tmp_path, WHOLE).secrets(environ)
