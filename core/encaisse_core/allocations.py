"""Write down which échéance took how much of a payment; the spreading itself is `allocate.py`'s."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, Text, bindparam, select

from encaisse_core.allocate import Open
from encaisse_core.store import schema
from encaisse_core.store.said import Said

_A, _E = schema.allocation.c, schema.echeance.c
_KEYS = {
    _A.company_id: bindparam("of_company", type_=Text),
    _A.payment_id: bindparam("of_payment", type_=Text),
    _A.claim_id: bindparam("of_claim", type_=Text),
    _A.echeance_id: bindparam("of_part", type_=Text),
}
_CENTS = bindparam("cents", type_=BigInteger)
_MORE = Said(
    schema.allocation.update()
    .where(*(column == bound for column, bound in _KEYS.items()))
    .values(amount=_A.amount + _CENTS)
)
_ALLOT = Said(
    schema.allocation.insert().values(
        {column.name: bound for column, bound in _KEYS.items()}
        | {"id": bindparam("of_id", type_=Text), "amount": _CENTS}
        | {"created_at": bindparam("at", type_=Text)}
    )
)
_PAY = Said(
    schema.echeance.update()
    .where(_E.company_id == _KEYS[_A.company_id], _E.id == _KEYS[_A.echeance_id])
    .values(open=_E.open - _CENTS)
)
"""Made once: each part of each payment asks them."""


def allocate_to(
    tx: Connection,
    company_id: str,
    payment_id: str,
    claim_id: str,
    echeance_id: str,
    cents: int,
    at: str,
) -> None:
    part: dict[str, Any] = {"of_company": company_id, "of_part": echeance_id, "cents": cents}
    here = part | {"of_payment": payment_id, "of_claim": claim_id}
    if _MORE.run(tx, here).rowcount == 0:
        name = "alc_" + payment_id[4:] + "_" + echeance_id[4:]
        _ALLOT.run(tx, here | {"of_id": name, "at": at})
    _PAY.run(tx, part)


def open_echeances(tx: Connection, company_id: str, claim_id: str) -> list[Open]:
    e = schema.echeance.c
    query = (
        select(e.id, e.due_date, e.open)
        .where(e.company_id == company_id, e.claim_id == claim_id)
        .order_by(e.due_date, e.ref)
    )
    return [
        Open(row.id, date.fromisoformat(row.due_date) if row.due_date else None, row.open)
        for row in tx.execute(query)
    ]
