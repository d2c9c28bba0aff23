"""Once only: which medium is a film's, whatever earlier tries have left, and what is noted before each act.

A film's file path in the space is made of its SHA-256, and the space is asked for a medium of that path
before anything is sent. A session is noted before its bytes go, and again before it is committed. In the
vendor's own example (docs/4/164296) the Base64 of the SessionKey ends in the Vid of the answer: a session is
about one medium, and to commit it twice makes no second. No page says so in words, hence the space is asked
for the path before a session is committed again.

Where a run is stopped, and what the next one does:

    before an address is noted     nothing was sent: a new address
    before or among the bytes      a new address; the same path, the same bytes
    before "committing" is noted   the same; where nothing may be overwritten, the noted session is committed
    before the commit              no medium has the path: the noted session is committed
    after the commit               the medium of the path

A session that the service no longer takes, and no medium with the path: a new address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from pipeline.errors import ConditionError, DeniedError, NoBucketError, ObjectMissingError, StorageError
from pipeline.publish.volcengine.answers import Committed
from pipeline.storage.retrying import again

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.publish.protocol import Film
    from pipeline.publish.volcengine.answers import Address
    from pipeline.publish.volcengine.calls import Calls
    from pipeline.storage.retrying import Patience

ADDRESSES = 3
"""So many are applied for while each of them ends before the bytes are there."""
UPLOADING, COMMITTING, WRONG = "uploading", "committing", "wrong"


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a space.

    Attributes:
        name: of the space, for sentences.
        origin: of the service.
        space: its name.
        path: of the file.
    """

    name: str
    origin: str
    space: str
    path: str

    def notes(self) -> dict[str, str]:
        """What tells notes about it from others."""
        return {"origin": self.origin, "space": self.space, "path": self.path}


@dataclass(frozen=True, slots=True)
class Noted:
    """What an earlier try has kept.

    Attributes:
        stage: how far it came; "" where it kept nothing about this place.
        session: of its upload.
        vid: of a medium that is not the film.
    """

    stage: str = ""
    session: str = ""
    vid: str = ""

    @classmethod
    def of(cls, begun: Mapping[str, str], place: Place) -> Self:
        """Nothing, where the notes are about another place."""
        if any(begun.get(name) != value for name, value in place.notes().items()):
            return cls()
        return cls(begun.get("stage", ""), begun.get("session", ""), begun.get("vid", ""))


class Once:
    """A film on its way to one place.

    Args:
        film: what.
        place: where.
        calls: of the space.
        send: puts the film's bytes to an address.
        note: keeps what a later try needs.
        patience: for each call.
    """

    def __init__(
        self,
        film: Film,
        place: Place,
        calls: Calls,
        send: Callable[[Address], None],
        *,
        note: Callable[[Mapping[str, str]], None],
        patience: Patience,
    ) -> None:
        self._film = film
        self._place = place
        self._calls = calls
        self._send = send
        self._note = note
        self._patience = patience

    def medium(self, begun: Mapping[str, str]) -> str:
        """The id of the film's medium: which is there, else of the session before, else a new one.

        Args:
            begun: what ``note`` was given last, by whatever process.
        """
        earlier = Noted.of(begun, self._place)
        vid = again(self._found, self._patience)
        if vid and earlier == Noted(WRONG, earlier.session, vid):
            raise self._wrong(vid)
        if not vid and earlier.stage == COMMITTING:
            vid = self._of_session_before(earlier)
        return vid or self._uploaded(earlier)

    def _uploaded(self, earlier: Noted) -> str:
        for left in reversed(range(ADDRESSES)):
            try:
                address = again(self._applied, self._patience)
                self._keep(Noted(UPLOADING, address.session))
                if not self._sent(address, last=not left):
                    continue
                self._keep(Noted(COMMITTING, address.session))
                made = self._committed(address.session)
            except ConditionError as error:
                return self._in_the_way(error, earlier)
            return self._checked(made, address.session)
        raise AssertionError("the last address gave neither bytes nor an error")

    def _sent(self, address: Address, *, last: bool) -> bool:
        """Whether the bytes are there; False where the address has expired and another may do."""
        try:
            self._send(address)
        except (DeniedError, ObjectMissingError):
            if last:
                raise
            return False
        return True

    def _in_the_way(self, error: ConditionError, earlier: Noted) -> str:
        """The medium of a file that was there: made meanwhile, or to be made of what was sent before."""
        vid = again(self._found, self._patience)
        if not vid and earlier.session:
            vid = self._of_session_before(earlier)
        if not vid:
            raise ConditionError(
                f"{self._place.name} has a file {self._place.path} that is no medium and that it does not "
                "overwrite: delete it there, or let uploads overwrite, and run again."
            ) from error
        return vid

    def _of_session_before(self, earlier: Noted) -> str:
        """Its medium; "" where the service does not take the session."""
        try:
            made = self._committed(earlier.session, before=True)
        except (DeniedError, NoBucketError):
            raise
        except StorageError as error:
            if error.retryable:
                raise
            return ""
        return self._checked(made, earlier.session)

    def _committed(self, session: str, *, before: bool = False) -> Committed:
        """The medium of a session; looked for first where it may have been committed before."""

        def commit() -> Committed:
            nonlocal before
            tried, before = before, True
            if tried and (vid := self._found()):
                return Committed(vid)
            try:
                return self._calls.commit(session, self._film.title)
            except StorageError:
                if tried and (vid := self._found()):
                    return Committed(vid)
                raise

        return again(commit, self._patience)

    def _checked(self, made: Committed, session: str) -> str:
        """The id of a medium that has as many bytes as the film, as far as the service says."""
        if made.size not in {0, self._film.size}:
            self._keep(Noted(WRONG, session, made.vid))
            raise self._wrong(made.vid)
        return made.vid

    def _found(self) -> str:
        return self._calls.find(self._place.path)

    def _applied(self) -> Address:
        return self._calls.apply(self._place.path, self._film.size)

    def _keep(self, noted: Noted) -> None:
        self._note({**self._place.notes(), "stage": noted.stage, "session": noted.session, "vid": noted.vid})

    def _wrong(self, vid: str) -> StorageError:
        return StorageError(
            f"{self._place.name} has made the medium {vid} of other bytes than those of {self._film.file}: "
            "delete it there and run again."
        )
