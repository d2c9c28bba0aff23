"""The table ``[vod.NAME]`` of ``recpipe.toml`` where the service is Volcengine, as it is written. No effects.

Whoever reads the file looks for secrets in it before and turns the faults of this model into sentences.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.errors import CommandError
from pipeline.publish.volcengine.settings import (
    GET_META,
    HOME_REGION,
    Function,
    StorageClass,
    VolcengineSettings,
)
from pipeline.storage.stores import REGION, KeysInEnvironment

if TYPE_CHECKING:
    from pathlib import Path

_CLASSES = {
    "standard": StorageClass.STANDARD,
    "archive": StorageClass.ARCHIVE,
    "infrequent": StorageClass.INFREQUENT,
}


class FunctionTable(BaseModel):
    """A function with its arguments, in the words of the service's page, to be copied from there."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: str = Field(alias="Name")
    input: dict[str, Any] = Field(default_factory=dict, alias="Input")


class VolcengineTable(BaseModel):
    """The fields of the table."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    service: Literal["volcengine"]
    space: str
    region: str = Field(default=HOME_REGION, pattern=rf"^{REGION}$")
    folder: str = ""
    functions: list[str | FunctionTable] = [GET_META.name]
    workflow: str = ""
    storage_class: Literal["standard", "archive", "infrequent"] = "standard"
    callback_args: str = ""
    access_key_env: str
    secret_key_env: str
    session_token_env: str = ""
    endpoint: str = ""
    ca_bundle: str = ""


def settings_of(name: str, table: VolcengineTable, folder: Path) -> VolcengineSettings:
    """The value of a table.

    Args:
        name: of the table.
        table: as it was read.
        folder: what ``ca_bundle`` is relative to.

    Raises:
        CommandError: a field that cannot be what it says, without the path of the table.
    """
    try:
        credentials = KeysInEnvironment(table.access_key_env, table.secret_key_env, table.session_token_env)
    except ValueError as error:
        raise CommandError(str(error)) from None
    return VolcengineSettings(
        name=name,
        space=table.space,
        credentials=credentials,
        region=table.region,
        endpoint=table.endpoint,
        folder=table.folder if not table.folder or table.folder.endswith("/") else f"{table.folder}/",
        functions=tuple(_function(function) for function in table.functions),
        workflow=table.workflow,
        storage_class=_CLASSES[table.storage_class],
        callback_args=table.callback_args,
        ca_bundle=folder / table.ca_bundle if table.ca_bundle else None,
    )


def _function(written: str | FunctionTable) -> Function:
    if isinstance(written, str):
        return Function(written)
    try:
        given = json.dumps(written.input, ensure_ascii=False, allow_nan=False) if written.input else ""
    except (TypeError, ValueError):  # dates and nan, which TOML has and JSON has not
        raise CommandError(f"the input of the function {written.name} has what JSON cannot say") from None
    return Function(written.name, given)
