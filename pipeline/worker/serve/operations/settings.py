"""The table ``[operations]`` of ``recpipe.toml``: who may ask, and what a posted job may name.

The file holds no secret, it names where they are. Everything that is wrong is told at once, with its path.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import CommandError
from pipeline.job.faults import faults_of
from pipeline.notify.webhook import LEAST_SECRET, MOST_SECRET, SecretInEnvironment, SecretInFile, Url
from pipeline.storage.address import StoreAddress, parse_address
from pipeline.worker.serve.allowed import WHERE, Allowed, Receiver
from pipeline.worker.serve.places import Places, faults_of_prefix

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.notify.webhook import Secret
    from pipeline.storage.settings import Settings


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Receiver(_Table):
    """An entry of ``[[operations.notify]]``: as in a job."""

    url: str
    secret_env: list[str] = Field(default=[])
    secret_file: list[str] = Field(default=[])
    ca_bundle: str | None = None


class _Operations(_Table):
    """The table as it is written."""

    bearer_env: str | None = None
    bearer_file: str | None = None
    hosts: list[str] = Field(default=[])
    sources: list[str] = Field(default=[])
    targets: list[str] = Field(default=[])
    vod: list[str] = Field(default=[])
    notify: list[_Receiver] = Field(default=[])
    root: str | None = None
    deletes: bool = False
    overwrites: bool = False


@dataclass(frozen=True, slots=True)
class OperationsSettings:
    """What the table says.

    Attributes:
        allowed: what a posted job may name.
        bearer: where the token is; None where there is none.
        hosts: names by which the listener is reached, beside those of the loopback.
    """

    allowed: Allowed = field(default_factory=Allowed)
    bearer: Secret | None = None
    hosts: frozenset[str] = frozenset()

    def token(self, environ: Mapping[str, str]) -> bytes | None:
        """The token itself; raises CommandError where it cannot be read, or is too short or long."""
        if self.bearer is None:
            return None
        try:
            return self.bearer.read(environ)
        except CommandError:
            where = self.bearer.name if isinstance(self.bearer, SecretInEnvironment) else self.bearer.path
            raise CommandError(
                f"{where} gives no token for the operations listener: expected {LEAST_SECRET} to "
                f"{MOST_SECRET} bytes, such as `openssl rand -hex 32` prints."
            ) from None


def operations_settings(settings: Settings) -> OperationsSettings:
    """What ``recpipe.toml`` says about operations; without the table nothing may be named by a posted job.

    Raises:
        CommandError: all that is wrong with the table.
    """
    if not settings.operations:
        return OperationsSettings()
    try:
        table = _Operations.model_validate(dict(settings.operations))
    except ValidationError as error:
        raise CommandError(
            f"{settings.source}: {'; '.join(f'operations.{fault}' for fault in faults_of(error))}."
        ) from None
    faults: list[str] = []
    folder = Path(settings.source).absolute().parent
    root = _root(table.root, folder, faults)
    found = OperationsSettings(
        Allowed(
            sources=Places(WHERE, _stores("sources", table.sources, settings, faults), root),
            targets=Places(WHERE, _stores("targets", table.targets, settings, faults), root),
            receivers=_receivers(table.notify, folder, faults),
            vod=_services(table.vod, settings, faults),
            deletes=table.deletes,
            overwrites=table.overwrites,
        ),
        _bearer(table, folder, faults),
        frozenset(host.lower() for host in table.hosts),
    )
    if faults:
        raise CommandError(f"{settings.source}: {'; '.join(faults)}.")
    return found


def _stores(name: str, written: list[str], settings: Settings, faults: list[str]) -> tuple[StoreAddress, ...]:
    found = []
    for number, text in enumerate(written):
        where = f"operations.{name}.{number}"
        try:
            address = parse_address(text, exists=lambda _: False)
        except CommandError as error:
            faults.append(f"{where}: {str(error).rstrip('.')}")
            continue
        if not isinstance(address, StoreAddress) or not address.store:
            faults.append(f"{where}: expected NAME:prefix of a store; folders lie below operations.root")
        elif address.store not in settings.stores:
            faults.append(f"{where}: there is no [stores.{address.store}]")
        elif odd := next(faults_of_prefix(address.prefix), ""):
            faults.append(f"{where}: {odd}")
        else:
            found.append(address)
    return tuple(found)


def _receivers(written: list[_Receiver], folder: Path, faults: list[str]) -> tuple[Receiver, ...]:
    found = []
    for number, entry in enumerate(written):
        where = f"operations.notify.{number}"
        try:
            url = Url.parse(entry.url)
            for name in entry.secret_env:
                SecretInEnvironment(name)
        except (CommandError, ValueError) as error:
            faults.append(f"{where}: {str(error).rstrip('.')}")
            continue
        if not (entry.secret_env or entry.secret_file):
            faults.append(f"{where}: it has no secret, so nobody could tell our events from others'")
        notify: dict[str, Any] = {
            "url": entry.url,
            "secret_env": entry.secret_env,
            "secret_file": [str(folder / name) for name in entry.secret_file],
        }
        if entry.ca_bundle is not None:
            notify["ca_bundle"] = str(folder / entry.ca_bundle)
        found.append(Receiver(url, notify))
    return tuple(found)


def _services(written: list[str], settings: Settings, faults: list[str]) -> frozenset[str]:
    faults += [
        f"operations.vod.{number}: there is no [vod.{name}]"
        for number, name in enumerate(written)
        if name not in settings.vod
    ]
    return frozenset(written)


def _root(written: str | None, folder: Path, faults: list[str]) -> Path | None:
    if written is None:
        return None
    root = folder / written
    if not root.is_dir():
        faults.append("operations.root: it is no folder")
    return root


def _bearer(table: _Operations, folder: Path, faults: list[str]) -> Secret | None:
    if table.bearer_env is not None and table.bearer_file is not None:
        faults.append("operations: bearer_env and bearer_file are two places for one token: give one of them")
        return None
    if table.bearer_file is not None:
        return SecretInFile(folder / table.bearer_file)
    if table.bearer_env is None:
        return None
    try:
        return SecretInEnvironment(table.bearer_env)
    except ValueError:
        faults.append("operations.bearer_env: expected the name of an environment variable, not the token")
        return None
