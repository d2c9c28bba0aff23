"""The rights that docs/storage.md asks for are those that the commands use, no more and no less."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from pipeline import api
from pipeline.errors import DeniedError
from pipeline.job.spec_json import parse_job
from pipeline.model.options import Verify
from pipeline.steps import stream as streaming
from pipeline.storage import client as clients
from tests.documents import ROOT
from tests.job.between import Buckets
from tests.job.jobs import document
from tests.sources.stored import put_all
from tests.sources.test_deliver import Small

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.demo.made import Made
    from tests.servers.s3 import S3Server

ACTIONS = {
    "ListObjectsV2": "s3:ListBucket",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "UploadPart": "s3:PutObject",
    "CompleteMultipartUpload": "s3:PutObject",
    "DeleteObject": "s3:DeleteObject",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}
"""By request (Amazon S3 user guide, "Required permissions for Amazon S3 API operations")."""
SIDES = ("SOURCE", "DEST")


class Asked:
    """What is asked of each side, by command; and a part that is refused where that is wanted."""

    def __init__(self) -> None:
        self.rights: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.command = ""
        self.refuse = False

    def note(self, operation: str, given: dict[str, Any]) -> None:
        side = "SOURCE" if given["Bucket"].startswith("calls-") else "DEST"
        command = f"{self.command} with `delete_source`" if self._removes(operation, side) else self.command
        self.rights[side, ACTIONS[operation]].add(command)
        if "Tagging" in given:
            self.rights[side, "s3:PutObjectTagging"].add(f"{self.command} with `tags`")
        if self.refuse and operation == "UploadPart":
            about = {"HTTPStatusCode": 403, "HTTPHeaders": {}}
            raise ClientError({"Error": {"Code": "AccessDenied"}, "ResponseMetadata": about}, operation)

    def _removes(self, operation: str, side: str) -> bool:
        return operation == "DeleteObject" and side == "SOURCE"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    found, call = Asked(), BaseClient._make_api_call

    def noted(client: Any, operation: str, given: dict[str, Any]) -> Any:
        if found.command:
            found.note(operation, given)
        return call(client, operation, given)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    monkeypatch.setattr(clients, "_reading", lambda *_: None)  # it asks for the same past that call
    return found


def documented() -> dict[tuple[str, str], set[str]]:
    text = (ROOT / "docs/storage.md").read_text("utf-8")
    rows = re.findall(r"^\| `(s3:\w+)` \|([^|]*)\|([^|]*)\|$", text, re.MULTILINE)
    cells = {(side, action): cell for action, *row in rows for side, cell in zip(SIDES, row, strict=True)}
    return {at: {each.strip() for each in cell.split(",")} for at, cell in cells.items() if cell.strip()}


def test_the_rights_in_the_documents_are_those_that_are_used(
    asked: Asked,
    rclone_tls: S3Server,
    made: Callable[[str], Made],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buckets = Buckets(tmp_path / "recpipe.toml")
    for name in ("calls", "vod"):
        buckets.add(name, rclone_tls)
    put_all(made("plain-agora").place, buckets.open("calls:in"))
    for name, value in buckets.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(streaming, "Sizes", Small)
    config = str(buckets.config)

    asked.command = "inspect"
    api.inspect("calls:in", config=config)
    asked.command = "plan"
    api.plan("calls:in", config=config)
    asked.command = "merge"
    asked.refuse = True
    with pytest.raises(DeniedError):
        api.merge("calls:in", "vod:merged", jobs=1, config=config)
    asked.refuse = False
    api.merge("calls:in", "vod:merged", jobs=1, config=config)
    asked.command = "verify"
    for level in (Verify.FAST, Verify.FULL):
        assert api.verify("vod:", level, config=config).good

    asked.command = "run"
    tagged = {"place": "vod:ran", "tags": {"team": "support"}}
    whole = {**document("calls:in", "vod:ran"), "targets": [tagged], "delete_source": "after-verify"}
    job = parse_job(json.dumps(whole), "job.json", tmp_path)
    asked.refuse = True
    (ran,) = buckets.ran(job)
    assert isinstance(ran.error, DeniedError)
    asked.refuse = False
    (ran,) = buckets.ran(job)
    assert ran.error is None
    assert not list(buckets.open("calls:in").list(""))

    asked.command = ""
    assert dict(asked.rights) == documented()
