"""Hand-written answers of the documented shapes, and the traps of their spelling.

Payloads carry our own values; their shapes are those of partners.api.myunisoft.fr:
MAD/specs/v1.0.0 (entries, account, exercice), accounting/society, endpoints/keyinfo, and the
vendor's public collection for the reply of `/entry/temp`.
"""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import cast

import pytest
from tests.connectors_myunisoft.rows_of import YEAR, good, payload, rows

from encaisse_api import Contact, Money, PaymentEntry, PostalAddress, wire
from encaisse_api.errors import Drift, OutcomeUnknown, Rejected
from encaisse_myunisoft import (
    booking,
    debtors,
    dossier,
    exercices,
    grant,
    lines,
    mapping,
    posting,
    terms,
)
from encaisse_myunisoft.exercices import Exercice
from encaisse_myunisoft.lines import Spoilt
from encaisse_myunisoft.terms import Term

# --- movements -----------------------------------------------------------------------------------


def test_a_movement_is_read_as_documented() -> None:
    sale = good(rows("movements")[0])
    assert (sale.id, sale.entry, sale.account, sale.account_id) == (
        "910017",
        "450311",
        "411DURAND0",
        "71002",
    )
    assert (sale.number, sale.signed, sale.due, sale.issued) == (
        "FC2026117",
        Decimal("2451.60"),
        date(2026, 9, 30),
        date(2026, 8, 31),
    )
    assert (sale.journal, sale.state, sale.group, sale.tool) == ("sale", "none", "", "Factomos")
    assert sale.documents == ("FC2026117.pdf",)


def test_a_movement_spelt_as_elsewhere_is_read_too() -> None:
    paid = good(rows("movements")[1])
    assert (paid.signed, paid.issued, paid.due) == (
        Decimal("-1000.00"),
        date(2026, 9, 17),
        None,
    )
    assert (paid.number, paid.letters, paid.group) == ("", "*AAC", "9001:*AAC")
    assert (paid.ours, paid.target) == (True, "411DURAND0/2026/FC2026117")
    multi = Exercice("9001", YEAR.start, YEAR.end, open=True, multi=True)
    assert good(rows("movements")[1], multi).group == "*AAC"


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("value",), {"debit": 10, "credit": 5}, "débit 10.00 et crédit 5.00"),
        (("value",), {"debit": 10, "credit": 0, "amount": 10}, "se contredisent"),
        (("value", "debit"), "1,800", "montant ambigu"),
        (("value", "debit"), Decimal("10.004"), "plus fin que le centime"),
        (("value", "debit"), True, "montant illisible"),
        (("lettering", "state"), "lettered", "mot inconnu"),
        (("lettering", "value"), "AAB", "lettrage 'AAB' avec l'état 'none'"),
        (("dueDate",), "2026-08-30T22:00:00Z", "date illisible"),
        (("dueDate",), "2026-02-30", "date impossible"),
        (("entry", "date"), None, "date absente"),
        (("entry", "journal"), None, "autre type"),
        (("account", "number"), "", "texte vide"),
        (("producerId",), "abc", "identifiant illisible"),
    ],
)
def test_a_movement_that_says_two_things_is_no_line(
    path: tuple[str, ...], value: object, said: str
) -> None:
    row = cast("dict[str, object]", json.loads(json.dumps(rows("movements")[0], default=str)))
    row["value"] = {"debit": "2451.60", "credit": 0}
    here = row
    for step in path[:-1]:
        here = cast("dict[str, object]", here[step])
    here[path[-1]] = value
    spoilt = lines.read(row, YEAR)
    assert isinstance(spoilt, Spoilt)
    assert said in spoilt.reason
    assert mapping.set_aside(spoilt).raw == wire.write(row)


def test_a_row_that_is_no_row_is_kept_raw() -> None:
    for raw in ({}, "not a row", None, [1], 4):
        spoilt = lines.read(raw, YEAR)
        assert isinstance(spoilt, Spoilt)
        assert (spoilt.raw, spoilt.account) == (wire.write(raw), "")


def test_a_sale_without_piece_2_is_called_by_piece_1_and_a_receipt_is_not() -> None:
    row = cast("dict[str, object]", rows("movements")[0])
    assert good({**row, "invoiceNumber": None, "freeNumber": "FC-9"}).number == "FC-9"
    assert good(rows("movements")[1]).number == ""


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("Vente", "sale"),
        ("VENTES", "sale"),
        ("VTE", "sale"),
        ("À Nouveaux", "opening"),
        ("À nouveau", "opening"),
        ("AN", "opening"),
        ("Banque", "bank"),
        ("OD_EXC", "exceptional"),
        ("Opérations Diverses", "other"),
        ("", "other"),
    ],
)
def test_journals_are_told_by_either_spelling(word: str, kind: str) -> None:
    assert lines.journal_kind(word) == kind


