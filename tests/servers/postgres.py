"""A PostgreSQL of this test run: Debian's, on the loopback, in a temporary folder, with a password."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from pipeline.media.aside import die_with_parent
from tests.servers.fixtures import require

if TYPE_CHECKING:
    from collections.abc import Iterator

OWNER = "recpipe"
READY_S = 60
PORTS = range(20_000, 32_000)
_POLL_S = 0.02
_TOLD = 2000
_NOBODIES = ("postgres", "nobody")
"""Users that may run it: it refuses root."""


@dataclass
class Postgres:
    """A server that can be killed and started again on the same port; who uses a database uses it alone."""

    folder: Path
    programs: Path
    user: str | None
    port: int
    password: str = field(repr=False)
    durable: bool = False
    process: subprocess.Popen[Any] | None = None

    def start(self) -> None:
        """Listen again, and be ready.

        Raises:
            RuntimeError: it ended, or was not ready within `READY_S`.
        """
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            # In tests processes are killed, and the machine that keeps their writes is not.
            "fsync": "on" if self.durable else "off",
        }
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": os.defpath},
                start_new_session=True,  # Ctrl-C is ours: we end it
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - it takes no lock of ours
                **_as(self.user),
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_S
        while True:
            with contextlib.suppress(psycopg.OperationalError), self.connect("postgres"):
                return
            ended = self.process is None or self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"postgres did not start: {log[-_TOLD:]}")
            time.sleep(_POLL_S)

    def kill(self) -> None:
        """As a crash of the machine ends it, but for what the disk forgets: all its processes, at once."""
        assert self.process is not None
        pid = self.process.pid
        os.kill(pid, signal.SIGSTOP)  # so that it starts no others meanwhile
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        self.process.wait()
        while any(_lives(child) for child in children):
            time.sleep(_POLL_S)  # the next server refuses memory that one of the last one still has

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """As its owner."""
        return psycopg.Connection.connect(self.dsn(database), password=self.password, autocommit=True)

    def dsn(self, database: str) -> str:
        """Without the password."""
        return f"postgresql://{OWNER}@127.0.0.1:{self.port}/{database}"

    def emptied(self) -> str:
        """The database of tests with nothing in it: to make one takes a thousand files."""
        with self.connect("postgres") as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'tests'").fetchone():
                connection.execute("CREATE DATABASE tests")
            connection.execute("ALTER DATABASE tests RESET ALL")
        with self.connect("tests") as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute("DROP SCHEMA IF EXISTS recpipe, hands, public CASCADE")
            connection.execute("CREATE SCHEMA public")
            connection.execute("CHECKPOINT")  # or whoever kills it waits for the recovery of all tests before
        return "tests"


def lacking() -> str:
    """Why none can run here; "" where one can."""
    if _programs() is None:
        return "PostgreSQL not found in /usr/lib/postgresql: apt-get install postgresql"
    if os.getuid() == 0 and _nobody() is None:
        return f"PostgreSQL does not run as root, and there is no user {' or '.join(_NOBODIES)}"
    return ""


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    program = shutil.which("initdb")
    return None if program is None else Path(program).resolve().parent


def _nobody() -> str | None:
    known = {user.pw_name for user in pwd.getpwall()}
    return next((name for name in _NOBODIES if name in known), None)


def _as(user: str | None) -> dict[str, Any]:
    """How a process is started as somebody else."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _lives(pid: str) -> bool:
    """It has not ended; one that ended may have nobody who asks how."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}


def free_port() -> int:
    """None that the system gives to connections: while the server is down, one of them could have it."""
    for port in random.sample(PORTS, len(PORTS)):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise RuntimeError(f"none of the ports {PORTS.start} to {PORTS.stop - 1} is free")


@contextlib.contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A server with a folder of its own, both gone when the block ends; ``durable`` ones wait for the disk.

    The folder is none of pytest's: those are root's alone, and the server is another user.

    Raises:
        RuntimeError: it did not start.
    """
    programs = _programs()
    assert programs is not None, "ask lacking() before"
    user = _nobody() if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="recpipe-postgres-"))
    server = Postgres(folder, programs, user, free_port(), secrets.token_urlsafe(16), durable)
    try:
        secret = folder / "password"
        secret.write_text(server.password, encoding="ascii")
        if user is not None:
            shutil.chown(folder, user)
            shutil.chown(secret, user)
        rules = ("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
        made = subprocess.run(
            [
                str(programs / "initdb"),
                "-D",
                str(folder / "data"),
                "-U",
                OWNER,
                "--pwfile",
                str(secret),
                *rules,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={"PATH": os.defpath},
            **_as(user),
        )
        if made.returncode:
            raise RuntimeError(f"initdb ended with {made.returncode}: {made.stderr[-_TOLD:]}")
        server.start()
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One for all tests of a process; each takes databases of its own."""
    require(lacking())
    with postgres() as server:
        yield server
