"""The `careline` command: what is typed, handed to `commanding`; the processes themselves: serve, demo, migrate, restore."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
from django.db import DatabaseError

from careline import __version__
from careline.errors import CarelineError
from careline.triage.commanding import triage


def main() -> None:
    """Entry point: errors of the tree are one plain line and exit code 1."""
    try:
        careline(standalone_mode=False)
    except CarelineError as error:
        click.echo(f"careline: {error.message}", err=True)
        sys.exit(1)
    except DatabaseError as error:
        # Its message may quote a row, so only its kind is said.
        kind = type(error).__name__
        click.echo(
            f"careline: The database refused ({kind}). Is it there, and at this version? `careline doctor` looks.",
            err=True,
        )
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        sys.exit(130)


@click.group()
@click.version_option(__version__)
@click.option(
    "--data", type=click.Path(file_okay=False), help="Folder for the database, files and key (CARELINE_DATA)."
)
def careline(data: str | None) -> None:
    """Careline: a desk for social customer service."""
    if data:
        os.environ["CARELINE_DATA"] = str(Path(data).resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
    # Database, files, backups and logs hold what customers wrote: what is made from here on is for this user alone.
    os.umask(0o077)


def _open(*, exclusive: bool = False) -> Any:
    """Load settings and Django; with `exclusive`, be the one process of a SQLite database."""
    import django
    from django.conf import settings

    from careline import logging_setup

    logging_setup.configure(settings.LOG_FORMAT, settings.LOG_LEVEL)
    if exclusive and not settings.DATABASE_URL:
        from careline.kit.sqlite import guarding

        settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
        guarding.hold(Path(str(settings.DATABASES["default"]["NAME"])))
    django.setup()
    return settings


@careline.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=int)
@click.option(
    "--roles",
    default="web,worker",
    show_default=True,
    help="Which rooms this process opens; several processes need PostgreSQL.",
)
def serve(host: str, port: int, roles: str) -> None:
    """Run Careline. The first run makes the database and prints a one-time link for the owner."""
    chosen = frozenset(part.strip() for part in roles.split(",") if part.strip())
    if not chosen or not chosen <= {"web", "worker"}:
        raise click.BadParameter("roles are web, worker or both", param_hint="--roles")
    os.environ.setdefault("CARELINE_BASE_URL", f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}")  # noqa: S104
    _open(exclusive=True)
    from careline import serving, upgrading

    upgrading.prepare_database()
    link = upgrading.owner_link()
    if link:
        click.echo(f"Careline has no owner yet. Open this link once to become it:\n\n    {link}\n", err=True)
    serving.serve(host, port, chosen)


@careline.command()
@click.option("--port", default=8000, show_default=True, type=int)
@click.option("--quiet-network", is_flag=True, help="Fill the workspace, but let the simulated network stay silent.")
def demo(port: int, quiet_network: bool) -> None:
    """A workspace full of cases on a simulated network that keeps speaking. Never touches a folder with real channels."""
    os.environ.setdefault("CARELINE_BASE_URL", f"http://127.0.0.1:{port}")
    _open(exclusive=True)
    from careline import demonstrating

    demonstrating.run_demo(port, is_quiet=quiet_network)


@careline.command()
def migrate() -> None:
    """Bring the database to this version, after a backup. Stop the server first."""
    _open(exclusive=True)
    from careline import upgrading

    for line in upgrading.migrate_with_backup():
        click.echo(line)


@careline.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--deletions",
    type=click.Path(exists=True, dir_okay=False),
    multiple=True,
    help="A lost installation's deleted.jsonl: what it names stays deleted.",
)
def restore(source: str, deletions: tuple[str, ...]) -> None:
    """Restore an archive into an empty data folder. Polling and sending stay held until `careline resume`."""
    _open(exclusive=True)
    from careline import backing_up

    for line in backing_up.restore_backup(Path(source), [Path(one) for one in deletions]):
        click.echo(line)


def _command(name: str, **arguments: str | int | bool) -> None:
    """Run a command of `commanding`: by the server that has the SQLite database, or here when nobody has it or it is PostgreSQL."""
    from careline.kit.sqlite import guarding

    try:
        _open(exclusive=True)
    except guarding.Taken:
        from django.conf import settings

        from careline import controlling

        sys.exit(controlling.ask(settings.DATA_DIR, controlling.Request(name, arguments), click.echo))
    from careline import commanding

    sys.exit(commanding.run(name, arguments, click.echo))


@careline.command()
def doctor() -> None:
    """Check database, key, files, mail and every channel; say in plain words what to do."""
    _command("doctor")


@careline.command()
@click.argument("target", type=click.Path(dir_okay=False))
def backup(target: str) -> None:
    """Write database and files to one archive while Careline runs. The key is not in it: its place is named."""
    _command("backup", target=str(Path(target).resolve()))


@careline.command()
def resume() -> None:
    """Let polling and sending begin again after a restore or a copy."""
    _command("resume")


@careline.command()
@click.argument("identifier")
def trace(identifier: str) -> None:
    """Show every room a message passed: give a message, delivery, journal or platform id."""
    _command("trace", identifier=identifier)


@careline.group()
def channel() -> None:
    """Channels: list, hold, resume; a new network's folder."""


@channel.command("list")
def channel_list() -> None:
    """Every channel with its state and last contact."""
    _command("channel_list")


@channel.command("new")
@click.argument("name")
@click.option("--folder", type=click.Path(file_okay=False, exists=True), default=".", help="Where its folder is made.")
def channel_new(name: str, folder: str) -> None:
    """Begin a network: a package that passes the conformance suite, its facts to be filled in (docs/channels.md)."""
    from careline.channels.starting import write_network

    files = write_network(name, Path(folder))
    for file in files:
        click.echo(str(file))
    click.echo("Install it with `pip install -e`, run its tests with `pytest`, then look for FACT.")


@channel.command("hold")
@click.argument("channel_id", type=int)
def channel_hold(channel_id: int) -> None:
    """Stop polling and sending on a channel; what arrives by webhook is still kept."""
    _command("channel_hold", channel_id=channel_id, held=True)


@channel.command("resume")
@click.argument("channel_id", type=int)
def channel_resume(channel_id: int) -> None:
    """Let a held channel poll and send again."""
    _command("channel_hold", channel_id=channel_id, held=False)


@careline.group()
def user() -> None:
    """Accounts: invite somebody, reset a password, make the first owner's link."""


@user.command("owner-link")
def user_owner_link() -> None:
    """A new one-time link for the first owner, while there is none."""
    _command("owner_link")


@user.command("invite")
@click.argument("workspace")
@click.argument("email")
@click.option("--role", default="agent", show_default=True)
def user_invite(workspace: str, email: str, role: str) -> None:
    """Print a one-time link that makes an account for EMAIL in WORKSPACE."""
    _command("invite", workspace=workspace, email=email, role=role)


@user.command("reset")
@click.argument("email")
def user_reset(email: str) -> None:
    """Print a one-time link to set a new password."""
    _command("reset", email=email)


careline.add_command(triage)

if __name__ == "__main__":
    main()
