"""What the fake Volcengine VOD holds, who may use it, how it behaves: values that a test sets and reads."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True)
class Login:
    """Who may ask; made for this run."""

    access_key: str = field(default_factory=lambda: f"AKLT{secrets.token_hex(16)}")
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(30))
    token: str = ""

    @classmethod
    def temporary(cls) -> Self:
        """With a token, which has characters that a query would have to encode."""
        return cls(token=f"STS2+/{secrets.token_hex(20)}==")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        number: from 1.
        kind: an action of the API, or one of put, init, part and finish.
        query: decoded.
    """

    number: int
    kind: str
    query: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error."""

    status: int
    code: str | int
    message: str = "as the test wants it"
    headers: tuple[tuple[str, str], ...] = ()


Rule: TypeAlias = "Callable[[Asked], Refuse | None]"


@dataclass(slots=True)
class Session:
    """An upload that was applied for."""

    vid: str
    path: str
    auth: str
    storage: str
    size: int
    data: bytes | None = None
    expired: bool = False


@dataclass(slots=True)
class Medium:
    """What a commit made."""

    vid: str
    path: str
    data: bytes
    functions: list[dict[str, Any]]
    callback: str


@dataclass(slots=True)
class Space:
    """What the service holds, and how it behaves.

    Attributes:
        name: of the space.
        region: of the space.
        login: who may ask.
        denied: actions that the login may not do.
        rule: says which requests are refused.
        ahead_s: by how much its clock is ahead.
        second_commit: what becomes of a session that is committed again.
        unseen: how many questions for a path are answered as if nothing were there.
        forbids: where it refuses a path that has a file, "" for nowhere.
        told_size: of media; None for the truth.
        asked: every request.
        media: every medium.
        sessions: by their keys.
        uploads: in parts, by their ids: the session, and the parts with their CRCs.
        files: bytes by path.
        most_at_once: requests with bytes that were under way together.
    """

    name: str = "films"
    region: str = "cn-north-1"
    login: Login = field(default_factory=Login)
    denied: frozenset[str] = frozenset()
    rule: Rule = lambda _: None
    ahead_s: float = 0.0
    second_commit: Literal["same", "refused", "another"] = "same"
    unseen: int = 0
    forbids: Literal["", "apply", "bytes", "commit"] = ""
    told_size: int | None = None
    asked: list[Asked] = field(default_factory=list)
    media: list[Medium] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    uploads: dict[str, tuple[Session, dict[int, bytes]]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    most_at_once: int = 0

    def kinds(self) -> list[str]:
        """What was asked, in its order."""
        return [asked.kind for asked in self.asked]

    def expire(self) -> None:
        """Let no bytes in with the credentials that were given out so far."""
        for session in self.sessions.values():
            session.expired = True


class Refused(Exception):  # noqa: N818 - no error of ours: what a handler answers
    """Ends a request."""

    def __init__(self, refuse: Refuse) -> None:
        super().__init__(refuse.message)
        self.refuse = refuse


def must(is_so: bool, status: int, code: str | int, message: str = "") -> None:  # noqa: FBT001 - as assert has it
    """Refuse, unless it is so."""
    if not is_so:
        raise Refused(Refuse(status, code, message or str(code)))
