"""Keep referrers: who they are, what was agreed with them, and what they brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, select
from stdnum.eu import vat

from encaisse_core import journal
from encaisse_core.clock import PARIS
from encaisse_core.companies import checked_siren
from encaisse_core.contracts import Contract, Import, ReferrerKind, in_force, overlapping
from encaisse_core.contracts import first_import as first
from encaisse_core.errors import UsageError
from encaisse_core.host import Host, Link
from encaisse_core.statements import REGIMES, Regime
from encaisse_core.store import schema
from encaisse_core.store.engine import instant, rows, stamp
from encaisse_core.store.upsert import among, insert_many


@dataclass(frozen=True, slots=True)
class Agreed:
    """Hold what a new contract says; days are included, `ends_on` None has no end."""

    rate_ppm: int
    starts_on: date
    ends_on: date | None = None
    terms: str = ""
    legal_opinion: str | None = None
    shows_numbers: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold what an invoice of the referrer says of it; None leaves what is known."""

    siren: str | None = None
    vat_id: str | None = None
    country: str | None = None
    address: str | None = None
    vat_regime: Regime | None = None
    self_billing: str | None = None


def add(host: Host, tx: Connection, company_id: str, name: str, kind: ReferrerKind) -> str:
    """Record a referrer; it earns nothing before it has a contract."""
    now = host.clock.now()
    made = host.ids.new("ref")
    tx.execute(
        schema.referrer.insert().values(
            company_id=company_id, id=made, kind=kind, name=name, created_at=stamp(now)
        )
    )
    journal.append(tx, company_id, now, "referrer_added", made, {"kind": kind})
    return made


