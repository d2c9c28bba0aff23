"""What a composite is asked for as a document: in jobs, and behind the options of ``recpipe compose``.

Either in the words of our own fields, or as the request that would be posted to a cloud. No effects: images
and fonts are named here and opened by whoever draws.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError

from pipeline.errors import CommandError
from pipeline.job.faults import faults_of
from pipeline.layout.canvas import LEAST_SIDE, MOST_SIDE, OPAQUE, WHOLE, Box, Canvas, Mode, Place
from pipeline.layout.composing import Composing
from pipeline.layout.composite import ComposeOptions
from pipeline.layout.encoding import PRESET, Encoding, SoundEncoding, VideoCodec
from pipeline.layout.limits import check
from pipeline.layout.looks import (
    LINGER_MS,
    CameraOff,
    Cell,
    ClockMark,
    Corner,
    Image,
    ImageMark,
    Label,
    Looks,
    Mark,
    TextMark,
)
from pipeline.layout.streams import CAMERA, SCREEN, Who
from pipeline.model.durations import duration_ms
from pipeline.model.options import Missing, Tracks, Verify
from pipeline.vendors.layouts import AUTO, CUSTOM, MODES, SIZES, Wish
from pipeline.vendors.requests import parse_request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.model.options import Moment

_FRACTION = re.compile(r"(?:0?\.[0-9]{1,9}|0|1(?:\.0+)?|[0-9]{1,6}/[1-9][0-9]{0,5})", re.ASCII)
_BESIDE_A_REQUEST = frozenset(
    {
        "request",
        "version",
        "files",
        "fonts",
        "names",
        "labels",
        "label_size",
        "camera_off",
        "linger",
    }
)
"""Fields that may be given with a request: it does not tell them, or they come before what it tells."""
MOST_MARKS = 100
_COLOUR = r"^#[0-9A-Fa-f]{6}$"
_ZONE = r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"


def _is_duration(text: str) -> str:
    try:
        duration_ms(text)
    except CommandError as error:
        raise ValueError(str(error)) from None
    return text


_Duration = Annotated[str, AfterValidator(_is_duration)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CellDocument(_Model):
    """A region of a custom layout."""

    region: str = Field(description="X,Y,W,H or X,Y,W,H,Z: fractions of the canvas, or pixels.")
    user: str | None = Field(default=None, description="Whose: UID, UID:screen; else the next to join.")
    mode: Mode | None = None
    opacity: int = Field(default=OPAQUE, ge=0, le=OPAQUE)
    crop: str | None = Field(default=None, description="X,Y,W,H of the picture, in fractions.")
    radius: float = Field(
        default=0, ge=0, le=1, description="Of its corners, a fraction of the canvas' width."
    )
    image: str | None = Field(default=None, description="Shown while its user sends no pictures.")


class ImageMarkDocument(_Model):
    """An image as a watermark, in pixels."""

    image: str
    x: int = Field(ge=-MOST_SIDE, le=MOST_SIDE)
    y: int = Field(ge=-MOST_SIDE, le=MOST_SIDE)
    width: int = Field(ge=LEAST_SIDE, le=MOST_SIDE)
    height: int = Field(ge=LEAST_SIDE, le=MOST_SIDE)


class TextMarkDocument(_Model):
    """Text as a watermark, in pixels."""

    text: str = Field(min_length=1, max_length=500)
    x: int = Field(ge=-MOST_SIDE, le=MOST_SIDE)
    y: int = Field(ge=-MOST_SIDE, le=MOST_SIDE)
    size: int = Field(default=14, ge=6, le=400)
    colour: str = Field(default="#ffffff", pattern=_COLOUR)
    behind: str = Field(default="", pattern=r"^(#[0-9A-Fa-f]{6})?$")


class ClockMarkDocument(_Model):
    """The running time as a watermark."""

    corner: Corner
    zone: str = Field(default="+00:00", pattern=_ZONE, description="East of UTC.")
    size: int = Field(default=14, ge=6, le=400)
    colour: str = Field(default="#ffffff", pattern=_COLOUR)
    behind: str = Field(default="", pattern=r"^(#[0-9A-Fa-f]{6})?$")


def _kind(asked: object) -> str:
    """Which watermark a part of a document is, by what only that one has."""
    has = asked.__contains__ if isinstance(asked, dict) else lambda name: hasattr(asked, name)
    return (
        "TextMarkDocument" if has("text") else "ClockMarkDocument" if has("corner") else "ImageMarkDocument"
    )


_Mark = Annotated[
    Annotated[ImageMarkDocument, Tag("ImageMarkDocument")]
    | Annotated[TextMarkDocument, Tag("TextMarkDocument")]
    | Annotated[ClockMarkDocument, Tag("ClockMarkDocument")],
    Discriminator(_kind),
]


class Composite(_Model):
    """All users in one picture and one mix; the words of `recpipe compose`."""

    layout: str = AUTO
    vendor: str = Field(default="", description="Whose variant of the layout; empty for nobody's.")
    size: str | None = Field(default=None, description="WIDTHxHEIGHT of the canvas.")
    background: str = Field(default="#000000", pattern=_COLOUR)
    backdrop: str | None = Field(default=None, description="An image behind everything.")
    large: str | None = Field(default=None, description="Who is large: UID, or UID:screen.")
    large_right: bool = False
    cells: tuple[CellDocument, ...] = ()
    mode: Mode | None = Field(
        default=None, description="How pictures fill regions, if not as the layout says."
    )
    camera_off: CameraOff = CameraOff.AVATAR
    linger: _Duration = Field(
        default=f"{LINGER_MS / 1000:g}s", description="So long after its last picture a camera is on."
    )
    sound_only: bool = Field(default=True, description="Who sends no pictures gets a region too.")
    image: str | None = Field(default=None, description="Shown while a user's camera is off.")
    images: dict[str, str] = Field(default={}, description="The same for single users: UID or UID:screen.")
    labels: bool = False
    label_size: int = Field(default=0, ge=0, le=400)
    names: dict[str, str] = Field(default={}, description="What users are called, by id.")
    marks: tuple[_Mark, ...] = Field(default=(), max_length=MOST_MARKS)
    tracks: Tracks = Tracks.BOTH
    fps: int = 15
    bit_rate: int | None = None
    crf: int | None = None
    gop: _Duration = "4s"
    codec: VideoCodec = VideoCodec.H264
    encoder: str = ""
    profile: str = ""
    preset: str = PRESET
    audio_rate: int = 48_000
    audio_channels: int = 2
    audio_bit_rate: int = 128_000
    loudness: int | None = None
    max_duration: _Duration | None = Field(
        default=None, description="A file is at most so long; the next goes on."
    )
    request: dict[str, Any] | None = Field(
        default=None, description="The body that would be posted to a cloud, in place of all of the above."
    )
    version: Literal["", "2020-12-01", "2022-06-01", "2023-06-01", "2023-11-01"] = Field(
        default="", description="Of Volcengine's API, where the request does not tell it."
    )
    files: dict[str, str] = Field(default={}, description="The files of images that are named by address.")
    fonts: tuple[str, ...] = ()

    @property
    def own(self) -> tuple[str, ...]:
        """The fields that were given and that a request tells in its own words."""
        return tuple(sorted(self.model_fields_set - _BESIDE_A_REQUEST))


class Composites(_Model):
    """A composite as the outputs of a job."""

    kind: Literal["compose"]
    composite: Composite = Composite()
    missing: Missing = Missing.FILL
    verify: Verify = Verify.FULL

    def options(
        self, uids: Sequence[str], name: str, start: Moment | None, end: Moment | None, folder: Path
    ) -> ComposeOptions:
        """The same as options; images and fonts lie below the job's folder. Raises CommandError."""
        composing, _ = composing_of(self.composite, "composite")
        return ComposeOptions(
            uids=tuple(uids),
            start=start,
            end=end,
            name=name,
            missing=self.missing,
            verify=self.verify,
            composing=composing,
            files=tuple(sorted(self.composite.files.items())),
            folder=str(folder),
            outside=False,
            fonts=self.composite.fonts,
        )


