"""The text of ``recpipe.toml``: its schema, and the stores that it describes as frozen values. No effects.

The file holds no secret, it names where they are: a field that looks like one is refused before anything else
is looked at, and no sentence here repeats a value that may be one. What ``[vod.NAME]`` means is read in
`pipeline.publish.settings`, what ``[operations]`` means in `pipeline.worker.serve.operations.settings`, what
``[serve]`` means in `pipeline.worker.serve.inbox.settings`.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import CommandError
from pipeline.storage.address import folder_prefix, is_store_name
from pipeline.storage.profiles import host_of_endpoint, profile_named, profile_of_endpoint, recognised
from pipeline.storage.settings import Settings
from pipeline.storage.stores import REGION, AnyProvider, AwsProfile, KeysInEnvironment, StoreSettings
from pipeline.vendors.agora import regions as agora
from pipeline.vendors.trtc import regions as trtc
from pipeline.vendors.volcengine import regions as volcengine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pipeline.storage.profile import Profile
    from pipeline.storage.stores import Credentials

_SECRET = re.compile(
    r"secret|passw|token|access_?key|api_?key|credential|private|\A(?:ak|sk|key|keys)\Z", re.IGNORECASE
)
_NOT_SECRET = re.compile(r".*_env|kms_key", re.IGNORECASE)

_NUMBERS = {"agora": agora, "trtc": trtc, "volcengine": volcengine}


class _Store(BaseModel):
    """A table ``[stores.NAME]`` as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    bucket: str
    profile: str | None = None
    endpoint: str | None = None
    region: str | None = Field(default=None, pattern=rf"^{REGION}$")
    prefix: str = ""
    aws_profile: str | None = None
    access_key_env: str | None = None
    secret_key_env: str | None = None
    session_token_env: str | None = None
    ca_bundle: str | None = None
    addressing: Literal["virtual", "path"] | None = None
    checksums: Literal["when_supported", "when_required"] | None = None
    storage_class: str = ""
    encryption: Literal["", "AES256", "aws:kms"] = ""
    kms_key: str = ""
    vendor: Literal["agora", "trtc", "volcengine"] | None = None
    vendor_number: int | None = None
    region_number: int | None = None


class _File(BaseModel):
    """The whole file as it is written."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    stores: dict[str, _Store] = Field(default_factory=dict)
    vod: dict[str, Any] = Field(default_factory=dict)
    operations: dict[str, Any] = Field(default_factory=dict)
    serve: dict[str, Any] = Field(default_factory=dict)


def parse_settings(text: str, source: Path) -> Settings:
    """Read the text of a file; ``source`` is its path, for messages and for relative paths in it.

    Raises:
        CommandError: no TOML, a secret, a field that is unknown, missing or of another form, and whatever a
            store cannot be; with the path of each field.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CommandError(f"{source} is not TOML: {error}") from None
    secrets = list(_secrets(document))
    if secrets:
        raise CommandError(
            f"{source} holds what looks like a secret in {', '.join(secrets)}: secrets do not belong in this "
            "file; put them into environment variables and name those in access_key_env, secret_key_env and "
            "session_token_env, or into a profile of ~/.aws/credentials and name that in aws_profile"
        )
    try:
        file = _File.model_validate(document)
    except ValidationError as error:
        raise CommandError(f"{source}: {'; '.join(_faults(error))}") from None
    stores = {}
    for name, table in file.stores.items():
        try:
            stores[name] = _store(name, table, source)
        except (CommandError, ValueError) as error:
            raise CommandError(f"{source}, stores.{name}: {error}") from None
    return Settings(
        source=str(source),
        stores=MappingProxyType(stores),
        vod=MappingProxyType(file.vod),
        operations=MappingProxyType(file.operations),
        serve=MappingProxyType(file.serve),
    )


