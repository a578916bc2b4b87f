"""Stopped from outside, or out of place to write: one sentence, a code, and nothing cut in two."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.core.cli.shells import SIREN, Shell, write_invoice

from encaisse_core import daemon as watching
from encaisse_core import ingest
from encaisse_core.cli import ending, progress
from encaisse_core.cli.session import Session
from encaisse_core.cli.start import guarded
from encaisse_core.daemon import STOPPED, Daemon
from encaisse_core.host import Host
from encaisse_core.nightly import PHASES, Night, Phase

START = "from encaisse_core.cli.start import main; main()"


@pytest.fixture
def listening() -> Iterator[None]:
    """Take SIGTERM as the console script does, then as before."""
    before = signal.getsignal(signal.SIGTERM)
    ending.listen()
    yield
    ending.listen()
    signal.signal(signal.SIGTERM, before)


def test_ctrl_c_while_the_program_still_loads_leaves_no_trace() -> None:
    code = (
        "import signal, sys\n"
        "class Pressing:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'click':\n"
        "            signal.raise_signal(signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored in a background job
        "from encaisse_core.cli.start import main\n"
        "sys.meta_path.insert(0, Pressing())\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "Interrompu : ce qui était enregistré le reste.\n"


@pytest.mark.parametrize(("stopped", "code"), [(KeyboardInterrupt, 130), (ending.Terminated, 143)])
def test_what_stops_the_program_from_outside_gives_its_code(
    stopped: type[BaseException], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def program() -> None:
        raise stopped

    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        guarded(program)
    signal.signal(signal.SIGTERM, before)
    assert ended.value.code == code
    assert capsys.readouterr().err == f"{ending.SENTENCES[code]}\n"


@pytest.mark.usefixtures("listening")
def test_a_sync_told_to_end_reads_its_connection_whole_and_starts_no_other(
    connected: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_invoice(tmp_path / "autres", "FA-2025-900")
    connected.ok("connect", "folder", "--set", f"path={tmp_path / 'autres'}")
    pull = ingest.pull_invoices

    def told_meanwhile(*args: object, **named: object) -> object:
        signal.raise_signal(signal.SIGTERM)
        return pull(*args, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ingest, "pull_invoices", told_meanwhile)
        result = connected("sync")
    assert result.exit_code == 143
    assert result.stderr == "Arrêté à la demande du système : ce qui était enregistré le reste.\n"
    ending.listen()
    read = connected.json("sync")["connections"]
    assert [(each["seen"], each["new"]) for each in read] == [(4, 0), (1, 1)]


def watch(shell: Shell, told: Callable[[], bool], lines: list[str]) -> int:
    """Run a single night as `sync_daemon.py --once` does."""
    session = Session(shell.environ, folder=shell.home, clock=shell.clock, ids=shell.ids)
    with session.open() as app:
        return Daemon(
            app=app,
            session=session,
            write=lines.append,
            wait=lambda _: True,
            stop_asked=told,
        ).run_and_end()


def test_a_night_told_to_end_is_not_called_done(connected: Shell) -> None:
    lines: list[str] = []

    def told() -> bool:
        return any('"phase": "join"' in line for line in lines)

    assert watch(connected, told, lines) == STOPPED == 143
    events = [json.loads(line)["event"] for line in lines]
    assert "night" not in events
    last = json.loads(lines[-1])
    assert (last["event"], last["done"]) == (
        "night_stopped",
        ["retry_stops", "pull", "follow_up", "join"],
    )


def test_a_night_that_fails_in_a_phase_and_one_that_is_over_keep_their_codes(
    connected: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    assert watch(connected, lambda: False, lines) == 0
    assert json.loads(lines[-1])["event"] == "night"

    def fails(host: Host, night: Night) -> None:
        raise OSError(5, "disk")

    broken: tuple[tuple[str, Phase], ...] = (*PHASES[:2], ("join", fails))
    monkeypatch.setattr(watching, "PHASES", broken)
    assert watch(connected, lambda: False, lines) == 5


def test_the_doctor_tells_a_single_night_from_a_daemon_that_waits(connected: Shell) -> None:
    def said() -> tuple[bool, str]:
        result = connected("doctor", "--json")
        (check,) = [c for c in json.loads(result.stdout)["checks"] if c["check"] == "daemon"]
        return check["ok"], check["sentence"]

    watch(connected, lambda: False, [])
    ok, sentence = said()
    assert ok and "(--once)" in sentence and "aucun veilleur" in sentence
    assert "vivant" not in sentence


@pytest.mark.slow
def test_an_answer_that_finds_the_disk_full_is_said_in_a_sentence(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    environ = {**os.environ, "ENCAISSE_HOME": str(tmp_path / "home")}
    write_invoice(tmp_path / "factures", "FA-2025-001")
    encaisse = [sys.executable, "-c", START]
    connect = ("connect", "folder", "--siren", SIREN, "--name", "Atelier")
    for args in ((*connect, "--set", f"path={tmp_path / 'factures'}"), ("sync",)):
        subprocess.run([*encaisse, *args], env=environ, check=True, capture_output=True)
    for command in (["claims"], ["claims", "--json"], ["journal", "export"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*encaisse, *command], env=environ, stdout=full, stderr=subprocess.PIPE, text=True
            )
        assert done.returncode == 5, command
        assert done.stderr.splitlines()[-1].startswith("Le disque est plein : la réponse")
        assert "Traceback" not in done.stderr and "Exception" not in done.stderr


def test_reading_into_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    write_invoice(tmp_path / "factures", "FA-2025-001")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", START, "read", str(tmp_path / "factures")],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1].startswith("Le disque est plein : la réponse")


def test_listing_claims_that_lasts_says_so_on_stderr_only(
    connected: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.ok("sync")
    monkeypatch.setattr(progress, "QUIET_SECONDS", 0.0)
    result = connected("claims", "--json")
    assert "Examen des créances…" in result.stderr
    assert json.loads(result.stdout)["counts"]["claims"] == 4
