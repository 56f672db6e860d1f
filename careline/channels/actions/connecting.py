"""Connect and change channels. Checking with the platform happens before and outside any transaction (checking.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model
from django.utils.translation import gettext as _

from careline.channels.access import open_secrets, seal_secrets
from careline.channels.actions.filling import fill_fields
from careline.channels.alerting import watch_silence
from careline.channels.base import Introduced, Network
from careline.channels.models import Channel, Connection
from careline.channels.queries import access_channel
from careline.channels.registry import network as network_of
from careline.channels.renewing import watch_end
from careline.errors import Conflict, InputRefused, NotFound
from careline.events.recording import UnitOfWork, unit_of_work
from careline.kit import clock, ids
from careline.workspaces.audit import record_audit
from careline.workspaces.models import Brand, Calendar, Team
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer

LONGEST_UNDO_S = 60


@dataclass(frozen=True)
class Arrangement:
    """Where a channel belongs: its name, brand, team, calendar, and for how many seconds a send can be undone."""

    name: str
    brand_id: int
    team_id: int | None
    calendar_id: int | None
    undo_s: int


@dataclass(frozen=True)
class Connected:
    """A new channel and the path platforms post to."""

    channel_id: int
    hook_path: str


def connect_channel(
    viewer: Viewer,
    *,
    network_slug: str,
    arrangement: Arrangement,
    values: Mapping[str, str],
    import_from: datetime | None = None,
    account_key: str = "",
    introduced: Introduced = Introduced(),
    hook_token: str = "",
) -> Connected:
    """A connection with one channel. What is older than `import_from` (default now) is history: done, no clock.

    `account_key` is how the platform names the account in deliveries, where neither the platform (`introduced`, asked
    with a hook address of `hook_token`) nor a field of the network says it. Raises InputRefused with the field's name,
    NotFound for an unknown network, Conflict when the account is connected already.
    """
    check_may(viewer.role, "manage_channels")
    network = network_of(network_slug)
    filled = fill_fields(network, values)
    check_arrangement(viewer, arrangement)
    key = introduced.account_key or account_key_of(network, filled.settings) or account_key.strip()[:200]
    _check_not_connected(viewer, network, key)
    with unit_of_work() as work:
        connection = Connection.objects.create(
            workspace_id=viewer.workspace_id,
            network=network.slug,
            name=arrangement.name.strip(),
            hook_token=hook_token or ids.new_token(),
            sealed_secrets=seal_secrets({**filled.secrets, **introduced.secrets}),
        )
        known = {**filled.settings, **introduced.settings}
        row = _new_channel(viewer, network, connection, arrangement, known, key, import_from, introduced.handle)
        watch_end(work, connection, introduced.secrets_end_at)
        watch_silence(work, row)
        record_channel_act(work, viewer, row, "channel_connected", "connected")
    return Connected(row.id, f"/hooks/{network.slug}/{connection.hook_token}")


def _new_channel(
    viewer: Viewer,
    network: Network,
    connection: Connection,
    arrangement: Arrangement,
    settings: dict[str, object],
    account_key: str,
    import_from: datetime | None,
    handle: str,
) -> Channel:
    return Channel.objects.create(
        workspace_id=viewer.workspace_id,
        connection=connection,
        network=network.slug,
        account_key=account_key or str(connection.id),
        name=arrangement.name.strip(),
        handle=(handle or handle_of(settings) or account_key)[:200],
        brand_id=arrangement.brand_id,
        team_id=arrangement.team_id,
        calendar_id=arrangement.calendar_id,
        undo_s=arrangement.undo_s,
        settings=settings,
        is_simulated=network.slug == "simulated",
        history_before=import_from or clock.now(),
    )


def change_channel(viewer: Viewer, channel_id: int, *, arrangement: Arrangement, values: Mapping[str, str]) -> None:
    """Change where a channel belongs, its settings, and the secrets that were typed anew.

    Raises InputRefused, NotFound.
    """
    check_may(viewer.role, "manage_channels")
    row = access_channel(viewer.workspace_id, channel_id)
    network = network_of(row.network)
    kept = open_secrets(bytes(row.connection.sealed_secrets))
    filled = fill_fields(network, values, keep_secrets=kept)
    check_arrangement(viewer, arrangement)
    with unit_of_work() as work:
        Channel.objects.filter(id=row.id).update(
            name=arrangement.name.strip(),
            brand_id=arrangement.brand_id,
            team_id=arrangement.team_id,
            calendar_id=arrangement.calendar_id,
            undo_s=arrangement.undo_s,
            settings={**row.settings, **filled.settings},
            handle=handle_of(filled.settings) or row.handle,
        )
        if filled.secrets != kept:
            Connection.objects.filter(id=row.connection_id).update(sealed_secrets=seal_secrets(filled.secrets))
            record_channel_act(work, viewer, row, "channel_secret_changed", "changed")
        record_channel_act(work, viewer, row, "channel_changed", "changed")


def keep_introduction(viewer: Viewer, channel_id: int, introduced: Introduced) -> None:
    """What the platform says of a channel asked anew, after its secrets were changed. Raises Conflict when they belong to another account."""
    check_may(viewer.role, "manage_channels")
    row = access_channel(viewer.workspace_id, channel_id)
    if introduced.account_key and introduced.account_key != row.account_key:
        raise Conflict("other_account", _("These belong to another account. Connect it as a channel of its own."))
    with unit_of_work() as work:
        Channel.objects.filter(id=row.id).update(
            settings={**row.settings, **introduced.settings}, handle=(introduced.handle or row.handle)[:200]
        )
        kept = open_secrets(bytes(row.connection.sealed_secrets))
        Connection.objects.filter(id=row.connection_id).update(
            sealed_secrets=seal_secrets({**kept, **introduced.secrets})
        )
        watch_end(work, row.connection, introduced.secrets_end_at)


def check_arrangement(viewer: Viewer, arrangement: Arrangement) -> None:
    """Raises InputRefused unless brand, team and calendar are this workspace's and undo lies within 0 to 60 s."""
    if not arrangement.name.strip() or len(arrangement.name.strip()) > 120:
        raise InputRefused("name_missing", _("Enter a name of at most 120 characters."), field="name")
    if not 0 <= arrangement.undo_s <= LONGEST_UNDO_S:
        raise InputRefused(
            "undo_wrong", _("Enter between 0 and %(limit)d seconds.") % {"limit": LONGEST_UNDO_S}, field="undo_s"
        )
    _check_own(viewer, Brand, arrangement.brand_id, "brand")
    if arrangement.team_id is not None:
        _check_own(viewer, Team, arrangement.team_id, "team")
    if arrangement.calendar_id is not None:
        _check_own(viewer, Calendar, arrangement.calendar_id, "calendar")