# --- customers -----------------------------------------------------------------------------------


def test_a_customer_is_identified_by_its_card() -> None:
    cards = debtors.accounts(payload("account"))
    found = debtors.debtor("411DURAND0", "DURAND", cards["411DURAND0"])
    assert (found.ref, found.kind, found.siren, found.name) == (
        "411DURAND0",
        "company",
        "812345676",
        "DURAND TOITURES SAS",
    )
    assert found.address == PostalAddress(
        lines=("7 bis Rue DES TUILES", "Bât. B"), postcode="35000", city="RENNES"
    )
    assert found.contacts == (
        Contact(name="Noé ESSAI", email="compta@durand.example.org", phone="+33200000000"),
    )


def test_a_customer_without_a_card_is_called_by_the_account() -> None:
    found = debtors.debtor("411X", "DIVERS", None)
    assert (found.kind, found.siren, found.name) == ("unknown", None, "DIVERS")


@pytest.mark.parametrize(
    ("siren", "kind", "kept"),
    [
        ("812345676", "company", "812345676"),
        ("223456781", "public", "223456781"),
        ("812345677", "unknown", None),
        ("", "unknown", None),
        (None, "unknown", None),
        ([], "unknown", None),
    ],
)
def test_a_wrong_siren_identifies_nobody(siren: object, kind: str, kept: str | None) -> None:
    row = cast("dict[str, object]", rows("account")[0])
    card = {**row, "company": {"name": "X", "SIREN": siren, "contacts": None, "address": []}}
    found = debtors.debtor("411DURAND0", "D", debtors.accounts([card])["411DURAND0"])
    assert (found.kind, found.siren, found.name) == (kind, kept, "X")


def test_a_country_we_cannot_name_does_not_become_france() -> None:
    for country, code in (("SUISSE", "CH"), ("be", "BE"), (None, "FR"), ("ATLANTIDE", None)):
        row = cast("dict[str, object]", rows("account")[0])
        company = {"name": "X", "address": {"city": "GENEVE", "country": country}}
        card = debtors.accounts([{**row, "company": company}])["411DURAND0"]
        address = debtors.debtor("411DURAND0", "", card).address
        assert (address and address.country) == code


# --- terms ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "due"),
    [
        (Term(30), date(2026, 3, 1)),
        (Term(30, end_of_month=True), date(2026, 3, 31)),
        (Term(45, end_of_month=True, on_day=10), date(2026, 4, 10)),
        (Term(0, on_day=15), date(2026, 2, 15)),
        (Term(20, on_day=15), date(2026, 3, 15)),
        (Term(0, end_of_month=True, on_day=31), date(2026, 2, 28)),
    ],
)
def test_a_term_counts_days_then_the_month_then_its_day(term: Term, due: date) -> None:
    assert term.due(date(2026, 1, 30)) == due


def test_terms_are_read_from_both_shapes() -> None:
    said = {"number_of_days": 30, "end_month": 1, "day_number": None}
    row = {"account_number": "411X ", "complementary_informations": {"payment_deadline": said}}
    wanted = {"411X": Term(30, end_of_month=True)}
    assert terms.of_accounts([row, {"account_number": "411Y"}]) == wanted
    assert terms.of_accounts(row) == wanted
    assert terms.of_dossier({"customer_payment_deadline": said}) == Term(30, end_of_month=True)
    for none in (None, {"number_of_days": "bientôt"}):
        assert terms.of_dossier({"customer_payment_deadline": none}) is None


def test_terms_of_another_shape_are_doubt_and_not_the_dossiers_own() -> None:
    for odd in (None, {}, [{"account_number": "411Y"}, "x"], [{}], "x"):
        with pytest.raises(Drift, match="ne nomme aucun compte"):
            terms.of_accounts(odd)
    for odd in (None, [], {}):
        with pytest.raises(Drift, match="paramètres du dossier"):
            terms.of_dossier(odd)


# --- dossier, key, exercices ---------------------------------------------------------------------