def parse_composite(document: dict[str, Any]) -> Composite:
    """A document as a value.

    Raises:
        CommandError: it is none; every fault with the path of its field.
    """
    try:
        return Composite.model_validate(document)
    except ValidationError as error:
        raise CommandError(f"the composite cannot be made so: {'; '.join(faults_of(error))}.") from None


def composing_of(asked: Composite, where: str, text: str | None = None) -> tuple[Composing, tuple[str, ...]]:
    """The value that a document describes, and sentences about what means nothing here.

    Args:
        asked: the document.
        where: it stands, for sentences.
        text: of its request, where that was read by itself.

    Raises:
        CommandError: what is wrong with it.
    """
    if asked.request is not None:
        if asked.own:
            raise CommandError(
                f"{where}: a request tells all of the composite: leave {', '.join(asked.own)} out."
            )
        found = parse_request(json.dumps(asked.request) if text is None else text, where, asked.version)
        return _named(found.composing, asked), found.notes
    return _composing(asked), ()


def _named(composing: Composing, asked: Composite) -> Composing:
    """A request's composite with what requests do not tell, or a person wants otherwise."""
    looks, given = composing.looks, asked.model_fields_set
    looks = replace(looks, names=tuple(sorted(asked.names.items())))
    if asked.labels:
        looks = replace(looks, label=Label(asked.label_size))
    if "camera_off" in given:
        looks = replace(looks, camera_off=asked.camera_off, image=None, images=())
    if "linger" in given:
        looks = replace(looks, linger_ms=duration_ms(asked.linger))
    return replace(composing, looks=looks)


