"""Agora's request for a composite (``start``): what each of its fields means here.

Ranges and defaults are those of the page. It gives none for the bit rate, which has our own range here, and
no sides of the canvas but their product; ours are even.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from pipeline.layout import limits
from pipeline.layout.canvas import OPAQUE, Canvas, Mode, Place
from pipeline.layout.composing import Composing
from pipeline.layout.encoding import Encoding, SoundEncoding
from pipeline.layout.looks import CameraOff, Cell, Image, Looks
from pipeline.layout.streams import NOBODY, Choice, Streams, Who
from pipeline.vendors.agora.layouts import LIMIT
from pipeline.vendors.boxes import boxed, shown
from pipeline.vendors.layouts import CUSTOM, Wish

if TYPE_CHECKING:
    from pipeline.vendors.fields import Fields

MARKS = frozenset({"clientRequest"})
LINGER_MS = 3500
"""For so long after his last picture a user's region does not change (start, defaultUserBackgroundImage)."""

MOST_AREA = 1920 * 1080
MOST_UIDS = 32
MOST_URL = 2048
EVERYBODY = "#allstream#"
FPS = (1, 7, 10, 15, 24, 30, 60)
OTHER_FPS = 15
LAYOUTS = {0: "floating", 1: "best-fit", 2: "vertical", 3: CUSTOM}
MODES = {0: Mode.CROP, 1: Mode.FIT}
SOUND = {
    0: SoundEncoding(48_000, 1, 48_000),
    1: SoundEncoding(48_000, 1, 128_000),
    2: SoundEncoding(48_000, 2, 192_000),
}
STREAM_TYPES = {0: (False, True), 1: (True, False), 2: (True, True)}
"""Pictures and sound, by ``streamTypes``."""

_NAMED = "not used, the recording is the one that the command names"
_NOT_POSTED = "not used, nothing is posted"
_STORED = "not used, the command says where files go"
_LIVE = "not used, the call is over"
_KNOWN = "not used, the recording is read as it is"


def composing(whole: Fields) -> Composing:
    """What the request asks for; faults and notes go into ``whole.told``."""
    whole.ignore(_NAMED, "cname", "uid")
    client = whole.part("clientRequest")
    client.ignore(_NOT_POSTED, "token")
    client.ignore(_STORED, "storageConfig")
    client.ignore("not used, a composite is made at once", "appsCollection", "transcodeOptions")
    client.ignore("not used, recpipe snapshot takes screenshots", "snapshotConfig")
    if client.has("extensionServiceConfig"):
        client.fault("extensionServiceConfig", "asks for a web page, and not for a composite of users")
    files = client.part("recordingFileConfig")
    if files.words("avFileType", ("hls", "mp4", "mp3")):
        files.note("avFileType", "done as MP4")
    config = client.part("recordingConfig")
    _ignore(config)
    video = config.part("transcodingConfig")
    canvas = _canvas(video)
    encoding = _encoding(video)
    layout, main, cells = _layout(video, canvas)
    looks = _looks(video)
    pictures, sound = config.one_of("streamTypes", STREAM_TYPES, 2)
    profile = config.one_of("audioProfile", SOUND, 0)
    streams = _streams(config, pictures=pictures, sound=sound)
    if not pictures:
        config.remark("not used, streamTypes asks for sound alone", "transcodingConfig")
    if not sound:
        config.remark("not used, streamTypes asks for pictures alone", "audioProfile")
    return Composing(
        canvas=canvas,
        layout=layout,
        streams=streams,
        main=main,
        cells=cells,
        looks=looks,
        encoding=encoding if pictures and streams.drawn != NOBODY else None,
        sound=profile if sound and streams.heard != NOBODY else None,
    )


def _ignore(config: Fields) -> None:
    """Fields of ``recordingConfig`` that mean nothing once the call is recorded."""
    config.ignored_whole("channelType", 0, 1, _LIVE)
    config.ignored_whole("maxIdleTime", 5, 2_592_000, _LIVE)
    config.ignored_whole("subscribeUidGroup", 0, 5, _LIVE)
    config.ignored_whole("videoStreamType", 0, 1, _KNOWN)
    config.ignored_whole("decryptionMode", 0, 8, _KNOWN)
    config.ignore(_KNOWN, "secret", "salt", "streamMode", "privateParams", "extensionParams")


def _canvas(video: Fields) -> Canvas:
    width = video.whole("width", limits.SIDE.least, limits.SIDE.most, 360, even=True)
    height = video.whole("height", limits.SIDE.least, limits.SIDE.most, 640, even=True)
    if not video.faulty("width", "height") and width * height > MOST_AREA:
        video.fault("width", f"with height at most {MOST_AREA} pixels, not {width} x {height}")
    return Canvas(width, height, video.colour("backgroundColor", "#000000"))


