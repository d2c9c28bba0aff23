"""Slices with chosen time stamps, and a place to read them from that counts what is open."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.media.encode import encode_pictures, encode_sound
from pipeline.media.probe import picture_size
from pipeline.media.ts.peek import Peeker
from pipeline.media.ts.writer import Continuity, Pes, StreamType, write_slice
from pipeline.model import ticks
from pipeline.model.slices import Ends, Medium, Recording, Slice, State, Track, User, with_known_forms
from pipeline.model.timeline import arrange

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

    from pipeline.media.encode import CodedPicture, CodedSound
    from pipeline.media.unreadable import Unreadable
    from pipeline.model.timeline import UserTime

T0_MS = 1_768_908_600_000
FRAME = 1920
STEP = 6000
"""Ticks of a picture: 15 a second."""
GOP = 15
SIZE = (96, 64)
Codec = Literal["h264", "hevc"]


@lru_cache(maxsize=8)
def coded_pictures(
    count: int, codec: Codec = "h264", bframes: int = 0, size: tuple[int, int] = SIZE, seed: int = 7
) -> tuple[CodedPicture, ...]:
    """Noise that gives every picture bytes of its own; a key frame every second, PTS from 0."""
    width, height = size
    rng = np.random.default_rng(seed)

    def drawn(n: int) -> npt.NDArray[np.uint8]:
        picture = np.full((height * 3 // 2, width), 128, dtype=np.uint8)
        picture[:height] = np.roll(np.tile(np.arange(width, dtype=np.uint8), (height, 1)), n, axis=1)
        picture[: height // 4] = rng.integers(0, 256, (height // 4, width), dtype=np.uint8)
        return picture

    return tuple(
        encode_pictures(
            ((n * STEP, drawn(n)) for n in range(count)),
            width=width,
            height=height,
            codec=codec,
            bframes=bframes,
            gop_ticks=GOP * STEP,
        )
    )


@lru_cache(maxsize=8)
def coded_sound(frames: int, rate: int = 48_000, channels: int = 1) -> tuple[CodedSound, ...]:
    """A loud chirp, so that every frame has bytes of its own."""
    at = np.arange((frames - 1) * 1024) / rate
    wave = (12_000 * np.sin(2 * np.pi * (200 + 50 * at) * at)).astype(np.int16)
    return tuple(encode_sound([np.tile(wave, (channels, 1))], rate=rate, channels=channels))


def picture_pes(pictures: Sequence[CodedPicture], first: int, codec: Codec = "h264") -> list[Pes]:
    """PES packets, the first presented picture at PTS ``first``."""
    shift = first - min(p.pts_ticks for p in pictures)
    stream = StreamType.H264 if codec == "h264" else StreamType.HEVC
    return [Pes(stream, p.data, p.pts_ticks + shift, p.dts_ticks + shift, p.key) for p in pictures]


def sound_pes(sound: Sequence[CodedSound], first: int, *, group: int = 8, rate: int = 48_000) -> list[Pes]:
    """PES packets of up to ``group`` frames, the first at PTS ``first``."""
    return [
        Pes(
            StreamType.AAC,
            b"".join(s.header + s.block for s in sound[n : n + group]),
            first + ticks.ticks_of(n * 1024, rate),
            key=True,
        )
        for n in range(0, len(sound), group)
    ]


def picture_slice(
    first: int = 0, count: int = 2 * GOP, *, skip: int = 0, codec: Codec = "h264", bframes: int = 0
) -> bytes:
    """A slice of pictures ``skip`` to ``skip + count`` of a longer recording."""
    coded = coded_pictures(8 * GOP, codec, bframes)[skip : skip + count]
    return write_slice(picture_pes(coded, first, codec))


def sound_slice(
    first: int = 0, count: int = 48, *, skip: int = 0, group: int = 8, rate: int = 48_000, channels: int = 1
) -> bytes:
    """A slice of sound frames ``skip`` to ``skip + count`` of a longer recording."""
    coded = coded_sound(480, rate, channels)[skip : skip + count]
    return write_slice(sound_pes(coded, first, group=group, rate=rate))


def both_slice(pictures_first: int, sound_first: int, pictures: int = 30, frames: int = 48) -> bytes:
    """A slice of both media, in decoding order."""
    pes = [
        *picture_pes(coded_pictures(8 * GOP)[:pictures], pictures_first),
        *sound_pes(coded_sound(480)[:frames], sound_first),
    ]
    return write_slice(sorted(pes, key=lambda p: p.decode_ticks))


def joined(*slices: Sequence[Pes]) -> list[bytes]:
    """Slices whose continuity counters go on from one to the next, as a recorder's do."""
    counters = Continuity()
    return [write_slice(pes, counters) for pes in slices]


