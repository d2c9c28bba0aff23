"""Where the database is and who may use it: the password is in no message, and comes from where it should."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import CommandError, DeniedError, EngineBusyError, RecpipeError
from pipeline.worker.queue.postgres.connecting import PASSWORD_FILE, parse_address
from pipeline.worker.queue.postgres.engine import PostgresEngine, open_engine
from pipeline.worker.queue.postgres.session import Session
from tests.worker.postgres_queue import opened

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.postgres import Postgres

SECRET = "s3cret-of-nobody"  # noqa: S105 - it opens nothing


def _told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error)


@pytest.mark.parametrize(
    "dsn",
    [
        f"postgresql://me:{SECRET}@127.0.0.1/calls",
        f"postgresql://me@127.0.0.1/calls?password={SECRET}",
        f"host=127.0.0.1 password={SECRET}",
        f"host=127.0.0.1 sslpassword={SECRET}",
        f"host=127.0.0.1 password {SECRET}",
        f"host=127.0.0.1 {SECRET}=1",
        f"postgresql://me:{SECRET}@[::1/calls",
        f"me:{SECRET}@127.0.0.1/calls",
    ],
    ids=["user part", "query", "pairs", "of a key", "no equals", "no parameter", "no address", "no scheme"],
)
def test_an_address_with_a_password_is_refused_without_repeating_it(dsn: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_address(dsn, {})
    assert SECRET not in _told(caught.value)
    assert SECRET not in repr(caught.value.__context__)


@pytest.mark.parametrize(
    ("dsn", "name"),
    [
        ("postgresql://me@db.example:5433/calls", "db.example:5433/calls"),
        ("host=db.example dbname=calls", "db.example/calls"),
        ("", "libpq's default"),
    ],
)
def test_an_address_has_a_short_name(dsn: str, name: str) -> None:
    assert str(parse_address(dsn, {})) == name


def test_the_password_comes_from_the_file_that_a_variable_names(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{postgres_server.password}\r\nsecond line")
    engine = open_engine(postgres_server.dsn("postgres"), {PASSWORD_FILE: str(file)})
    assert engine.jobs() == []
    assert postgres_server.password not in repr(vars(engine)) + repr(engine)
    engine.close()


def test_without_that_file_it_is_libpqs(postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", postgres_server.password)
    engine = open_engine(postgres_server.dsn("postgres"), {})
    assert engine.jobs() == []
    engine.close()


def test_or_that_of_a_passfile(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "passfile"
    file.write_text(f"127.0.0.1:{postgres_server.port}:*:recpipe:{postgres_server.password}\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    engine = open_engine(postgres_server.dsn("postgres"), {})
    assert engine.jobs() == []
    engine.close()


def test_a_wrong_password_is_told_and_not_shown(postgres_server: Postgres, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(SECRET)
    engine = open_engine(postgres_server.dsn("postgres"), {PASSWORD_FILE: str(file)})
    with pytest.raises(DeniedError, match="password authentication failed") as caught:
        engine.jobs()
    assert SECRET not in _told(caught.value)
    file.write_text(postgres_server.password)
    assert engine.jobs() == []
    engine.close()


def test_a_password_that_is_being_changed_while_we_run_is_waited_for(
    postgres_server: Postgres, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text(postgres_server.password)
    engine = open_engine(postgres_server.dsn("postgres"), {PASSWORD_FILE: str(file)})
    assert engine.jobs() == []
    engine.close()  # the connection, as if it were lost
    file.write_text(SECRET)
    with pytest.raises(EngineBusyError, match="password authentication failed"):
        engine.jobs()
    file.unlink()
    with pytest.raises(EngineBusyError, match="gives no password"):
        engine.jobs()
    file.write_text(postgres_server.password)
    assert engine.jobs() == []
    engine.close()


@pytest.mark.parametrize(
    ("address", "known", "why"),
    [
        ("host=127.0.0.1 port={port} user=recpipe dbname=nowhere", True, 'database "nowhere" does not exist'),
        ("host=127.0.0.1 port={port} user=nobody dbname=postgres", True, "password authentication failed"),
        ("host=127.0.0.1 port={port} user=recpipe dbname=postgres", False, "no password supplied"),
        ("host=127.0.0.1 port={port} user=reader dbname=postgres", True, "not permitted to log in"),
        ("host=127.0.0.1 port={port} user=guest dbname=closed", True, "permission denied for database"),
    ],
    ids=["no database", "no role", "no password", "may not log in", "may not connect"],
)
def test_whom_the_server_does_not_let_in_is_told_what_to_look_at(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch, address: str, why: str, *, known: bool
) -> None:
    monkeypatch.setenv("PGPASSFILE", "/nowhere")
    if known:
        monkeypatch.setenv("PGPASSWORD", postgres_server.password)
    with postgres_server.connect("postgres") as hands:
        secret = postgres_server.password
        for role, may in (("reader", "NOLOGIN"), ("guest", "LOGIN")):
            hands.execute(f"DROP ROLE IF EXISTS {role}")
            hands.execute(f"CREATE ROLE {role} {may} PASSWORD '{secret}'")
        hands.execute("DROP DATABASE IF EXISTS closed")
        hands.execute("CREATE DATABASE closed")
        hands.execute("REVOKE CONNECT ON DATABASE closed FROM PUBLIC")
    engine = open_engine(address.format(port=postgres_server.port), {})
    with pytest.raises(DeniedError, match=rf"does not let us in: .*{why}.*Check the user") as caught:
        engine.jobs()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [None, b"", b"\n", b"\xff\xfe"], ids=["no file", "empty", "blank", "no text"]
)
def test_a_file_without_a_password_is_told_by_its_name(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    engine = open_engine("postgresql://me@127.0.0.1:1/calls", {PASSWORD_FILE: str(file)})
    with pytest.raises(RecpipeError, match=rf"{file}, which {PASSWORD_FILE} names, gives no password"):
        engine.jobs()


def test_whoever_looks_at_a_database_without_a_queue_makes_none(postgres_server: Postgres) -> None:
    dsn = postgres_server.dsn(postgres_server.emptied())
    session = Session(lambda: opened(dsn, postgres_server.password), "the test's", make=False)
    engine = PostgresEngine(session)
    with pytest.raises(CommandError, match="there is no queue in the database at the test's"):
        engine.jobs()
    with postgres_server.connect("tests") as hands:
        assert hands.execute("SELECT to_regnamespace('recpipe')").fetchone() == (None,)
    maker = PostgresEngine(Session(lambda: opened(dsn, postgres_server.password), "the test's"))
    assert maker.jobs() == []
    maker.close()
    assert engine.jobs() == []
    engine.close()


@pytest.mark.parametrize("ports", ["1,{port}", "{port},1"], ids=["away first", "away last"])
def test_of_two_servers_one_that_is_away_may_let_us_in_later(
    postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch, ports: str
) -> None:
    monkeypatch.setenv("PGPASSWORD", SECRET)
    both = f"host=127.0.0.1,127.0.0.1 port={ports.format(port=postgres_server.port)} user=recpipe"
    with pytest.raises(EngineBusyError):
        open_engine(f"{both} dbname=postgres", {}).jobs()


def test_where_nobody_listens_the_queue_is_away() -> None:
    engine = open_engine("postgresql://me@127.0.0.1:1/calls", {})
    with pytest.raises(EngineBusyError, match=r"127[.]0[.]0[.]1:1/calls is busy or away: .*[.]$"):
        engine.jobs()
