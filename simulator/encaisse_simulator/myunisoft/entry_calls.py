"""Write entries, posted or awaiting validation, and find them by the partner's id [D], [P]."""

from __future__ import annotations

from encaisse_simulator.myunisoft.amounts import Row, Value, answer, euros
from encaisse_simulator.myunisoft.calls import Call
from encaisse_simulator.myunisoft.choices import ENTRY_NOT_FOUND
from encaisse_simulator.myunisoft.entries import Entry, Origin
from encaisse_simulator.myunisoft.historic_rows import brief_row
from encaisse_simulator.myunisoft.lettering import letter_by_itself
from encaisse_simulator.myunisoft.mad_rows import GED_URL
from encaisse_simulator.myunisoft.new_entry import read_entry
from encaisse_simulator.myunisoft.refusals import Refused
from encaisse_simulator.myunisoft.webhook_calls import parsed
from encaisse_simulator.wire import SimResponse

PADDED = 25
"""Width `piece2` is padded to with spaces in replies about drafts [P]; the figure is ours [S]."""


def post_entry(call: Call) -> SimResponse:
    """Post an entry."""
    return _write(call, "e", draft=False)


def post_draft(call: Call) -> SimResponse:
    """Leave an entry for an accountant to validate."""
    return _write(call, "o", draft=True)


def entry_id(call: Call) -> SimResponse:
    """Find the entry a partner's id names, posted or pending."""
    call.only("id_origin")
    wanted = call.needed("id_origin")
    found = call.dossier.by_partner_id(wanted)
    if not found:
        absent = call.books.choices.absent_entry_id
        if absent == "empty":
            return answer({})
        raise Refused(ENTRY_NOT_FOUND, "", int(absent))
    first = found[0]
    kind = "ENTRIES" if first.id in call.dossier.posted else "ENTRIES_TEMP"
    row: Row = {"id_entry": first.id, "type": kind}
    if first.origin.json is not None:
        row["json_metadata_partners"] = first.origin.json
    return answer(row)


def _write(call: Call, kind: str, *, draft: bool) -> SimResponse:
    call.only("type")
    if call.needed("type").lower() != kind:
        raise Refused("ECR17")
    new = read_entry(call.books, call.dossier, parsed(call))
    partner = call.key.partner
    origin = Origin("API", (partner.name, partner.code), new.partner_id, new.json, "api")
    entry = call.books.write(
        call.dossier,
        new.journal,
        new.day,
        new.lines,
        origin=origin,
        draft=draft,
        comment=new.comment,
        documents=new.documents,
    )
    if not draft:
        letter_by_itself(call.books, call.dossier, entry)
        if call.books.choices.entry_reply == "empty":
            return answer({})
    return answer(_envelope(call, entry, draft=draft))


def _envelope(call: Call, entry: Entry, *, draft: bool) -> Row:
    """Write the reply; lines come in any order."""
    sums = euros(sum(line.debit for line in entry.lines))
    lines: list[Value] = [
        {
            "line_entry_id": line.id,
            "account": brief_row(line.account),
            "label": line.label,
            "debit": euros(line.debit) if line.debit else None,
            "credit": euros(line.credit) if line.credit else None,
            "piece": line.piece or None,
            "piece2": line.number.ljust(PADDED) if draft else line.number,
            "deadline": line.due.isoformat() if line.due else None,
            "payment_type_id": line.payment_type.id if line.payment_type else None,
            "lettrage": line.lettering,
        }
        for line in call.books.order.shuffled(entry.lines)
    ]
    files: list[Value] = [
        {"name": each.name, "link": f"{GED_URL}/{each.key}/download"} for each in entry.documents
    ]
    journal = entry.journal
    row: Row = {
        "entry_id": entry.id,
        "diary": {"diary_id": journal.id, "code": journal.code, "name": journal.name},
        "date_piece": entry.day.isoformat(),
        "entry_list": lines,
        "pj_list": files,
        "doublon": None,
        "alerte": "",
    }
    kind = "IB" if draft else "E"
    return {"type": kind, "debit_total": sums, "credit_total": sums, "entry_array": [row]}
