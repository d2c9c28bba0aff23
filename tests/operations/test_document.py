"""docs/operations.md: its unit, manifests, table, rules and backup are read and tried as they stand there."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import sqlite3
import threading
import time
from typing import TYPE_CHECKING, Any

import click
import pytest
import yaml

from pipeline.cli.app import app
from pipeline.model.durations import duration_ms
from pipeline.storage.settings_toml import parse_settings
from pipeline.worker.queue.jobs import Order, Standing
from pipeline.worker.queue.sqlite.engine import SqliteEngine
from pipeline.worker.serve.operations.metrics import Told, metrics_text
from pipeline.worker.serve.operations.openapi import DOCUMENT
from pipeline.worker.serve.operations.settings import operations_settings
from pipeline.worker.serve.operations.watched import Sums
from tests.documents import ROOT, blocks, prose
from tests.operations.listener import STORES
from tests.worker.contract import taken

if TYPE_CHECKING:
    from pathlib import Path

TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
MANIFESTS, RULES = blocks(TEXT, "yaml")
THINGS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFESTS))
DEPLOYMENTS = [thing for thing in THINGS if thing["kind"] == "Deployment"]


def parsed(words: list[str]) -> dict[str, Any]:
    """The parameters of a command as it is typed."""
    assert words[0].rpartition("/")[2] == "recpipe"
    whole = click.Context(app, info_name="recpipe", **app.context_settings)
    command = app.get_command(whole, words[1])
    assert command is not None
    return command.make_context(words[1], words[2:], parent=whole).params


def test_the_unit_ends_later_than_its_jobs_may_go_on() -> None:
    (text,) = blocks(TEXT, "ini")
    unit = configparser.ConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[method-assign, assignment]  # as configparser's own page does it
    unit.read_string(text)
    service = unit["Service"]
    asked = parsed(shlex.split(service["ExecStart"]))
    assert duration_ms(service["TimeoutStopSec"].removesuffix("in")) > duration_ms(asked["grace"])
    assert service["KillMode"] == "mixed"


@pytest.mark.parametrize("thing", DEPLOYMENTS, ids=lambda thing: thing["metadata"]["name"])
def test_a_deployment_starts_what_there_is_and_waits_long_enough(thing: dict[str, Any]) -> None:
    spec = thing["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    asked = parsed(container["command"] + container["args"])
    assert spec["terminationGracePeriodSeconds"] * 1000 > duration_ms(asked.get("grace", "10s"))
    volumes = {volume["name"] for volume in spec["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    assert thing["spec"]["selector"]["matchLabels"] == thing["spec"]["template"]["metadata"]["labels"]


@pytest.mark.parametrize("thing", DEPLOYMENTS, ids=lambda thing: thing["metadata"]["name"])
def test_every_secret_that_is_named_is_there(thing: dict[str, Any]) -> None:
    (secret,) = [each for each in THINGS if each["kind"] == "Secret"]
    (container,) = thing["spec"]["template"]["spec"]["containers"]
    for variable in container["env"]:
        if "valueFrom" in variable:
            assert variable["valueFrom"]["secretKeyRef"]["key"] in secret["stringData"]
        elif variable["value"].startswith("/run/secrets/recpipe/"):
            assert variable["value"].rpartition("/")[2] in secret["stringData"]


def test_the_probes_ask_what_the_listener_tells_without_a_token() -> None:
    (serve,) = [thing for thing in DEPLOYMENTS if thing["metadata"]["name"] == "recpipe-serve"]
    (container,) = serve["spec"]["template"]["spec"]["containers"]
    paths = [container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")]
    assert [DOCUMENT["paths"][path]["get"]["security"] for path in paths] == [[], []]


def test_the_configuration_of_the_manifests_is_one(tmp_path: Path) -> None:
    (config,) = [each for each in THINGS if each["kind"] == "ConfigMap"]
    settings = operations_settings(parse_settings(config["data"]["recpipe.toml"], tmp_path / "recpipe.toml"))
    assert settings.bearer is not None


def test_the_table_is_one(tmp_path: Path) -> None:
    (table,) = blocks(TEXT, "toml")
    text = STORES + "\n[vod.main]\nservice = 'tencent'\n" + table.replace("/srv/recordings", str(tmp_path))
    allowed = operations_settings(parse_settings(text, tmp_path / "recpipe.toml")).allowed
    assert [str(each) for each in (*allowed.sources.stores, *allowed.targets.stores)] == [
        "calls:live/",
        "out:",
    ]
    assert (allowed.targets.root, allowed.deletes, allowed.overwrites) == (tmp_path, False, False)
    assert len(allowed.receivers) == 1


def test_every_metric_of_the_document_is_told_and_every_other_is_in_it() -> None:
    told = metrics_text(Told(Standing({}), Sums(), {("agora", "new"): 1}, (1, 2), 0)).decode()
    names = set(re.findall(r"^# TYPE (\S+)", told, re.MULTILINE))
    asked = set(re.findall(r"\brecpipe_[a-z_]+", TEXT))
    assert asked == names


def test_the_alerts_ask_for_labels_that_there_are() -> None:
    rules = yaml.safe_load(RULES)["groups"][0]["rules"]
    assert all(rule["annotations"]["summary"].endswith(".") for rule in rules)
    labels = {name for rule in rules for name in re.findall(r"[{,]\s*([a-z_]+)=", rule["expr"])}
    assert labels <= {"state", "vendor", "exit_code", "route", "outcome", "job"}


def test_every_status_of_a_posted_job_is_in_the_table() -> None:
    told = set(DOCUMENT["paths"]["/jobs"]["post"]["responses"])
    rows = re.findall(r"^\| ((?:\d{3}(?:, )?)+) \|", prose(TEXT), re.MULTILINE)
    assert {status for row in rows for status in row.split(", ")} == told


def test_every_path_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(/[^`]*)` \|", prose(TEXT), re.MULTILINE)
    assert {row.replace("ID", "{number}") for row in rows} == set(DOCUMENT["paths"])


def test_a_queue_is_saved_while_it_is_written_to_and_what_ran_is_taken_up_again(tmp_path: Path) -> None:
    (command,) = [line for block in blocks(TEXT, "sh") for line in block.splitlines() if "VACUUM" in line]
    statement = shlex.split(command)[2].replace("/backup/queue.db", str(tmp_path / "backup.db"))
    engine = SqliteEngine(tmp_path / "queue.db")
    first = engine.submit(Order("first", "{}")).id
    taken(engine, "before")
    engine.say(first, ["it begins"])
    over = threading.Event()

    def submits() -> None:
        number = 0
        while not over.is_set():
            number += 1
            engine.submit(Order(str(number), json.dumps({"n": number})))

    writer = threading.Thread(target=submits)
    writer.start()
    try:
        while len(engine.jobs()) < 10:
            time.sleep(0.01)
        db = sqlite3.connect(tmp_path / "queue.db", isolation_level=None)
        db.execute(statement)
        db.close()
    finally:
        over.set()
        writer.join()
    engine.close()
    copy = SqliteEngine(tmp_path / "backup.db", lease_ms=1)
    assert len(copy.jobs()) >= 10
    assert [note.sentence for note in copy.said(first)] == ["it begins"]
    assert copy.cancel(first) is not None  # no other process has it open
    copy.close()


def test_the_example_of_a_request_is_one_of_curls() -> None:
    (command,) = [line for block in blocks(TEXT, "sh") for line in block.splitlines() if "curl" in line]
    assert shlex.split(command)[-1].partition("?")[0].endswith("/jobs")
