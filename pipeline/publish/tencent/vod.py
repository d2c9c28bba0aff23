"""Tencent VOD as a `pipeline.publish.protocol.Vod`.

Once only: the upload is noted before its bytes go, and as committing before CommitUpload. What was not
committing has no medium, and begins anew. What was is looked for by its path (SearchMedia) before it is
committed again by the same session key. No page says what a second CommitUpload does. Tencent's own upload
SDK sends one after a broken connection (github.com/tencentyun/vod-python-sdk, ``commit_upload``), and in the
pages' examples the FileId is part of the path that ApplyUpload hands out.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipeline.errors import BusyError, DeniedError, StorageError
from pipeline.publish.tencent.api import Api, refusal_of
from pipeline.publish.tencent.session import applied, begun_session, committed, medium_of
from pipeline.publish.tencent.settings import HASH
from pipeline.storage.open import open_store
from pipeline.storage.profiles import COS
from pipeline.storage.replies import EXPIRED, code_of
from pipeline.storage.retrying import PATIENT, Patience, again
from pipeline.storage.sending import compare, send_file
from pipeline.storage.stores import StoreSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.publish.protocol import Film, Medium
    from pipeline.publish.tencent.session import Place, Session
    from pipeline.publish.tencent.settings import TencentSettings

    Note = Callable[[Mapping[str, str]], None]

CHECK = Patience(seconds=10, longest=2)
"""A preflight answers in seconds."""
UPLOADS = 3
"""How often an upload is begun in all, where its temporary credentials expire before its bytes arrived."""
OVER = frozenset({"InvalidParameterValue.VodSessionKey", "ResourceNotFound"})
"""CommitUpload: the session is not known (any more), or its object is not there."""
DAY_S = 24 * 3600
SLACK_S = 3600
"""The service's clock and ours may be five minutes apart, and a CommitUpload is tried for some minutes."""
PAGE, MOST_FOUND = 100, 5000
"""What we ask for at once, and Offset + Limit at most (tencentcloud.com/document/product/266/34179)."""


