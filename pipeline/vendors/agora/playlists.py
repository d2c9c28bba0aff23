"""Agora's playlist tags: START events and rotations, in whatever order they stand before their slice.

Source: https://docs.agora.io/en/realtime-media/cloud-recording/build/process-recorded-files/manage-files
"""

from __future__ import annotations

import re

from pipeline.vendors import playlists
from pipeline.vendors.agora.names import USER_ENDS, parse
from pipeline.vendors.base import Content, Playlist, Segment, Turn

_TRACK_TYPES = {"AUDIO": Content.AUDIO, "VIDEO": Content.VIDEO}
_QUARTER_TURNS = {"0": 0, "90": 90, "180": 180, "270": 270}
_SIZE = re.compile(r"[1-9]\d{0,4}", re.ASCII)
_CONTENT_IN_NAME = re.compile(rf".*{USER_ENDS}(audio|video)_")


def read_m3u8(text: str, key: str) -> Playlist:
    """The playlist in ``text``; ``key`` is for messages. Raises `PlaylistError`, `UnsafeUriError`."""
    notes = playlists.Notes()
    return playlists.read(text, key, AgoraDialect(notes), notes, parse)


class AgoraDialect:
    """The ``EXT-X-AGORA`` tags of one playlist.

    A combined index lists sound and pictures, and the tags of both may stand together before the first of
    them: a START waits for a slice of its own track, a rotation for one that is not sound.
    """

    mark = "#EXT-X-AGORA-"

    def __init__(self, notes: playlists.Notes) -> None:
        self.start_ms: int | None = None
        self.user_id: str | None = None
        self._notes = notes
        self._starts: dict[Content, int | None] = {}
        self._turns: list[Turn] = []
        self._width: int | None = None
        self._height: int | None = None

    def tag(self, name: str, value: str) -> None:
        """Take a TRACK-EVENT or ROTATE tag; others are ignored. Raises ValueError with what is odd."""
        pairs = (pair.partition("=") for pair in value.split(","))
        fields = {field.strip(): said.strip() for field, _, said in pairs}
        if name == "TRACK-EVENT":
            self._start(fields)
        elif name == "ROTATE":
            self._rotate(fields)

    def segment(self, uri: str, duration_us: int | None, *, discontinuity: bool) -> Segment:
        """The slice with the START events and rotations that wait for it."""
        named = _CONTENT_IN_NAME.match(uri)
        content = Content(named[1]) if named else None
        starts = {track: at for track, at in self._starts.items() if content in {None, track}}
        self._starts = {track: at for track, at in self._starts.items() if track not in starts}
        turns: tuple[Turn, ...] = ()
        width = height = None
        if content is not Content.AUDIO:
            turns, self._turns = tuple(self._turns), []
            width, height = self._width, self._height
        return Segment(
            uri=uri,
            duration_us=duration_us,
            start_ms=min((at for at in starts.values() if at is not None), default=None),
            starts=bool(starts),
            discontinuity=discontinuity,
            content=next(iter(starts)) if len(starts) == 1 else None,
            turns=turns,
            width=width,
            height=height,
        )

    def finish(self) -> None:
        """Note the START events and rotations whose slice did not come."""
        for track in self._starts:
            self._notes.add("a START event has no slice of its track after it", track.value)
        for turn in self._turns:
            self._notes.add("a rotation has no picture after it", f"{turn.clockwise} degrees")

    def _start(self, fields: dict[str, str]) -> None:
        track = _TRACK_TYPES.get(fields.get("TRACK_TYPE", ""))
        if fields.get("EVENT") != "START" or track is None:
            raise ValueError("a TRACK-EVENT is not the START of AUDIO or VIDEO and is left out")
        if track in self._starts:
            self._notes.add("several START events stand before one slice, the last one counts", track.value)
        self._starts[track] = self._time(fields)

    def _rotate(self, fields: dict[str, str]) -> None:
        # The picture was turned anticlockwise by ROTATE: turning it clockwise by as much sets it upright.
        clockwise = _QUARTER_TURNS.get(fields.get("ROTATE", ""))
        width, height = (_pixels(fields.get(side, "")) for side in ("WIDTH", "HEIGHT"))
        if clockwise is None or width is None or height is None:
            raise ValueError("a ROTATE tag has no quarter turn or no size and is left out")
        self._turns.append(Turn(clockwise, self._time(fields), width, height))
        self._width, self._height = width, height

    def _time(self, fields: dict[str, str]) -> int | None:
        """The tag's TIME; an unreadable one is noted, the tag counts without it."""
        written = fields.get("TIME", "")
        try:
            return playlists.at_ms(written)
        except ValueError as odd:
            self._notes.add(str(odd), written)
            return None


def _pixels(written: str) -> int | None:
    return int(written) if _SIZE.fullmatch(written) else None
