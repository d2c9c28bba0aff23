"""The S3 client of an endpoint: one for all threads, made when it is first used.

botocore asks its own providers for credentials and refreshes them. It never tries again (`Retrying` does),
and signs by the store's clock when ours is wrong.
"""

from __future__ import annotations

import logging
import os
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

from pipeline.storage.reading import SHIFTED, SKEW, Reading
from pipeline.storage.stores import AwsProfile, Keys, KeysInEnvironment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.storage.stores import StoreSettings

THREADS = 32
CONNECT_SECONDS, READ_SECONDS = 5, 60
TELLTALES = ("botocore.auth", "botocore.endpoint")
"""Loggers whose debug lines hold session tokens."""
_MET: set[str | None] = set()
"""Endpoints that were there: one that is gone now may come back, one that never was is mistyped."""
_STAMP = "%Y%m%dT%H%M%SZ"


def load() -> None:
    """Import what clients need: for processes that are forked afterwards, once instead of for each."""
    import_module("boto3")


@dataclass(slots=True)
class _Own:
    """What a process has for itself."""

    lock: Lock = field(default_factory=Lock)
    client: Any = None
    turn: int = 0
    reading: Reading | None = None
    read_by: Any = None


class Connection:
    """A client that is made anew when its credentials expired, and what is known of the store's clock.

    Args:
        settings: of the store.
        environ: where the variables are that the settings name.
    """

    def __init__(self, settings: StoreSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._skew = timedelta()
        self._begin()

    def _begin(self) -> None:
        self._own: dict[int, _Own] = {}
        self._turn = 0
        self._good = -1

    def __getstate__(self) -> dict[str, Any]:
        return {"_settings": self._settings, "_environ": dict(self._environ), "_skew": self._skew}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin()

    def client(self) -> Any:
        """The S3 client (boto3 gives it no type)."""
        # A forked process has connections of its own: two on one socket would mix their answers. It has a
        # lock of its own, because a thread may have held the other when it was forked.
        own = self._own.setdefault(os.getpid(), _Own())
        with own.lock:
            if own.client is None or own.turn != self._turn:
                own.client, own.turn = self._made(), self._turn
            return own.client

    def get(self, key: str, span: str = "") -> tuple[dict[str, Any], bytes]:
        """An object of the bucket, or a span of it: the answer as ``get_object`` gives it, and the bytes."""
        client = self.client()
        own = self._own[os.getpid()]
        with own.lock:
            if own.read_by is not client:
                own.reading, own.read_by = _reading(client, self._settings.bucket), client
            reading = own.reading
        if reading is not None:
            got = reading.get(key, self._skew, span)
            if got is not None:
                return got
            own.reading = None
        asked = {"Range": span} if span else {}
        answer = client.get_object(Bucket=self._settings.bucket, Key=key, **asked)
        with closing(answer["Body"]) as body:  # as a context it gives what checks nothing
            return answer, body.read()

    @property
    def turn(self) -> int:
        """How often credentials were asked for again: tell it with what came of a request."""
        return self._turn

    def renew(self, turn: int) -> bool:
        """Ask the providers for credentials again; False where just that did not help, or nobody has others.

        Args:
            turn: in which they were refused; where another thread has asked since, nothing is asked.
        """
        if isinstance(self._settings.credentials, Keys):
            return False
        if turn == self._turn and turn and self._good < turn:
            return False
        self._turn = max(self._turn, turn + 1)
        return True

    def answered(self, turn: int) -> None:
        """A request of a turn was answered: its credentials are good."""
        self._good = max(self._good, turn)
        self.meet()

    @property
    def met(self) -> bool:
        """Whether its endpoint has answered this process before, whatever it said, and whoever asked."""
        return self._settings.endpoint in _MET

    def meet(self) -> None:
        """Its endpoint has answered."""
        _MET.add(self._settings.endpoint)

    def set_clock(self, store_says: datetime) -> float:
        """Sign by the store's clock from now on; gives the seconds between it and ours."""
        import botocore.auth

        self._skew = store_says - botocore.auth.get_current_datetime()
        return self._skew.total_seconds()

    def _made(self) -> Any:
        import boto3
        import botocore.session
        from botocore.config import Config

        for name in TELLTALES:
            logging.getLogger(name).setLevel(logging.INFO)
        settings = self._settings
        login = settings.credentials
        if isinstance(login, KeysInEnvironment):
            login = login.read(self._environ)
        keys = login if isinstance(login, Keys) else None
        core = botocore.session.Session()
        core.register_component("data_loader", _descriptions())
        core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_when)
        session = boto3.session.Session(
            profile_name=login.name if isinstance(login, AwsProfile) else None, botocore_session=core
        )
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            max_pool_connections=THREADS,
            retries={"total_max_attempts": 1},
            **settings.profile.client_config(),
        )
        client = session.client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=settings.region or None,
            aws_access_key_id=keys.access_key if keys else None,
            aws_secret_access_key=keys.secret_key if keys else None,
            aws_session_token=keys.session_token if keys else None,
            verify=str(settings.ca_bundle) if settings.ca_bundle else None,
            config=config,
        )
        self._sign_by_its_clock(client)
        return client

    def _sign_by_its_clock(self, client: Any) -> None:
        """Let the signature's time be the store's where the two differ; botocore has no setting for it."""
        from botocore.auth import AUTH_TYPE_MAPS

        AUTH_TYPE_MAPS.setdefault(SHIFTED, _shifted())
        # Of a presigned URL only what stands around the signature is looked at.
        AUTH_TYPE_MAPS.setdefault(f"{SHIFTED}-query", AUTH_TYPE_MAPS["s3v4-query"])
        events = client.meta.events
        events.register("choose-signer.s3", lambda **_: SHIFTED if self._skew else None)
        events.register("before-sign.s3", lambda request, **_: request.context.__setitem__(SKEW, self._skew))


def _when(text: Any) -> datetime:
    """A time of an answer; botocore's own parser of all formats takes half of the time of a listing."""
    from botocore.utils import parse_timestamp

    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        when: datetime = parse_timestamp(text)
        return when


@cache
def _descriptions() -> Any:
    """Botocore's descriptions of services, read once a process: each client would take 0.1 s for it."""
    import botocore.loaders

    return botocore.loaders.create_loader()


def _reading(client: Any, bucket: str) -> Reading | None:
    """The faster way to read, where the client is such as it knows."""
    try:
        return Reading(client, bucket)
    except LookupError:
        return None


def _shifted() -> type:
    from botocore.auth import S3SigV4Auth

    class Shifted(S3SigV4Auth):  # type: ignore[misc] # botocore has no types
        """SigV4 with the time that the request's context shifts."""

        def _modify_request_before_signing(self, request: Any) -> None:
            stamp = datetime.strptime(request.context["timestamp"], _STAMP) + request.context[SKEW]  # noqa: DTZ007 - UTC, as botocore writes it
            request.context["timestamp"] = stamp.strftime(_STAMP)
            super()._modify_request_before_signing(request)

    return Shifted
