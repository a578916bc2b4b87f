"""The engine of rules may die, hang or lie, and a document may attack it: nothing passes."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import psutil
import pytest

from encaisse_einvoicing.validation import Artefact, Engine, NotRun, validate_bytes
from encaisse_einvoicing.validation.artefacts import Sheet, Source, load_sheet, sources

BR_FR = "br-fr-ubl"
ENDPOINT = '<cbc:EndpointID schemeID="0225">123456782</cbc:EndpointID>'
READY = """
import json, struct, sys, time
def frame(told, blob=b""):
    body = json.dumps(told).encode()
    sys.stdout.buffer.write(struct.pack(">II", len(body), len(blob)) + body + blob)
    sys.stdout.buffer.flush()
def ask():
    told, most = struct.unpack(">II", sys.stdin.buffer.read(8))
    return json.loads(sys.stdin.buffer.read(told)), sys.stdin.buffer.read(most)
frame({"ready": True, "engine": "none"})
"""


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine
    engine.close()


def worker(body: str) -> Engine:
    """Give an engine whose worker is this small program."""
    return Engine(limit=0.5, command=(sys.executable, "-c", READY + textwrap.dedent(body)))


def failing(engine: Engine, text: str) -> str:
    """Validate under an engine that fails: both its layers say so, and the XSD goes on."""
    report = validate_bytes("f.xml", text.encode(), engine=engine)
    assert report.xsd.outcome == "valid"
    assert (report.rules.outcome, report.french.outcome) == ("not_run", "not_run")
    assert report.outcome() == "not_run"
    assert report.rules.reason
    assert report.rules.code is not None
    return report.rules.code


def lines(ubl: str, count: int) -> str:
    """Repeat the one line of an invoice."""
    found = re.search(r"<cac:InvoiceLine>.*?</cac:InvoiceLine>", ubl, re.DOTALL)
    assert found is not None
    return ubl.replace(found[0], found[0] * count)


# --- an engine that fails ------------------------------------------------------------------------


def test_without_the_engine_nothing_is_called_valid_and_a_person_reads_what_to_install(
    ubl: str,
) -> None:
    path = Path(sys.modules[Engine.__module__].__file__ or "").with_name("worker.py")
    engine = Engine(command=(sys.executable, "-S", "-P", str(path)))  # -S: no installed package
    assert failing(engine, ubl) == "engine_missing"
    report = validate_bytes("f.xml", ubl.encode(), engine=engine)
    assert "pip install 'encaisse-einvoicing[schematron]'" in (report.rules.reason or "")
    assert engine.pid is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("sys.exit(1)", "engine_died"),
        ("ask(); frame({'ok': True}); ask(); sys.exit(9)", "engine_died"),
        ("ask(); frame({'ok': True}); ask(); time.sleep(60)", "engine_too_slow"),
        ("ask(); frame({'ok': False, 'why': 'XTSE0010: bad sheet'})\nask()", "engine_error"),
        ("ask(); sys.stdout.buffer.write(b'\\0\\0\\0\\1\\0\\0\\0\\0x'); ask()", "engine_died"),
        ("ask(); sys.stdout.buffer.write(b'\\0\\0\\1\\0half')", "engine_died"),
        ("ask(); frame([1])\nask()", "engine_died"),
        ("while True: ask(); frame({'ok': True}, b'')", "no_answer"),
        ("while True: ask(); frame({'ok': True}, b'<a/>')", "no_answer"),
        ("while True: ask(); frame({'ok': 1}, b'<a/>')", "engine_error"),
    ],
)
def test_an_engine_that_dies_hangs_or_lies_proves_nothing(ubl: str, body: str, code: str) -> None:
    engine = worker(body)
    assert failing(engine, ubl) == code
    engine.close()
    assert engine.pid is None


def test_a_worker_killed_in_the_middle_costs_its_document_and_no_other(
    ubl: str, engine: Engine
) -> None:
    sheet = load_sheet(BR_FR, None)
    engine.runs(ubl.encode())(sheet)
    first = engine.pid
    assert first is not None
    killer = threading.Timer(0.3, os.kill, (first, signal.SIGKILL))
    killer.start()
    with pytest.raises(NotRun) as stopped:
        engine.runs(lines(ubl, 4_000).encode())(sheet)
    killer.join()
    assert stopped.value.code == "engine_died"
    assert not psutil.pid_exists(first), "the dead worker was not waited for"
    assert b"fired-rule" in engine.runs(ubl.encode())(sheet)
    assert engine.pid not in (None, first)


def test_a_document_that_takes_too_long_is_given_up_within_one_limit_for_all_sheets(
    ubl: str,
) -> None:
    engine = Engine(limit=0.2)
    run = engine.runs(lines(ubl, 4_000).encode())
    sheet = load_sheet(BR_FR, None)
    for words in ("pas fini", "écoulées"):
        with pytest.raises(NotRun) as stopped:
            run(sheet)
        assert stopped.value.code == "engine_too_slow"
        assert words in stopped.value.message_fr
    engine.close()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (">1000.00</cbc:TaxableAmount>", ">x</cbc:TaxableAmount>", "FORG0001"),
        ("<cbc:EndpointID ", f"{ENDPOINT}<cbc:EndpointID ", "XPTY0004"),
    ],
)
def test_rules_that_stumble_over_a_document_did_not_run(
    ubl: str, old: str, new: str, code: str
) -> None:
    report = validate_bytes("f.xml", ubl.replace(old, new, 1).encode())
    assert report.xsd.outcome == "invalid"
    stumbled = [each for each in (report.rules, report.french) if each.code == "engine_error"]
    assert stumbled
    for layer in stumbled:
        assert layer.outcome == "not_run"
        assert f"({code} : " in (layer.reason or "")


@pytest.mark.parametrize(
    ("how", "code"), [("end", 0), pytest.param("raise", 3, marks=pytest.mark.slow)]
)
def test_nothing_is_left_when_the_program_ends(
    ubl: str, tmp_path: Path, how: str, code: int
) -> None:
    file = tmp_path / "f.xml"
    file.write_text(ubl)
    program = """
        import sys
        from pathlib import Path
        from encaisse_einvoicing.validation import artefacts, saxon
        sheet = artefacts.load_sheet("br-fr-ubl", None)
        answer = saxon.shared().runs(Path(sys.argv[1]).read_bytes())(sheet)
        print(b"fired-rule" in answer, saxon.shared().pid)
        if sys.argv[2] == "raise": raise SystemExit(3)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(file), how],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answered, pid = done.stdout.split()
    assert (done.returncode, answered, done.stderr) == (code, "True", "")
    assert not psutil.pid_exists(int(pid))


