"""What an e-invoice says becomes a claim, a credit, or a reason why it is neither."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encaisse_api import Money, SourceInvoice
from encaisse_einvoicing import Invoice, Issue, Party
from encaisse_einvoicing.model import Address, Contact, Instalment, Preceding, Totals
from encaisse_folder.doctypes import DOCUMENT_TYPES
from encaisse_folder.mapping import Unusable, to_source

SHA = "0" * 64
TODAY = date(2026, 4, 14)
SELLER = Party(name="Atelier Exemple SARL", siren="987654324", siren_source="legal_id")
BUYER = Party(
    name="Client Exemple SAS",
    siren="812345676",
    siren_source="siret",
    siret="81234567600017",
    vat_id="FR19812345676",
    address=Address(line_1="4 rue des Essais", postcode="35000", city="Rennes", country="FR"),
    contact=Contact(name="Compta", email="compta@client.example.org"),
)


def sums(total: str, payable: str | None = None, **more: str) -> Totals:
    left = total if payable is None else payable
    said = {"tax_inclusive": total, "payable": left, **more}
    return Totals(**{name: Decimal(value) for name, value in said.items()})


def invoice(**said: Any) -> Invoice:
    usual: dict[str, Any] = {
        "number": "FA-2026-001",
        "issue_date": date(2026, 3, 1),
        "type_code": "380",
        "currency": "EUR",
        "due_date": date(2026, 3, 31),
        "seller": SELLER,
        "buyer": BUYER,
        "totals": sums("1200.00"),
    }
    return Invoice(**{**usual, **said})


def source(*issues: Issue, **said: Any) -> SourceInvoice:
    return to_source(invoice(**said), ref="a.xml", sha256=SHA, today=TODAY, issues=issues)


def refusal(*issues: Issue, **said: Any) -> str:
    with pytest.raises(Unusable) as refused:
        source(*issues, **said)
    return str(refused.value)


def euros(amount: str) -> Money:
    return Money.model_validate({"amount": amount})


def test_an_invoice_is_a_receivable_with_its_due_date_and_its_digest() -> None:
    found = source()
    assert (found.ref, found.version, found.document_ref) == ("a.xml", SHA, "a.xml")
    assert found.document_sha256 == SHA
    assert (found.kind, found.direction, found.state) == ("invoice", "receivable", "open")
    assert [(i.due_date, i.due_estimated, i.open) for i in found.instalments] == [
        (date(2026, 3, 31), False, euros("1200"))
    ]
    assert found.flags == frozenset()
    assert found.seller.siren == "987654324"


def test_the_buyer_is_named_as_written() -> None:
    found = source().debtor
    assert (found.kind, found.siren, found.siret) == ("company", "812345676", "81234567600017")
    assert not found.siren_derived
    assert found.address is not None
    assert (found.address.lines, found.address.country) == (("4 rue des Essais",), "FR")
    assert found.contacts[0].email == "compta@client.example.org"


@pytest.mark.parametrize(("siren", "kind"), [("123456782", "public"), ("223456781", "public")])
def test_a_siren_of_a_public_body_makes_a_public_debtor(siren: str, kind: str) -> None:
    assert source(buyer=Party(name="Ville", siren=siren)).debtor.kind == kind


def test_a_buyer_without_siren_is_of_unknown_kind() -> None:
    found = source(buyer=Party(name="Client")).debtor
    assert (found.kind, found.siren, found.address) == ("unknown", None, None)
    assert source(buyer=None).debtor.name is None


def test_a_siren_deduced_from_a_vat_number_says_so_and_names_no_seller() -> None:
    deduced = Party(name="X", siren="812345676", siren_source="vat", vat_id="FR19812345676")
    found = source(buyer=deduced, seller=deduced)
    assert found.debtor.siren_derived
    assert (found.seller.siren, found.seller.vat_id) == (None, "FR19812345676")


def test_an_address_without_country_is_not_in_france() -> None:
    assert source(buyer=Party(name="X", address=Address(city="Gand"))).debtor.address is None


@pytest.mark.parametrize("code", sorted(DOCUMENT_TYPES))
def test_every_french_type_code_has_its_kind_and_its_sign(code: str) -> None:
    found = source(type_code=code)
    known = DOCUMENT_TYPES[code]
    assert found.kind == known.kind
    assert (found.total.amount < 0) == (known.kind == "credit_note")
    assert ("factored" in found.flags) == known.factored


def test_the_table_is_the_list_of_br_fr_04() -> None:
    listed = "380 389 393 501 386 500 384 471 472 473 261 262 381 396 502 503"
    assert set(DOCUMENT_TYPES) == set(listed.split())


@pytest.mark.parametrize("code", ["326", "751", "81", "", None, "0380"])
def test_a_type_code_outside_the_list_is_refused_with_its_number(code: str | None) -> None:
    assert f"type de document {code or 'absent'} (BT-3)" in refusal(type_code=code)


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_credit_note_is_negative_whichever_sign_it_was_written_with(sign: str) -> None:
    found = source(
        type_code="381",
        totals=sums(f"{sign}120.00"),
        preceding=(Preceding(number="FA-2026-001"), Preceding(number="FA-2026-001")),
    )
    assert (found.kind, found.state) == ("credit_note", "open")
    assert (found.total, found.open) == (euros("-120"), euros("-120"))
    assert found.credits == ("FA-2026-001",)
    assert found.instalments[0].due_date is None


def test_a_credit_note_paid_back_is_settled() -> None:
    found = source(type_code="381", totals=sums("120.00", "0.00", prepaid="120.00"))
    assert (found.state, found.open) == ("settled", euros("0"))


def test_a_negative_invoice_is_a_credit_even_under_the_code_of_an_invoice() -> None:
    alone = source(totals=sums("-120.00"))
    naming = source(totals=sums("-120.00"), preceding=(Preceding(number="FA-1"),))
    assert (alone.kind, alone.credits) == ("unallocated_credit", ())
    assert (naming.kind, naming.credits) == ("credit_note", ("FA-1",))


def test_a_corrective_invoice_names_the_one_it_replaces() -> None:
    assert source(type_code="384", preceding=(Preceding(number="FA-1"),)).credits == ("FA-1",)


def test_a_final_invoice_does_not_undo_its_deposits() -> None:
    assert source(process="S4", preceding=(Preceding(number="AC-1"),)).credits == ()


def test_an_invoice_with_nothing_left_to_pay_is_settled() -> None:
    found = source(totals=sums("1200.00", "0.00", prepaid="1200.00"))
    assert (found.state, found.open) == ("settled", euros("0"))


def test_an_invoice_paid_too_much_is_settled_and_says_by_how_much() -> None:
    found = source(totals=sums("1200.00", "-50.00", prepaid="1250.00"))
    assert (found.kind, found.state, found.open) == ("invoice", "settled", euros("-50"))


@pytest.mark.parametrize("frame", ["B2", "S2", "M2"])
def test_an_invoice_paid_when_issued_says_so(frame: str) -> None:
    assert source(process=frame).flags == {"paid_at_issue"}


def test_an_ordinary_frame_flags_nothing() -> None:
    assert source(process="S1").flags == frozenset()


@pytest.mark.parametrize(
    ("payee", "factored"),
    [
        (None, False),
        (Party(), False),
        (Party(name="ATELIER  exemple sarl"), False),
        (Party(name="Atelier Exemple", siren="987654324"), False),
        (Party(name="Affacturage Exemple SA"), True),
        (Party(name="Atelier Exemple SARL", siren="812345676"), True),
        (Party(legal_id="812345676"), True),
    ],
)
def test_another_payee_means_the_debt_was_sold(payee: Party | None, factored: bool) -> None:
    assert ("factored" in source(payee=payee).flags) == factored


def test_words_about_payment_never_become_a_date() -> None:
    found = source(due_date=None, payment_terms="30 jours fin de mois")
    assert found.instalments[0].due_date is None


def test_each_due_date_with_its_amount_is_an_instalment() -> None:
    parts = (
        Instalment(due_date=date(2026, 5, 31), amount=Decimal("700.00")),
        Instalment(due_date=date(2026, 3, 31), amount=Decimal("500.00")),
    )
    found = source(instalments=parts)
    assert [(i.ref, i.due_date, i.open) for i in found.instalments] == [
        ("1", date(2026, 3, 31), euros("500")),
        ("2", date(2026, 5, 31), euros("700")),
    ]


def test_what_was_prepaid_comes_off_the_oldest_instalment() -> None:
    parts = (
        Instalment(due_date=date(2026, 3, 31), amount=Decimal("500.00")),
        Instalment(due_date=date(2026, 5, 31), amount=Decimal("700.00")),
    )
    found = source(instalments=parts, totals=sums("1200.00", "600.00", prepaid="600.00"))
    assert [i.open for i in found.instalments] == [euros("0"), euros("600")]


def test_instalments_of_the_rest_stand_beside_what_was_paid() -> None:
    parts = (
        Instalment(due_date=date(2026, 3, 31), amount=Decimal("300.00")),
        Instalment(due_date=date(2026, 5, 31), amount=Decimal("300.00")),
    )
    found = source(instalments=parts, totals=sums("1200.00", "600.00", prepaid="600.00"))
    assert [(i.ref, i.amount, i.open) for i in found.instalments] == [
        ("deja-paye", euros("600"), euros("0")),
        ("1", euros("300"), euros("300")),
        ("2", euros("300"), euros("300")),
    ]


def test_due_dates_without_amounts_wait_for_the_last_of_them() -> None:
    parts = (Instalment(due_date=date(2026, 3, 31)), Instalment(due_date=date(2026, 5, 31)))
    found = source(instalments=parts, due_date=date(2026, 3, 31))
    assert [(i.due_date, i.open) for i in found.instalments] == [(date(2026, 5, 31), euros("1200"))]


def test_instalments_that_fit_no_total_refuse_the_invoice() -> None:
    parts = (Instalment(amount=Decimal("500.00")), Instalment(amount=Decimal("500.00")))
    assert "les échéances totalisent 1000.00 EUR" in refusal(instalments=parts)


@given(
    st.lists(st.integers(1, 10**7), min_size=2, max_size=6),
    st.floats(0, 1, allow_nan=False),
    st.randoms(use_true_random=False),
)
def test_no_cent_is_lost_or_made_whatever_was_prepaid(
    cents: list[int], share: float, random: Any
) -> None:
    total = sum(cents)
    paid = int(total * share)
    parts = [
        Instalment(due_date=date(2026, 1 + place, 28), amount=Decimal(part).scaleb(-2))
        for place, part in enumerate(cents)
    ]
    random.shuffle(parts)
    said = Totals(
        tax_inclusive=Decimal(total).scaleb(-2),
        payable=Decimal(total - paid).scaleb(-2),
        prepaid=Decimal(paid).scaleb(-2),
    )
    found = source(instalments=tuple(parts), totals=said, issue_date=date(2026, 1, 2))
    assert sum(i.amount.minor for i in found.instalments) == total
    assert sum(i.open.minor for i in found.instalments) == total - paid
    assert all(i.open.minor >= 0 for i in found.instalments)
    opened = [i.open.minor > 0 for i in found.instalments if i.ref != "deja-paye"]
    assert opened == sorted(opened), "the oldest are paid first"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"totals": sums("1200.00", "1100.00")}, "moins le déjà payé 0 (BT-113)"),
        ({"totals": sums("1200.00", "1200.00", prepaid="1.00")}, "(BT-115)"),
        ({"totals": Totals(tax_inclusive=Decimal(1))}, "il manque le total TTC"),
        ({"totals": Totals(payable=Decimal(1))}, "il manque le total TTC"),
        ({"totals": sums("1200.005")}, "finer than its smallest coin"),
        ({"totals": sums("100.00", "-20.00", prepaid="120.00"), "type_code": "381"}, "un avoir"),
        ({"number": None}, "il manque le numéro"),
        ({"issue_date": None}, "il manque le numéro (BT-1), la date (BT-2)"),
        ({"currency": None}, "la devise (BT-5)"),
        ({"currency": "euro"}, "valeur inutilisable"),
        ({"number": "F" * 600}, "valeur inutilisable (number)"),
    ],
)
def test_what_cannot_be_claimed_is_refused_with_the_reason(said: dict[str, Any], told: str) -> None:
    assert told in refusal(**said)


def test_a_rounding_up_is_owed_too() -> None:
    found = source(totals=sums("1199.99", "1200.00", rounding="0.01"))
    assert (found.total, found.open) == (euros("1200"), euros("1200"))


@pytest.mark.parametrize(
    "issue",
    [
        Issue(
            code="amount_invalid",
            message="Le total (BT-112) est douteux.",
            where="x",
            term="BT-112",
        ),
        Issue(code="currency_mismatch", message="Un montant est en USD.", where="x"),
    ],
)
def test_a_doubt_about_a_sum_refuses_the_document(issue: Issue) -> None:
    assert refusal(issue) == issue.message.rstrip(".")


def test_a_doubt_about_something_else_does_not() -> None:
    issue = Issue(
        code="date_invalid", message="La livraison est illisible.", where="x", term="BT-72"
    )
    assert source(issue, due_date=None).instalments[0].due_date is None


def test_a_due_date_nobody_could_read_is_not_taken_for_none() -> None:
    issue = Issue(code="date_invalid", message="L'échéance est illisible.", where="x", term="BT-9")
    assert refusal(issue) == "L'échéance est illisible"
    read = Issue(code="date_with_zone", message="Un fuseau est ignoré.", where="x", term="BT-9")
    assert source(read).state == "open"


def test_another_currency_is_kept_as_it_is() -> None:
    found = source(currency="CHF")
    assert (found.currency, found.total.currency) == ("CHF", "CHF")