def _secrets(document: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of all fields whose names are those of secrets."""
    for key, value in document.items():
        where = f"{path}{key}"
        is_table = isinstance(value, dict)
        if is_table:
            yield from _secrets(value, f"{where}.")
        elif _SECRET.search(key.replace("-", "_")) and not _NOT_SECRET.fullmatch(key):
            yield where


def _faults(error: ValidationError) -> Iterator[str]:
    """A clause for each fault; no clause repeats the value."""
    for fault in error.errors(include_input=False, include_url=False):
        where = ".".join(str(part) for part in fault["loc"])
        match fault["type"]:
            case "extra_forbidden":
                model = _Store if len(fault["loc"]) > 1 else _File
                yield f"{where} is not known: expected one of {', '.join(model.model_fields)}"
            case "missing":
                yield f"{where} is missing"
            case "string_pattern_mismatch":
                yield f"{where} is not a region's id: expected lower-case letters, digits and '-'"
            case "model_type" | "dict_type":
                yield f"{where} is not a table"
            case _:
                yield f"{where}: {fault['msg'][0].lower()}{fault['msg'][1:]}"


def _store(name: str, table: _Store, source: Path) -> StoreSettings:
    """The value of a table; raises CommandError or ValueError without the path of the table."""
    if not is_store_name(name):
        raise CommandError("expected a name of 2 to 63 letters, digits, '_' and '-', a letter first")
    if table.kms_key and table.encryption != "aws:kms":
        raise CommandError('kms_key is given without encryption = "aws:kms"')
    given, numbered = _numbers(table)
    profile = _profile(table, given)
    region = _region(table, profile, numbered)
    profile = replace(
        profile,
        addressing_style=table.addressing or profile.addressing_style,
        checksums=table.checksums or profile.checksums,
    )
    profile.check_bucket(table.bucket)
    return StoreSettings(
        name=name,
        profile=profile,
        bucket=table.bucket,
        prefix=folder_prefix(table.prefix),
        region=region,
        endpoint=table.endpoint or profile.endpoint_url(region),
        credentials=_credentials(table),
        ca_bundle=source.parent / table.ca_bundle if table.ca_bundle else None,
        storage_class=table.storage_class,
        encryption=table.encryption,
        kms_key=table.kms_key,
    )


def _numbers(table: _Store) -> tuple[str, str]:
    """The profile and the region that a vendor's numbers name; "" for what they leave open."""
    if table.vendor is None or table.vendor_number is None:
        if (table.vendor, table.vendor_number, table.region_number) != (None, None, None):
            raise CommandError(
                "vendor, vendor_number and region_number go together: give vendor and vendor_number"
            )
        return "", ""
    numbers = _NUMBERS[table.vendor]
    profile = numbers.profile_of(table.vendor_number)
    if profile:
        profile_named(profile)  # says first why a cloud is refused
    if table.region_number is None or table.region is not None:
        return profile, ""
    return profile, numbers.region_of(table.vendor_number, table.region_number)


def _profile(table: _Store, numbered: str) -> Profile:
    """The profile by name, by the vendor's number, or by the endpoint; all that tell must tell the same."""
    if table.profile and numbered and table.profile != numbered:
        raise CommandError(
            f"profile is {table.profile!r}, but vendor_number {table.vendor_number} is {numbered!r}: "
            "give one of them"
        )
    name = table.profile or numbered
    if not name and table.endpoint is None:
        raise CommandError("nothing tells what kind of store it is: give profile or endpoint")
    if not name:
        return profile_of_endpoint(table.endpoint or "")
    profile = profile_named(name)
    behind = recognised(host_of_endpoint(table.endpoint)) if table.endpoint is not None else None
    if behind is not None and behind != profile:
        raise CommandError(
            f"profile is {name!r}, but the endpoint is that of {behind.name!r}: give one of them"
        )
    if table.endpoint is None and not profile.knows_endpoint:
        raise CommandError(f"endpoint is missing: only who runs {profile.title} knows it")
    return profile


def _region(table: _Store, profile: Profile, numbered: str) -> str:
    """The region by name, by the vendor's number, by the endpoint, or the profile's own."""
    told = profile.region_of(host_of_endpoint(table.endpoint)) if table.endpoint is not None else ""
    region = table.region or numbered or told or profile.region
    if profile.name == "oss":
        region = region.removeprefix("oss-")  # its pages use both forms; this one is for signing
    if not region and profile.name != "aws":  # of AWS botocore may know it from elsewhere
        raise CommandError(f"region is missing: expected the id of a region of {profile.title}")
    return region


def _credentials(table: _Store) -> Credentials:
    in_environment = (table.access_key_env, table.secret_key_env, table.session_token_env)
    if table.aws_profile is not None and in_environment != (None, None, None):
        raise CommandError("aws_profile and access_key_env are two places for credentials: give one of them")
    if table.aws_profile is not None:
        return AwsProfile(table.aws_profile)
    if in_environment == (None, None, None):
        return AnyProvider()
    if not table.access_key_env or not table.secret_key_env:
        raise CommandError("access_key_env and secret_key_env go together: give both")
    return KeysInEnvironment(table.access_key_env, table.secret_key_env, table.session_token_env or "")