def identify(
    host: Host, tx: Connection, company_id: str, referrer_id: str, told: Identity
) -> dict[str, str]:
    """Record who a referrer is for its invoices; statements issued before stay as they are.

    Raises `UsageError` for a number with a wrong key, and for what does not hold together: a VAT
    number of another country, French VAT for a foreign referrer, reverse charge for a French one.
    """
    r = schema.referrer
    here = (r.c.company_id == company_id, r.c.id == referrer_id)
    known = dict(tx.execute(select(r).where(*here)).mappings().one())
    given = {
        "siren": None if told.siren is None else checked_siren(told.siren),
        "vat_id": None if told.vat_id is None else _checked_vat(told.vat_id),
        "country": None if told.country is None else told.country.strip().upper(),
        "address": told.address,
        "vat_regime": told.vat_regime,
        "self_billing": told.self_billing,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    if not changed:
        raise UsageError("Rien à noter : donnez au moins une option (--siren, --vat-number…).")
    _hold_together(known | changed)
    tx.execute(r.update().where(*here).values(**changed))
    body: dict[str, journal.JSON] = {"fields": sorted(changed)}
    journal.append(tx, company_id, host.clock.now(), "referrer_identified", referrer_id, body)
    return changed


def _checked_vat(typed: str) -> str:
    if not vat.is_valid(typed):
        raise UsageError(
            f"« {typed} » n'est pas un numéro de TVA d'un pays de l'Union européenne : pays, clé "
            "et numéro, comme FR32123456789."
        )
    return str(vat.compact(typed))


def _hold_together(known: Mapping[str, Any]) -> None:
    """Refuse facts that cannot be true of one referrer."""
    country, number = known["country"], known["vat_id"]
    if number is not None and number[:2] != ("EL" if country == "GR" else country):
        raise UsageError(f"Le numéro de TVA {number} n'est pas du pays {country} (--country).")
    if number is not None and known["siren"] and country == "FR" and number[4:] != known["siren"]:
        raise UsageError(f"Le numéro de TVA {number} n'est pas celui du SIREN {known['siren']}.")
    regime = REGIMES.get(known["vat_regime"])
    if regime is not None and regime.french != (country == "FR"):
        raise UsageError(
            "L'autoliquidation est pour un apporteur d'un autre pays de l'Union ; un apporteur "
            "français est soumis à la TVA (standard) ou en franchise (franchise)."
        )


def agree(host: Host, tx: Connection, company_id: str, referrer_id: str, said: Agreed) -> str:
    """Record a contract. Raises `UsageError` where another one is in force on one of its days."""
    if said.ends_on is not None and said.ends_on < said.starts_on:
        raise UsageError("Un contrat ne finit pas avant de commencer : voyez --from et --until.")
    host.store.one_at_a_time(tx, company_id)
    standing = contracts(tx, company_id, referrer_id)
    if shared := overlapping(standing, said.starts_on, said.ends_on):
        raise UsageError(
            f"Le contrat {shared[0].id} est en vigueur {_days(shared[0])} : deux contrats d'un "
            "apporteur ne se recouvrent pas. Choisissez d'autres dates, ou mettez-lui d'abord fin "
            "(encaisse referrer end)."
        )
    now = host.clock.now()
    made = host.ids.new("ctr")
    tx.execute(
        schema.referrer_contract.insert().values(
            company_id=company_id,
            id=made,
            referrer_id=referrer_id,
            starts_on=said.starts_on.isoformat(),
            ends_on=said.ends_on and said.ends_on.isoformat(),
            rate_ppm=said.rate_ppm,
            basis="fee_excl_vat",
            terms=said.terms,
            legal_opinion=said.legal_opinion,
            shows_numbers=int(said.shows_numbers),
            created_at=stamp(now),
        )
    )
    reconsider(tx, company_id)
    body: dict[str, journal.JSON] = {
        "referrer": referrer_id,
        "rate_ppm": said.rate_ppm,
        "from": said.starts_on.isoformat(),
        "until": said.ends_on.isoformat() if said.ends_on else None,
    }
    journal.append(tx, company_id, now, "contract_added", made, body)
    return made


def reconsider(tx: Connection, company_id: str, *claim_ids: str) -> None:
    """Let commissions be worked out again: of these claims, or of all where none is named."""
    s = schema.settlement.c
    query = schema.settlement.update().where(s.company_id == company_id)
    if claim_ids:
        query = query.where(s.claim_id.in_(claim_ids))
    tx.execute(query.values(earned_state=None))


def end(host: Host, tx: Connection, company_id: str, contract_id: str, last_day: date) -> None:
    """Give a contract its last day, today or later: what was brought under it stays so."""
    host.store.one_at_a_time(tx, company_id)
    contract = next(c for c in contracts(tx, company_id) if c.id == contract_id)
    if contract.ends_on is not None:
        raise UsageError(
            f"Le contrat {contract_id} finit déjà : il est en vigueur {_days(contract)}."
        )
    if last_day < max(host.clock.today(), contract.starts_on):
        raise UsageError(
            f"Le contrat {contract_id} ne peut pas finir le {last_day:%d/%m/%Y} : au plus tôt "
            f"aujourd'hui, et pas avant son début ({contract.starts_on:%d/%m/%Y})."
        )
    c = schema.referrer_contract
    tx.execute(
        c.update()
        .where(c.c.company_id == company_id, c.c.id == contract_id)
        .values(ends_on=last_day.isoformat())
    )
    body: dict[str, journal.JSON] = {"until": last_day.isoformat()}
    journal.append(tx, company_id, host.clock.now(), "contract_ended", contract_id, body)


def _days(contract: Contract) -> str:
    start = f"{contract.starts_on:%d/%m/%Y}"
    if contract.ends_on is None:
        return f"depuis le {start}"
    return f"du {start} au {contract.ends_on:%d/%m/%Y}"


def contracts(tx: Connection, company_id: str, referrer_id: str | None = None) -> list[Contract]:
    """List a company's contracts, of one referrer or all, the oldest first."""
    c, r = schema.referrer_contract.c, schema.referrer.c
    query = (
        select(schema.referrer_contract, r.kind)
        .join(schema.referrer, (r.company_id == c.company_id) & (r.id == c.referrer_id))
        .where(c.company_id == company_id)
        .order_by(c.starts_on, c.id)
    )
    if referrer_id is not None:
        query = query.where(c.referrer_id == referrer_id)
    return [
        Contract(
            id=row["id"],
            referrer_id=row["referrer_id"],
            kind=row["kind"],
            starts_on=date.fromisoformat(row["starts_on"]),
            ends_on=row["ends_on"] and date.fromisoformat(row["ends_on"]),
            rate_ppm=row["rate_ppm"],
            terms=row["terms"],
            legal_opinion=row["legal_opinion"],
            basis=row["basis"],
        )
        for row in rows(tx.execute(query))
    ]


def attribute(tx: Connection, link: Link, sighting_ids: Sequence[str], at: str) -> None:
    """Keep who had referred a source when its records were first imported; never changed later."""
    if link.referrer_id is None or not sighting_ids:
        return
    insert_many(
        tx,
        schema.attribution,
        ("company_id", "sighting_id", "referrer_id", "connection_id", "attributed_at"),
        [(link.company_id, each, link.referrer_id, link.id, at) for each in sighting_ids],
    )


def imports(tx: Connection, company_id: str, claim_ids: Sequence[str]) -> dict[str, list[Import]]:
    """List the imports of some claims."""
    s, a, c = schema.sighting.c, schema.attribution.c, schema.connection.c
    query = (
        select(s.claim_id, s.id, s.created_at, c.sequence, a.referrer_id)
        .join(schema.connection, (c.company_id == s.company_id) & (c.id == s.connection_id))
        .outerjoin(schema.attribution, (a.company_id == s.company_id) & (a.sighting_id == s.id))
        .where(s.company_id == company_id, among(tx, s.claim_id, claim_ids))
        .order_by(s.created_at, c.sequence, s.id)
    )
    found: dict[str, list[Import]] = {}
    for row in tx.execute(query):
        seen = Import(row.id, instant(row.created_at), row.sequence, row.referrer_id)
        found.setdefault(row.claim_id, []).append(seen)
    return found


def earning(known: list[Contract], seen: list[Import]) -> Contract | None:
    """Find the contract a claim's commission comes under: of its first import, on that day."""
    decides = first(seen)
    if decides is None or decides.referrer_id is None:
        return None
    return in_force(known, decides.referrer_id, decides.at.astimezone(PARIS).date())