@pytest.mark.parametrize(
    "count", [0, pytest.param(8_000, marks=pytest.mark.slow)], ids=["idle", "busy"]
)
def test_a_worker_whose_program_was_killed_ends_by_itself(
    ubl: str, tmp_path: Path, count: int
) -> None:
    """Idle it sees the pipe end; busy it is ended by the system's alarm, whatever it is doing."""
    small, large = tmp_path / "f.xml", tmp_path / "g.xml"
    small.write_text(ubl)
    large.write_text(lines(ubl, count))
    program = """
        import os, signal, sys, threading
        from pathlib import Path
        from encaisse_einvoicing.validation import Engine, artefacts
        engine = Engine(limit=3)
        sheet = artefacts.load_sheet("br-fr-ubl", None)
        engine.runs(Path(sys.argv[1]).read_bytes())(sheet)
        print(engine.pid, flush=True)
        if sys.argv[3] != "0":
            work = engine.runs(Path(sys.argv[2]).read_bytes())
            threading.Thread(target=work, args=(sheet,), daemon=True).start()
            threading.Event().wait(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(small), str(large), str(count)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    pid = int(done.stdout)
    assert done.returncode == -signal.SIGKILL
    gone = time.monotonic() + 15
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < gone
        time.sleep(0.02)


# --- a document or a sheet that attacks ----------------------------------------------------------


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text("CANARY-7431")
    return path


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen where nobody may come."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        yield server


def never_called(server: socket.socket) -> bool:
    try:
        server.accept()
    except BlockingIOError:
        return True
    return False


def attacks(ubl: str, secret: Path, server: socket.socket) -> dict[str, str]:
    """Write the ways a document tries to have something read into it."""
    url = f"http://127.0.0.1:{server.getsockname()[1]}/x"
    declared = ubl.index("<Invoice")
    head, body = ubl[:declared], ubl[declared:]
    note = body.replace("#PMT#Indemn", "&x;#PMT#Indemn")
    return {
        "file": f'{head}<!DOCTYPE Invoice [<!ENTITY x SYSTEM "{secret.as_uri()}">]>{note}',
        "address": f'{head}<!DOCTYPE Invoice [<!ENTITY x SYSTEM "{url}">]>{note}',
        "dtd": f'{head}<!DOCTYPE Invoice SYSTEM "{url}">{body}',
        "parameter": f'{head}<!DOCTYPE Invoice [<!ENTITY % x SYSTEM "{url}"> %x;]>{body}',
        "internal": f'{head}<!DOCTYPE Invoice [<!ENTITY x "CANARY-7431">]>{note}',
        "schema": body.replace(
            "<Invoice ",
            '<Invoice xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xsi:schemaLocation="urn:x {url}" ',
        ),
        "include": body.replace(
            "#PMT#Indemn",
            f'#PMT#<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}" '
            'parse="text"/>Indemn',
        ),
        "stylesheet": f'<?xml-stylesheet type="text/xsl" href="{url}"?>{body}',
    }


def test_no_document_has_a_file_or_an_address_read_into_it(
    ubl: str, secret: Path, listener: socket.socket
) -> None:
    for name, text in attacks(ubl, secret, listener).items():
        report = validate_bytes(f"{name}.xml", text.encode())
        assert "CANARY" not in report.model_dump_json(), name
        refused = None if report.refused is None else report.refused.code
        assert (refused == "xml_doctype") == ("<!DOCTYPE" in text), name
    assert never_called(listener)


def test_a_doctype_is_refused_at_the_last_door_too(
    ubl: str, secret: Path, listener: socket.socket, engine: Engine
) -> None:
    for name, text in attacks(ubl, secret, listener).items():
        try:
            answer = engine.runs(text.encode())(load_sheet(BR_FR, None))
        except NotRun as why:
            assert why.code == "engine_error"
            assert ("<!DOCTYPE" in text) == ("DOCTYPE" in why.message_fr), name
            assert "CANARY" not in why.message_fr
        else:
            assert "<!DOCTYPE" not in text, name
            assert b"CANARY" not in answer
    assert never_called(listener)


def sheet_that(does: str) -> Sheet:
    """Write a sheet that tries to use what no sheet needs."""
    text = (
        '<xsl:stylesheet version="3.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">'
        f'<xsl:output method="xml"/><xsl:template match="/"><got>{does}</got></xsl:template>'
        "</xsl:stylesheet>"
    ).encode()
    source = Source("x", "feuille d'essai", "rules", "x.xslt", None, sources()[BR_FR].version)
    digest = hashlib.sha256(text).hexdigest()
    return Sheet(source, Artefact(name="x", version=None, sha256=digest), text, b"")


def test_the_engine_runs_a_sheet_and_opens_nothing_for_it(
    secret: Path, listener: socket.socket, tmp_path: Path, engine: Engine
) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    written = tmp_path / "written.xml"
    xml = tmp_path / "secret.xml"
    xml.write_text("<a>CANARY-7431</a>")
    for does in (
        f"<xsl:value-of select=\"unparsed-text('{secret.as_uri()}')\"/>",
        f"<xsl:value-of select=\"doc('{xml.as_uri()}')\"/>",
        f"<xsl:value-of select=\"document('{url}')\"/>",
        f"<xsl:copy-of select=\"collection('{tmp_path.as_uri()}')\"/>",
        f'<xsl:source-document href="{xml.as_uri()}"><a/></xsl:source-document>',
    ):
        with pytest.raises(NotRun) as stopped:
            engine.runs(b"<a/>")(sheet_that(does))
        assert stopped.value.code == "engine_error", does
        assert "CANARY" not in stopped.value.message_fr
    tries = f'<xsl:result-document href="{written.as_uri()}"><b/></xsl:result-document>'
    with pytest.raises(NotRun):
        engine.runs(b"<a/>")(sheet_that(tries))
    assert not written.exists() or written.stat().st_size == 0
    assert engine.runs(b"<a/>")(sheet_that("<b/>")).endswith(b"<got><b/></got>")
    assert never_called(listener)


def test_the_engine_s_own_lock_holds_without_ours(
    ubl: str, secret: Path, listener: socket.socket
) -> None:
    """Hand the engine a DOCTYPE past our own refusals: either of its locks alone keeps it out."""
    program = """
        import importlib.util, json, sys
        found = importlib.util.spec_from_file_location("worker", sys.argv[1])
        worker = importlib.util.module_from_spec(found)
        found.loader.exec_module(worker)
        import saxonche
        told = []
        for locks, text in json.load(sys.stdin):
            processor = saxonche.PySaxonProcessor(license=False)
            for number in locks:
                processor.set_configuration_property(*worker.LOCKS[number])
            try: told.append(str(processor.parse_xml(xml_text=text)))
            except Exception as error: told.append(f"STOPPED {error}")
        print(json.dumps(told))
    """
    path = Path(sys.modules[Engine.__module__].__file__ or "").with_name("worker.py")
    hostile = attacks(ubl, secret, listener)
    tried: list[tuple[list[int], str]] = [([], "file")]
    tried += [
        (locks, name)
        for locks in ([0], [1], [0, 1])
        for name in ("file", "address", "dtd", "parameter")
    ]
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(path)],
        input=json.dumps([(locks, hostile[name]) for locks, name in tried]),
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    without, *locked = cast("list[str]", json.loads(done.stdout))
    assert "CANARY" in without, "the attack itself works"
    for how, answer in zip(tried[1:], locked, strict=True):
        assert answer.startswith("STOPPED"), how
        assert "CANARY" not in answer, how
    assert never_called(listener)
