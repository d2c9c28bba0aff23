"""Laws of all callbacks: what comes is a sound event, or is refused in one sentence; nothing crashes."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.vendors.callbacks import GRAMMARS
from pipeline.vendors.events import Refused, delivery
from pipeline.vendors.stored_events import parse as parse_stored
from tests.vendors.calling import (
    APP,
    NOW_MS,
    SECRETS,
    STRANGE,
    agora,
    agora_signed,
    came,
    is_sound,
    kit_signed,
    trtc,
    trtc_signed,
    volcengine_signature,
    volcengine_signed,
    written,
)
from tests.vendors.test_agora_events import COMPOSITE, INDIVIDUAL
from tests.vendors.test_kit_events import CALL_ENDED
from tests.vendors.test_kit_events import PAGE as KIT
from tests.vendors.test_stored_events import minio, record
from tests.vendors.test_trtc_events import MESSAGES, VOD
from tests.vendors.test_volcengine_events import FILE
from tests.vendors.test_volcengine_events import TASK as VOLCENGINE_TASK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.vendors.events import Event

READ: dict[str, Callable[[bytes], tuple[Event, ...]]] = {
    **{
        name: lambda body, grammar=grammar: (grammar.parse(body, APP),)  # type: ignore[misc] # bound early
        for name, grammar in GRAMMARS.items()
    },
    "s3": parse_stored,
}
EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    ("agora", agora(31, status=0, fileList=INDIVIDUAL)),
    ("agora", agora(32, status=0, fileList=COMPOSITE)),
    ("agora", agora(11, exitStatus=0)),
    ("trtc", trtc(305, Status=1)),
    ("trtc", trtc(310, Status=0, FileList=["a.mp4"], FileMessage=MESSAGES)),
    ("trtc", trtc(311, Status=0, TencentVod=VOD)),
    ("tuicallkit", KIT),
    ("tuicallkit", CALL_ENDED),
    ("tuicallkit", trtc(305, Status=0) | {"CallbackCommand": "Follow.CallbackAfterCloudRecordingChanged"}),
    ("volcengine", volcengine_signed("RecordStopped", VOLCENGINE_TASK | {"RecordFileList": [FILE]})),
    ("s3", minio()),
    ("s3", {"Records": [record(), record()]}),
]
HOSTILE: tuple[Any, ...] = (
    *(
        "",
        ".",
        "..",
        "../../etc/passwd",
        "a/b",
        "a\\b",
        "a\nb",
        "\x00",
        "\x1b[2J",
        "\u202e",
        "\ud800",
        "a" * 70_000,
    ),
    *(
        "endpoint=http://127.0.0.9:1",
        "notify=http://127.0.0.1:1",
        "{task}",
        "%2e%2e%2f",
        "<script>",
        "'; --",
        "0",
    ),
    *(
        "-1",
        "1e9",
        "NaN",
        "\uff11",
        True,
        False,
        None,
        0,
        -1,
        1.5,
        10**39,
        -(10**39),
        [],
        {},
        [[]],
        [{}],
        {"a": {}},
    ),
    *(["a"] * 1001, [None], [".."], {"": ""}, {"fileName": "../a"}),
)
VALUES = st.sampled_from(HOSTILE) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
every_grammar = pytest.mark.parametrize("name", READ)


def paths(document: Any, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where every value of a document is."""
    inside: Any = ()
    if isinstance(document, dict):
        inside = document.items()
    elif isinstance(document, list):
        inside = enumerate(document)
    for name, value in inside:
        yield (*here, name)
        yield from paths(value, (*here, name))


