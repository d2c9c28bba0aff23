"""`recpipe serve`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from pipeline.cli import wishes
from pipeline.cli.app import Command
from pipeline.cli.streams import complain, put
from pipeline.errors import CommandError, ExitCode

PUBLIC, OPERATIONS = "127.0.0.1:8080", "127.0.0.1:8081"


@click.command(
    "serve", cls=Command, short_help="hear of recordings that have ended", codes=(ExitCode.OUTPUT,)
)
@wishes.engine
@click.option(
    "--listen",
    "public",
    default=PUBLIC,
    show_default=True,
    metavar="HOST:PORT",
    help="Where callbacks of vendors are taken; port 0 for any that is free.",
)
@click.option(
    "--operations",
    default=OPERATIONS,
    show_default=True,
    metavar="HOST:PORT",
    help="Where the status page, metrics and posted jobs are; elsewhere than here it needs a token.",
)
@click.option(
    "--inbox",
    type=click.Path(dir_okay=False, path_type=Path),
    default=None,
    metavar="PATH",
    help="The file of events.  [default: inbox.db beside a queue in SQLite, else here]",
)
@wishes.config
def command(*, engine: str, public: str, operations: str, inbox: Path | None, config: str | None) -> int:
    """Take callbacks of vendors and make jobs of them, as [serve] of recpipe.toml says.

    docs/serve.md says how each vendor is set up. Callbacks come over HTTPS to a proxy that passes them on. An
    event is on the disk before its sender is answered. Where both listeners are is told on standard output.
    SIGTERM ends it when what has begun is answered.
    """
    try:
        from pipeline.worker.serve.operations.settings import operations_settings
        from pipeline.worker.serve.serving import Served, run
    except ModuleNotFoundError as error:
        raise CommandError(
            f"serve needs {error.name}: install it with pip install 'recpipe[serve]'."
        ) from error
    from pipeline.storage.settings import read_settings
    from pipeline.worker.queue.engine import AWAY
    from pipeline.worker.queue.open import open_engine
    from pipeline.worker.serve.inbox.settings import serve_settings
    from pipeline.worker.serve.operations.guard import check_binding

    read = read_settings(config, os.environ)
    settings, inside = serve_settings(read), operations_settings(read)
    secrets, token = settings.secrets(os.environ), inside.token(os.environ)
    check_binding(operations.rpartition(":")[0], token)
    if not secrets:
        complain(["recpipe: recpipe.toml names no app in [[serve.apps]]: all routes of vendors are off."])
    elif settings.unheard:
        names = ", ".join(settings.unheard)
        complain([f"recpipe: no callback starts {names}: their vendors have no app in [[serve.apps]]."])
    queue = open_engine(engine)
    try:
        try:
            queue.counts()
        except AWAY as error:  # callbacks are kept all the same
            complain([f"recpipe: {error}"])
        run(
            Served(
                queue,
                inbox or _beside(engine),
                settings,
                secrets,
                public,
                operations,
                inside.allowed,
                token,
                inside.hosts,
            ),
            tell=lambda said: complain([f"recpipe: {said}"]),
            ready=lambda said: put(said.splitlines()),
        )
    finally:
        queue.close()
    return ExitCode.GOOD


def _beside(engine: str) -> Path:
    """The inbox that belongs to a queue."""
    kind, _, rest = engine.partition(":")
    return Path(rest).parent / "inbox.db" if kind == "sqlite" else Path("inbox.db")
