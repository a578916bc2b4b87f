"""Hostile archives and FECs, each read where nothing else can be opened: typed, and cheap.

Security table of docs on e-invoices: at most 200 MiB and one second of CPU for each.
"""

from __future__ import annotations

import dataclasses

import pytest
from tests.einvoicing.conftest import CII
from tests.einvoicing.hostile import archive_files, ledger_files
from tests.einvoicing.hostile.cases import CANARY, Case, Told, judge, read_guarded

NAMES = [
    *(each.name for each in archive_files.cases(CII, "/canari")),
    *(each.name for each in ledger_files.cases()),
]
Read = tuple[dict[str, Case], Told]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    folder = tmp_path_factory.mktemp("hostile")
    canary = folder / "canari.xml"
    canary.write_text(CANARY)
    asked = [*archive_files.cases(CII, str(canary)), *ledger_files.cases()]
    # an honest archive and an honest ledger first: Python imports codecs when they are asked for
    honest = [
        each
        for each in asked
        if each.name.startswith(("an honest", "two enc", "zip: a folder", "zip: a link beside"))
    ]
    warm = [dataclasses.replace(each, name=f"warming {each.name}") for each in honest]
    return {each.name: each for each in asked}, read_guarded(asked, warm, folder)


@pytest.fixture(scope="module")
def read_large(tmp_path_factory: pytest.TempPathFactory) -> Read:
    asked = list(archive_files.large(CII))
    honest = [each for each in archive_files.cases(CII, "/x") if each.name.startswith("an honest")]
    return {each.name: each for each in asked}, read_guarded(
        asked, honest, tmp_path_factory.mktemp("large")
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", [each.name for each in archive_files.large(CII)])
def test_large_archives_are_refused_or_read_within_bounds(read_large: Read, name: str) -> None:
    asked, told = read_large
    judge(asked[name], told[name])


@pytest.mark.parametrize("name", NAMES)
def test_hostile_archives_and_ledgers_are_refused_or_read_safely(read: Read, name: str) -> None:
    asked, told = read
    judge(asked[name], told[name])
