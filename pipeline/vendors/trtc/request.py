"""TRTC's request for a mixed recording (``CreateCloudRecording``): what each of its fields means here.

Ranges and defaults are those of the API's data types. They give none for the seconds between key frames,
which have our own range here, and do not say that sides are even; ours are. TUICallKit's template for
recordings has wider pictures. Nobody publishes it as JSON: here it has the fields of TRTC, and ``KitType`` 2
marks it, as in the events of TUICallKit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.layout import limits
from pipeline.layout.canvas import OPAQUE, Canvas, Mode, Place
from pipeline.layout.composing import Composing
from pipeline.layout.encoding import Encoding, SoundEncoding
from pipeline.layout.looks import CameraOff, Cell, Image, Looks
from pipeline.layout.streams import CAMERA, SCREEN, Choice, Streams, Who
from pipeline.vendors.boxes import boxed, shown
from pipeline.vendors.layouts import CUSTOM, Wish
from pipeline.vendors.trtc.layouts import LIMIT
from pipeline.vendors.trtc.marks import MOST_EDGE, image, marks

if TYPE_CHECKING:
    from pipeline.vendors.fields import Fields

MARKS = frozenset({"MixLayoutParams", "MixTranscodeParams", "RecordParams", "KitType"})
MOST_USERS = 32
PREFIX = ".*$"
MOST_LAYER = 1_000_000
MINUTE_MS = 60_000
LAYOUTS = {1: "floating", 2: "screen", 3: "grid", 4: CUSTOM}
GRID = 3
MODES = {0: Mode.STRETCH, 1: Mode.CROP, 2: Mode.FIT, 3: Mode.SMART}
SOURCES = {0: CAMERA, 1: SCREEN}
BOTH_SOURCES = {0: "", 1: CAMERA, 2: SCREEN}
RATES = {1: 48_000, 2: 44_100, 3: 16_000}
STREAM_TYPES = {0: (True, True), 1: (False, True), 2: (True, False)}
"""Pictures and sound, by ``StreamType``."""
FILLS = {0: CameraOff.HOLD, 1: CameraOff.BLACK}
ALL_GIVEN = "where it is given, all of its fields are"
_NAMED = "not used, the recording is the one that the command names"
_NOT_POSTED = "not used, nothing is posted"
_LIVE = "not used, the call is over"


@dataclass(frozen=True, slots=True)
class Picture:
    """How large a picture may be.

    Attributes:
        least: the fewest pixels of its longer side.
        most: the most.
        area: the most pixels of the whole.
    """

    least: int
    most: int
    area: int


OWN = Picture(2, 1920, 1920 * 1080)
CALL_KIT = Picture(16, MOST_EDGE, 2560 * 1440)


def composing(whole: Fields) -> Composing:
    """What the request asks for; faults and notes go into ``whole.told``."""
    whole.ignore(_NAMED, "SdkAppId", "RoomId", "RoomIdType", "UserId")
    whole.ignore(_NOT_POSTED, "UserSig", "PrivateMapKey", "Action", "Version", "Region")
    whole.ignored_whole("ResourceExpiredHour", 6, 720, _NOT_POSTED)
    whole.ignore("not used, the command says where files go", "StorageParams")
    picture = CALL_KIT if whole.has("KitType") and whole.one_of("KitType", {2: True}) else OWN
    encoded = whole.part("MixTranscodeParams")
    size, encoding = _pictures(encoded, picture)
    layout = whole.part("MixLayoutParams")
    canvas = Canvas(*size, layout.colour("BackGroundColor", "#000000"))
    record = whole.part("RecordParams")
    pictures, sound = record.one_of("StreamType", STREAM_TYPES, 0)
    if not pictures:
        whole.remark("not used, StreamType asks for sound alone", "MixLayoutParams")
        encoded.remark("not used, StreamType asks for sound alone", "VideoParams")
    if not sound:
        encoded.remark("not used, StreamType asks for pictures alone", "AudioParams")
    heard = _sound(encoded)
    wish, main, cells = _layout(layout, canvas, picture)
    return Composing(
        canvas=canvas,
        layout=wish,
        streams=_streams(record),
        main=main,
        cells=cells,
        looks=_looks(layout, canvas, record.one_of("FillType", FILLS, 0), custom=bool(cells)),
        encoding=encoding if pictures else None,
        sound=heard if sound else None,
        most_ms=_most_ms(record),
    )


def _most_ms(record: Fields) -> int:
    """How long a file may be, and the fields of ``RecordParams`` that mean nothing here."""
    if record.one_of("RecordMode", {1: True, 2: False}, 2):
        record.fault(
            "RecordMode",
            "2 for a composite, since 1 asks for a file for each user, which recpipe merge makes",
        )
    record.ignored_whole("MaxIdleTime", 5, 86_400, _LIVE)
    record.ignored_whole("OutputFormat", 0, 4, "done as MP4")
    record.ignored_whole("AvMerge", 0, 1, "not used, pictures and sound are in one file")
    record.ignored_whole("SubscribeAbility", 0, 1, "not used, whoever was recorded takes part")
    return record.whole("MaxMediaFileDuration", 1, 1440, 1440) * MINUTE_MS


def _complete(part: Fields, names: tuple[str, ...]) -> bool:
    """All or none of the fields of a struct are given; whether they are."""
    given = [name for name in names if part.has(name)]
    if given and len(given) < len(names):
        for name in names:
            if name not in given:
                part.fault(name, f"is missing: {ALL_GIVEN}")
    return bool(given)


def _pictures(encoded: Fields, picture: Picture) -> tuple[tuple[int, int], Encoding]:
    video = encoded.part("VideoParams")
    names = ("Width", "Height", "Fps", "BitRate", "Gop")
    if encoded.has("VideoParams") and not _complete(video, names):
        encoded.fault("VideoParams", f"is empty: {ALL_GIVEN}")
    width = video.whole("Width", 2, picture.most, 360, even=True)
    height = video.whole("Height", 2, picture.most, 640, even=True)
    if video.faulty("Width", "Height"):
        width = height = picture.most  # nothing of the layout is to blame for that
    elif width * height > picture.area:
        video.fault("Width", f"with Height at most {picture.area} pixels, not {width} x {height}")
    elif max(width, height) < picture.least:
        longer = f"the longer of Width and Height {picture.least} to {picture.most}"
        video.fault("Width", f"{longer}, not {width} x {height}")
    gop = video.whole("Gop", 1, limits.GOP_MS.most // 1000, 10)
    return (width, height), Encoding(
        fps=video.whole("Fps", 1, 60, 15),
        bit_rate=video.whole("BitRate", 64_000, 8_192_000, 550_000),
        gop_ms=gop * 1000,
    )


def _sound(encoded: Fields) -> SoundEncoding:
    audio = encoded.part("AudioParams")
    if encoded.has("AudioParams") and not _complete(audio, ("SampleRate", "Channel", "BitRate")):
        encoded.fault("AudioParams", f"is empty: {ALL_GIVEN}")
    return SoundEncoding(
        rate=audio.one_of("SampleRate", RATES, 1),
        channels=audio.one_of("Channel", {1: 1, 2: 2}, 2),
        bit_rate=audio.whole("BitRate", 32_000, 128_000, 64_000),
    )


def who(pattern: str, source: str = "") -> Who:
    """A user, or with ``.*$`` at its end all whose ids begin so.

    >>> str(who("1.*$")), str(who("room_1", "screen"))
    ('1*', 'room_1 (screen)')
    """
    begins = pattern.endswith(PREFIX)
    return Who(pattern.removesuffix(PREFIX) if begins else pattern, source, begins)


def _layout(layout: Fields, canvas: Canvas, picture: Picture) -> tuple[Wish, Who | None, tuple[Cell, ...]]:
    name = layout.one_of("MixLayoutMode", LAYOUTS, GRID)
    large = layout.text("MaxResolutionUserId", "")
    source = layout.one_of("MediaId", SOURCES, 0)
    right = layout.one_of("MaxResolutionUserAlign", {0: False, 1: True}, 0)
    if name not in {"floating", "screen"}:
        layout.ignore("not used, only layouts 1 and 2 have a large user", "MaxResolutionUserId", "MediaId")
        large = ""
    if name != "screen":
        layout.ignore("not used, only layout 2 has two sides", "MaxResolutionUserAlign")
        right = False
    main = who(large, source) if large else None
    if name != CUSTOM:
        layout.ignore("not used, only layout 4 has regions", "MixLayoutList")
        return Wish(name, "trtc", right=right), main, ()
    cells = _cells(layout, canvas, picture)
    if not cells:
        layout.fault("MixLayoutList", "a custom layout (MixLayoutMode 4) needs at least one region")
        return Wish("grid", "trtc"), main, ()
    return Wish(CUSTOM, "trtc", places=tuple(cell.place for cell in cells)), main, cells


def _cells(layout: Fields, canvas: Canvas, picture: Picture) -> tuple[Cell, ...]:
    holders = layout.one_of("PlaceHolderMode", {0: False, 1: True}, 0)
    cells: list[Cell] = []
    taken: dict[tuple[str, str], int] = {}
    for number, region in enumerate(layout.parts("MixLayoutList", LIMIT.value)):
        user, source = region.text("UserId", ""), region.one_of("MediaId", SOURCES, 0)
        if user and taken.setdefault((user, source), number) != number:
            region.fault("UserId", f"has the region MixLayoutList[{taken[user, source]}] already")
        edges = [region.whole(name, 0, picture.most) for name in ("Left", "Top")]
        sides = [region.whole(name, 1, picture.most) for name in ("Width", "Height")]
        size = (canvas.width, canvas.height)
        box = boxed(region, ("Left", "Top", "Width", "Height"), (*edges, *sides), size)
        mode = region.one_of("RenderMode", MODES, 1)
        opacity = OPAQUE - region.whole("Alpha", 0, OPAQUE, 0)
        layer = region.whole("ImageLayer", -MOST_LAYER, MOST_LAYER, 0)
        place = Place(box, mode, layer, opacity)
        shown(region, "Width", canvas, place)
        ref = image(region, "SubBackgroundImage")
        if ref and not holders:
            region.note("SubBackgroundImage", "not used, PlaceHolderMode is 0")
        cells.append(Cell(place, _whose(user, source), image=Image(ref, mode) if ref and holders else None))
    return tuple(cells)


def _whose(user: str, source: str) -> Who | None:
    """Whose a region is; without a user the next camera's, or anybody's screen."""
    if user:
        return who(user, source)
    return None if source == CAMERA else Who("", source, begins=True)


def _looks(layout: Fields, canvas: Canvas, off: CameraOff, *, custom: bool) -> Looks:
    backdrop = image(layout, "BackgroundImageUrl")
    behind = layout.one_of("BackgroundImageRenderMode", MODES, 1)
    mode = layout.one_of("RenderMode", MODES, 1)
    holder = image(layout, "DefaultSubBackgroundImage")
    if holder and not layout.one_of("PlaceHolderMode", {0: False, 1: True}, 0):
        layout.note("DefaultSubBackgroundImage", "not used, PlaceHolderMode is 0")
        holder = ""
    sound_only = not layout.flag("PureAudioDisableLayout", default=False)
    if custom:
        layout.ignore("not used, regions of layout 4 have their own", "RenderMode")
        layout.ignore("not used, layout 4 has the regions that it names", "PureAudioDisableLayout")
        sound_only = True
    return Looks(
        backdrop=Image(backdrop, behind) if backdrop else None,
        camera_off=off,
        image=Image(holder, mode) if holder else None,
        marks=marks(layout, canvas),
        mode=mode if layout.has("RenderMode") and not custom else None,
        sound_only=sound_only,
    )


def _streams(record: Fields) -> Streams:
    lists = record.part("SubscribeStreamUserIds")
    source = record.one_of("MediaId", BOTH_SOURCES, 0)
    return Streams(_choice(lists, "Video", source), _choice(lists, "Audio", source))


def _choice(lists: Fields, medium: str, source: str) -> Choice:
    only_name, but_name = f"Subscribe{medium}UserIds", f"UnSubscribe{medium}UserIds"
    only, but = lists.texts(only_name, MOST_USERS), lists.texts(but_name, MOST_USERS)
    if only and but:
        lists.fault(only_name, f"not together with {but_name}")
    chosen = tuple(who(each, source) for each in only)
    if not only and source:
        chosen = (Who("", source, begins=True),)
    return Choice(chosen or None, tuple(who(each) for each in but))