def _check_own(viewer: Viewer, model: type[Model], row_id: int, field: str) -> None:
    if not model._default_manager.filter(id=row_id, workspace_id=viewer.workspace_id).exists():
        raise InputRefused("choice_unknown", _("Choose one of the values offered."), field=field)


def account_key_of(network: Network, settings: Mapping[str, object]) -> str:
    """The key deliveries name the account by, when one of the network's fields says it; else empty."""
    named = own_key_field(network)
    value = str(settings.get(named, "")) if named else ""
    return value.lower() if "@" in value else value


def own_key_field(network: Network) -> str:
    """The network's field that names the account: `account_key`, `account` or `address`; empty when it has none."""
    names = {field.name for field in network.fields if field.kind != "secret"}
    return next((name for name in ("account_key", "account", "address") if name in names), "")


def handle_of(settings: Mapping[str, object]) -> str:
    """What customers know the channel by, from the network's fields."""
    for name in ("handle", "address", "account", "site"):
        if settings.get(name):
            return str(settings[name])[:200]
    return ""


def _check_not_connected(viewer: Viewer, network: Network, account_key: str) -> None:
    same = Channel.objects.filter(workspace_id=viewer.workspace_id, network=network.slug, account_key=account_key)
    if account_key and same.exclude(state="off").exists():
        raise Conflict("already_connected", _("This account is already connected."))


def access_own_channel(viewer: Viewer, channel_id: int) -> Channel:
    """Inside a unit of work: the viewer's channel, locked. Raises Forbidden, NotFound."""
    check_may(viewer.role, "manage_channels")
    row = Channel.objects.select_for_update().filter(id=channel_id, workspace_id=viewer.workspace_id).first()
    if row is None:
        raise NotFound("channel_not_found", _("There is no such channel here."))
    return row


def record_channel_act(work: UnitOfWork, viewer: Viewer, row: Channel, verb: str, what: str) -> None:
    """The audit row and the event of an act on a channel."""
    record_audit(
        work,
        verb,
        workspace_id=viewer.workspace_id,
        agent_id=viewer.agent_id,
        subject=f"channel:{row.id}",
        facts={"network": row.network, "name": row.name},
    )
    work.record_event(viewer.workspace_id, "channel.changed", channel_id=row.id, facts={"what": what})
