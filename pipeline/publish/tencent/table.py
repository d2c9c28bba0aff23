"""A table ``[vod.NAME]`` with ``service = "tencent"`` as it is written, and the settings that it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pipeline.errors import CommandError
from pipeline.publish.tencent.settings import ENDPOINT, KEYS, TencentSettings
from pipeline.storage.profiles import host_of_endpoint
from pipeline.storage.stores import REGION, KeysInEnvironment

if TYPE_CHECKING:
    from pathlib import Path


class TencentTable(BaseModel):
    """The fields; what they mean is said in `TencentSettings`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    service: Literal["tencent"]
    region: str = Field(default="ap-guangzhou", pattern=rf"^{REGION}$")
    access_key_env: str | None = None
    secret_key_env: str | None = None
    session_token_env: str = ""
    endpoint: str = ENDPOINT
    cos_endpoint: str | None = None
    ca_bundle: str | None = None
    sub_app_id: int | None = Field(default=None, gt=0)
    class_id: int = Field(default=0, ge=0)
    procedure: str = ""
    source_context: str | None = None
    session_context: str = ""
    storage_region: str | None = Field(default=None, pattern=rf"^{REGION}$")
    expire_days: int = Field(default=0, ge=0)
    expire_time: AwareDatetime | None = None


def settings_of(name: str, table: TencentTable, folder: Path) -> TencentSettings:
    """The settings of a table.

    Args:
        name: of the table.
        table: as it is written.
        folder: of the file, for relative paths in it.

    Raises:
        CommandError, ValueError: a value that cannot be, without the path of the table.
    """
    for endpoint in filter(None, (table.endpoint, table.cos_endpoint)):
        host_of_endpoint(endpoint)
    default = TencentSettings(name)
    return TencentSettings(
        name=name,
        region=table.region,
        credentials=_credentials(table),
        sub_app_id=table.sub_app_id,
        class_id=table.class_id,
        procedure=table.procedure,
        source_context=default.source_context if table.source_context is None else table.source_context,
        session_context=table.session_context,
        storage_region=table.storage_region or "",
        expire_days=table.expire_days,
        expire_ms=round(table.expire_time.timestamp() * 1000) if table.expire_time else 0,
        endpoint=table.endpoint,
        cos_endpoint=table.cos_endpoint or "",
        ca_bundle=folder / table.ca_bundle if table.ca_bundle else None,
    )


def _credentials(table: TencentTable) -> KeysInEnvironment:
    if (table.access_key_env is None) != (table.secret_key_env is None):
        raise CommandError("access_key_env and secret_key_env go together: give both")
    return KeysInEnvironment(
        table.access_key_env or KEYS.access_key_env,
        table.secret_key_env or KEYS.secret_key_env,
        table.session_token_env,
    )
