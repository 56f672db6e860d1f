"""The compose file and the image speak of commands, settings and services that exist. They are read here, not run: no engine is at hand in tests."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from careline.cli import careline
from tests.documents.reading import ROOT
from tests.documents.test_coverage import _settings_read

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("careline"))


def _commands() -> list[list[str]]:
    told = [service["command"] for service in SERVICES.values() if "command" in service]
    [image] = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    return [*told, json.loads(image)]


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_every_command_is_one_of_ours_with_its_options(command: list[str]) -> None:
    program, name, *arguments = command
    assert program == "careline"
    careline.commands[name].make_context(name, list(arguments))


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_a_service_is_read(name: str) -> None:
    settings = {key for key in SERVICES[name].get("environment", {}) if key.startswith("CARELINE_")}
    assert settings and settings <= set(_settings_read())


def test_the_image_sets_only_what_is_read() -> None:
    assert set(re.findall(r"CARELINE_[A-Z_]+", DOCKERFILE)) <= set(_settings_read())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_waits_for_services_and_keeps_its_data_on_volumes_that_are_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    named = {volume.split(":")[0] for volume in service.get("volumes", []) if not volume.startswith((".", "/"))}
    assert named and named <= set(COMPOSE["volumes"])


def test_the_data_folder_of_the_image_is_the_volume() -> None:
    [folder] = re.findall(r"CARELINE_DATA=(\S+)", DOCKERFILE)
    assert f"VOLUME {folder}" in DOCKERFILE
    assert all(f"data:{folder}" in SERVICES[name]["volumes"] for name in OURS)


def test_nothing_is_published_to_the_whole_world() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert published and all(port.startswith("127.0.0.1:") for port in published)
