"""The TOML text of a scenario, read strictly: a key that is not known is an error, not a surprise later.

Only the translation of text into `pipeline.demo.scenario` values lives here.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pipeline.demo.scenario import (
    Change,
    Fault,
    FaultKind,
    Pts,
    Scenario,
    ScenarioError,
    Shape,
    Source,
    Stretch,
    Style,
    Track,
    User,
    Vendor,
)

if TYPE_CHECKING:
    from pipeline.media.encode import VideoCodec
    from pipeline.media.encode_webm import VpxCodec

T = TypeVar("T")

_MANY_SECONDS = 1_000_000
_SLICE_SECONDS = {Vendor.AGORA: 15, Vendor.TRTC: 10, Vendor.VOLCENGINE: 10, Vendor.AGORA_ONPREMISE: 86_400}
_CHANNELS = {
    Vendor.AGORA: "demo1",
    Vendor.TRTC: "1042317788",
    Vendor.VOLCENGINE: "myroom",
    Vendor.AGORA_ONPREMISE: "demo_room",
}
_CODECS: dict[str, VideoCodec] = {"h264": "h264", "hevc": "hevc"}
_WEB_CODECS: dict[str, VpxCodec] = {"vp8": "vp8", "vp9": "vp9"}


def parse(text: str) -> Scenario:
    """The scenario of a TOML text.

    Times in the text are seconds since the recording's start, exact to the millisecond; ``start`` is a TOML
    date-time with an offset, or UTC milliseconds.

    Raises:
        ScenarioError: text that is no TOML, an unknown key, a value of the wrong type, or an impossible
            scenario; one sentence.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"the scenario is no TOML: {error}") from error
    table = _Table(document, "the scenario")
    vendor = table.word("vendor", Vendor)
    scenario = Scenario(
        vendor=vendor,
        start_ms=_start_ms(table.take("start", None)),
        slice_ms=table.ms("slice_seconds", _SLICE_SECONDS[vendor] * 1000),
        channel=table.text("channel", _CHANNELS[vendor]),
        style=_style(_Table(table.take("playlist", {}), "playlist")),
        users=tuple(_user(item, number) for number, item in enumerate(table.tables("users"), 1)),
        faults=tuple(_fault(item) for item in table.tables("faults")),
        finished=table.flag("finished", default=False),
        mixed=table.flag("mixed", default=False),
    )
    table.finish()
    return scenario


def _user(table: _Table, number: int) -> User:
    width, height = _size(table.text("size", "320x180"))
    first = Shape(width, height, table.whole("rotation", 0))
    codec = table.text("codec", "h264")
    if codec not in _CODECS:
        raise ScenarioError(f"{table.name}: codec is h264 or hevc, not {codec!r}")
    web_codec = table.text("web_codec", "vp8")
    if web_codec not in _WEB_CODECS:
        raise ScenarioError(f"{table.name}: web_codec is vp8 or vp9, not {web_codec!r}")
    user = User(
        uid=table.text("uid"),
        number=table.whole("number", number),
        width=width,
        height=height,
        fps=table.whole("fps", 15),
        jitter_ms=table.whole("jitter_ms", 0),
        codec=_CODECS[codec],
        bframes=table.whole("bframes", 0),
        gop_ms=table.ms("gop_seconds", 2000),
        rotation=first.rotation,
        rate=table.whole("rate", 48_000),
        channels=table.whole("channels", 1),
        picture=table.stretches("picture"),
        sound=table.stretches("sound"),
        pts=table.word("pts", Pts, Pts.CONTINUE),
        pts_start=table.whole("pts_start", 126_000),
        source=table.word("source", Source, Source.CAMERA),
        merged=table.flag("merged", default=False),
        bit_rate=table.whole("bit_rate", 0) or None,
        changes=_changes(table.tables("changes"), first),
        sampled=table.whole("sampled", 0) or None,
        stall=next(iter(table.stretches("stall")), None),
        web=table.stretches("web"),
        web_codec=_WEB_CODECS[web_codec],
        web_sound=table.flag("web_sound", default=True),
    )
    table.finish()
    return user


def _changes(tables: list[_Table], before: Shape) -> tuple[Change, ...]:
    """What a change does not name stays as it was."""
    out: list[Change] = []
    for table in tables:
        width, height = _size(table.text("size", f"{before.width}x{before.height}"))
        before = Shape(width, height, table.whole("rotation", before.rotation))
        out.append(Change(table.ms("at", 0), before))
        table.finish()
    return tuple(out)


