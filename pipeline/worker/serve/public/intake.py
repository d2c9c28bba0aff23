"""What is done with a delivery once all of it has come: its signature, its grammar, the disk. No HTTP."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pipeline.errors import RecpipeError
from pipeline.vendors import stored_events
from pipeline.vendors.callbacks import GRAMMARS
from pipeline.vendors.events import BAD_REQUEST, UNAUTHORIZED, Phase, Refused
from pipeline.worker.serve.inbox.inbox import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.vendors.events import Delivery, Event
    from pipeline.worker.serve.inbox.inbox import Inbox
    from pipeline.worker.serve.public.counts import Counts

GOOD, UNAVAILABLE = 200, 503
S3 = "s3"
_BEARER = "bearer"


class Answer(NamedTuple):
    """What the sender is told: a status, and the sheet's body or why it was refused."""

    status: int
    body: bytes = b""
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes deliveries in.

    Attributes:
        inbox: where events are kept.
        secrets: by route and app; a route without any is off.
        counts: of what became of deliveries.
        news: is called when there is something new.
        tell: is told a sentence about what is not the sender's fault.
    """

    inbox: Inbox
    secrets: Mapping[str, Mapping[str, tuple[bytes, ...]]]
    counts: Counts
    news: Callable[[], None]
    tell: Callable[[str], None]

    def take(self, route: str, came: Delivery) -> Answer:
        """Take a delivery in; when this returns with 200, its events are on the disk."""
        try:
            events, body = self._read(route, came)
            kept = self.inbox.keep(*events)
        except Refused as error:
            return Answer(error.status, sentence=error.sentence)
        except RecpipeError as error:
            self.tell(str(error))
            return Answer(UNAVAILABLE, sentence="this cannot be kept now: send it again.")
        for event, how in zip(events, kept, strict=True):
            unknown = how is Kept.NEW and event.phase is Phase.UNKNOWN
            self.counts.add(route, "unknown" if unknown else how.value)
        if Kept.NEW in kept:
            self.news()
        return Answer(GOOD, body)

    def _read(self, route: str, came: Delivery) -> tuple[tuple[Event, ...], bytes]:
        """The events of a delivery, and the answer that the sheet wants; raises Refused."""
        secrets = self.secrets[route]
        if route == S3:
            check_bearer(came, secrets)
            return stored_events.parse(came.body), stored_events.reply()
        grammar = GRAMMARS[route]
        event = grammar.parse(came.body, grammar.check(came, secrets))
        return (event,), grammar.reply(event)


def check_bearer(came: Delivery, secrets: Mapping[str, tuple[bytes, ...]]) -> None:
    """Refuse what has none of the tokens; all of them are compared, each in constant time.

    Raises:
        Refused: 401, none or another one; 400, the header came twice.
    """
    values = came.headers.get("authorization", ())
    if len(values) > 1:
        raise Refused(BAD_REQUEST, "the header authorization came more than once.")
    scheme, _, token = (values[0] if values else "").partition(" ")
    given = token.strip().encode("latin-1")
    right = [hmac.compare_digest(each, given) for tokens in secrets.values() for each in tokens]
    if scheme.lower() != _BEARER or not any(right):
        raise Refused(UNAUTHORIZED, "the bearer token is missing or wrong.")
