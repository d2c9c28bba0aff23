"""`recpipe`: the group of commands, each loaded when it is asked for, and help that ends with exit codes."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from pipeline import __version__
from pipeline.cli.boundary import guarded
from pipeline.errors import MEANINGS, ExitCode

COMMANDS = (
    "inspect",
    "plan",
    "merge",
    "snapshot",
    "compose",
    "run",
    "batch",
    "submit",
    "jobs",
    "watch",
    "worker",
    "serve",
    "verify",
    "demo",
    "doctor",
)
ALWAYS = (ExitCode.GOOD, ExitCode.USAGE)
ENDS = (ExitCode.BUG, ExitCode.INTERRUPTED, ExitCode.TERMINATED)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Command(click.Command):
    """A command whose help ends with the exit codes it can return."""

    def __init__(self, *args: Any, codes: tuple[ExitCode, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.codes = codes

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes below the options."""
        super().format_epilog(ctx, formatter)
        write_codes(formatter, {*self.codes, *ALWAYS, *ENDS})


class Commands(click.Group):
    """A command that is several, and whose help ends with the exit codes that they can return."""

    def __init__(self, *args: Any, codes: tuple[ExitCode, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.codes = codes

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit codes below the commands."""
        super().format_epilog(ctx, formatter)
        write_codes(formatter, {*self.codes, *ALWAYS, *ENDS})


class Recpipe(click.Group):
    """The commands by name, in the order in which one meets them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of a name, its module imported now."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(f"pipeline.cli.{cmd_name}").command
        return found

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write all exit codes below the commands."""
        super().format_epilog(ctx, formatter)
        write_codes(formatter, set(ExitCode))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run what was typed inside the error boundary, and exit."""
        typed = args[0] if args else kwargs.pop("args", None)
        arguments = list(sys.argv[1:] if typed is None else typed)
        kwargs |= {"prog_name": "recpipe", "standalone_mode": False}

        def work() -> int:
            return int(super(Recpipe, self).main(arguments, **kwargs) or 0)

        sys.exit(int(guarded(work, arguments)))


def write_codes(formatter: click.HelpFormatter, codes: set[ExitCode]) -> None:
    """The table of exit codes, in the words of `pipeline.errors`."""
    with formatter.section("Exit codes"):
        formatter.write_dl([(str(int(code)), MEANINGS[code]) for code in sorted(codes)])


@click.group(cls=Recpipe, context_settings=CONTEXT)
@click.version_option(__version__, message="recpipe %(version)s")
def app() -> None:
    """Turn cloud call recordings (Agora, TRTC, Volcengine) into verified MP4s, one per user, by packet copy.

    SOURCE is a folder with the playlists and slices of one recording or of several, s3://bucket/prefix, or
    NAME:prefix of a store in recpipe.toml.
    """
