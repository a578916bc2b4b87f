"""What nothing public says, and what this simulator does instead [S].

Where a connector has to bear with more than one answer, the choice is a field, so that a test can
run under each: `world.myunisoft.choices = Choices(absent_entry_id="empty")`. The constants below
the class are choices nobody needs to vary. Chosen too, where the code that does it stands:

- Order of checks where none is documented: body, fields, dossier, journal, date, lines, sums.
- An unknown query parameter of a MAD call is 400 GBL10: a misspelt filter must not be lost.
- Several `classAccount`: repeated or comma-separated. Without `%`: a root in movements and entries,
  a whole account number elsewhere.
- Neither exercice nor dates, both, or one date of two: 400 GBL10.
- A key is active from its first call of any kind.
- A whole amount is written as an integer, as JavaScript does.
- Lettering: all lines of one account; a partial group may be taken up again, whole or under its own
  code, with more lines; a line unknown, pending or of another dossier is GBL10; a code another
  group holds is GBL6; MONO lines of two exercices are ECR16. Drafts cannot be lettered.
- Automatic lettering takes, when an entry lands, the lines of one account that carry one invoice
  number and add up to zero.
- Fields at fault: missing or mistyped GBL10; deadline before date_piece ECR4; a 40x account in a
  sales journal ECR16; a locked journal JOURNAL2; unknown payment type TYPEPAY1.
- The GED link needs no header: the token in it is enough.
- A webhook is handed over once and never sent again.
- Every call costs one request. Calls are one after
  the other, so concurrent ones are never refused unless a test asks (`fail_next`).
- The body of health, and of `document/add_all_types`.
- `type=aged` of the dynamic balance is not served: its answer is undocumented.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Choices:
    """Set each undocumented behaviour a caller has to bear with."""

    duplicate_partner_id: Literal["refuse", "accept"] = "refuse"
    """A second entry under one `entry_origin_partner_id`: 400 GBL6, or it lands twice."""

    absent_entry_id: Literal["404", "400", "empty"] = "404"
    """`GET /entry/id` for an unknown id: 404 or 400 with a code, or 200 with an empty object."""

    entry_reply: Literal["envelope", "empty"] = "envelope"
    """`POST /entry?type=e` answers as `/entry/temp` does with type E, or an empty object."""

    partial_code_starred: bool = True
    """Whether `next_lettering` gives a partial code with its `*` already."""

    account_by_id: Literal["array", "object"] = "array"
    """`account/v2?account_id=`: an array of one [P], or the object itself [D]."""

    carried_due_dates: bool = False
    """Whether a detailed à-nouveau line keeps the due date of the line it carries."""

    lettering_event_id: Literal["line", "entry"] = "line"
    """What `data.id` of the event `accountingEntryLettering` names."""

    carried_payment_types: bool = False
    """Whether a detailed à-nouveau line keeps the payment type of the line it carries."""


STATUS_OF_GATEWAY = {
    "ERR-HTTP": 404,
    "ERR-FORBIDDEN-ROUTE": 403,
    "ERR-FORBIDDEN-ACCESS": 403,
    "ERR-MISSING-RULE": 403,
    "ERR-THIRD-PARTY-DISCONNECTED": 403,
    "ERR-API-UNDER-MAINTENANCE": 503,
    "ERR-TOO-MANY-REQUEST": 429,
    "ERR-TOO-MANY-CONCURRENT-REQUEST": 429,
    "ERR-INTERNAL": 500,
}
"""HTTP status of gateway codes; only that of ERR-TOO-MANY-REQUEST is documented. Others: 401."""

ENTRY_NOT_FOUND = "ERR-ENTRY-NOT-FOUND"
"""Code in the documented 404 of `mad/entry`."""

WINDOW = timedelta(seconds=10)
"""The documented 10 seconds are counted from the first call after the last window ended."""

LONGEST_RANGE = timedelta(days=366)
"""Widest range of dates of one call; the documents say both 12 months and 12 to 24."""

BUSINESS_STATUS = {"DROIT1": 403, "LETTRAGE9": 403}
"""Business codes that are not 400 [D]."""