def _composing(asked: Composite) -> Composing:
    size = asked.size or SIZES.get(asked.vendor, SIZES[""]).value
    canvas = Canvas.parse(size)
    canvas = Canvas(canvas.width, canvas.height, asked.background)
    cells = tuple(_cell(each, canvas, asked.vendor) for each in asked.cells)
    if bool(cells) != (asked.layout == CUSTOM):
        raise CommandError("a custom layout needs regions, and no other layout takes any.")
    wish = Wish(
        asked.layout, asked.vendor, right=asked.large_right, places=tuple(cell.place for cell in cells)
    )
    main = None if asked.large is None else who(asked.large)
    if main is not None and not wish.has_large:
        raise CommandError(f"the layout {asked.layout} has no large region: leave the large user out.")
    encoding = Encoding(
        fps=asked.fps,
        bit_rate=asked.bit_rate,
        crf=asked.crf,
        gop_ms=duration_ms(asked.gop),
        codec=asked.codec,
        encoder=asked.encoder,
        profile=asked.profile,
        preset=asked.preset,
    )
    sound = SoundEncoding(asked.audio_rate, asked.audio_channels, asked.audio_bit_rate, asked.loudness)
    most_ms = None if asked.max_duration is None else duration_ms(asked.max_duration)
    check(encoding=encoding, sound=sound, most_ms=most_ms)
    return Composing(
        canvas=canvas,
        layout=wish,
        main=main,
        cells=cells,
        looks=_looks(asked),
        encoding=None if asked.tracks is Tracks.AUDIO else encoding,
        sound=None if asked.tracks is Tracks.VIDEO else sound,
        most_ms=most_ms,
    )


def who(text: str) -> Who:
    """A user of ``UID``, ``UID:camera`` or ``UID:screen``.

    >>> who("ann:screen")
    Who(uid='ann', source='screen', begins=False)
    """
    uid, colon, source = text.rpartition(":")
    return Who(uid, source) if colon and source in {CAMERA, SCREEN} else Who(text)


def _part(text: str) -> Box:
    """A part of a picture, in fractions of its sides."""
    numbers = text.split(",")
    if len(numbers) != len("xywh") or any(not _FRACTION.fullmatch(number) for number in numbers):
        raise CommandError(f"the crop {text!r} is no part of a picture: give X,Y,W,H in fractions of it.")
    return Box(*map(Fraction, numbers))


def _cell(asked: CellDocument, canvas: Canvas, vendor: str) -> Cell:
    box, z = canvas.parse_region(asked.region)
    crop = WHOLE if asked.crop is None else _part(asked.crop)
    return Cell(
        Place(box, asked.mode or MODES[vendor].value, z, asked.opacity),
        None if asked.user is None else who(asked.user),
        crop,
        Fraction(str(asked.radius)),
        None if asked.image is None else Image(asked.image),
    )


def _looks(asked: Composite) -> Looks:
    return Looks(
        backdrop=None if asked.backdrop is None else Image(asked.backdrop),
        camera_off=asked.camera_off,
        linger_ms=duration_ms(asked.linger),
        image=None if asked.image is None else Image(asked.image),
        images=tuple((who(uid), Image(ref)) for uid, ref in sorted(asked.images.items())),
        names=tuple(sorted(asked.names.items())),
        label=Label(asked.label_size) if asked.labels else None,
        marks=tuple(map(_mark, asked.marks)),
        mode=asked.mode,
        sound_only=asked.sound_only,
    )


def _mark(asked: ImageMarkDocument | TextMarkDocument | ClockMarkDocument) -> Mark:
    if isinstance(asked, ImageMarkDocument):
        return ImageMark(asked.image, asked.x, asked.y, asked.width, asked.height)
    if isinstance(asked, TextMarkDocument):
        return TextMark(asked.text, asked.x, asked.y, asked.size, asked.colour, asked.behind)
    hours, minutes = asked.zone[1:].split(":")
    east = (int(hours) * 60 + int(minutes)) * (-1 if asked.zone[0] == "-" else 1)
    return ClockMark(asked.corner, east, asked.size, asked.colour, asked.behind)
