"""Read which reminders were sent from the e-mails of an invoice. Pure.

Documented are the names of the fields and the word `reminder3` (README of
github.com/thefloatingstone/factomos, section 20). That every model of a reminder begins with
`reminder` is assumed; an e-mail of any other model, such as the invoice itself, reminds of nothing.
The address, the subject and the text of an e-mail are not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import ValidationError

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.errors import Drift
from encaisse_api.source import Reminder
from encaisse_factomos.rows import MailRow

LIST = "invoice-emails"
MODEL = "reminder"


def reminders_of(answer: Mapping[str, object], ref: str, subject: str) -> Sequence[Reminder]:
    """Give the reminders, oldest first; raises `Drift` for a row that cannot be read."""
    found = answer.get(LIST)
    if not isinstance(found, list):
        raise _drift(f"{subject} : pas de liste d'e-mails dans la réponse de Factomos", ())
    rows = cast("list[object]", found)
    try:
        mails = [MailRow.model_validate(raw) for raw in rows]
        strangers = {mail.invoice for mail in mails} - {ref}
        if strangers:
            raise _drift(f"{subject} : e-mails d'une autre facture ({min(strangers)})", rows)
        sent = [
            Reminder(at=mail.at, kind=mail.template)
            for mail in mails
            if mail.template.startswith(MODEL)
        ]
    except ValidationError as error:
        raise _drift(f"{subject} : e-mail illisible ({why(error)})", rows) from None
    return sorted(sent, key=lambda reminder: (reminder.at, reminder.kind))


def _drift(what: str, rows: Sequence[object]) -> Drift:
    """Keep which fields came, and nothing of what they say: they hold addresses and letters."""
    kept = [cast("Mapping[str, object]", row) for row in rows if isinstance(row, dict)]
    return Drift(f"{what}.", raw=wire.write([sorted(row) for row in kept]))
