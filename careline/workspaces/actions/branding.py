"""Brands: a voice and a name that channels speak with."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from careline.errors import Conflict, InputRefused, NotFound
from careline.events.recording import unit_of_work
from careline.workspaces.actions.presenting import MAX_SIGNATURE, check_languages
from careline.workspaces.checking import check_name, check_zone, record_settings_change
from careline.workspaces.models import Brand
from careline.workspaces.roles import check_may
from careline.workspaces.sight import Viewer


@dataclass(frozen=True)
class BrandWords:
    """Everything a brand says of itself.

    `formality` is tu or usted; `mail_signature` ends e-mails, `sign_off` those of a brand without one.
    """

    name: str
    sign_off: str
    languages: tuple[str, ...]
    formality: str
    zone: str
    mail_signature: str


def add_brand(viewer: Viewer, words: BrandWords) -> Brand:
    """A new brand. Raises InputRefused with the field's name."""
    check_may(viewer.role, "manage_workspace")
    columns = _check_words(words)
    with unit_of_work() as work:
        brand = Brand.objects.create(workspace_id=viewer.workspace_id, **columns)
        record_settings_change(work, viewer.workspace_id, "brands")
    return brand


def change_brand(viewer: Viewer, brand_id: int, words: BrandWords) -> None:
    """Change a brand. Raises NotFound for a foreign one."""
    check_may(viewer.role, "manage_workspace")
    columns = _check_words(words)
    with unit_of_work() as work:
        if not Brand.objects.filter(id=brand_id, workspace_id=viewer.workspace_id).update(**columns):
            raise NotFound("brand_not_found", _("There is no such brand here."))
        record_settings_change(work, viewer.workspace_id, "brands")


def remove_brand(viewer: Viewer, brand_id: int) -> None:
    """Remove a brand. Raises Conflict while a channel speaks with it."""
    check_may(viewer.role, "manage_workspace")
    with unit_of_work() as work:
        brand = Brand.objects.filter(id=brand_id, workspace_id=viewer.workspace_id).first()
        if brand is None:
            raise NotFound("brand_not_found", _("There is no such brand here."))
        try:
            brand.delete()
        except ProtectedError as used:
            raise Conflict(
                "brand_used", _("A channel still speaks with this brand. Give the channel another brand first.")
            ) from used
        record_settings_change(work, viewer.workspace_id, "brands")


def _check_words(words: BrandWords) -> dict[str, object]:
    check_zone(words.zone)
    if words.formality not in {"tu", "usted"}:
        raise InputRefused("formality_unknown", _("Choose tú or usted."), field="formality")
    if len(words.sign_off) > 80:
        raise InputRefused("sign_off_long", _("Use at most %(limit)d characters.") % {"limit": 80}, field="sign_off")
    if len(words.mail_signature) > MAX_SIGNATURE:
        raise InputRefused(
            "signature_long", _("Use at most %(limit)d characters.") % {"limit": MAX_SIGNATURE}, field="mail_signature"
        )
    return {
        "name": check_name(words.name, "name"),
        "sign_off": words.sign_off.strip(),
        "languages": check_languages(words.languages),
        "formality": words.formality,
        "zone": words.zone,
        "mail_signature": words.mail_signature.strip(),
    }
