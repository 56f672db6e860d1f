"""What each command does once Django is up: in the command's own process, or in the running server that was asked over its socket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from careline.errors import NotFound

Say = Callable[[str], None]
Command = Callable[..., int]


def doctor(say: Say) -> int:
    """Exit code 1 when something needs a hand."""
    from careline import doctoring

    return doctoring.examine(say)


def backup(say: Say, *, target: str) -> int:
    """`target` is an absolute path."""
    from careline import backing_up

    return _say_all(say, backing_up.write_backup(Path(target)))


def resume(say: Say) -> int:
    """Lift the hold after a restore or a copy."""
    from careline import upgrading

    return _say_all(say, [upgrading.resume()])


def trace(say: Say, *, identifier: str) -> int:
    """One line a room."""
    from careline.intake.tracing import trace as follow

    found = follow(identifier)
    say(
        f"message {found.message_id or '-'}  case {found.case_id or '-'}  channel {found.channel_name} ({found.network})"
    )
    for step in found.steps:
        facts = "  ".join(f"{name}={value}" for name, value in step.facts.items())
        at = step.at.isoformat(timespec="milliseconds")
        say(f"{at}  {step.room:9} {step.what:22} {step.row_id}  {step.error}  {facts}".rstrip())
    return 0


def channel_list(say: Say) -> int:
    """One line a channel."""
    from careline.channels.models import Channel

    for row in Channel.objects.select_related("workspace").order_by("workspace__slug", "name"):
        last = row.last_in_at.isoformat(timespec="seconds") if row.last_in_at else "never"
        state = "held" if row.held_at else row.state
        say(f"{row.id}  {row.workspace.slug:16} {row.network:12} {row.name:28} {state:12} last in {last}")
    return 0


def channel_hold(say: Say, *, channel_id: int, held: bool) -> int:
    """Hold or resume."""
    from careline import upgrading

    return _say_all(say, [upgrading.hold_channel(channel_id, held=held)])


def owner_link(say: Say) -> int:
    """A new one-time link while there is no owner."""
    from careline import upgrading

    return _say_all(say, [upgrading.owner_link() or "There is an owner already."])


def invite(say: Say, *, workspace: str, email: str, role: str) -> int:
    """A one-time link that makes an account."""
    from careline.workspaces.actions.inviting import invite_by_command

    return _say_all(say, [invite_by_command(workspace, email=email, role=role).url])


def reset(say: Say, *, email: str) -> int:
    """A one-time link for a new password."""
    from django.conf import settings

    from careline.screens.accounts.resetting import reset_link

    return _say_all(say, [f"{settings.BASE_URL}{reset_link(email)}"])


def _say_all(say: Say, lines: list[str]) -> int:
    for line in lines:
        say(line)
    return 0


COMMANDS: Final[dict[str, Command]] = {
    "doctor": doctor,
    "backup": backup,
    "resume": resume,
    "trace": trace,
    "channel_list": channel_list,
    "channel_hold": channel_hold,
    "owner_link": owner_link,
    "invite": invite,
    "reset": reset,
}


def run(name: str, arguments: dict[str, str | int | bool], say: Say) -> int:
    """Run a command by name; the exit code. Raises NotFound for a name of another version, and whatever the command raises."""
    command = COMMANDS.get(name)
    if command is None:
        raise NotFound("command_not_found", f"The running Careline does not know the command {name}.")
    return command(say, **arguments)
