"""A store that can be opened, as a value: its profile, where it is, and where its credentials come from.

Where credentials are is told by name: of environment variables, or of a profile in ``~/.aws``. Only those
that a service handed out for one upload are in the value itself, and never in a text of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import CommandError
from pipeline.storage.profiles import AWS, host_of_endpoint, profile_of_endpoint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.storage.profile import Profile

REGION = r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?"
"""It becomes part of a host's name, so nothing else may be in it."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_KEY_ID = re.compile(r"(?:AKIA|ASIA|AROA|AKID|LTAI|AKLT|STS\.)[A-Za-z0-9]{12,}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Keys:
    """The credentials themselves, which nobody renews; they are in no text that is made of this value."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeysInEnvironment:
    """Credentials in environment variables of these names.

    Attributes:
        access_key_env: the variable with the access key's id.
        secret_key_env: the variable with the secret key.
        session_token_env: the variable with the session token of temporary credentials; "" for none.

    Raises:
        ValueError: a name that no variable can have, or that looks like a key itself; it is not repeated.
    """

    access_key_env: str
    secret_key_env: str
    session_token_env: str = ""

    def __post_init__(self) -> None:
        names = (self.access_key_env, self.secret_key_env, self.session_token_env or "_")
        if not all(_VARIABLE.fullmatch(name) and not _KEY_ID.fullmatch(name) for name in names):
            raise ValueError("expected the names of environment variables, not the credentials themselves")

    def read(self, environ: Mapping[str, str]) -> Keys:
        """The credentials; raises CommandError for a variable that is not set or empty."""
        needed = [self.access_key_env, self.secret_key_env]
        needed += [self.session_token_env] if self.session_token_env else []
        missing = [name for name in needed if not environ.get(name)]
        if missing:
            raise CommandError(
                f"the environment has no {' and no '.join(missing)}: set it to the credentials that "
                "recpipe.toml expects there"
            )
        token = environ[self.session_token_env] if self.session_token_env else None
        return Keys(environ[self.access_key_env], environ[self.secret_key_env], token)


@dataclass(frozen=True, slots=True)
class AwsProfile:
    """Credentials of a profile in ``~/.aws``, which botocore reads and refreshes."""

    name: str


@dataclass(frozen=True, slots=True)
class AnyProvider:
    """Credentials by botocore's own order: environment, files, roles."""


Credentials = KeysInEnvironment | AwsProfile | AnyProvider | Keys


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """A bucket, and how it is reached.

    Attributes:
        name: in ``recpipe.toml``; "" for ``s3://``.
        profile: with the addressing and the checksums that the file may have changed.
        bucket: its name.
        prefix: before every key; "" or with a "/" at its end.
        region: for signing; "" for botocore's own choice.
        endpoint: None for botocore's own choice.
        credentials: where they come from.
        ca_bundle: certificates to trust instead of the usual ones; None for those.
        storage_class: of what is written; "" for the bucket's.
        encryption: "", "AES256" or "aws:kms", of what is written.
        kms_key: for "aws:kms"; "" for the account's own.
    """

    name: str
    profile: Profile
    bucket: str
    prefix: str = ""
    region: str = ""
    endpoint: str | None = None
    credentials: Credentials = AnyProvider()
    ca_bundle: Path | None = None
    storage_class: str = ""
    encryption: str = ""
    kms_key: str = ""


def environment_store(bucket: str, environ: Mapping[str, str]) -> StoreSettings:
    """The store behind ``s3://bucket``: AWS, or what ``AWS_ENDPOINT_URL_S3`` or ``AWS_ENDPOINT_URL`` names.

    Raises:
        CommandError: an endpoint that tells no profile, a region that is none, or a bucket that the store
            cannot have.
    """
    endpoint = environ.get("AWS_ENDPOINT_URL_S3") or environ.get("AWS_ENDPOINT_URL") or None
    profile = profile_of_endpoint(endpoint) if endpoint else AWS
    told = profile.region_of(host_of_endpoint(endpoint)) if endpoint else ""
    region = told or environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or profile.region
    if region and not re.fullmatch(REGION, region, re.ASCII):
        raise CommandError(f"AWS_REGION is {region!r}: expected a region's id, such as us-east-1")
    profile.check_bucket(bucket)
    return StoreSettings(name="", profile=profile, bucket=bucket, region=region, endpoint=endpoint)
