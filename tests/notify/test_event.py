from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DeniedError
from pipeline.model.manifest import Published, Refusal
from pipeline.model.summary import State, Summary, failed, summary_of
from pipeline.notify.event import Event, event_id, headers, schema, signature
from tests.documents import ROOT
from tests.notify.receiver import Delivery
from tests.outcomes import INPUTS, manifest, output, slice_lost
from tests.schema import misfits

DONE = summary_of(manifest(output()), place="vod:room7")
SENT = replace(output(), published=(Published("tencent", "528"),))
PARTIAL = summary_of(
    manifest(SENT, refused=(Refusal("张三", "camera", "no"),), ledger=(slice_lost(1),)), place="vod:room7"
)
FAILED = failed(DeniedError("vod: no."), recording=None, place="vod:room7")
EVENTS = [
    pytest.param(Event.of("job-1", summary), id=str(summary.state)) for summary in (DONE, PARTIAL, FAILED)
]


def test_an_id_is_what_the_documents_say() -> None:
    r"""Made by: printf 'job-1\0%s\0done' "$(printf 'ab%.0s' $(seq 32))" | sha256sum | cut -c-32."""
    assert event_id("job-1", INPUTS, State.DONE) == "06566e1d7cd6a244339e790cd8bf8877"
    assert Event.of("job-1", DONE).id == event_id("job-1", INPUTS, State.DONE)
    assert Event.of("job-1", FAILED).id == event_id("job-1", "", State.FAILED)


def test_an_id_does_not_depend_on_what_else_is_told() -> None:
    told = replace(DONE, place="elsewhere", revision=7, outputs=())
    assert Event.of("job-1", told).id == Event.of("job-1", DONE).id


parts = st.text(st.characters(exclude_characters="\0"), max_size=4)
asked = st.tuples(parts, parts, st.sampled_from(State))


@given(asked, asked)
def test_two_events_have_one_id_only_if_job_inputs_and_state_are_the_same(
    one: tuple[str, str, State], two: tuple[str, str, State]
) -> None:
    assert (event_id(*one) == event_id(*two)) == (one == two)


@pytest.mark.parametrize("wrong", [("a\0b", ""), ("a", "b\0")])
def test_a_key_that_could_be_taken_for_another_is_refused(wrong: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="no NUL"):
        event_id(*wrong, State.DONE)


@pytest.mark.parametrize("event", EVENTS)
def test_the_document_fits_the_published_schema(event: Event) -> None:
    published = json.loads((ROOT / "docs/event.schema.json").read_text(encoding="utf-8"))
    document = json.loads(event.body())
    assert list(misfits(document, published)) == []
    assert set(document) == set(published["properties"])
    assert (document["id"], document["version"]) == (event.id, 1)


@pytest.mark.parametrize(
    ("where", "value", "misfit"),
    [
        (("summary", "state"), "gone", "$.summary.state is none of"),
        (("summary", "outputs", 0, "good"), 1, "$.summary.outputs[0].good is no boolean"),
        (("summary", "recording"), {}, "$.summary.recording fits no alternative"),
        (("id",), None, "$.id is no string"),
    ],
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else "",
)
def test_a_document_that_does_not_fit_is_noticed(
    where: tuple[str | int, ...], value: object, misfit: str
) -> None:
    document: Any = json.loads(Event.of("job-1", PARTIAL).body())
    inner = document
    for step in where[:-1]:
        inner = inner[step]
    inner[where[-1]] = value
    assert any(found.startswith(misfit) for found in misfits(document, schema()))


@pytest.mark.parametrize("event", EVENTS)
def test_the_same_event_is_the_same_bytes_and_ascii(event: Event) -> None:
    assert event.body() == replace(event).body()
    assert event.body().isascii()
    assert b"\n" not in event.body()


def test_names_of_any_script_and_of_none_come_out_as_they_are() -> None:
    odd: Summary = replace(DONE, place="calls/\udcff张三")
    document = json.loads(Event.of("job-1", odd).body())
    assert document["summary"]["place"] == "calls/\udcff张三"


@given(
    st.binary(min_size=1, max_size=200),
    st.integers(0, 2**40),
    st.binary(max_size=200),
)
def test_a_signature_is_hmac_sha256_over_time_full_stop_and_body(
    secret: bytes, timestamp: int, body: bytes
) -> None:
    told = {"recpipe-timestamp": str(timestamp), "recpipe-signature": signature(secret, timestamp, body)}
    assert Delivery("POST", "/", told, body).signed_by(secret)
    assert not Delivery("POST", "/", told, body + b" ").signed_by(secret)
    assert not Delivery("POST", "/", told | {"recpipe-timestamp": f"{timestamp + 1}"}, body).signed_by(secret)
    assert not Delivery("POST", "/", told, body).signed_by(secret + b"x")


def test_there_is_a_signature_for_each_secret() -> None:
    event = Event.of("job-1", DONE)
    sent = headers(event, event.body(), 1_772_442_000, (b"the old secret", b"the new secret"))
    delivery = Delivery("POST", "/", {name.lower(): v for name, v in sent.items()}, event.body())
    assert sent["Recpipe-Signature"].count("v1=") == 2
    assert delivery.signed_by(b"the old secret")
    assert delivery.signed_by(b"the new secret")
    assert (delivery.id, delivery.timestamp) == (event.id, "1772442000")
