"""Read what is known of a dossier beside its lines: who it is, its customers, their terms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from pydantic import ValidationError
from stdnum.fr import siren as siren_number

from encaisse_api import wire
from encaisse_api.answers import why
from encaisse_api.errors import ActionNeeded, Drift
from encaisse_api.source import RemoteAccount, Seller
from encaisse_myunisoft import debtors, grant, terms
from encaisse_myunisoft.answers import APP
from encaisse_myunisoft.client import MyUnisoftClient
from encaisse_myunisoft.mapping import Books, Facts, needs_terms
from encaisse_myunisoft.rows import SocietyRow

SUBJECT = "Dossiers de MyUnisoft"


def society(client: MyUnisoftClient) -> SocietyRow:
    """Read the one dossier we are in."""
    rows = _rows(client.must("/society", subject=SUBJECT))
    if len(rows) != 1:
        raise ActionNeeded(
            f"Cette clé MyUnisoft ouvre {len(rows)} dossiers : raccordez-en un à la fois, avec "
            f"--account et son numéro ({', '.join(row.society_id for row in rows[:10])}).",
            url=APP,
        )
    return rows[0]


def accounts(client: MyUnisoftClient) -> list[RemoteAccount]:
    """List every dossier the key opens; `/key/info` first, since it activates a new key."""
    key = client.get("/key/info", subject=SUBJECT, params={"mode": "extended"}, firm_wide=True)
    grant.read(key)
    answer = client.get("/society", subject=SUBJECT, firm_wide=True)
    return [
        RemoteAccount(ref=row.society_id, name=row.name or row.society_id, siren=siren_of(row))
        for row in _rows(answer)
    ]


def siren_of(row: SocietyRow) -> str | None:
    """Cut the SIREN from `siret`, which holds 14 digits, 9, or nothing."""
    digits = "".join(row.siret.split())
    siren = digits[:9] if len(digits) in (9, 14) else ""
    return siren if siren.isascii() and siren_number.is_valid(siren) else None


def facts(client: MyUnisoftClient, books: Books, roots: Sequence[str]) -> Facts:
    """Read who the dossier is, its customers, and their terms where a due date is missing."""
    cards: dict[str, debtors.AccountRow] = {}
    for root in roots:
        answer = client.mad("accounts", subject=f"Comptes {root}", classAccount=f"{root}%")
        cards.update(debtors.accounts(answer))
    return Facts(
        cards=cards,
        terms=_terms(client, roots) if needs_terms(books) else terms.NO_TERMS,
        seller=Seller(siren=siren_of(society(client))),
    )


def _terms(client: MyUnisoftClient, roots: Sequence[str]) -> terms.Terms:
    """Read payment terms; without the right to, due dates stay missing, which a rule tells."""
    found: dict[str, terms.Term] = {}
    try:
        for root in roots:
            params = {"begin_by": root, "details": "true"}
            answer = client.must("/account/v2", subject=f"Conditions de {root}", params=params)
            found.update(terms.of_accounts(answer))
        parameters = client.must("/society/accountingParameters", subject="Paramètres du dossier")
    except ActionNeeded:
        return terms.NO_TERMS
    return terms.Terms(found, terms.of_dossier(parameters))


def _rows(answer: object) -> list[SocietyRow]:
    """Read `society_array`, or the one object a dossier's own key is answered with."""
    said = wire.members(answer)
    if not said:
        raise _drift(answer, "ni dossier ni liste de dossiers")
    array = said.get("society_array", answer)
    raws = cast("list[object]", array) if isinstance(array, list) else [array]
    try:
        rows = [SocietyRow.model_validate(raw) for raw in raws]
    except ValidationError as error:
        raise _drift(answer, f"dossier illisible ({why(error)})") from None
    stated = said.get("row_numbers")
    if isinstance(stated, int) and stated != len(rows):
        raise _drift(answer, f"{stated} dossiers annoncés, {len(rows)} donnés")
    return rows


def _drift(answer: object, what: str) -> Drift:
    return Drift(f"{SUBJECT} : {what}. La réponse est conservée.", raw=wire.write(answer))
