"""A connector says which minor version of the contract it was written for."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from pydantic import ValidationError

from encaisse_api import API_VERSION, Setting

ROOT = Path(__file__).parents[2]
CONNECTORS = sorted((ROOT / "connectors").glob("*/pyproject.toml"))


@pytest.mark.parametrize("path", CONNECTORS, ids=lambda path: path.parent.name)
def test_a_connector_takes_the_contract_of_today_and_not_of_the_next_minor(path: Path) -> None:
    api = tomllib.loads((ROOT / "plugin_api" / "pyproject.toml").read_text("utf-8"))
    declared = tomllib.loads(path.read_text("utf-8"))["project"]["dependencies"]
    (bound,) = [r for r in map(Requirement, declared) if r.name == "encaisse-api"]
    today: str = api["project"]["version"]
    major, minor, _ = map(int, today.split("."))
    assert today.rpartition(".")[0] == API_VERSION
    assert bound.specifier.contains(today)
    assert not bound.specifier.contains(f"{major}.{minor + 1}.0")


def test_a_setting_says_what_its_value_looks_like() -> None:
    word = Setting(name="mode", label_fr="Mode", label_en="Mode", pattern="pending|direct")
    assert word.accepts(" Direct ")
    assert not word.accepts("direct!")
    assert Setting(name="mode", label_fr="Mode", label_en="Mode").accepts("anything")
    with pytest.raises(ValidationError, match="no regular expression"):
        Setting(name="mode", label_fr="Mode", label_en="Mode", pattern="(")
