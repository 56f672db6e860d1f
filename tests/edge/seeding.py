"""Fills a fresh installation for tests of the door: two workspaces, three channels, the cast with passwords, tickets of every kind. Run as a program."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

PASSWORD = "a-long-enough-password"
HOOK_SECRET = "whsec_" + "dGhlIGRvb3IncyBvd24gc2VjcmV0LCBmb3IgdGVzdHM="
# A PNG of one pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cfc0f01f0005000201a5f0b1b40000000049454e44ae426082"
)
FILES = {
    "photo.png": PNG,
    "page.html": b"<!DOCTYPE html><script>alert(1)</script>",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "notes.txt": "¿Qué tal?".encode(),
    "photo\u202egnp.exe": b"MZ\x90\x00" + b"\0" * 60,
    "../../etc/passwd": b"root:x:0:0",
}


def seed() -> dict[str, Any]:
    """Rows, and what tests need to know of them."""
    from careline.channels import access
    from careline.channels.models import Channel, Connection
    from careline.events.recording import unit_of_work
    from careline.workspaces.models import Account, Agent, Brand, Team, Workspace
    from careline.workspaces.sight import viewer_of

    found: dict[str, Any] = {"agents": {}, "teams": {}, "channels": {}}
    with unit_of_work():
        for slug, cast in (("air", {"ana": "agent", "ben": "lead", "dora": "agent"}), ("sea", {"cleo": "owner"})):
            workspace = Workspace.objects.create(slug=slug, name=slug.title())
            brand = Brand.objects.create(workspace=workspace, name=slug.title(), languages=["en"])
            teams = {name: Team.objects.create(workspace=workspace, name=name) for name in ("care", "loyalty")}
            found["teams"][slug] = {name: team.id for name, team in teams.items()}
            found[slug] = workspace.id
            for name, role in cast.items():
                account = Account.objects.create_user(f"{name}@{slug}.test", PASSWORD, name=name.title())
                agent = Agent.objects.create(workspace=workspace, account=account, name=name.title(), role=role)
                agent.teams.set([teams["loyalty" if name == "dora" else "care"]])
                found["agents"][name] = tickets_of(viewer_of(agent))
            sealed = access.seal_secrets({"hook_secret": HOOK_SECRET, "secret": HOOK_SECRET, "token": "t"})
            for network in ("simulated", "generic"):
                connection = Connection.objects.create(
                    workspace=workspace, network=network, name=network, sealed_secrets=sealed
                )
                channel = Channel.objects.create(
                    workspace=workspace, connection=connection, network=network, account_key="aurora", name=f"@{slug}", brand=brand, team=teams["care"],
                    is_simulated=True, settings={"api": "http://127.0.0.1:9/api", "gap_check_s": "0"},
                )  # fmt: skip
                found["channels"][f"{slug}.{network}"] = {
                    "id": channel.id,
                    "hook": f"/hooks/{network}/{connection.hook_token}",
                }
    found["files"] = {slug: put_files(found[slug]) for slug in ("air", "sea")}
    return found


def tickets_of(viewer: Any) -> dict[str, Any]:
    """An agent's id and signed tickets, good and over."""
    from careline.kit import signing
    from careline.screens import tickets

    over = signing.seal(
        tickets.tickets_key(), "stream", {"ws": viewer.workspace_id, "agent": viewer.agent_id}, lasts_s=-1
    )
    return {
        "id": viewer.agent_id,
        "stream": tickets.stream_ticket(viewer),
        "upload": tickets.upload_ticket(viewer),
        "over": over,
    }


def put_files(workspace_id: int) -> dict[str, Any]:
    """Each file stored and referred to, with a ticket under its own name, and one of its id in the other workspace's name."""
    from careline.events.recording import unit_of_work
    from careline.files import storing
    from careline.kit import signing
    from careline.screens.tickets import tickets_key
    from careline.workspaces.models import Workspace

    other = Workspace.objects.exclude(id=workspace_id).values_list("id", flat=True).first()
    found = {}
    for name, content in FILES.items():
        prepared = storing.prepare_file(workspace_id, content, name)
        with unit_of_work():
            file_id = storing.save_files([prepared])[(workspace_id, prepared.sha256)]
            storing.count_references([file_id])
        claims = {"ws": workspace_id, "file": file_id, "name": name}
        found[name] = {
            "good": signing.seal(tickets_key(), "file", claims, lasts_s=60_000),
            "foreign": signing.seal(tickets_key(), "file", {**claims, "ws": other}, lasts_s=60_000),
            "stream": signing.seal(tickets_key(), "stream", claims, lasts_s=60_000),
            "over": signing.seal(tickets_key(), "file", claims, lasts_s=-1),
            "forged": signing.seal(b"x" * 32, "file", claims, lasts_s=60_000),
            "without": signing.seal(tickets_key(), "file", {"ws": str(workspace_id)}, lasts_s=60_000),
        }
    return found


def main() -> None:
    """Print what was made as JSON."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careline.settings")
    import django

    django.setup()
    sys.stdout.write(json.dumps(seed()))


if __name__ == "__main__":
    main()
