"""The tables ``[vod.NAME]`` of ``recpipe.toml``: one schema a service, and the settings that they describe.

The file is read, and searched for secrets, in `pipeline.storage.settings`. A service is a line in `SERVICES`.
No effects; no sentence repeats a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from pipeline.errors import CommandError
from pipeline.publish.tencent import table as tencent
from pipeline.publish.tencent.settings import TencentSettings
from pipeline.publish.volcengine import table as volcengine
from pipeline.publish.volcengine.settings import VolcengineSettings
from pipeline.storage.address import is_store_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.storage.settings import Settings

VodSettings = TencentSettings | VolcengineSettings


@dataclass(frozen=True, slots=True)
class Service:
    """How the tables of one service are read.

    Attributes:
        table: the schema; its field ``service`` is the service's name.
        settings_of: the settings of a table by its name and the file's folder; raises CommandError or
            ValueError without the path of the table.
    """

    table: type[BaseModel]
    settings_of: Callable[[str, Any, Path], VodSettings]


SERVICES: Mapping[str, Service] = MappingProxyType(
    {
        "tencent": Service(tencent.TencentTable, tencent.settings_of),
        "volcengine": Service(volcengine.VolcengineTable, volcengine.settings_of),
    }
)


def vod_settings(settings: Settings) -> Mapping[str, VodSettings]:
    """The VOD services that a file names, by the names of their tables.

    Raises:
        CommandError: a service or a field that is unknown, missing or of another form, all of them at once
            with their paths; or a value that a service does not take.
    """
    tables, faults = {}, []
    for name, written in settings.vod.items():
        try:
            tables[name] = _table(name, written)
        except CommandError as error:
            faults.append(str(error))
    if faults:
        raise CommandError(f"{settings.source}: {'; '.join(faults)}")
    made = {}
    for name, (service, table) in tables.items():
        try:
            made[name] = service.settings_of(name, table, Path(settings.source).parent)
        except (CommandError, ValueError) as error:
            raise CommandError(f"{settings.source}, vod.{name}: {error}") from None
    return MappingProxyType(made)


def _table(name: str, written: Any) -> tuple[Service, BaseModel]:
    """The table by its schema; raises CommandError with a clause for each fault."""
    where = f"vod.{name}"
    if not isinstance(written, dict):
        raise CommandError(f"{where} is not a table")
    if not is_store_name(name):
        raise CommandError(
            f"{where}: expected a name of 2 to 63 letters, digits, '_' and '-', a letter first"
        )
    said = written.get("service")
    service = SERVICES.get(said) if isinstance(said, str) else None
    if service is None:
        lacks = "is missing" if "service" not in written else "is not known"
        raise CommandError(f"{where}.service {lacks}: expected one of {', '.join(SERVICES)}")
    try:
        return service, service.table.model_validate(written)
    except ValidationError as error:
        raise CommandError("; ".join(_faults(where, service.table, error))) from None


def _faults(table: str, model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_input=False, include_url=False):
        where = ".".join((table, *(str(part) for part in fault["loc"])))
        match fault["type"]:
            case "extra_forbidden":
                yield f"{where} is not known: expected one of {', '.join(model.model_fields)}"
            case "missing":
                yield f"{where} is missing"
            case "string_pattern_mismatch":
                yield f"{where} is not a region's id: expected lower-case letters, digits and '-'"
            case _:
                yield f"{where}: {fault['msg'][0].lower()}{fault['msg'][1:]}"
