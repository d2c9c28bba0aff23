"""Containers of outputs: what each can hold, and what its files are called."""

from __future__ import annotations

from enum import StrEnum


class Container(StrEnum):
    """What an output is written as.

    >>> Container.WEBM.holds("vp8"), Container.WEBM.holds("h264"), Container.MP4.holds("vp8")
    (True, False, False)
    """

    MP4 = "mp4"
    MKV = "mkv"  # Matroska (RFC 9559)
    WEBM = "webm"
    M4A = "m4a"  # MP4 without pictures
    MP3 = "mp3"  # always encoded

    @property
    def label(self) -> str:
        """Its name in a sentence."""
        return {"mkv": "Matroska", "webm": "WebM", "mp3": "MP3"}.get(self.value, "MP4")

    @property
    def sound_only(self) -> bool:
        """It holds no pictures."""
        return self in {Container.M4A, Container.MP3}

    @property
    def wrapped(self) -> bool:
        """It is Matroska, into which a finished MP4 is wrapped anew."""
        return self in {Container.MKV, Container.WEBM}

    @property
    def codecs(self) -> frozenset[str]:
        """What can be copied into it, by the names of `Format`; in MP4 players know no VP8."""
        return _CODECS[self]

    def holds(self, codec: str) -> bool:
        """Whether packets of a codec can be copied into it."""
        return codec in self.codecs

    def ending(self, *, pictures: bool) -> str:
        """The end of a file's name.

        >>> Container.MP4.ending(pictures=True), Container.MP4.ending(pictures=False)
        ('.mp4', '.m4a')
        """
        if pictures or self not in {Container.MP4, Container.MKV}:
            return f".{self.value}"
        return ".m4a" if self is Container.MP4 else ".mka"


_SOUND = frozenset({"aac", "opus"})
_MP4 = frozenset({"h264", "hevc", "vp9"})
_CODECS = {
    Container.MP4: _MP4 | _SOUND,
    Container.MKV: _MP4 | _SOUND | {"vp8"},
    Container.WEBM: frozenset({"vp8", "vp9", "opus"}),
    Container.M4A: _SOUND,
    Container.MP3: frozenset(),
}
