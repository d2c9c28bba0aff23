"""Names of pictures as Agora gives them: those of cloud recording, and those of its old merge script.

Sources: https://docs.agora.io/en/realtime-media/cloud-recording/build/process-recorded-files/manage-files
(screenshots: ``<sid>_<cname>__uid_s_<uid>__uid_e_video_<utc>.jpg``); the help of ``convert.py``, option -c
(``UID_timestamp_index.jpg``). That the script's time is of the first picture and its index counts from 1 is
inferred from how it takes them: as the numbered pictures of one film.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.model.outputs import MIXED, safe
from pipeline.model.stamps import stamp17
from pipeline.vendors.agora.names import AgoraName, parse
from pipeline.vendors.base import Content, Kind
from pipeline.vendors.written import lacking, read_back

if TYPE_CHECKING:
    from pipeline.model.snapshots import Facts
    from pipeline.vendors.base import Name


def screenshot(like: Name, facts: Facts) -> str:
    """As cloud recording names a screenshot; raises CommandError for the recordings of others."""
    if not isinstance(like, AgoraName):
        raise lacking("agora", "sid", like)
    name = AgoraName(
        prefix="",
        sid=like.sid,
        cname=like.cname,
        kind=Kind.SNAPSHOT,
        content=Content.VIDEO,
        extension="jpg",
        uid=facts.uid or MIXED,
        stamp_ms=facts.at_ms,
    )
    return read_back("agora", name, parse)


def of_script(_like: Name, facts: Facts) -> str:
    """As ``convert.py -c`` names a screenshot."""
    return f"{safe(facts.uid or MIXED)}_{stamp17(facts.first_ms)}_{facts.number}.jpg"
