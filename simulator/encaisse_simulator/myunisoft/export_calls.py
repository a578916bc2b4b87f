"""The complete export, which takes its time [D AP/MAD/api/export-all]."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from encaisse_simulator.myunisoft import mad_rows
from encaisse_simulator.myunisoft.amounts import Row, Value, answer
from encaisse_simulator.myunisoft.books import Books, Export
from encaisse_simulator.myunisoft.calls import Call
from encaisse_simulator.myunisoft.dossier import Dossier
from encaisse_simulator.myunisoft.historic_calls import dossiers_of
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.paris import instant
from encaisse_simulator.wire import Json, SimResponse, as_json

KEPT = timedelta(hours=1)
"""How long the same parameters give the same export [D]."""

STEPS = ("INIT", "PROCESSING", "DONE")
"""One step further at each look [S]."""


def start(call: Call) -> SimResponse:
    """Start an export of a dossier, or give the one of this hour."""
    call.mad("format", "accountingFolderId")
    if call.text("format") not in (None, "json"):
        raise Refused("GBL10", "seul format=json est simulé")
    name = f"export_sch-{call.dossier.firm.schema_id}_acf-{call.dossier.society_id}"
    exports = call.books.exports
    known = exports.get(name)
    if known is None or call.books.now - known.at >= KEPT:
        exports[name] = Export(call.dossier, call.books.now)
    return answer({"id": name, "status": STEPS[exports[name].looks]})


def status(call: Call) -> SimResponse:
    """Tell how far an export is."""
    name = call.needed("exportId")
    known = call.books.exports.get(name)
    if known is None or known.dossier not in dossiers_of(call):
        raise Refused("GBL10", "exportId")
    known.looks = min(known.looks + 1, len(STEPS) - 1)
    row: Row = {"id": name, "status": STEPS[known.looks]}
    if STEPS[known.looks] == "DONE":
        if not known.link:
            content = as_json(cast("Json", _file(call.books, known.dossier)))
            known.link = call.books.keep(f"{name}.json", "application/json", content).key
        row["url"] = f"{mad_rows.GED_URL}/{known.link}/download"
    return answer(row)


def _file(books: Books, dossier: Dossier) -> Row:
    metadata: Row = {
        "version": "1.0.0",
        "createdAt": instant(books.now),
        "producer": "MyUnisoft",
        "additionalFreeProperties": {},
    }
    entries: list[Value] = [mad_rows.entry_row(e, books.order) for e in dossier.posted.values()]
    data: Row = {
        "accountingFolder": {"name": dossier.name, "SIRET": dossier.siret},
        "payments": [mad_rows.payment_row(each) for each in dossier.payment_types.values()],
        "banks": [],
        "journals": [mad_rows.journal_row(each) for each in dossier.journals.values()],
        "accounts": [mad_rows.account_row(each) for each in dossier.accounts.values()],
        "exercices": [mad_rows.exercice_row(dossier, each) for each in dossier.exercices],
        "analytics": [],
        "entries": entries,
    }
    return {"metadata": metadata, "data": data}