def test_dossiers_are_read_with_the_siren_their_siret_holds() -> None:
    found = dossier._rows(payload("society"))
    assert [(r.society_id, dossier.siren_of(r)) for r in found] == [
        ("512", "987654324"),
        ("513", None),
    ]
    for odd in ([], {}, None):
        with pytest.raises(Drift, match="ni dossier ni liste"):
            dossier._rows(odd)
    said = cast("dict[str, object]", payload("society"))
    with pytest.raises(Drift, match="2 dossiers annoncés, 1 donnés"):
        dossier._rows({**said, "society_array": cast("list[object]", said["society_array"])[:1]})


def test_a_key_has_the_roles_all_of_whose_routes_it_holds() -> None:
    key = grant.read(payload("key_info"))
    common = {"Probes", "ReceivesWebhooks", "ListsAccounts", "PullsInvoices", "FollowsUp"}
    reads = common | {"FetchesDocuments"}
    assert grant.roles(key, "pending") == reads | {"RecordsPayments", "ReversesPayments"}
    assert grant.roles(key, "direct") == reads
    with pytest.raises(Drift):
        grant.read({"routes": []})


def test_exercices_say_which_years_count() -> None:
    def row(year: int, state: str, method: str | None) -> dict[str, object]:
        return {
            "producerId": str(year),
            "name": "N",
            "period": {"start": f"{year}-01-01", "end": f"{year}-12-31", "closed": None},
            "state": state,
            "additionalProducerProperties": {"lettering": method},
        }

    def current(method: str | None) -> list[str]:
        years = [row(2026, "open", method), row(2025, "closed", method), row(2019, "closed", None)]
        read = exercices.read(years)
        return [e.id for e in exercices.current(read, date(2026, 4, 14))]

    assert current("MONO") == ["2026"]
    assert current(None) == ["2026"]
    assert current("MULTI") == ["2025", "2026"]
    for odd in ({}, [row(2026, "half", "MONO")], [row(2026, "open", "MONO")] * 2):
        with pytest.raises(Drift):
            exercices.read(odd)


# --- writing -------------------------------------------------------------------------------------


def wanted(cents: int = 60_000, currency: str = "EUR") -> booking.Wanted:
    entry = PaymentEntry(
        invoice_ref="411DURAND0/2026/FC-2026/117",
        invoice_number="FC-2026/117",
        amount=Money.of_minor(cents, currency),
        paid_on=date(2026, 11, 20),
        reference="enc-0123456789abcdefghjkmnpqrs",
        label="Recouvrement facture FC-2026/117 d'un libellé qui dépasse cinquante signes",
    )
    return booking.payment(entry.reference, entry)


def test_an_entry_balances_and_fits_the_vendors_fields() -> None:
    place = booking.Place(512, 420, 71002, "411DURAND0", 70900)
    text = wire.write(booking.new_entry(wanted(), place))
    body = cast("dict[str, object]", wire.read(text))
    assert body["entry_origin_partner_id"] == "GCO-enc-0123456789abcdefghjkmnpqrs"
    assert (body["diary_id"], body["etablissement_id"], body["date_piece"]) == (
        420,
        512,
        "2026-11-20",
    )
    fund, customer = cast("list[dict[str, object]]", body["entry_list"])
    assert (fund["account_id"], fund["debit"], fund["credit"]) == (70900, Decimal("600.00"), 0)
    assert (customer["account_id"], customer["debit"], customer["credit"]) == (71002, 0, 600)
    for one in (fund, customer):
        assert len(str(one["label"])) <= 50
        assert (one["piece2"], one["deadline"]) == ("FC2026117", "2026-11-20")
        assert len(str(one["piece"])) == 15
        assert str(one["piece"]).isalnum()
    assert booking.target(str(body["json"])) == "411DURAND0/2026/FC-2026/117"
    assert '"debit":600.00' in text


def test_another_currency_is_not_written() -> None:
    with pytest.raises(Rejected, match="que des euros"):
        wanted(currency="USD")


def test_a_reply_is_only_taken_when_it_is_of_our_entry() -> None:
    reply = cast("dict[str, object]", payload("entry_temp_reply"))
    assert posting.written(reply, wanted()) == "441300"
    odd: tuple[object, ...] = (
        {},
        [],
        None,
        {**reply, "debit_total": 700},
        {**reply, "entry_array": []},
        {**reply, "entry_array": [{"entry_id": None}]},
    )
    for answer in odd:
        with pytest.raises(OutcomeUnknown, match="recherchée avant toute nouvelle tentative"):
            posting.written(answer, wanted())
