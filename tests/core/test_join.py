"""One invoice seen by several tools is owed once; two invoices that look alike stay two."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from encaisse_core.faces import fold_number
from encaisse_core.join import (
    Candidate,
    Doubtful,
    Face,
    Joined,
    Separate,
    choose,
    keys,
    normalise_number,
    verify,
)

ACME = "123456782"
CLIENT = "987654324"
OTHER_CLIENT = "732829320"
SHA = "a" * 64


def face(sighting: str = "s1", connection: str = "cnx_factomos", **changes: Any) -> Face:
    values: dict[str, Any] = {
        "sighting_id": sighting,
        "connection_id": connection,
        "kind": "invoice",
        "seller_siren": None,
        "number": "FA-2026-0012",
        "issue_date": date(2026, 3, 2),
        "currency": "EUR",
        "total": 120_00,
        "due_dates": (date(2026, 4, 1),),
        "debtor_key": None,
        "document_sha256": None,
        "lineage": None,
        "own_refs": ((connection.removeprefix("cnx_"), sighting),),
    }
    return Face(**(values | changes))


def against(new: Face, *known: Face, live: bool = True) -> Joined | Separate | Doubtful:
    """Choose for `new` where each known face is a claim of its own, named after its sighting."""
    wanted = set(keys(new))
    found = [
        Candidate(f"clm_{old.sighting_id}", key.rung, old, live)
        for old in known
        for key in keys(old)
        if key in wanted
    ]
    return choose(new, found)


def there(sighting: str = "s2", **changes: Any) -> Face:
    return face(sighting, "cnx_myunisoft", **changes)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("FA-2026-0012", "FA20260012"),
        ("fa 2026/0012", "FA20260012"),
        (" FA.2026_0012\t", "FA20260012"),
        ("FA-0012", "FA12"),
        ("fa12", "FA12"),
        ("０012", "12"),
        ("F000", "F0"),
        ("A01B002", "A1B2"),
        ("№ 7", "NO7"),
        ("sans numéro", "SANSNUMÉRO"),
    ],
)
def test_a_number_is_compared_without_case_separators_and_padding(
    written: str, normal: str
) -> None:
    assert normalise_number(written) == normal


@given(st.text(max_size=40))
def test_normalising_a_number_twice_changes_nothing(text: str) -> None:
    once = normalise_number(text)
    assert normalise_number(once) == once
    assert fold_number(fold_number(text)) == fold_number(text)


def test_a_face_is_found_under_one_key_per_rung_it_can_offer() -> None:
    full = face(
        seller_siren=ACME,
        document_sha256=SHA,
        debtor_key=CLIENT,
        lineage=("MyUnisoft", "e-9", "clm_1"),
    )
    assert [(key.rung, key.value) for key in keys(full)] == [
        (1, f"{ACME}|FA-2026-0012|2026"),
        (2, SHA),
        (3, "factomos:s1"),
        (3, "myunisoft:e-9"),
        (3, "claim:clm_1"),
        (4, "FA20260012|12000|EUR"),
        (5, f"{CLIENT}|12000|EUR|2026-04-01"),
    ]
    assert [key.rung for key in keys(face(number="SANS NUMERO"))] == [3]


def test_the_issuers_number_joins_even_when_the_tools_disagree_on_the_total() -> None:
    known = there(seller_siren=ACME, total=118_00, issue_date=date(2026, 7, 1))
    assert against(face(seller_siren=ACME), known) == Joined("clm_s2", 1)


def test_the_same_number_of_another_year_or_another_seller_is_another_invoice() -> None:
    new = face(seller_siren=ACME)
    last_year = there(seller_siren=ACME, issue_date=date(2025, 3, 2))
    stranger = there("s3", seller_siren=OTHER_CLIENT)
    assert against(new, last_year, stranger) == Separate()


def test_the_same_document_joins_whatever_number_a_tool_gave_it() -> None:
    known = there(number="VE-77", document_sha256=SHA)
    assert against(face(document_sha256=SHA), known) == Joined("clm_s2", 2)


def test_a_document_that_bundles_several_invoices_does_not_make_them_one() -> None:
    new = face(document_sha256=SHA)
    next_one: dict[str, Any] = {"number": "FA-2026-0013", "total": 50_00, "document_sha256": SHA}
    assert against(new, face("s2", **next_one)) == Separate()
    assert isinstance(against(new, there(**next_one)), Doubtful)
    right = there("s3", document_sha256=SHA)
    assert against(new, there(**next_one), right) == Joined("clm_s3", 2)


def test_a_tool_that_names_its_source_joins_it_both_ways_round() -> None:
    origin = face(number="FA-2026-0012")
    copy = there(number="VE-77", total=119_99, lineage=("Factomos", "s1", None))
    assert against(copy, origin) == Joined("clm_s1", 3)
    assert against(origin, copy) == Joined("clm_s2", 3)
    second_copy = face("s3", "cnx_tryton", number="X1", lineage=("factomos", "s1", None))
    assert against(second_copy, copy) == Joined("clm_s2", 3)


def test_a_record_that_carries_our_claim_joins_it() -> None:
    known = there(number="VE-77")
    new = face(lineage=(None, None, "clm_s2"))
    assert choose(new, [Candidate("clm_s2", 3, known)]) == Joined("clm_s2", 3)


def test_two_accounts_of_one_tool_may_use_the_same_reference() -> None:
    known = replace(face("s9", "cnx_b", number="A-1"), own_refs=(("factomos", "1001"),))
    new = replace(face("s1", "cnx_a", number="B-2"), own_refs=(("factomos", "1001"),))
    assert against(new, known) == Separate()


@pytest.mark.parametrize("written", ["fa20260012", "FA 2026 0012", "FA/2026-0012"])
@pytest.mark.parametrize("days", [-3, 0, 3])
def test_another_way_to_write_the_number_joins_within_three_days(written: str, days: int) -> None:
    known = there(number=written, issue_date=date(2026, 3, 2) + timedelta(days=days))
    assert against(face(), known) == Joined("clm_s2", 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"issue_date": date(2026, 3, 6)},
        {"total": 120_01},
        {"currency": "CHF"},
        {"kind": "credit_note"},
        {"number": "FA-2026-0112"},
    ],
)
def test_one_contrary_fact_keeps_the_same_number_apart(changes: dict[str, Any]) -> None:
    assert against(face(), there(**changes)) == Separate()


def test_a_credit_note_never_joins_an_invoice_by_any_rung() -> None:
    shared: dict[str, Any] = {
        "seller_siren": ACME,
        "document_sha256": SHA,
        "debtor_key": CLIENT,
        "lineage": ("factomos", "s1", None),
    }
    assert against(there(kind="credit_note", **shared), face(**shared)) == Separate()
    assert isinstance(against(there(kind="down_payment", **shared), face(**shared)), Joined)


def test_the_same_number_for_another_client_is_asked() -> None:
    known = there(debtor_key=OTHER_CLIENT)
    assert isinstance(against(face(debtor_key=CLIENT), known), Doubtful)


@pytest.mark.parametrize("seller", [ACME, None])
def test_two_live_rows_of_one_tool_with_one_number_are_asked(seller: str | None) -> None:
    twin = against(face("s2", seller_siren=seller), face("s1", seller_siren=seller))
    assert isinstance(twin, Doubtful)
    assert twin.claim_ids == ("clm_s1",)
    assert "FA-2026-0012" in twin.why_fr


def test_a_double_inside_one_tool_is_asked_even_where_another_tool_would_decide() -> None:
    double, elsewhere = face("s1", seller_siren=ACME), there("s2", seller_siren=ACME)
    doubt = against(face("s3", seller_siren=ACME), double, elsewhere)
    assert isinstance(doubt, Doubtful)
    assert doubt.claim_ids == ("clm_s1", "clm_s2")


def test_a_record_renumbered_at_year_end_takes_the_place_of_the_one_that_left() -> None:
    assert against(face("s2"), face("s1"), live=False) == Joined("clm_s1", 4)


def test_one_tool_may_hold_two_numbers_that_only_look_the_same() -> None:
    assert against(face(number="FA-1-12"), face("s2", number="FA-11-2")) == Separate()


def test_a_claim_that_already_shows_a_row_of_the_tool_does_not_take_another_silently() -> None:
    bridge = there("s2", number="FA-1-12")
    beside = face("s3", number="FA-11-2")
    new = face("s4", number="FA-1-12")
    found = [Candidate("clm_1", 4, bridge), Candidate("clm_1", 4, beside)]
    assert isinstance(choose(new, found), Doubtful)


def test_the_same_number_in_another_currency_is_another_invoice_on_every_rung() -> None:
    shared: dict[str, Any] = {"seller_siren": ACME, "document_sha256": SHA}
    assert against(face(**shared), there(currency="CHF", **shared)) == Separate()


@pytest.mark.parametrize(
    ("rung", "changes"),
    [
        (1, {"issue_date": date(2025, 3, 2)}),
        (1, {"number": "FA-2026-0013"}),
        (2, {"document_sha256": "b" * 64}),
        (3, {"own_refs": (("myunisoft", "other"),)}),
        (4, {"total": 1}),
        (4, {"number": "FA-2026-0013"}),
        (5, {"due_dates": (date(2026, 5, 1),)}),
        (5, {"debtor_key": OTHER_CLIENT}),
        (5, {"total": 1}),
    ],
)
def test_a_record_that_changed_since_its_key_was_stored_is_looked_at_again(
    rung: int, changes: dict[str, Any]
) -> None:
    known: dict[str, Any] = {"seller_siren": ACME, "document_sha256": SHA, "debtor_key": CLIENT}
    new = face(lineage=("myunisoft", "s2", None), **known)
    assert verify(new, Candidate("clm_s2", rung, there(**known))) != "different"
    assert verify(new, Candidate("clm_s2", rung, there(**(known | changes)))) == "different"


def test_two_claims_on_the_winning_rung_are_asked() -> None:
    doubt = against(face(), there("s2"), face("s3", "cnx_tryton"))
    assert isinstance(doubt, Doubtful)
    assert doubt.claim_ids == ("clm_s2", "clm_s3")


@pytest.mark.parametrize("sign", [1, -1])
def test_a_purchase_is_no_sale_however_alike(sign: int) -> None:
    alike: dict[str, Any] = {
        "kind": "invoice" if sign > 0 else "credit_note",
        "seller_siren": ACME,
        "debtor_key": CLIENT,
        "document_sha256": SHA,
        "total": sign * 120_00,
    }
    sale = face("s1", "cnx_libeo", **alike)
    purchase = face("s2", "cnx_other", direction="payable", **alike)
    assert isinstance(against(sale, replace(purchase, direction="receivable")), Joined)
    assert against(sale, purchase) == Separate()
    assert against(purchase, sale) == Separate()


def test_a_weaker_rung_that_points_elsewhere_is_reported_beside_the_join() -> None:
    issuer = there("s2", seller_siren=ACME, total=118_00)
    same_writing = face("s3", "cnx_tryton")
    assert against(face(seller_siren=ACME), issuer, same_writing) == Joined(
        "clm_s2", 1, ("clm_s3",)
    )


def test_same_client_amount_and_due_date_under_another_number_are_asked() -> None:
    known = there(number="VE-77", debtor_key=CLIENT)
    doubt = against(face(debtor_key=CLIENT), known)
    assert isinstance(doubt, Doubtful)
    assert doubt.claim_ids == ("clm_s2",)


def test_a_sighting_is_not_its_own_twin() -> None:
    assert against(face(seller_siren=ACME), face(seller_siren=ACME)) == Separate()
