"""Every installed network declares itself completely and consistently, and its README says the same."""

from __future__ import annotations

import inspect
from pathlib import Path
from xml.etree import ElementTree

import pytest

from careline.channels import registry
from careline.channels.base import Network
from careline.channels.capabilities import Surface
from careline.channels.conformance.moderation_rules import declared as declared_acts
from careline.kit import counting

OURS = [
    "bluesky",
    "email",
    "facebook",
    "generic",
    "instagram",
    "intake_form",
    "mastodon",
    "matrix",
    "simulated",
    "telegram",
    "threads",
    "webchat",
    "whatsapp",
    "x",
]
NETWORKS = [pytest.param(slug, id=slug) for slug in OURS]


def network(slug: str) -> Network:
    return registry.network(slug)


def folder(slug: str) -> Path:
    """Where a network's package lies."""
    source = inspect.getsourcefile(type(network(slug)))
    assert source is not None
    return Path(source).parent


def surfaces(slug: str) -> tuple[Surface, ...]:
    return network(slug).capabilities.surfaces


@pytest.mark.parametrize("slug", NETWORKS)
def test_a_network_has_a_name_an_icon_and_unique_surfaces(slug: str) -> None:
    one = network(slug)
    assert one.slug == slug
    assert one.name
    assert one.icon
    names = [surface.name for surface in surfaces(slug)]
    assert names
    assert len(names) == len(set(names))


@pytest.mark.parametrize("slug", NETWORKS)
def test_each_limit_has_a_unit_that_can_be_counted(slug: str) -> None:
    for surface in surfaces(slug):
        assert surface.text.unit in counting.units()
        assert surface.text.min_length <= surface.text.max_length or not surface.text.max_length
        assert all(kind.max_bytes > 0 and kind.types for kind in surface.attachments.kinds)
        assert bool(surface.attachments.per_message) == bool(surface.attachments.kinds)


@pytest.mark.parametrize("slug", NETWORKS)
def test_a_public_surface_leads_only_to_a_private_one_that_may_be_begun(slug: str) -> None:
    for surface in surfaces(slug):
        if surface.private_surface:
            private = network(slug).capabilities.surface(surface.private_surface)
            assert surface.is_public
            assert not private.is_public
            assert private.initiate != "never"


@pytest.mark.parametrize("slug", NETWORKS)
def test_windows_last_and_the_longest_is_for_humans(slug: str) -> None:
    for surface in surfaces(slug):
        assert all(window.lasts_s > 0 for window in surface.windows)
        machines_s = max((window.lasts_s for window in surface.windows if window.author == "any"), default=0)
        humans_s = max((window.lasts_s for window in surface.windows), default=0)
        assert humans_s >= machines_s


@pytest.mark.parametrize("slug", NETWORKS)
def test_what_is_declared_is_implemented(slug: str) -> None:
    """An ability is declared if, and only if, the network brings the method for it."""
    one = network(slug)
    kind = type(one)
    declared = {
        "edit": any(surface.edit.out for surface in surfaces(slug)),
        "moderate": any(declared_acts(surface) for surface in surfaces(slug)),
        "show_typing": any(surface.typing.outbound for surface in surfaces(slug)),
        "verify": "webhook" in one.capabilities.inbound.modes,
        "split": "webhook" in one.capabilities.inbound.modes,
        "recheck": any(surface.delete.duty == "recheck" for surface in surfaces(slug)),
        "who_is": any(surface.identity.names == "asked" for surface in surfaces(slug)),
        "listen": bool({"poll", "stream"} & set(one.capabilities.inbound.modes)),
    }
    brought = {name: getattr(kind, name) is not getattr(Network, name) for name in declared}
    assert brought == declared


@pytest.mark.parametrize("slug", NETWORKS)
def test_an_outcome_that_can_be_asked_for_has_a_way_to_ask(slug: str) -> None:
    outbound = network(slug).capabilities.outbound
    asks = type(network(slug)).look_up is not Network.look_up
    assert asks == (outbound.unknown_outcome == "lookup")
    answerable = any(surface.answer_here and surface.reply_rule != "none" for surface in surfaces(slug))
    if outbound.unknown_outcome == "safe_retry" and answerable:
        assert outbound.idempotency != "none"
    assert all(limit.n > 0 and limit.per_s > 0 for limit in outbound.limits)


@pytest.mark.parametrize("slug", NETWORKS)
def test_a_field_is_asked_for_once_and_in_words(slug: str) -> None:
    names = [field.name for field in network(slug).fields]
    assert len(names) == len(set(names))
    assert all(field.label for field in network(slug).fields)
    assert all(bool(field.choices) == (field.kind == "choice") for field in network(slug).fields)


@pytest.mark.parametrize("slug", NETWORKS)
def test_the_readme_names_every_surface_limit_and_field(slug: str) -> None:
    text = (folder(slug) / "README.md").read_text()
    for surface in surfaces(slug):
        assert f"`{surface.name}`" in text
        if surface.text.max_length:
            numbers = {str(surface.text.max_length), f"{surface.text.max_length:,}"}
            assert any(number in text for number in numbers), f"{surface.name}: {surface.text.max_length}"
    for field in network(slug).fields:
        assert f"`{field.name}`" in text, field.name


@pytest.mark.parametrize("slug", NETWORKS)
def test_the_icon_is_a_picture_without_script_or_address(slug: str) -> None:
    path = folder(slug) / "icon.svg"
    tree = ElementTree.parse(path)
    tags = {node.tag.rsplit("}", 1)[-1] for node in tree.iter()}
    assert "script" not in tags
    assert "href" not in path.read_text()


@pytest.mark.parametrize("slug", NETWORKS)
def test_a_network_is_stateless(slug: str) -> None:
    """Everything it needs comes in its arguments: two processes must not differ."""
    assert vars(network(slug)) == {}
