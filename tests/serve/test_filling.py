"""What an event tells enters a job as text, and never as anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.job.spec_json import Document, parse_job
from pipeline.storage.address import StoreAddress, parse_address
from pipeline.vendors.events import Event, Phase
from pipeline.vendors.tasks import Task
from pipeline.worker.serve.inbox.filling import FIELDS, SAMPLE, Template, Unfilled, escaped, faults, values_of
from pipeline.worker.serve.places import Places
from tests.documents import ROOT

WHOLE: dict[str, Any] = {
    "version": 1,
    "source": "calls:{app}/{room}/{task}",
    "selection": {"uids": ["{user}"], "volcengine": {"task_id": "{task}", "room_id": "{room}"}},
    "targets": [
        {"vod": "main"},
        {"place": "vod:{day}/{room}/{name}", "metadata": {"room": "{room}"}, "tags": {"task": "{task}"}},
    ],
    "names": "{uid}_{name}",
}
HOSTILE = (
    "..",
    ".",
    "../..",
    "/",
    "a/b",
    "%2E%2E",
    "{task}",
    "{name}",
    '"',
    "\\",
    "a:b",
    "\u202e",
    "\0",
    "~",
)
text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40) | st.sampled_from(HOSTILE)


@given(values=st.fixed_dictionaries({field: text for field in FIELDS if field != "folder"}))
def test_whatever_an_event_tells_the_job_keeps_its_shape_its_stores_and_its_prefixes(
    values: dict[str, str],
) -> None:
    made = json.loads(Template(json.dumps(WHOLE)).filled(values | {"folder": "a"}))
    places = Places("the table", (StoreAddress("calls", "", ""), StoreAddress("vod", "", "")))
    assert shape(made) == shape(WHOLE)
    for address, store, parts in (
        (made["source"], "calls", 3),
        (made["targets"][1]["place"], "vod", 3),
    ):
        place = parse_address(address, exists=lambda _: False)
        assert isinstance(place, StoreAddress)
        assert place.store == store
        inside = place.prefix.removesuffix("/").split("/")
        assert len(inside) == parts
        assert not {"", ".", ".."}.intersection(inside)
        assert places.checked(address) == address
    assert made["selection"]["uids"] == [values["user"]]
    assert made["names"] == WHOLE["names"]
    Document.model_validate(made)


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return [shape(each) for each in value] if isinstance(value, list) else type(value)


@given(text)
def test_what_is_escaped_is_one_part_that_leads_nowhere(value: str) -> None:
    part = escaped(value)
    assert part not in {"", ".", ".."}
    assert not set(part) & set("/\\:\0\r\n\"' ")


@pytest.mark.parametrize("word", ["task", "room+7", "张三", "7a_b-c.d@e", "-Mx+y."])
def test_usual_names_stay_as_they_are_for_recorders_have_written_them_so(word: str) -> None:
    assert escaped(word) == word


@pytest.mark.parametrize(
    ("value", "part"), [(".", "%2E"), ("..", "%2E%2E"), ("../x", "..%2Fx"), (" ", "%20")]
)
def test_what_would_lead_elsewhere_is_written_so_that_it_does_not(value: str, part: str) -> None:
    assert escaped(value) == part


def test_two_values_never_become_one() -> None:
    values = ["a/b", "a%2Fb", "a b", "a%20b", "..", "%2E%2E"]
    assert len({escaped(value) for value in values}) == len(values)


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_not_told_makes_no_job(field: str) -> None:
    template = Template(json.dumps({"source": f"calls:{{{field}}}"}))
    assert template.needs == {field}
    with pytest.raises(Unfilled, match=f"tells no {field}"):
        template.filled({**SAMPLE, field: ""})


@pytest.mark.parametrize("folder", ["..", "a/../b", "a//b", "/a", "a/.", "a\\b", "a\nb", "a:b", "a/..."])
def test_a_folder_that_leads_elsewhere_makes_no_job(folder: str) -> None:
    with pytest.raises(Unfilled):
        Template('{"source": "calls:{folder}"}').filled({**SAMPLE, "folder": folder})


@pytest.mark.parametrize(
    ("document", "path"),
    [
        pytest.param({"notify": [{"url": "https://a/{room}"}]}, "notify.0.url", id="a receiver"),
        pytest.param({"notify": [{"secret_file": ["{room}"]}]}, "notify.0.secret_file.0", id="a secret"),
        pytest.param({"targets": [{"vod": "{room}"}]}, "targets.0.vod", id="a service"),
        pytest.param({"targets": [{"kms_key": "{app}"}]}, "targets.0.kms_key", id="a key"),
        pytest.param({"outputs": {"kind": "{room}"}}, "outputs.kind", id="what comes out"),
        pytest.param({"folder": "{room}"}, "folder", id="the folder of files"),
        pytest.param({"source": "calls:{name}"}, "source", id="the name of the source in the source"),
    ],
)
def test_a_field_that_is_the_same_for_all_events_may_not_hold_what_they_tell(
    document: dict[str, Any], path: str
) -> None:
    (fault,) = faults(document)
    assert fault.startswith(f"{path}: it may not hold")


def test_all_other_fields_may() -> None:
    assert list(faults(WHOLE)) == []
    parse_job(Template(json.dumps(WHOLE)).filled(SAMPLE), "a test", ROOT)


def task(*files: str, users: tuple[str, ...] = ()) -> Task:
    return Task.of([Event("trtc", "1", "k", "t", "305", Phase.READY, 1, files=files, people=users)])


@pytest.mark.parametrize(
    ("files", "folder"),
    [(("a/b/c.m3u8", "a/b/d.m3u8"), "a/b"), (("a/c.m3u8", "b/c.m3u8"), ""), (("c.m3u8",), ""), ((), "")],
)
def test_the_folder_is_that_of_all_files(files: tuple[str, ...], folder: str) -> None:
    assert values_of(task(*files), 0)["folder"] == folder


def test_the_user_is_told_where_there_is_one() -> None:
    assert values_of(task(users=("ann",)), 0)["user"] == "ann"
    assert values_of(task(users=("ann", "bob")), 0)["user"] == ""


@pytest.mark.parametrize(
    ("at_ms", "day"),
    [(0, "1970-01-01"), (86_399_999, "1970-01-01"), (1 << 62, "9999-12-31"), (-1, "1970-01-01")],
)
def test_the_day_is_that_of_the_news_in_utc(at_ms: int, day: str) -> None:
    assert values_of(task(), at_ms)["day"] == day