def put(document: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The document with another value at a place."""
    changed = copy.deepcopy(document)
    inside = changed
    for part in path[:-1]:
        inside = inside[part]
    inside[path[-1]] = value
    return changed


def taken(name: str, body: bytes) -> bool:
    """Whether a body is read; it is a defect if what is read is not sound or the refusal is no sentence."""
    events: tuple[Event, ...] = ()
    refused = None
    try:
        events = READ[name](body)
    except Refused as error:
        refused = error
    if refused is not None:
        assert refused.status == 400
        assert refused.sentence.endswith(".")
        assert refused.sentence.isprintable()
        assert len(refused.sentence) < 300
    assert all(map(is_sound, events))
    return refused is None


@every_grammar
@given(body=st.binary(max_size=200))
@example(body=b"\xff")
@example(body=b"{" * 100_000)
@example(body=b'{"EventInfo":' * 5000)
@example(body=b'"' + b'\\"' * 100_000)
def test_any_bytes_are_refused(name: str, body: bytes) -> None:
    assert not taken(name, body)


@every_grammar
@given(
    document=st.dictionaries(st.sampled_from(["Records", "EventInfo", "payload", "EventData", "a"]), VALUES)
)
def test_any_json_is_read_or_refused(name: str, document: dict[str, Any]) -> None:
    taken(name, json.dumps(document).encode())


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_with_a_hostile_value_anywhere_is_read_or_refused(number: int) -> None:
    """Each value of the list at each place of each example: what is read is sound."""
    name, document = EXAMPLES[number]
    assert taken(name, written(document))
    for path in paths(document):
        for value in HOSTILE:
            taken(name, json.dumps(put(document, path, value)).encode())


@given(st.sampled_from(EXAMPLES), st.data())
@settings(max_examples=300)
def test_an_example_with_other_values_is_read_or_refused(one: tuple[str, Any], data: st.DataObject) -> None:
    name, document = one
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(paths(document))
        if places:
            document = put(document, data.draw(st.sampled_from(places)), data.draw(VALUES))
    taken(name, json.dumps(document).encode())


@given(st.sampled_from(EXAMPLES), st.data())
@settings(max_examples=300)
def test_an_example_with_other_bytes_is_read_or_refused(one: tuple[str, Any], data: st.DataObject) -> None:
    name, document = one
    body = bytearray(json.dumps(document).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        end = min(len(body), at + data.draw(st.integers(0, 3)))
        body[at:end] = data.draw(st.binary(max_size=3))
    taken(name, bytes(body))


@pytest.mark.parametrize(
    "value",
    [
        "..",
        ".",
        "../../etc/passwd",
        "a/b",
        "a\\b",
        "a\nb",
        "\x00",
        "\u202e",
        "\ud800",
        "a" * 65,
        "张三",
        True,
        [],
    ],
    ids=lambda value: ascii(value)[:20],
)
@pytest.mark.parametrize(
    ("name", "document", "path"),
    [
        pytest.param("agora", agora(31), ("payload", "cname"), id="agora"),
        pytest.param("trtc", trtc(305, Status=0), ("EventInfo", "RoomId"), id="trtc"),
        pytest.param("tuicallkit", KIT, ("Callback", "EventInfo", "RoomId"), id="tuicallkit"),
    ],
)
def test_no_hostile_room_is_read(
    name: str, document: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    assert not taken(name, json.dumps(put(document, path, value)).encode())


HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"Agora-Signature", b"agora-signature-v2", b"Sign", b"sdkappid", b"other", b""]),
        st.binary(max_size=70) | st.just(APP.encode()),
    ),
    max_size=6,
)


@pytest.mark.parametrize("name", GRAMMARS)
@given(body=st.binary(max_size=60), headers=HEADERS, query=st.binary(max_size=120))
@example(body=b"{}", headers=[], query=b"Sign=%ff&RequestTime=%00&SdkAppid=" + APP.encode())
@example(body=b'{"Signature":"\\ud800"}', headers=[], query=b"")
@example(body=b'{"Signature":"' + b"0" * 64 + b'","AppId":"a","EventType":"\\ud800"}', headers=[], query=b"")
def test_whoever_knows_no_secret_is_refused(
    name: str, body: bytes, headers: list[tuple[bytes, bytes]], query: bytes
) -> None:
    with pytest.raises(Refused) as refused:
        GRAMMARS[name].check(delivery(body, headers, query, NOW_MS), SECRETS)
    assert refused.value.status == 401 or (refused.value.status == 400 and name == "volcengine")


def signed(name: str, document: dict[str, Any], secret: bytes) -> Any:
    """A delivery of an example, signed as its vendor does."""
    if name == "volcengine":
        body = written(document | {"Signature": volcengine_signature(document, secret)})
        return came(body)
    body = written(document)
    if name == "tuicallkit":
        return came(body, query=kit_signed(document["CallbackCommand"], secret))
    return came(body, agora_signed(body, secret) if name == "agora" else trtc_signed(body, secret))


SIGNED = [(name, document) for name, document in EXAMPLES if name in GRAMMARS]


@pytest.mark.parametrize(("name", "document"), SIGNED, ids=[name for name, _ in SIGNED])
def test_each_example_is_taken_with_either_secret_and_with_no_other(
    name: str, document: dict[str, Any]
) -> None:
    grammar = GRAMMARS[name]
    for secret in SECRETS[APP]:
        one = signed(name, document, secret)
        assert grammar.check(one, SECRETS) == APP
        event = grammar.parse(one.body, APP)
        assert isinstance(json.loads(grammar.reply(event)), dict)
    with pytest.raises(Refused) as refused:
        grammar.check(signed(name, document, STRANGE), SECRETS)
    assert refused.value.status == 401


@pytest.mark.parametrize("name", ["agora", "trtc"])
@given(at=st.integers(0, 10**6), change=st.integers(1, 255))
def test_a_body_that_was_changed_anywhere_is_no_longer_signed(name: str, at: int, change: int) -> None:
    document = dict(EXAMPLES)[name]
    one = signed(name, document, SECRETS[APP][0])
    body = bytearray(one.body)
    body[at % len(body)] ^= change
    headers = [(key.encode(), value[0].encode()) for key, value in one.headers.items()]
    with pytest.raises(Refused) as refused:
        GRAMMARS[name].check(delivery(bytes(body), headers, b"", NOW_MS), SECRETS)
    assert refused.value.status == 401


def test_every_secret_is_tried_whatever_the_others_gave() -> None:
    """A comparison that stopped early would tell by its time which secret is near."""
    from pipeline.vendors.signatures import is_signed

    tried: list[bytes] = []

    def sign(secret: bytes) -> str:
        tried.append(secret)
        return secret.decode()

    assert is_signed("a", (b"a", b"b"), sign)
    assert tried == [b"a", b"b"]
    assert not is_signed("c", (b"a", b"b"), sign)
    assert tried == [b"a", b"b", b"a", b"b"]