def without_pts(data: bytes, number: int) -> bytes:
    """The slice with the stamps of its PES packet number ``number`` made stuffing."""
    at = -1
    for _ in range(number + 1):
        at = data.index(b"\0\0\1\xe0", at + 1)
    assert data[at + 7] == 0x80
    return data[: at + 7] + b"\0" + data[at + 8 : at + 9] + b"\xff" * 5 + data[at + 14 :]


class _Counted(BytesIO):
    def __init__(self, data: bytes, files: Files) -> None:
        super().__init__(data)
        self._files = files
        files.open_now += 1
        files.most_open = max(files.most_open, files.open_now)

    def close(self) -> None:
        if not self.closed:
            self._files.open_now -= 1
        super().close()


@dataclass(slots=True)
class Files:
    """Slices in memory; how many are open now, and how many ever were at once."""

    data: dict[str, bytes] = field(default_factory=dict)
    open_now: int = 0
    most_open: int = 0

    def open(self, key: str) -> BytesIO:
        """As `pipeline.steps.find.Folder.open`."""
        if key not in self.data:
            raise FileNotFoundError(2, "No such file or directory", key)
        return _Counted(self.data[key], self)


def look(data: bytes, medium: Medium, listed: int = 0) -> Ends | Unreadable:
    """What the ends of a slice say."""
    return Peeker(picture_size).look(BytesIO(data), len(data), medium, listed)


def ends(data: bytes, medium: Medium) -> Ends:
    """As `look`, of a slice that can be read."""
    found = look(data, medium)
    assert isinstance(found, Ends), found
    return found


def slice_of(
    key: str, data: bytes, medium: Medium, after: int = 0, *, tags: bool = False, size: int | None = None
) -> Slice:
    """A slice ``after`` ticks after the recording's start, with its ends as they are read."""
    ms, rest = divmod(after, ticks.PER_MS)
    assert not rest
    found = ends(data, medium)
    return Slice(
        key,
        len(data) if size is None else size,
        State.PRESENT,
        T0_MS + ms,
        "name",
        found.span * 100 // 9,
        opens=tags,
        returns=tags,
        ends=found,
    )


def user_of(
    files: Files,
    video: Sequence[tuple[str, int]] = (),
    audio: Sequence[tuple[str, int]] = (),
    *,
    tagged: Collection[str] = (),
) -> User:
    """A user with the slices of these keys, each so many ticks after the recording's start.

    Those that are ``tagged`` have a START tag before them.
    """

    def track(medium: Medium, places: Sequence[tuple[str, int]]) -> Track | None:
        slices = tuple(
            slice_of(key, files.data[key], medium, after, tags=key in tagged) for key, after in places
        )
        return Track("ann", "camera", medium, with_known_forms(slices)) if slices else None

    return User("ann", "camera", track(Medium.AUDIO, audio), track(Medium.VIDEO, video))


def time_of(user: User) -> UserTime:
    """The user on UTC."""
    found = arrange(user)
    assert found is not None
    return found


def recording_of(user: User) -> Recording:
    """A recording of one user."""
    return Recording("agora", "", "sid_room", (user,))
