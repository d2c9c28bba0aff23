"""How films go to Tencent VOD, as a value. No secret is part of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.storage.stores import REGION, KeysInEnvironment

if TYPE_CHECKING:
    from pathlib import Path

ENDPOINT = "https://vod.tencentcloudapi.com"
KEYS = KeysInEnvironment("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY")
"""The names that Tencent's own SDK reads (its ``EnvironmentVariableCredential``)."""
MOST_SOURCE, MOST_SESSION = 250, 1000
"""Characters (tencentcloud.com/document/product/266/34120, ApplyUpload)."""
HASH = "{sha256}"


@dataclass(frozen=True, slots=True)
class TencentSettings:
    """One ``[vod.NAME]``.

    Attributes:
        name: in ``recpipe.toml``.
        region: of the API, ``X-TC-Region``.
        credentials: where they come from.
        sub_app_id: the VOD application; None for the account's first one, which accounts that are newer than
            2023-12-25 must name too.
        class_id: the category; 0 is "others".
        procedure: the task flow that begins with the upload; "" for none.
        source_context: what the upload's events tell, ``{sha256}`` standing for the film's hash.
        session_context: what the task flow's events tell.
        storage_region: where the media is kept; "" for the application's own choice.
        expire_days: after so many it is deleted; 0 for never.
        expire_ms: when it is deleted instead, UTC; 0 for never.
        endpoint: of the API.
        cos_endpoint: of COS, without the bucket; "" for the public one of the region that ApplyUpload names.
        ca_bundle: certificates to trust instead of the usual ones; None for those.

    Raises:
        ValueError: a value that Tencent does not take.
    """

    name: str
    region: str = "ap-guangzhou"
    credentials: KeysInEnvironment = KEYS
    sub_app_id: int | None = None
    class_id: int = 0
    procedure: str = ""
    source_context: str = f"recpipe:{HASH}"
    session_context: str = ""
    storage_region: str = ""
    expire_days: int = 0
    expire_ms: int = 0
    endpoint: str = ENDPOINT
    cos_endpoint: str = ""
    ca_bundle: Path | None = None

    def __post_init__(self) -> None:
        for field, value in (("region", self.region), ("storage_region", self.storage_region or "none")):
            if not re.fullmatch(REGION, value, re.ASCII):
                raise ValueError(f"{field} is not a region's id: expected lower-case letters, digits and '-'")
        if (self.sub_app_id is not None and self.sub_app_id <= 0) or self.class_id < 0:
            raise ValueError("sub_app_id is 1 or more, and class_id 0 or more")
        if self.expire_days < 0 or self.expire_ms < 0 or (self.expire_days and self.expire_ms):
            raise ValueError("expire_days and expire_time are two times of one deletion: give one of them")
        if len(self.context_of("0" * 64)) > MOST_SOURCE:
            raise ValueError(f"source_context is over {MOST_SOURCE} characters, which Tencent does not take")
        if len(self.session_context) > MOST_SESSION:
            raise ValueError(
                f"session_context is over {MOST_SESSION} characters, which Tencent does not take"
            )

    def context_of(self, sha256: str) -> str:
        """The source context of a film with this hash."""
        return self.source_context.replace(HASH, sha256)
