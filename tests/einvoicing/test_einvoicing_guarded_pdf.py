"""Hostile PDFs, each read where nothing can be opened: typed, cheap, and no file or network.

Security table of docs on e-invoices: at most 200 MiB and one second of CPU for each.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.einvoicing.conftest import CII, UBL
from tests.einvoicing.hostile import pdf_files
from tests.einvoicing.hostile.cases import CANARY, Case, Told, case, judge, read_guarded
from tests.einvoicing.hostile.pdf_raw import deflated, holding, pdf
from tests.einvoicing.hostile.pdf_sizes import NAMES as LARGE
from tests.einvoicing.hostile.pdf_sizes import large
from tests.einvoicing.hostile.pdf_structure import locked

NAMES = [each.name for each in pdf_files.cases(CII, UBL, "/canari")]
Read = tuple[dict[str, Case], Told]


def warmers() -> list[Case]:
    """Read an honest PDF, and one whose password makes qpdf open the system's random numbers."""
    honest = pdf(holding(deflated(CII.encode())))
    return [case("honest", honest, "ok"), case("locked", locked(honest, "", 6), "ok")]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("hostile")
    canary = folder / "canari.txt"
    canary.write_text(CANARY)
    return answered(list(pdf_files.cases(CII, UBL, str(canary))), folder)


@pytest.fixture(scope="module")
def read_large(tmp_path_factory: pytest.TempPathFactory) -> Read:
    asked = list(large(CII))
    assert tuple(each.name for each in asked) == LARGE
    return answered(asked, tmp_path_factory.mktemp("large"))


def answered(asked: list[Case], folder: Path) -> Read:
    return {each.name: each for each in asked}, read_guarded(asked, warmers(), folder)


@pytest.mark.parametrize("name", NAMES)
def test_hostile_pdfs_are_refused_or_read_safely(read: Read, name: str) -> None:
    asked, told = read
    judge(asked[name], told[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", LARGE)
def test_large_pdfs_are_refused_or_read_within_bounds(read_large: Read, name: str) -> None:
    asked, told = read_large
    judge(asked[name], told[name])
