"""A job hands its files to VOD services, each once, and tells their ids."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import DeniedError, ExitCode
from pipeline.model.manifest import FILE
from tests.job.jobs import ENVIRON, Told, document, ran
from tests.merge.merging import tree
from tests.notify.receiver import receiver
from tests.publish.tencent_fake import APP
from tests.publish.tencent_scene import ENVIRON as OF_TENCENT
from tests.publish.tencent_scene import scene
from tests.publish.volcengine_fake import volcengine
from tests.publish.volcengine_material import environ as of_volcengine
from tests.publish.volcengine_space import Refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.demo.made import Made
    from tests.publish.tencent_scene import Scene
    from tests.publish.volcengine_fake import VolcengineFake
    from tests.servers.s3 import S3Server

CONFIG = """
[vod.main]
service = "tencent"
sub_app_id = {app}
endpoint = "{api}"
cos_endpoint = "{cos}"
access_key_env = "T_ID"
secret_key_env = "T_KEY"
session_token_env = "T_TOKEN"

[vod.films]
service = "volcengine"
space = "{space}"
region = "{region}"
endpoint = "{volcengine}"
access_key_env = "VOD_KEY"
secret_key_env = "VOD_SECRET"
"""
BOTH: list[dict[str, Any]] = [{"vod": "main"}, {"vod": "films"}]


@pytest.fixture
def tencent(swift_http: S3Server) -> Iterator[Scene]:
    with scene(swift_http) as made:
        yield made


@pytest.fixture
def films() -> Iterator[VolcengineFake]:
    with volcengine() as fake:
        yield fake


@pytest.fixture
def told(tencent: Scene, films: VolcengineFake, tmp_path: Path) -> Told:
    config = tmp_path / "recpipe.toml"
    config.write_text(
        CONFIG.format(
            app=APP,
            api=tencent.api.server.endpoint,
            cos=tencent.cos.server.endpoint,
            space=films.space.name,
            region=films.space.region,
            volcengine=films.endpoint,
        )
    )
    return Told(environ={**ENVIRON, **OF_TENCENT, **of_volcengine(films.space.login)}, config=str(config))


def bytes_of(tencent: Scene, films: VolcengineFake) -> list[set[str]]:
    """The hashes of all media, by service."""
    at_tencent = {hashlib.sha256(tencent.fake.body_of(media)).hexdigest() for media in tencent.fake.media}
    return [at_tencent, {hashlib.sha256(medium.data).hexdigest() for medium in films.space.media}]


def test_files_become_media_of_both_services_and_their_ids_are_told(
    told: Told, tencent: Scene, films: VolcengineFake, made: Callable[[str], Made], tmp_path: Path
) -> None:
    with receiver() as hook:
        job = document(made("plain-agora").place, tmp_path / "done", hook.url, targets=BOTH)
        (one,) = ran(job, told)
        assert one.error is None
        assert one.done
        outputs = one.done.manifest.outputs
        hashes = {output.sha256 for output in outputs}
        assert bytes_of(tencent, films) == [hashes, hashes]
        assert [len(tencent.fake.media), len(films.space.media)] == [len(outputs)] * 2
        for output in outputs:
            assert [medium.service for medium in output.published] == ["main", "films"]
        assert {o.published[0].id for o in outputs} == {media.file_id for media in tencent.fake.media}
        assert {o.published[1].id for o in outputs} == {medium.vid for medium in films.space.media}
        (delivery,) = hook.seen.deliveries
        summary = json.loads(delivery.body)["summary"]
        assert [o["published"][0]["id"] for o in summary["outputs"]] == [o.published[0].id for o in outputs]
        assert set(tree(tmp_path / "done")) == {output.file for output in outputs} | {FILE}
        (again,) = ran(job, told)
        assert again.done
        assert again.done.already
        assert len(films.space.media) == len(outputs)


def test_what_a_service_refuses_is_not_published_twice_by_the_next_run(
    told: Told, tencent: Scene, films: VolcengineFake, made: Callable[[str], Made], tmp_path: Path
) -> None:
    """The second file is refused by the second service: by then one file is in both, one in the first."""
    commits = 0

    def second(asked: Any) -> Refuse | None:
        nonlocal commits
        commits += asked.kind == "CommitUploadInfo"
        return Refuse(403, "AccessDenied") if asked.kind == "CommitUploadInfo" and commits == 2 else None

    films.space.rule = second
    job = document(made("plain-agora").place, tmp_path / "done", targets=BOTH)
    (one,) = ran(job, told)
    assert one.error is not None
    assert one.error.exit_code is ExitCode.OUTPUT
    assert not (tmp_path / "done" / FILE).exists()
    (two,) = ran(job, told)
    assert two.done
    count = len(two.done.manifest.outputs)
    assert count == 2
    assert [len(tencent.fake.media), len(films.space.media)] == [count, count]


def test_a_service_that_is_asked_for_later_gets_the_files_later(
    told: Told, tencent: Scene, films: VolcengineFake, made: Callable[[str], Made], tmp_path: Path
) -> None:
    source = made("plain-agora").place
    ran(document(source, tmp_path / "done", targets=BOTH[:1]), told)
    (two,) = ran(document(source, tmp_path / "done", targets=BOTH), told)
    assert two.done
    outputs = two.done.manifest.outputs
    assert two.done.manifest.revision == 1
    assert [len(tencent.fake.media), len(films.space.media)] == [len(outputs)] * 2
    assert all(len(output.published) == 2 for output in outputs)


def test_a_service_that_cannot_be_reached_is_told_before_anything_is_made(
    told: Told, made: Callable[[str], Made], tmp_path: Path
) -> None:
    told.environ["VOD_SECRET"] = "another"  # noqa: S105 - wrong on purpose
    with pytest.raises(DeniedError):
        ran(document(made("plain-agora").place, tmp_path / "done", targets=BOTH), told)
    assert not (tmp_path / "done" / FILE).exists()
