"""The document of a job: what it means, and what is refused with the path of every field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CommandError
from pipeline.job.compose_json import composing_of, parse_composite
from pipeline.job.spec import Job, JobLimits
from pipeline.job.spec_json import parse_job, schema
from pipeline.model.completeness import OF_JOBS, Settling
from pipeline.model.containers import Container
from pipeline.model.options import By, Gaps, Moment, Options, Screen, Verify
from pipeline.model.snapshots import Format as FileFormat
from pipeline.model.snapshots import SnapshotOptions
from pipeline.notify.webhook import SecretInEnvironment, SecretInFile, Url, Webhook
from pipeline.storage.protocol import Extras
from pipeline.vendors.volcengine import Task
from tests.documents import ROOT
from tests.schema import misfits

LEAST: dict[str, Any] = {"version": 1, "source": "calls:room7", "targets": [{"place": "vod:room7"}]}
WHOLE: dict[str, Any] = {
    "version": 1,
    "source": "s3://calls/room7",
    "selection": {
        "uids": ["ann", "bob", "ann"],
        "start": "2026-01-20T11:30:22Z",
        "end": "2026-01-20T12:00:00Z",
        "volcengine": {"task_id": "task", "room_id": "room_7"},
    },
    "outputs": {"by": "session", "gaps": "drop", "screen": "prefer", "container": "mkv", "verify": "fast"},
    "names": "{uid}_{utc}",
    "targets": [
        {"vod": "tencent"},
        {
            "place": "s3://vod/room7",
            "tags": {"team": "a b"},
            "metadata": {"call-id": "7"},
            "storage_class": "IA",
        },
        {"vod": "bytes"},
    ],
    "notify": [
        {"url": "https://example.com/hook", "secret_env": ["NEW", "OLD"], "ca_bundle": "ca.pem"},
        {"url": "http://127.0.0.1:8000", "secret_file": ["secret"]},
    ],
    "delete_source": "after-verify",
    "limits": {"jobs": 3, "settle": "30s", "settle_limit": "1h", "accept_loss": True, "overwrite": True},
}


def parsed(document: Any) -> Job:
    return parse_job(json.dumps(document), "job.json", Path("/jobs"))


def test_a_job_of_few_words_does_what_one_expects() -> None:
    assert parsed(LEAST) == Job("calls:room7", "vod:room7")
    assert parsed(LEAST).limits == JobLimits(None, OF_JOBS)
    assert not parsed(LEAST).delete_source


def test_a_job_of_all_words() -> None:
    assert parsed(WHOLE) == Job(
        source="s3://calls/room7",
        place="s3://vod/room7",
        options=Options(
            uids=("ann", "bob"),
            by=By.SESSION,
            gaps=Gaps.DROP,
            screen=Screen.PREFER,
            container=Container.MKV,
            start=Moment.parse("2026-01-20T11:30:22Z"),
            end=Moment.parse("2026-01-20T12:00:00Z"),
            name="{uid}_{utc}",
            verify=Verify.FAST,
        ),
        task=Task("task", "room_7"),
        extras=Extras(metadata={"call-id": "7"}, tags={"team": "a b"}, storage_class="IA"),
        vod=("tencent", "bytes"),
        webhooks=(
            Webhook(
                Url.parse("https://example.com/hook"),
                (SecretInEnvironment("NEW"), SecretInEnvironment("OLD")),
                Path("/jobs/ca.pem"),
            ),
            Webhook(Url.parse("http://127.0.0.1:8000"), (SecretInFile(Path("/jobs/secret")),)),
        ),
        delete_source=True,
        limits=JobLimits(3, Settling(30_000, 3_600_000), accept_loss=True, overwrite=True),
    )


PICTURES: dict[str, Any] = LEAST | {
    "outputs": {
        "kind": "snapshot",
        "every": "500ms",
        "at": ["0:10", "0:10", "2026-01-20T11:30:22Z"],
        "format": "png",
        "width": 320,
        "hold": True,
        "nearest_key": "2s",
        "sheet": True,
        "screen": "only",
        "verify": "fast",
    },
    "names": "{uid}-{utc}",
    "selection": {"uids": ["ann"], "start": "1"},
}


def test_a_job_of_pictures() -> None:
    assert parsed(PICTURES).options == SnapshotOptions(
        uids=("ann",),
        start=Moment.parse("1"),
        name="{uid}-{utc}",
        screen=Screen.ONLY,
        verify=Verify.FAST,
        every_ms=500,
        at=(Moment.parse("10"), Moment.parse("2026-01-20T11:30:22Z")),
        format=FileFormat.PNG,
        width=320,
        hold=True,
        nearest_ms=2000,
        sheet=True,
    )


@pytest.mark.parametrize(
    ("outputs", "more", "told"),
    [
        pytest.param({}, {}, "outputs: a snapshot needs its moments", id="no moment"),
        pytest.param({"every": "5"}, {}, "outputs: '5' is no duration", id="no duration"),
        pytest.param({"every": "5s", "width": 321}, {}, "outputs.width: ", id="an odd width"),
        pytest.param({"every": "5s", "gaps": "drop"}, {}, "outputs.gaps: is not known", id="a word of merge"),
        pytest.param({"every": "5s"}, {"names": "trtc"}, "how it names screenshots is not known", id="names"),
        pytest.param(
            {"every": "5s"}, {"delete_source": "after-verify"}, "delete_source: ", id="no slices left"
        ),
        pytest.param(
            {"every": "5s"},
            {"targets": [{"place": "x"}, {"vod": "main"}]},
            "VOD services take films",
            id="VOD",
        ),
    ],
)
def test_what_a_job_of_pictures_cannot_be(outputs: dict[str, Any], more: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandError) as caught:
        parsed(LEAST | {"outputs": {"kind": "snapshot", **outputs}} | more)
    assert told in str(caught.value)


@pytest.mark.parametrize("document", [LEAST, WHOLE, PICTURES], ids=["few words", "all words", "pictures"])
def test_the_published_schema_takes_what_is_a_job(document: Any) -> None:
    published = json.loads((ROOT / "docs/job.schema.json").read_text(encoding="utf-8"))
    assert published == schema()
    assert list(misfits(document, published)) == []


def changed(path: str, value: Any) -> dict[str, Any]:
    """The whole job with another value at a path."""
    document = json.loads(json.dumps(WHOLE))
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split(".")]
    at = document
    for part in parents:
        at = at[part]
    at[last] = value
    return dict(document)


@pytest.mark.parametrize(
    ("document", "told"),
    [
        pytest.param(changed("version", 2), "version: input should be 1", id="a later version"),
        pytest.param({"version": 1}, "source: is missing; targets: is missing", id="nearly nothing"),
        pytest.param(changed("outptus", {}), "outptus: is not known", id="a misspelt field"),
        pytest.param(changed("selection.user", []), "selection.user: is not known", id="one inside"),
        pytest.param(changed("outputs.gaps", "white"), "outputs.gaps: input should be 'hold',", id="a word"),
        pytest.param(changed("outputs.loudness", 3), "outputs.loudness: input should be less", id="a number"),
        pytest.param(changed("targets", []), "targets: tuple should have at least 1 item", id="no target"),
        pytest.param(
            changed("targets", [{"vod": "tencent"}]),
            "targets: expected exactly one with a place, found 0",
            id="no place",
        ),
        pytest.param(
            changed("targets", [{"place": "a"}, {"place": "b"}]),
            "targets: expected exactly one with a place, found 2",
            id="two places",
        ),
        pytest.param(changed("targets.0", {"plaec": "x"}), "targets.0.plaec: is not known", id="a target"),
        pytest.param(
            changed("targets.0", {"vod": "main", "tags": {}}),
            "job.json is no job: targets.0.tags: is not known.",
            id="a field that only the other kind of target has",
        ),
        pytest.param(
            changed("targets.1.metadata", {"Call": "7"}),
            "targets: metadata has names of lower-case ASCII",
            id="metadata",
        ),
        pytest.param(
            changed("targets.1.metadata", {"call": "7\r\nx-amz-acl: public-read"}),
            "targets: metadata has names of lower-case ASCII letters, digits and '-', and printable",
            id="metadata that would be two headers",
        ),
        pytest.param(
            changed("targets.1.storage_class", "IA\n"),
            "targets: storage_class is printable",
            id="a line's end",
        ),
        pytest.param(changed("targets.1.kms_key", "k\0"), "targets: kms_key is printable", id="NUL in a key"),
        pytest.param(
            changed("targets.1.kms_key", "k"), "targets: kms_key is given without", id="a key for nothing"
        ),
        pytest.param(
            changed("selection.start", "noon"), "selection.start: 'noon' is no moment", id="no moment"
        ),
        pytest.param(
            changed("selection.end", "2026-01-20T11:30:21Z"),
            "outputs: --end lies before --start",
            id="an end before the beginning",
        ),
        pytest.param(
            changed("selection.volcengine.task_id", "a/b"),
            "selection.volcengine: expected an id",
            id="a task that is none",
        ),
        pytest.param(
            changed("notify.1.url", "ftp://x"), "notify.1: the webhook's URL begins with ftp", id="a URL"
        ),
        pytest.param(
            changed("notify.0.secret_env", []), "notify.0: the webhook has no secret", id="no secret"
        ),
        pytest.param(changed("limits.settle", "soon"), "limits.settle: 'soon' is no duration", id="a time"),
        pytest.param(changed("limits.jobs", 0), "limits.jobs: input should be greater", id="nobody"),
        pytest.param([], "input should be an object", id="a list"),
    ],
)
def test_what_is_no_job_is_refused_with_the_field(document: Any, told: str) -> None:
    with pytest.raises(CommandError) as error:
        parsed(document)
    assert str(error.value).startswith("job.json is no job: ")
    assert told in str(error.value)


IMAGE = {"image": "a.png", "x": 0, "y": 0, "width": 2, "height": 2}
TEXT = {"text": "room", "x": 0, "y": 0}
CLOCK = {"corner": "top"}


@pytest.mark.parametrize(
    ("composite", "told"),
    [
        pytest.param({"marks": [IMAGE | {"width": 8193}]}, "width: input should be less", id="a wide image"),
        pytest.param({"marks": [IMAGE | {"height": 10**9}]}, "height: input should be", id="a high image"),
        pytest.param({"marks": [IMAGE | {"x": -8193}]}, "x: input should be greater", id="an image far out"),
        pytest.param({"marks": [TEXT | {"x": -(10**9)}]}, "x: input should be greater", id="text far out"),
        pytest.param({"marks": [TEXT | {"y": 8193}]}, "y: input should be less", id="text far below"),
        pytest.param({"marks": [CLOCK | {"zone": "+15:00"}]}, "zone: string should match", id="no zone"),
        pytest.param({"marks": [CLOCK | {"zone": "-03:60"}]}, "zone: string should match", id="60 minutes"),
        pytest.param({"marks": [CLOCK] * 101}, "marks: tuple should have at most 100", id="many marks"),
        pytest.param(
            {"max_duration": "0s"}, "max duration: 1000 to 604800000 ms, not 0", id="parts of nothing"
        ),
        pytest.param({"max_duration": "0.999s"}, "604800000 ms, not 999", id="a million of parts"),
    ],
)
def test_what_would_take_all_memory_is_no_composite(composite: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandError) as error:
        composing_of(parse_composite(composite), "it")
    assert told in str(error.value)


def test_marks_at_the_ends_of_their_ranges_are_taken() -> None:
    edges = [
        IMAGE | {"x": -8192, "y": 8192, "width": 8192, "height": 8192},
        TEXT | {"x": 8192, "y": -8192},
        CLOCK | {"zone": "+14:00"},
    ]
    found, _ = composing_of(parse_composite({"marks": edges, "max_duration": "1s"}), "it")
    assert len(found.looks.marks) == 3
    assert found.most_ms == 1000


def test_all_faults_are_told_at_once() -> None:
    document = changed("limits.settle", "soon")
    document["notify"][0]["url"] = "x"
    document["selection"]["start"] = "noon"
    with pytest.raises(CommandError) as error:
        parsed(document)
    for field in ("limits.settle", "notify.0", "selection.start"):
        assert f"{field}: " in str(error.value)


@pytest.mark.parametrize("text", ["", "{", "\0", '{"version": 1, "version"'])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match=r"^job\.json is no job: invalid JSON"):
        parse_job(text, "job.json", Path())


def test_no_fault_repeats_a_secret_that_was_put_in_the_wrong_place() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"  # noqa: S105 - no secret of anybody's
    for document in (
        changed("notify.0.secret_env", [secret]),
        changed("notify.0.url", f"https://key:{secret[:11]}@x"),
    ):
        with pytest.raises(CommandError) as error:
            parsed(document)
        assert secret[:11] not in str(error.value)
