"""The page of capabilities is what the installed connectors declare today."""

from __future__ import annotations

import json
from pathlib import Path

import click.testing
import pytest

from encaisse_core.capabilities import Capable, capable, page
from encaisse_core.cli.main import cli
from encaisse_core.loader import load

PAGE = Path(__file__).parents[2] / "docs" / "capabilities.md"


def test_the_page_is_what_the_connectors_declare() -> None:
    written = page(capable(load().connectors))
    assert PAGE.read_text("utf-8") == written, "stale: run `make capabilities`"


def test_every_connector_of_ours_says_something_of_every_difference() -> None:
    for one in capable(load().connectors):
        silent = [name for name, (said, _) in one.differences.items() if said == "undeclared"]
        assert silent == [], f"{one.manifest.slug} declares no dialect"
        for name, (said, why) in one.differences.items():
            assert said in ("read", "refused") or why, f"{one.manifest.slug}: {name}"


def test_a_change_of_a_declaration_makes_the_page_stale() -> None:
    changed = dict(load().connectors)
    factomos = changed["factomos"]
    changed["factomos"] = type("Silent", (factomos,), {"dialect": None})
    assert page(capable(changed)) != PAGE.read_text("utf-8")
    assert Capable.of(changed["factomos"]).differences["money.text"][0] == "undeclared"


def test_the_command_writes_the_page_and_tells_the_same_as_json(tmp_path: Path) -> None:
    target = tmp_path / "page.md"
    run = click.testing.CliRunner()
    assert run.invoke(cli, ["capabilities", "--write", str(target)]).exit_code == 0
    assert target.read_text("utf-8") == PAGE.read_text("utf-8")
    told = json.loads(run.invoke(cli, ["capabilities", "--json"]).stdout)
    assert told["connectors"] == [one.as_json() for one in capable(load().connectors)]
    shown = run.invoke(cli, ["capabilities"]).stdout
    assert all(slug in shown for slug in load().connectors)


@pytest.mark.parametrize("place", ["missing/page.md", "."])
def test_a_page_that_cannot_be_written_is_one_sentence(tmp_path: Path, place: str) -> None:
    done = click.testing.CliRunner().invoke(cli, ["capabilities", "--write", str(tmp_path / place)])
    assert done.exit_code == 2
    assert "Traceback" not in done.output
