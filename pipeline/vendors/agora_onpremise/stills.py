"""Names of pictures as the on-premise SDK gives them.

Sources: https://docs.agora.io/en/on-premise-recording/develop/manage-files (3.x: ``uid_`` and the time in 17
digits, as in the names of its other files); the class reference of 4.x for Linux
(``channelId_userId_YYYYMMDDHHMMSS_MS.jpg``), where MS are milliseconds in three digits (inferred).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model.outputs import safe
from pipeline.model.stamps import stamp17
from pipeline.vendors.agora.names import AgoraName
from pipeline.vendors.agora_onpremise.names import COMPOSITE, OnPremiseName, parse
from pipeline.vendors.written import lacking, read_back

if TYPE_CHECKING:
    from pipeline.model.snapshots import Facts
    from pipeline.vendors.base import Name

_SECONDS = 14


def screenshot(_like: Name, facts: Facts) -> str:
    """As 3.x names a screenshot: ``<uid>_<17 digits>.jpg``."""
    name = OnPremiseName("", facts.uid or COMPOSITE, stamp17(facts.at_ms), "jpg")
    return read_back("onpremise", name, parse)


def screenshot_of_4(like: Name, facts: Facts) -> str:
    """As 4.x names a screenshot; raises CommandError where no name tells the channel."""
    channel = (
        like.cname
        if isinstance(like, AgoraName)
        else like.channel
        if isinstance(like, OnPremiseName)
        else None
    )
    if channel is None:
        raise lacking("onpremise4", "channel", like)
    stamp = stamp17(facts.at_ms)
    return f"{safe(channel)}_{safe(facts.uid or COMPOSITE)}_{stamp[:_SECONDS]}_{stamp[_SECONDS:]}.jpg"