def _encoding(video: Fields) -> Encoding:
    least, most = limits.BIT_RATE.least // 1000, limits.BIT_RATE.most // 1000
    fps = video.whole("fps", limits.FPS.least, limits.FPS.most, OTHER_FPS)
    if fps not in FPS:
        video.note("fps", f"{fps} is done as {OTHER_FPS}, as Agora does what is none of its rates")
        fps = OTHER_FPS
    return Encoding(fps=fps, bit_rate=video.whole("bitrate", least, most, 500) * 1000)


def _layout(video: Fields, canvas: Canvas) -> tuple[Wish, Who | None, tuple[Cell, ...]]:
    name = video.one_of("mixedVideoLayout", LAYOUTS, 0)
    large = video.text("maxResolutionUid", "")
    if large and name != "vertical":
        video.note("maxResolutionUid", "not used, only the vertical layout (2) has a large user")
        large = ""
    main = Who(large) if large else None
    if name != CUSTOM:
        if video.has("layoutConfig") and not video.faulty("mixedVideoLayout"):
            video.fault("layoutConfig", "only with mixedVideoLayout 3")
        return Wish(name, "agora"), main, ()
    cells = _cells(video, canvas)
    if not cells:
        video.fault("layoutConfig", "a custom layout (mixedVideoLayout 3) needs at least one region")
        return Wish("floating", "agora"), main, ()
    return Wish(CUSTOM, "agora", places=tuple(cell.place for cell in cells)), main, cells


def _cells(video: Fields, canvas: Canvas) -> tuple[Cell, ...]:
    cells: list[Cell] = []
    taken: dict[str, int] = {}
    for number, region in enumerate(video.parts("layoutConfig", LIMIT.value)):
        uid = region.text("uid", "")
        if uid and taken.setdefault(uid, number) != number:
            region.fault("uid", f"has the region layoutConfig[{taken[uid]}] already")
        edges = [region.fraction(name) for name in ("x_axis", "y_axis")]
        sides = [region.fraction(name, above=True) for name in ("width", "height")]
        box = boxed(region, ("x_axis", "y_axis", "width", "height"), (*edges, *sides))
        opacity = round(region.fraction("alpha", Fraction(1)) * OPAQUE)
        place = Place(box, region.one_of("render_mode", MODES, 0), 0, opacity)
        shown(region, "width", canvas, place)
        cells.append(Cell(place, Who(uid) if uid else None))
    return tuple(cells)


def _looks(video: Fields) -> Looks:
    images = []
    for part in video.parts("backgroundConfig", MOST_UIDS):
        ref = part.text("image_url", most=MOST_URL)
        images.append((Who(part.text("uid")), Image(ref, part.one_of("render_mode", MODES, 0))))
    backdrop = video.text("backgroundImage", "", most=MOST_URL)
    default = video.text("defaultUserBackgroundImage", "", most=MOST_URL)
    return Looks(
        backdrop=Image(backdrop) if backdrop else None,
        camera_off=CameraOff.HOLD,
        linger_ms=LINGER_MS,
        image=Image(default) if default else None,
        images=tuple(images),
    )


def _streams(config: Fields, *, pictures: bool, sound: bool) -> Streams:
    """Whose streams: a list for one of pictures and sound alone leaves the other out (Subscription lists)."""
    drawn, heard = _choice(config, "Video"), _choice(config, "Audio")
    if pictures and sound and (drawn is None) != (heard is None):
        given, other = ("Audio", "pictures take") if drawn is None else ("Video", "sound takes")
        name = f"subscribe{given}Uids" if config.has(f"subscribe{given}Uids") else f"unSubscribe{given}Uids"
        config.note(name, f"alone, so nobody's {other} part, as with Agora")
        return Streams(drawn or NOBODY, heard or NOBODY)
    return Streams(drawn or Choice(), heard or Choice())


def _choice(config: Fields, medium: str) -> Choice | None:
    """Whose pictures or sound; None where no list tells."""
    only_name, but_names = f"subscribe{medium}Uids", (f"unSubscribe{medium}Uids", f"unsubscribe{medium}Uids")
    only = config.texts(only_name, MOST_UIDS)
    but = [uid for name in but_names for uid in config.texts(name, MOST_UIDS)]
    if only and but:
        config.fault(only_name, f"not together with {but_names[0]}")
    if not only and not but:
        return None
    chosen = None if not only or EVERYBODY in only else tuple(map(Who, only))
    return Choice(chosen, tuple(map(Who, but)))
