"""Hostile XML, each file read where nothing can be opened: typed, cheap, and no file or network.

Security table of docs on e-invoices: at most 200 MiB and one second of CPU for each.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.einvoicing.conftest import CII, UBL
from tests.einvoicing.hostile import xml_files
from tests.einvoicing.hostile.cases import CANARY, Case, Told, case, judge, read_guarded
from tests.einvoicing.hostile.xml_sizes import NAMES as SIZES
from tests.einvoicing.hostile.xml_sizes import sizes

PLACE = ("file:///canari", "http://127.0.0.1:9/")
"""Stand for the real canary and listener where only names are needed."""

NAMES = [each.name for each in xml_files.cases(CII, UBL, *PLACE)]


class Listener:
    """Count who calls this machine on a port of its own."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.calls = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.calls += 1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}/"


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Case], Told]]:
    """Read every file once, with a canary and a listener that must both stay untouched."""
    folder = tmp_path_factory.mktemp("hostile")
    canary = folder / "canari.txt"
    canary.write_text(CANARY)
    listener = Listener()
    asked = list(xml_files.cases(CII, UBL, canary.as_uri(), listener.url))
    control = [
        Case("libxml2 opens", canary_xml, frozenset(), kind="libxml2 opens"),
        Case("python opens", canary_xml, frozenset(), kind="python opens"),
    ]
    warm = [case("cii", CII.encode(), "ok"), case("ubl", UBL.encode(), "ok"), *warmers()]
    told = read_guarded([*asked, *control], warm, folder)
    yield {each.name: each for each in asked}, told
    listener.socket.close()
    assert listener.calls == 0


def canary_xml(path: Path) -> None:
    path.write_text(f"<canari>{CANARY}</canari>")


def warmers() -> list[Case]:
    """Use each codec once: Python imports them when they are first asked for."""
    codecs = (
        "utf-8-sig",
        "utf-16",
        "utf-16-le",
        "utf-16-be",
        "iso-8859-15",
        "cp1252",
        "iso-8859-1",
    )
    labels = ("UTF-8", "UTF-16", "UTF-16", "UTF-16", "ISO-8859-15", "windows-1252", "ISO-8859-1")
    return [
        case(f"{codec}", CII.replace("UTF-8", label).encode(codec), "ok")
        for codec, label in zip(codecs, labels, strict=True)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_xml_is_refused_or_read_safely(
    read: tuple[dict[str, Case], Told], name: str
) -> None:
    asked, told = read
    judge(asked[name], told[name])


def test_the_guard_sees_what_it_must_see(read: tuple[dict[str, Case], Told]) -> None:
    told = read[1]
    if not told["XInclude"]["closed"]:
        pytest.skip("this system has no seccomp filter: only the canary and the listener watched")
    assert told["libxml2 opens"] == {"signal": "SIGSYS"}
    assert told["python opens"] == {"signal": "SIGSYS"}


@pytest.fixture(scope="module")
def read_large(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Case], Told]:
    asked = list(sizes(CII))
    assert tuple(each.name for each in asked) == SIZES
    told = read_guarded(asked, [case("cii", CII.encode(), "ok")], tmp_path_factory.mktemp("large"))
    return {each.name: each for each in asked}, told


@pytest.mark.slow
@pytest.mark.parametrize("name", SIZES)
def test_too_much_of_anything_is_refused_or_read_within_bounds(
    read_large: tuple[dict[str, Case], Told], name: str
) -> None:
    asked, told = read_large
    judge(asked[name], told[name])