def _fault(table: _Table) -> Fault:
    fault = Fault(
        uid=table.text("user"),
        track=table.word("track", Track),
        index=table.whole("slice"),
        kind=table.word("kind", FaultKind),
        source=table.word("source", Source, Source.CAMERA),
    )
    table.finish()
    return fault


def _style(table: _Table) -> Style:
    style = Style(
        comma=table.flag("comma", default=False) if "comma" in table.left else None,
        whole_seconds=table.flag("whole_seconds", default=False),
        unix_time=table.flag("unix_time", default=False),
        crlf=table.flag("crlf", default=False),
        bom=table.flag("bom", default=False),
        ended=table.flag("ended", default=True),
        written=table.flag("written", default=True),
        combined=table.flag("combined", default=False),
    )
    table.finish()
    return style


def _start_ms(value: object) -> int:
    if isinstance(value, bool):
        raise ScenarioError("the scenario: start is a date-time or UTC milliseconds")
    if isinstance(value, int):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        whole = value.astimezone(UTC)
        return int(whole.replace(microsecond=0).timestamp()) * 1000 + whole.microsecond // 1000
    raise ScenarioError("the scenario: start is a date-time with an offset, or UTC milliseconds")


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.partition("x")
    if not (cross and width.isascii() and width.isdigit() and height.isascii() and height.isdigit()):
        raise ScenarioError(f"a size is like 320x180, not {text!r}")
    return int(width), int(height)


def _stretch(value: object, what: str) -> Stretch:
    match value:
        case [from_, to]:
            return _ms(from_, what), _ms(to, what)
        case _:
            raise ScenarioError(f"{what} is a list of [from, to] in seconds, {value!r} is no such pair")


def _ms(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ScenarioError(f"{what} is a number of seconds, not {value!r}")
    if not 0 <= value < _MANY_SECONDS:  # neither inf nor nan passes
        raise ScenarioError(f"{what} is between 0 and a million seconds, not {value!r}")
    return round(value * 1000)


@dataclass(slots=True)
class _Table:
    """A TOML table whose keys are taken one by one; what is left at the end is not known."""

    left: dict[str, Any]
    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.left, dict):
            raise ScenarioError(f"{self.name} is a table")
        self.left = dict(self.left)

    def take(self, key: str, default: object) -> Any:
        return self.left.pop(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        return self._typed(key, str, "text", default)

    def whole(self, key: str, default: int | None = None) -> int:
        return self._typed(key, int, "a whole number", default)

    def flag(self, key: str, *, default: bool) -> bool:
        return self._typed(key, bool, "true or false", default)

    def word(self, key: str, kind: type[T], default: T | None = None) -> T:
        if default is not None and key not in self.left:
            return default
        word = self.text(key)
        try:
            return kind(word)  # type: ignore[call-arg]  # every kind given here is a StrEnum
        except ValueError as error:
            raise ScenarioError(f"{self.name}: {key} cannot be {word!r}") from error

    def ms(self, key: str, default: int) -> int:
        return _ms(self.left.pop(key), f"{self.name}: {key}") if key in self.left else default

    def stretches(self, key: str) -> tuple[Stretch, ...]:
        value = self.left.pop(key, [])
        what = f"{self.name}: {key}"
        match value:
            case list():
                return tuple(_stretch(item, what) for item in value)
            case _:
                raise ScenarioError(f"{what} is a list of [from, to] in seconds")

    def tables(self, key: str) -> list[_Table]:
        value = self.left.pop(key, [])
        if not isinstance(value, list):
            raise ScenarioError(f"{self.name}: {key} is an array of tables")
        return [_Table(item, f"{key}[{index}]") for index, item in enumerate(value)]

    def finish(self) -> None:
        if self.left:
            raise ScenarioError(f"{self.name} has an unknown key {min(self.left)!r}")

    def _typed(self, key: str, kind: type[T], what: str, default: T | None) -> T:
        value = self.left.pop(key, default)
        if value is None:
            raise ScenarioError(f"{self.name} has no {key}")
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ScenarioError(f"{self.name}: {key} is {what}, not {value!r}")
        return value
