"""What a user sends while he is there: pictures and sound as access units, encoded once a stretch."""

from __future__ import annotations

import heapq
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from pipeline.demo.cut import Unit, decoding_order
from pipeline.demo.picture import COLOURS, Plane, draw, turn
from pipeline.demo.scenario import (
    Scenario,
    Stretch,
    Track,
    User,
    Vendor,
)
from pipeline.demo.sound import TONES_HZ, Samples, beep_seconds, beeps
from pipeline.media.encode import AAC_FRAME, encode_pictures, encode_sound
from pipeline.media.encode_webm import OPUS_FRAME, CodedOpus, encode_opus, encode_vpx
from pipeline.media.opus import RATE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TICKS_PER_MS = 90
_OPUS_TICKS = OPUS_FRAME * 90_000 // RATE

_FRAMES_AT_ONCE = 512


def grid_of(user: User, stretch: Stretch, scenario: Scenario) -> _Grid | _OpusGrid:
    """The frames of one stretch of sound."""
    return (_OpusGrid if user.is_web(stretch[0], sound=True) else _Grid).of(user, stretch, scenario)


class _OpusGrid(NamedTuple):
    """The Opus frames of one stretch of sound; the encoder's delay is not counted."""

    from_ms: int
    zero_ms: int
    frames: int

    @classmethod
    def of(cls, user: User, stretch: Stretch, scenario: Scenario) -> _OpusGrid:  # noqa: ARG003 - as of AAC
        from_ms, to_ms = stretch
        return cls(from_ms, scenario.start_ms + from_ms, (to_ms - from_ms) * RATE // (1000 * OPUS_FRAME))

    def ticks(self, frame: int) -> int:
        return self.from_ms * TICKS_PER_MS + frame * OPUS_FRAME * 90_000 // RATE

    def beeps(self) -> list[int]:
        return beep_seconds(0, self.frames * OPUS_FRAME, RATE, self.zero_ms)

    def samples(self, user: User) -> Iterator[Samples]:
        tone = TONES_HZ[user.number % len(TONES_HZ)]
        for frame in range(0, self.frames, _FRAMES_AT_ONCE):
            count = min(_FRAMES_AT_ONCE, self.frames - frame) * OPUS_FRAME
            yield beeps(frame * OPUS_FRAME, count, RATE, self.zero_ms, channels=user.channels, tone_hz=tone)


class _Grid(NamedTuple):
    """The AAC frames of one stretch of sound.

    The first frame holds the encoder's priming, silence, so the sound itself begins one frame later.
    """

    from_ms: int
    zero_ms: int
    rate: int
    frames: int

    @classmethod
    def of(cls, user: User, stretch: Stretch, scenario: Scenario) -> _Grid:
        from_ms, to_ms = stretch
        rate = user.sampled or user.rate
        frames = (to_ms - from_ms) * rate // (1000 * AAC_FRAME)
        return cls(from_ms, scenario.start_ms + from_ms, rate, frames)

    def ticks(self, frame: int) -> int:
        return self.from_ms * TICKS_PER_MS + frame * AAC_FRAME * 90_000 // self.rate

    def beeps(self) -> list[int]:
        return beep_seconds(AAC_FRAME, (self.frames - 1) * AAC_FRAME, self.rate, self.zero_ms)

    def samples(self, user: User) -> Iterator[Samples]:
        within = (AAC_FRAME, self.frames * AAC_FRAME)
        tone = TONES_HZ[user.number % len(TONES_HZ)]
        for frame in range(1, self.frames, _FRAMES_AT_ONCE):
            count = min(_FRAMES_AT_ONCE, self.frames - frame) * AAC_FRAME
            yield beeps(
                frame * AAC_FRAME,
                count,
                self.rate,
                self.zero_ms,
                channels=user.channels,
                tone_hz=tone,
                within=within,
            )


def _opus(scenario: Scenario, user: User, stretch: Stretch) -> CodedOpus:
    grid = _OpusGrid.of(user, stretch, scenario)
    return encode_opus(grid.samples(user), channels=user.channels, start_ticks=grid.ticks(0))


def _sound(scenario: Scenario, user: User, stretch: Stretch) -> Iterator[Unit]:
    if user.is_web(stretch[0], sound=True):
        for index, frame in enumerate(_opus(scenario, user, stretch).frames):
            at = frame.at_ticks
            yield Unit("opus", frame.data, at, at, at + _OPUS_TICKS, key=True, opens=not index)
        return
    grid = _Grid.of(user, stretch, scenario)
    coded = encode_sound(
        grid.samples(user), rate=user.rate, channels=user.channels, bit_rate=48_000 * user.channels
    )
    for index, each in enumerate(coded):
        at, end = grid.ticks(index), grid.ticks(index + 1)
        payload = each.header + each.block
        yield Unit("aac", payload, at, at, end, key=True, opens=not index)


def _pictures(scenario: Scenario, user: User, stretch: Stretch) -> Iterator[Unit]:
    times = [at - scenario.start_ms for at in picture_times(user, stretch, scenario)]
    ends = dict(pairwise(times)) | {times[-1]: times[-1] + user.frame_ms}
    # Agora's recorder begins a slice where the size changes, others are not known to.
    opening = [] if scenario.vendor is Vendor.AGORA else times[:1]
    for (width, height), some in groupby(times, key=lambda at: user.shape_at(at).size):
        alike = list(some)
        drawn = ((at * TICKS_PER_MS, _picture(scenario.start_ms, at, user)) for at in alike)
        if user.is_web(stretch[0], sound=False):
            yield from _web_pictures(user, drawn, (width, height), alike, ends)
            continue
        coded = encode_pictures(
            drawn,
            width=width,
            height=height,
            codec=user.codec,
            bframes=user.bframes,
            gop_ticks=user.gop_ms * TICKS_PER_MS,
            bit_rate=user.bit_rate,
        )
        for each in coded:
            at = each.pts_ticks // TICKS_PER_MS
            yield Unit(
                codec=user.codec,
                payload=each.data,
                at_ticks=each.pts_ticks,
                decode_ticks=each.dts_ticks,
                end_ticks=ends[at] * TICKS_PER_MS,
                key=each.key,
                opens=at in (opening or alike[:1]),
            )


def _web_pictures(
    user: User,
    drawn: Iterator[tuple[int, Plane]],
    size: tuple[int, int],
    alike: Sequence[int],
    ends: Mapping[int, int],
) -> Iterator[Unit]:
    width, height = size
    gop = user.gop_ms * TICKS_PER_MS
    for frame in encode_vpx(drawn, width=width, height=height, codec=user.web_codec, gop_ticks=gop):
        at = frame.at_ticks // TICKS_PER_MS
        end = ends[at] * TICKS_PER_MS
        opens = at == alike[0]
        yield Unit(
            user.web_codec, frame.data, frame.at_ticks, frame.at_ticks, end, key=frame.key, opens=opens
        )


def _picture(start_ms: int, at: int, user: User) -> Plane:
    shape = user.shape_at(at)
    sides = shape.size if shape.rotation % 180 == 0 else shape.size[::-1]
    upright = draw(start_ms + at, *sides, COLOURS[user.number % len(COLOURS)], user.number)
    return turn(upright, shape.rotation // 90)


def picture_times(user: User, stretch: Stretch, scenario: Scenario) -> Iterator[int]:
    """UTC milliseconds of the pictures of one stretch: a steady rate, late by a fixed pattern."""
    from_ms, to_ms = stretch
    for index in range((to_ms - from_ms) * user.fps // 1000 + 1):
        at = from_ms + index * 1000 // user.fps + index * 7919 % (user.jitter_ms + 1)
        if at < to_ms:
            yield scenario.start_ms + at


def sent(scenario: Scenario, user: User, track: Track) -> Iterator[Unit]:
    """The access units of one track in decoding order."""
    sound = (unit for stretch in user.sound for unit in _sound(scenario, user, stretch))
    pictures = (unit for stretch in user.picture for unit in _pictures(scenario, user, stretch))
    match track:
        case Track.AUDIO:
            return sound
        case Track.VIDEO:
            return pictures
        case Track.BOTH:
            return heapq.merge(sound, pictures, key=decoding_order)
