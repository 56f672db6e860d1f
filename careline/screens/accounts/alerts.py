"""Channel alerts to the owners by system mail: another route than the channel that fails."""

from __future__ import annotations

import structlog
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from careline.channels.alerting import Alert, on_alert
from careline.screens.accounts.mailing import send_system_mail
from careline.workspaces.queries import access_workspace, owner_addresses

_log = structlog.get_logger()


def listen() -> None:
    """Carry alerts from now on; called once when Django is ready."""
    on_alert(mail_owners)


def mail_owners(alert: Alert) -> None:
    """One mail per owner, in the owner's language.

    When no mail can leave, the log and the banner remain, and the log says so.
    """
    told = [_mail_one(alert, address, locale) for address, locale in owner_addresses(alert.workspace_id)]
    if not told or not all(told):
        _log.warning("channel_alert_not_mailed", channel=alert.channel_id, trouble=alert.trouble, owners=len(told))


def _mail_one(alert: Alert, address: str, locale: str) -> bool:
    workspace = access_workspace(alert.workspace_id)
    with translation.override(locale):
        subject = f"[Careline] {alert.channel_name}: {describe_trouble(alert.trouble)}"
        link = f"{settings.BASE_URL}/w/{workspace.slug}/channels/{alert.channel_id}/"
        return send_system_mail(subject, _body(alert, workspace.name, link), [address])


def _body(alert: Alert, workspace_name: str, link: str) -> str:
    lines = [
        _("Workspace: %(name)s") % {"name": workspace_name},
        _("Channel: %(name)s") % {"name": alert.channel_name},
        _("What happened: %(what)s") % {"what": describe_trouble(alert.trouble)},
    ]
    lines += [_("Code: %(code)s") % {"code": alert.error_code}] if alert.error_code else []
    return "\n".join([*lines, "", advise(alert.trouble), "", link, ""])


def describe_trouble(trouble: str) -> str:
    """A channel's trouble in a few words."""
    return {
        "failing": _("is failing"),
        "silent": _("has gone silent"),
        "unauthorised": _("has lost its access"),
        "recovered": _("works again"),
        "ending": _("will soon lose its access"),
    }.get(trouble, trouble)


def advise(trouble: str) -> str:
    """What to do next."""
    return {
        "failing": _("Careline keeps trying. Nothing already received is lost. Open the channel to see the error."),
        "silent": _("Nothing has been heard for longer than usual. Open the channel and run the live check."),
        "unauthorised": _("The platform refuses our password or token. Open the channel and enter a new one."),
        "ending": _("The platform ends this access in a few days. Open the channel and connect it anew before that."),
        "recovered": _("You need not do anything. What waited is being sent and fetched now."),
    }.get(trouble, "")
