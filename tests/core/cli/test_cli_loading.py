"""Help at once, and rooms that are broken apart: nothing heavy, nothing contagious."""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest
from tests.core.cli.shells import Shell

from encaisse_core.cli import catalogue

HEAVY = ("sqlalchemy", "pydantic", "httpx", "rich", "lxml", "encaisse_core.app")


def test_help_answers_at_once_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from encaisse_core.cli.main import cli\n"
        "try:\n cli.main(['--help'], prog_name='encaisse')\n"
        "except SystemExit as end:\n assert end.code == 0\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)\n"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    assert done.stderr.strip() == "[]"
    assert "Affiche cette aide." in done.stdout
    assert seconds < 2, f"{seconds:.2f} s, where about 0.1 s is usual"


def test_every_command_of_the_catalogue_loads_and_has_french_help(shell: Shell) -> None:
    for name in catalogue.COMMANDS:
        shown = shell.ok(name, "--help")
        assert "Usage : encaisse" in shown
        assert "Show this message" not in shown
        assert "Options :" in shown


def test_every_reading_command_takes_json(shell: Shell) -> None:
    inside = {"journal": ("verify",), "referrer": ("list",)}
    for name in catalogue.COMMANDS.keys() - {"worker", "database"}:  # they work, and show nothing
        inner = inside.get(name, ())
        assert "--json" in shell.ok(name, *inner, "--help"), name


def test_commands_of_other_rooms_are_offered(shell: Shell) -> None:
    assert "read" in shell.ok("--help")
    assert "Usage : encaisse read" in shell.ok("read", "--help")


@pytest.fixture
def broken_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a distribution whose commands cannot be imported, beside the real ones."""
    package = tmp_path / "chambre"
    info = package / "encaisse_chambre-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: encaisse-chambre\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[encaisse.commands]\n"
        "absente = chambre_absente.cli:commande\n"
        "cassee = chambre_cassee:commande\n"
        "drole = chambre_drole:commande\n"
        "claims = chambre_drole:commande\n"
    )
    (package / "chambre_cassee.py").write_text("raise RuntimeError('rien ne va')\n")
    (package / "chambre_drole.py").write_text("commande = 42\n")
    monkeypatch.syspath_prepend(str(package))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("absente", "le module « chambre_absente » n'est pas installé"),
        ("cassee", "RuntimeError : rien ne va"),
        ("drole", "ce n'est pas une commande Click"),
    ],
)
def test_a_broken_room_fails_under_its_own_name_only(
    shell: Shell, broken_room: None, name: str, why: str
) -> None:
    result = shell(name, "--option", "inconnue", "argument")
    assert result.exit_code == 2
    assert why in result.stderr
    assert "(encaisse-chambre)" in result.stderr
    assert name in shell.ok("--help")
    shell.ok("companies")
    checks = shell.json("doctor", code=6)["checks"]
    assert any(not c["ok"] and name in c["sentence"] for c in checks if c["check"] == "command")


def test_a_room_cannot_take_a_command_of_ours(shell: Shell, broken_room: None) -> None:
    assert "claims" not in catalogue.of_other_rooms()
    assert "Liste les créances" in shell.ok("claims", "--help")


def test_an_entry_point_without_a_distribution_is_still_named() -> None:
    entry = EntryPoint(name="seule", value="nulle_part:x", group=catalogue.GROUP)
    assert entry.dist is None or isinstance(entry.dist, Distribution)
    said = catalogue.why_broken(entry, ModuleNotFoundError(name="nulle_part"))
    assert "(paquet inconnu)" in said


def test_the_console_script_is_installed_and_speaks_french() -> None:
    encaisse = Path(sys.executable).with_name("encaisse")
    done = subprocess.run([encaisse, "clams"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Vouliez-vous dire « claims »" in done.stderr
