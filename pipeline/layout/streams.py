"""Whose streams take part: what requests call target streams, subscriptions, white and black lists."""

from __future__ import annotations

from dataclasses import dataclass

CAMERA, SCREEN = "camera", "screen"


@dataclass(frozen=True, slots=True)
class Who:
    """Streams of one user, or of all whose ids begin alike.

    Attributes:
        uid: the user's id, or how it begins.
        source: ``camera`` or ``screen``; empty for both.
        begins: ``uid`` is a beginning (TRTC writes ``1.*$``).
    """

    uid: str
    source: str = ""
    begins: bool = False

    def admits(self, uid: str, source: str) -> bool:
        """Whether a stream is meant."""
        alike = uid.startswith(self.uid) if self.begins else uid == self.uid
        return alike and self.source in {"", source}

    def __str__(self) -> str:
        name = f"{self.uid}*" if self.begins else self.uid
        return f"{name} ({self.source})" if self.source else name


@dataclass(frozen=True, slots=True)
class Choice:
    """Streams that are taken.

    Attributes:
        only: these; everybody's when None.
        but: not these.
    """

    only: tuple[Who, ...] | None = None
    but: tuple[Who, ...] = ()

    def admits(self, uid: str, source: str) -> bool:
        """Whether a stream is taken."""
        if any(who.admits(uid, source) for who in self.but):
            return False
        return self.only is None or any(who.admits(uid, source) for who in self.only)


ALL = Choice()
NOBODY = Choice(only=())


@dataclass(frozen=True, slots=True)
class Streams:
    """Who is drawn and who is heard; who is neither takes no part and gets no region."""

    drawn: Choice = ALL
    heard: Choice = ALL
