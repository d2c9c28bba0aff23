"""How the database is reached: its address, where the password comes from, what each failure means."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from procrastinate.exceptions import ConnectorException
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import dict_row

from pipeline.errors import CommandError, DeniedError, EngineBusyError
from pipeline.worker.queue.postgres.schema import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PASSWORD_FILE: Final = "RECPIPE_PG_PASSWORD_FILE"  # noqa: S105 - the name of a variable
"""The environment variable that names a file with the password, as secrets are mounted in containers."""
SECRETS: Final = ("password", "sslpassword")
PATIENCE_S: Final = 10
"""For a connection, and for each statement: whoever waits longer is told that the queue is busy."""
_MOST_BYTES: Final = 4096
_REFUSED: Final = re.compile(
    r'FATAL: .*(authentication failed|(role|database) ".*" does not exist|no pg_hba\.conf entry'
    r"|not permitted to log in|permission denied for database)|no password supplied"
)
"""Why a server lets nobody in for good. libpq tells no SQLSTATE of a connection that was not made; a server
that speaks another language than English seems to be away."""
_DEFAULTS: Final[Mapping[str, Any]] = {
    "application_name": "recpipe",
    "connect_timeout": PATIENCE_S,
    "keepalives_idle": PATIENCE_S,
    "keepalives_interval": PATIENCE_S,
    "keepalives_count": 3,
    "tcp_user_timeout": PATIENCE_S * 1000,
}


@dataclass(frozen=True, slots=True)
class Address:
    """Where the database is, without its password.

    Attributes:
        parameters: libpq's (PostgreSQL documentation, "Parameter Key Words").
        password_file: with the password in its first line; None where libpq finds it by itself
            (``PGPASSWORD``, ``PGPASSFILE``, ``~/.pgpass``).
    """

    parameters: Mapping[str, Any] = field(repr=False)
    password_file: Path | None = None

    def __str__(self) -> str:
        """Short, for sentences."""
        told = {name: self.parameters.get(name, "") for name in ("host", "port", "dbname")}
        place = ":".join(str(told[name]) for name in ("host", "port") if told[name])
        return "/".join(part for part in (place, str(told["dbname"])) if part) or "libpq's default"


def parse_address(dsn: str, environ: Mapping[str, str]) -> Address:
    """A connection string of libpq's, ``postgresql://user@host/name`` or ``host=… dbname=…``.

    Raises:
        CommandError: it is none, or it holds a password, which others would read in the list of processes
            or in a file that is shared.
    """
    try:
        parameters = conninfo_to_dict(dsn)
    except psycopg.Error:  # its words could repeat a part of a password
        parameters = None
    if parameters is None:
        raise CommandError(
            "the address of the queue's database cannot be read: expected postgresql://USER@HOST:PORT/NAME "
            "without a password, or libpq's NAME=VALUE pairs."
        )
    held = [name for name in SECRETS if name in parameters]
    if held:
        raise CommandError(
            f"the address of the queue's database holds a {held[0]}: take it out, and give the password by "
            f"PGPASSWORD, a passfile, or a file that {PASSWORD_FILE} names."
        )
    file = environ.get(PASSWORD_FILE)
    return Address({**_DEFAULTS, **parameters}, Path(file) if file else None)


def connect(address: Address) -> psycopg.Connection[dict[str, Any]]:
    """A connection in the queue's schema, each statement a transaction of its own.

    Raises:
        psycopg.Error: it cannot be reached.
        DeniedError: it does not let us in.
        CommandError: there is no password in its file.
    """
    secret = {} if address.password_file is None else {"password": _password(address.password_file)}
    try:
        connection = psycopg.Connection.connect(
            autocommit=True, row_factory=dict_row, **{**address.parameters, **secret}
        )
    except psycopg.OperationalError as error:
        if not _is_refused(str(error)):
            raise
        raise DeniedError(
            f"the queue's database at {address} does not let us in: {_words(error)}. Check the user and the "
            f"name of the database, and the password: PGPASSWORD, a passfile, or {PASSWORD_FILE}."
        ) from error
    try:
        settle(connection, SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _is_refused(told: str) -> bool:
    """Whether every server that was asked lets nobody in."""
    each = [line for line in told.splitlines() if "connection to server" in line]
    return bool(each) and all(map(_REFUSED.search, each))


def settle(connection: psycopg.Connection[dict[str, Any]], search_path: str) -> None:
    """Where tables are looked for, how long a statement may take, and that a commit is on the disk."""
    connection.prepare_threshold = None  # a plan that was made for an empty table stays slow when it is full
    connection.execute(
        "SELECT set_config('search_path', %s, false), set_config('statement_timeout', %s, false),"
        " set_config('enable_sort', 'off', false),"  # without statistics all jobs would be, for each claim
        " set_config('synchronous_commit', coalesce(nullif(now.setting, 'off'), 'on'), false)"
        " FROM current_setting('synchronous_commit') AS now(setting)",
        (search_path, f"{PATIENCE_S}s"),
    )


def _password(file: Path) -> str:
    """Read at each connection, so that a secret may change while we run."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_MOST_BYTES).decode().partition("\n")[0].removesuffix("\r")
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise CommandError(
            f"{file}, which {PASSWORD_FILE} names, gives no password: expected a file that can be read, with "
            "the password in its first line."
        )
    return text


@contextmanager
def told(address: str) -> Iterator[None]:
    """What the database or Procrastinate raise as our errors, each one sentence.

    Raises:
        EngineBusyError: the connection was lost or never made, or something was locked or took too long.
        DeniedError: the role may not do this.
        CommandError: an order that PostgreSQL cannot keep.
    """
    try:
        yield
    except ConnectorException as error:
        raise _ours(error.__cause__ or error, address) from error
    except (psycopg.Error, UnicodeEncodeError) as error:
        raise _ours(error, address) from error


def _words(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _ours(error: BaseException, address: str) -> Exception:
    words = _words(error)
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return DeniedError(
            f"the queue's database at {address} denies it: {words}. Grant the role CREATE on the database, "
            f"or all on the schema {SCHEMA}."
        )
    if isinstance(error, (psycopg.DataError, UnicodeEncodeError)):
        return CommandError(f"the queue cannot keep this order: {words}.")
    if isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return EngineBusyError(f"the queue's database at {address} is busy or away: {words}. Again later.")
    raise error
