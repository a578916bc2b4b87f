"""Draft a month's statements, issue them, and read what was issued: never written again.

Months are issued in order, once they are over: a line is dated the day it is written, so that a
month that is over gets no more lines, and money taken back later is a line of a later month.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from stdnum.fr import siren as siren_key

from encaisse_core import earnings, journal, restored
from encaisse_core.clock import PARIS
from encaisse_core.commissions import CommissionLine
from encaisse_core.errors import CheckFailed
from encaisse_core.host import Host
from encaisse_core.statements import (
    Billing,
    Heading,
    Party,
    Reckoning,
    Stated,
    document,
    missing,
    numbered,
    reckon,
)
from encaisse_core.store import schema
from encaisse_core.store.engine import rows, stamp

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """Hold one month of one referrer in one currency, not issued yet, and why it cannot be."""

    referrer_id: str
    name: str
    heading: Heading
    lines: tuple[Stated, ...]
    line_ids: tuple[str, ...]
    sums: Reckoning
    refusal: str | None

    @property
    def document(self) -> Row:
        """Write it as it would be issued, without its numbers."""
        return document(self.heading, self.lines, self.sums)


def drafts(
    host: Host,
    tx: Connection,
    company_id: str,
    period: str,
    referrer_id: str | None = None,
    *,
    checked: bool = False,
) -> list[Draft]:
    """Draft a month's statements (`YYYY-MM`) that are not issued; one without lines is none.

    `checked` says that a person knows, after a restored backup, whether the month was issued.
    """
    forgotten = None if checked else _forgotten(tx, company_id, period)
    stated = _stated_in(tx, company_id)
    open_: dict[tuple[str, str], list[tuple[Row, CommissionLine]]] = defaultdict(list)
    ledger = earnings.ledger(tx, company_id)
    for row, line in ledger:
        if row["id"] not in stated and referrer_id in (None, line.referrer_id):
            open_[line.referrer_id, line.currency].append((row, line))
    payable_in = {
        line.settlement_id: stated[row["id"]]
        for row, line in ledger
        if line.kind == "payable" and row["id"] in stated
    }
    found: list[Draft] = []
    for (who, currency), lines in sorted(open_.items()):
        month = [(row, line) for row, line in lines if f"{line.on:%Y-%m}" == period]
        if month:
            earlier = min(f"{line.on:%Y-%m}" for _, line in lines)
            facts = _facts(tx, company_id, who)
            shown = _shown(tx, company_id, month, payable_in)
            brought = _brought(tx, company_id, who, currency)
            heading = _heading(tx, company_id, facts, period, currency)
            found.append(
                Draft(
                    who,
                    facts["name"],
                    heading,
                    tuple(shown),
                    tuple(row["id"] for row, _ in month),
                    reckon([line for _, line in month], period, brought, heading.billing.regime),
                    _refusal(host, facts["name"], heading, earlier) or forgotten,
                )
            )
    return found


def _refusal(host: Host, name: str, heading: Heading, earlier: str) -> str | None:
    """Say in French why a draft cannot be issued today; None where it can."""
    if heading.period >= f"{host.clock.today():%Y-%m}":
        return f"Le mois {heading.period} n'est pas fini : son relevé est un projet."
    if earlier < heading.period:
        return f"Le relevé de {earlier} de {name} n'est pas encore émis : émettez-le d'abord."
    if lacks := missing(heading.seller, heading.billing):
        return f"Il manque de {name} {', '.join(lacks)} : encaisse referrer identify."
    return None


def _forgotten(tx: Connection, company_id: str, period: str) -> str | None:
    """Say in French why a month that may have been issued before a restoration waits."""
    year, month = int(period[:4]), int(period[5:])
    over = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=PARIS)
    found = restored.may_have_been_issued(tx, company_id, stamp(over))
    if found is None:
        return None
    return (
        f"Le mois {period} a pu être émis avant la restauration du {found.restored_at[:10]}, et la "
        "base ne le saurait plus. Vérifiez ce que vous avez envoyé, puis ajoutez --issued-as "
        "NUMÉRO s'il l'a été, ou --never-issued s'il ne l'a pas été."
    )


def _number(tx: Connection, company_id: str, draft: Draft, prefix: str, year: int) -> str:
    """Give the next number of a referrer's series; after a restoration a new series begins.

    Which numbers were given between the backup and its restoration nobody knows here, so none of
    that series is given any more.
    """
    s = schema.commission_statement.c
    column = s.number if prefix == "RC" else s.invoice_number
    series = restored.series(tx, company_id)
    query = select(func.count(column)).where(
        s.company_id == company_id, s.referrer_id == draft.referrer_id
    )
    if series:
        query = query.where(column.contains(f"-{series}-"))
    given = int(tx.execute(query).scalar_one())
    return numbered(prefix, draft.heading.seller, year, given + 1, series)


def issue(
    host: Host,
    tx: Connection,
    company_id: str,
    draft: Draft,
    *,
    as_number: str | None = None,
    as_invoice: str | None = None,
) -> Row:
    """Issue a draft: number it, freeze it, state its lines. It must have no refusal.

    `as_number` and `as_invoice` are numbers it was given before a restoration that forgot it.
    """
    s = schema.commission_statement.c
    now, today = host.clock.now(), host.clock.today()
    here = (s.company_id == company_id, s.referrer_id == draft.referrer_id)
    issued = tx.execute(select(func.count()).where(*here)).scalar_one()
    heading = draft.heading
    number = as_number or _number(tx, company_id, draft, "RC", today.year)
    heading = replace(heading, number=number, issued_on=today)
    if heading.billing.mandate is not None and draft.sums.excl_vat:
        number = as_invoice or _number(tx, company_id, draft, "AF", today.year)
        heading = replace(heading, invoice_number=number)
    text = json.dumps(
        document(heading, draft.lines, draft.sums), ensure_ascii=False, sort_keys=True
    )
    digest = hashlib.sha256(text.encode()).hexdigest()
    made = host.ids.new("sta")
    tx.execute(
        schema.commission_statement.insert().values(
            company_id=company_id,
            id=made,
            referrer_id=draft.referrer_id,
            currency=heading.currency,
            period=heading.period,
            sequence=issued + 1,
            number=heading.number,
            invoice_number=heading.invoice_number,
            carried=draft.sums.carried,
            document=text,
            digest=digest,
            issued_at=stamp(now),
        )
    )
    for line_id in draft.line_ids:
        tx.execute(
            schema.statement_line.insert().values(
                company_id=company_id, line_id=line_id, statement_id=made
            )
        )
    body: dict[str, journal.JSON] = {
        "number": heading.number or "",
        "referrer": draft.referrer_id,
        "period": heading.period,
        "lines": len(draft.line_ids),
        "excl_vat": draft.sums.excl_vat,
        "carried": draft.sums.carried,
        "digest": digest,
    }
    journal.append(tx, company_id, now, "statement_issued", made, body)
    return json.loads(text)  # type: ignore[no-any-return]


def issued(
    tx: Connection, company_id: str, period: str | None = None, referrer_id: str | None = None
) -> list[Row]:
    """Read issued statements as they were issued, the oldest first.

    Raises `CheckFailed` for one whose text is no longer the one it was issued with.
    """
    s, r = schema.commission_statement.c, schema.referrer.c
    query = (
        select(schema.commission_statement, r.name)
        .join(schema.referrer, (r.company_id == s.company_id) & (r.id == s.referrer_id))
        .where(s.company_id == company_id)
        .order_by(s.period, r.name, s.sequence)
    )
    if period is not None:
        query = query.where(s.period == period)
    if referrer_id is not None:
        query = query.where(s.referrer_id == referrer_id)
    found: list[Row] = []
    for row in rows(tx.execute(query)):
        if hashlib.sha256(row["document"].encode()).hexdigest() != row["digest"]:
            raise CheckFailed(
                f"Le relevé {row['number']} n'est plus celui qui a été émis : la base a été "
                "modifiée. Comparez avec le journal (encaisse journal verify)."
            )
        found.append({**row, "document": json.loads(row["document"])})
    return found


def _stated_in(tx: Connection, company_id: str) -> dict[str, str]:
    """Tell which statement, by number, each line stands in."""
    x, s = schema.statement_line.c, schema.commission_statement.c
    query = (
        select(x.line_id, s.number)
        .join(
            schema.commission_statement,
            (s.company_id == x.company_id) & (s.id == x.statement_id),
        )
        .where(x.company_id == company_id)
    )
    return {row.line_id: row.number for row in tx.execute(query)}


def _brought(tx: Connection, company_id: str, referrer_id: str, currency: str) -> int:
    """Give what the last statement left to take off this one."""
    s = schema.commission_statement.c
    query = (
        select(s.carried)
        .where(s.company_id == company_id, s.referrer_id == referrer_id, s.currency == currency)
        .order_by(s.sequence.desc())
        .limit(1)
    )
    return int(tx.execute(query).scalar_one_or_none() or 0)


def _facts(tx: Connection, company_id: str, referrer_id: str) -> Mapping[str, Any]:
    r = schema.referrer.c
    query = select(schema.referrer).where(r.company_id == company_id, r.id == referrer_id)
    return dict(tx.execute(query).mappings().one())


def _heading(
    tx: Connection, company_id: str, facts: Mapping[str, Any], period: str, currency: str
) -> Heading:
    """Put together who sells and who buys, as they are known today."""
    c = schema.company.c
    company = tx.execute(select(c.name, c.siren).where(c.id == company_id)).one()
    return Heading(
        period,
        currency,
        seller=Party(
            facts["name"], facts["siren"], facts["vat_id"], facts["country"], facts["address"]
        ),
        buyer=Party(
            company.name,
            company.siren,
            f"FR{siren_key.to_tva(company.siren)}",
            "FR",
            vat_derived=True,
        ),
        billing=Billing(facts["vat_regime"], facts["self_billing"]),
    )


def _shown(
    tx: Connection,
    company_id: str,
    lines: Sequence[tuple[Row, CommissionLine]],
    payable_in: Mapping[str, str],
) -> list[Stated]:
    """Show lines to their referrer: the invoice's number only where the contract says so."""
    k, c, s = schema.referrer_contract.c, schema.claim.c, schema.settlement.c
    terms = {
        row.id: row
        for row in tx.execute(
            select(k.id, k.rate_ppm, k.shows_numbers).where(k.company_id == company_id)
        )
    }
    numbers = {
        row.id: row.number
        for row in tx.execute(
            select(s.id, c.number)
            .join(schema.claim, (c.company_id == s.company_id) & (c.id == s.claim_id))
            .where(s.company_id == company_id)
        )
    }
    return [
        Stated(
            line,
            line.settlement_id,
            numbers[line.settlement_id] if terms[line.contract_id].shows_numbers else None,
            terms[line.contract_id].rate_ppm,
            payable_in.get(line.settlement_id) if line.kind == "clawback" else None,
        )
        for _, line in lines
    ]
