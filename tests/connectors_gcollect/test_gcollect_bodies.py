"""What leaves: the same bytes for the same effect, and no name before a signature."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.connectors_gcollect.counter import (
    AMENDMENT,
    CONTESTED,
    DRAFT,
    FILE,
    FIRST,
    KEY,
    LINES,
    PAID,
    PAUSE,
    REQUEST,
    SECOND,
    SIGNED,
    WITHDRAWAL,
)

from encaisse_gcollect import bodies
from encaisse_gcollect.client import canonical

PERSONAL = ("Client Exemple", "Essais", "compta@client", "L-2026-118.pdf")


def test_a_quote_names_nobody_and_no_invoice() -> None:
    sent = canonical(bodies.quote(REQUEST, "cre_lanterne")).decode()
    assert '"siren":"987654324"' in sent
    assert not [word for word in (*PERSONAL, "L-2026-118") if word in sent]


def test_a_mandate_lists_the_claims_and_names_nobody() -> None:
    sent = canonical(bodies.mandate(KEY, DRAFT, "cre_lanterne")).decode()
    assert "L-2026-118" in sent
    assert not [word for word in PERSONAL if word in sent]


def test_the_same_batch_in_another_order_is_the_same_bytes() -> None:
    turned = DRAFT.model_copy(update={"annex": LINES[::-1]})
    assert canonical(bodies.mandate(KEY, DRAFT, None)) == canonical(
        bodies.mandate(KEY, turned, None)
    )
    file = FILE.model_copy(update={"claims": FILE.claims[::-1]})
    assert canonical(bodies.procedure(KEY, FILE, SIGNED, None)) == canonical(
        bodies.procedure(KEY, file, SIGNED, None)
    )


def test_a_file_carries_what_the_manifest_declares_and_no_more() -> None:
    body = bodies.procedure(KEY, FILE, SIGNED, "cre_lanterne")
    assert body["debtor"] == {
        "kind": "company",
        "name": "Client Exemple SAS",
        "siren": "987654324",
        "address": {
            "lines": ["4 rue des Essais"],
            "postcode": "35000",
            "city": "Rennes",
            "country": "FR",
        },
        "contacts": [{"name": "Compta", "email": "compta@client.example.org"}],
    }
    assert set(body) == {
        "creditor_id",
        "external_reference",
        "mandate_id",
        "scenario",
        "debtor",
        "invoices",
        "documents",
    }


def test_a_siren_only_derived_from_a_vat_number_stays_here() -> None:
    derived = FILE.debtor.model_copy(update={"siren_derived": True})
    body = bodies.procedure(KEY, FILE.model_copy(update={"debtor": derived}), SIGNED, None)
    assert "siren" not in str(body["debtor"])


def test_every_amount_is_decimal_text_with_its_currency() -> None:
    sent = canonical(bodies.mandate(KEY, DRAFT, None)).decode()
    assert '"principal":{"amount":"1500.00","currency":"EUR"}' in sent
    assert bodies.money(DRAFT.annex[1].interest) == {"amount": "1.05", "currency": "EUR"}


@pytest.mark.parametrize(
    "build",
    [
        lambda: bodies.mandate(KEY, DRAFT, None),
        lambda: bodies.procedure(KEY, FILE, SIGNED, None),
        lambda: bodies.withdrawal(KEY, WITHDRAWAL),
        lambda: bodies.pause(KEY, PAUSE),
        lambda: bodies.amendment(KEY, AMENDMENT),
        lambda: bodies.direct_payment(KEY, PAID),
        lambda: bodies.dispute(KEY, CONTESTED),
    ],
)
def test_every_effect_is_filed_under_its_key(build: Callable[[], bodies.Body]) -> None:
    assert build()["external_reference"] == KEY


def test_a_withdrawal_names_exactly_its_claims() -> None:
    """Neither list would withdraw everything there, so an empty one must never leave."""
    assert bodies.withdrawal(KEY, WITHDRAWAL)["external_ids"] == [FIRST, SECOND]