class TencentVod:
    """A VOD application.

    Args:
        settings: which, and how films go there.
        environ: where the variables are that the settings name.
        patience: how long a call is tried.
        clock: UTC seconds.
    """

    def __init__(
        self,
        settings: TencentSettings,
        environ: Mapping[str, str],
        *,
        patience: Patience = PATIENT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._patience = patience
        self._api = Api(settings, environ, clock)
        self._app = "" if settings.sub_app_id is None else str(settings.sub_app_id)

    @property
    def name(self) -> str:
        """As `Vod.name`."""
        return f"Tencent VOD ({self._settings.name})"

    def check(self) -> None:
        """As `Vod.check`: SearchMedia for one medium, which `publish` needs the right for too."""
        again(lambda: self._api.call("SearchMedia", Limit=1, Filters=["basicInfo"]), CHECK)

    def publish(self, film: Film, begun: Mapping[str, str], note: Note) -> Medium:
        """As `Vod.publish`."""
        earlier = begun_session(begun, self._app)
        medium = self._committed(film, earlier, note) if earlier else None
        if medium is not None:
            return medium
        for _ in range(UPLOADS):
            session, place = self._begun(film)
            note(session.noted())
            if self._sent(film, place):
                medium = self._committed(film, session, note)
                if medium is not None:
                    return medium
        raise StorageError(
            f"{film.file}: Tencent's temporary credentials expired {UPLOADS} times before its {film.size} "
            "bytes had arrived: use a faster connection."
        )

    def _begun(self, film: Film) -> tuple[Session, Place]:
        settings, now_s = self._settings, self._api.now_s()
        ends_s = now_s + settings.expire_days * DAY_S if settings.expire_days else settings.expire_ms / 1000
        answer = again(
            lambda: self._api.call(
                "ApplyUpload",
                MediaType=PurePosixPath(film.file).suffix.removeprefix("."),
                MediaName=film.title,
                Procedure=settings.procedure,
                ExpireTime=_iso(ends_s) if ends_s else "",
                StorageRegion=settings.storage_region,
                ClassId=settings.class_id,
                SourceContext=settings.context_of(film.sha256),
                SessionContext=settings.session_context,
            ),
            self._patience,
        )
        return applied(answer, self._app, int(self._api.now_s()))

    def _sent(self, film: Film, place: Place) -> bool:
        """Whether the bytes are there; False where the temporary credentials expired before."""
        settings = self._settings
        where = StoreSettings(
            name="",
            profile=COS,
            bucket=place.bucket,
            region=place.region,
            endpoint=settings.cos_endpoint or COS.endpoint_url(place.region),
            credentials=place.keys,
            ca_bundle=settings.ca_bundle,
        )
        store = open_store(where, self._environ, self._patience)
        key = place.path.removeprefix("/")
        try:
            sent = send_file(store, key, film.size, film.open, most=COS.parts.most)
        except DeniedError as error:
            if code_of(error) in EXPIRED or self._api.now_s() >= place.expires_s:
                return False
            raise
        # They may be for writing alone: then what COS said when it took the bytes must do.
        with suppress(DeniedError):
            compare(store, film.file, sent, film.open)
        return True

    def _committed(self, film: Film, earlier: Session, note: Note) -> Medium | None:
        """The medium; None where there is none, and there will be none, of this session.

        Args:
            film: whose.
            earlier: its bytes are there; where it is committing, CommitUpload may have been done.
            note: as of `publish`.
        """
        doubt, lost = earlier.step == "committing", False
        if doubt:
            found = again(lambda: self._found(film, earlier), self._patience)
            if found is not None:
                return found
        session = earlier.committing(int(self._api.now_s()))
        note(session.noted())

        def once() -> Medium:
            nonlocal lost
            found = self._found(film, session) if lost else None
            if found is not None:
                return found
            try:
                return committed(self._api.call("CommitUpload", VodSessionKey=session.key))
            except BusyError:
                lost = True
                raise

        try:
            return again(once, self._patience)
        except StorageError as error:
            if refusal_of(error) not in OVER:
                raise
            if not lost:
                note(earlier.noted() if doubt else {})  # this CommitUpload made nothing
            if not lost and not doubt:
                raise
        return self._late(film, session if lost else earlier)

    def _late(self, film: Film, session: Session) -> Medium | None:
        """The medium of a session that is over, in a search that may not show yet what is new.

        Returns:
            None where it would show by now.

        Raises:
            StorageError: it may still come.
        """
        if self._api.now_s() - session.committing_s >= DAY_S:
            return again(lambda: self._found(film, session), self._patience)

        answered = False

        def once() -> Medium:
            nonlocal answered
            answered = False
            found = self._found(film, session)
            answered = True
            if found is None:
                raise BusyError("the search does not show it yet.")
            return found

        try:
            return again(once, self._patience)
        except BusyError:
            if not answered:
                raise
            raise StorageError(
                f"{film.file}: whether {self.name} has a medium of it is not certain: it does not take the "
                f"upload {session.path} again, and its search does not show it. Look there for a medium of "
                f"this path, or run again after {_iso(session.committing_s + DAY_S)}: what the search does "
                "not show by then is uploaded anew."
            ) from None

    def _found(self, film: Film, session: Session) -> Medium | None:
        """The medium of a session, by SearchMedia; None where it shows none."""
        context = self._settings.context_of(film.sha256) if HASH in self._settings.source_context else ""
        for offset in range(0, MOST_FOUND, PAGE):
            answer = self._api.call(
                "SearchMedia",
                CreateTime={
                    "After": _iso(session.applied_s - SLACK_S),
                    "Before": _iso(session.committing_s + SLACK_S),
                },
                SourceTypes=["Upload"],
                Filters=["basicInfo"],
                Sort={"Field": "CreateTime", "Order": "Asc"},
                Offset=offset,
                Limit=PAGE,
            )
            page = answer.get("MediaInfoSet") or []
            medium = medium_of(page, session.path, context)
            if medium is not None or len(page) < PAGE:
                return medium
        raise StorageError(
            f"{film.file}: whether {self.name} has a medium of it cannot be found out: {MOST_FOUND} others "
            f"or more were uploaded between {_iso(session.applied_s)} and {_iso(session.committing_s)}. Look "
            f"there for a medium of the path {session.path}."
        )


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
