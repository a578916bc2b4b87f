"""Writing into the simulated dossier: once, whatever happens to the reply."""

from __future__ import annotations

from datetime import date

import httpx
import pytest
from tests.connectors_myunisoft.office import (
    DIRECT,
    F1,
    KEY,
    OURS,
    Office,
    found,
    landed,
    paid,
    payment,
)

from encaisse_api import (
    Absent,
    ActionNeeded,
    Conflict,
    Drift,
    OutcomeUnknown,
    PartnerError,
    PeriodClosed,
    Receipt,
    Rejected,
    Transient,
)
from encaisse_simulator.myunisoft import Choices
from encaisse_simulator.transport import SimTransport

# --- the two modes, the two schemes --------------------------------------------------------------


def test_a_payment_waits_for_the_accountant_and_already_counts_as_received(office: Office) -> None:
    assert isinstance(found(office), Absent)
    receipt = paid(office)
    assert (receipt.remote_id, receipt.state) == (OURS, "pending")
    assert found(office) == receipt
    assert office.books.drafts() == [OURS]
    assert office.told()[F1] == ("invoice", "open", 70_000)
    assert office.books.open_cents(office.customer, "F1") == 120_000


def test_a_validated_payment_changes_its_id_and_nothing_else(office: Office) -> None:
    before = paid(office)
    office.books.validate(OURS)
    after = found(office)
    assert isinstance(after, Receipt)
    assert (after.remote_id, after.state, after.amount) == (OURS, "posted", before.amount)
    assert after.aliases != before.aliases
    assert office.told()[F1] == ("invoice", "open", 70_000)


def test_a_payment_is_posted_at_once_where_a_person_said_so(office: Office) -> None:
    receipt = paid(office, **DIRECT)
    assert receipt.state == "posted"
    assert found(office) == receipt
    assert office.told()[F1] == ("invoice", "open", 70_000)
    assert office.books.drafts() == []


def test_the_bank_scheme_takes_the_banks_own_account(office: Office) -> None:
    office.settings = {"scheme": "bank", "mode": "direct"}
    assert paid(office).state == "posted"
    assert office.told()[F1] == ("invoice", "open", 70_000)


def test_a_reply_of_another_shape_is_looked_up(office: Office) -> None:
    office.world.myunisoft.choices = Choices(entry_reply="empty")
    with pytest.raises(OutcomeUnknown):
        paid(office, **DIRECT)
    receipt = found(office)
    assert isinstance(receipt, Receipt)
    assert receipt.state == "posted"


# --- what is looked at before --------------------------------------------------------------------


def test_a_paid_invoice_is_not_paid_again(office: Office) -> None:
    office.books.receive(office.customer, date(2026, 4, 9), 120_000, number="F1", lettered=True)
    with pytest.raises(Rejected, match="déjà soldée") as refused:
        paid(office)
    assert refused.value.code == "already_settled"
    assert landed(office) == 0


def test_more_than_is_owed_is_for_a_person(office: Office) -> None:
    office.books.receive(office.customer, date(2026, 4, 9), 100_000, number="F1")
    with pytest.raises(Rejected, match=r"reste que 200,00 €"):
        paid(office)
    with pytest.raises(Rejected, match="n'est plus dans ce dossier"):
        office.connector().record_payment(KEY, payment("411CLIENT0/2026/F404"))
    assert landed(office) == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "sometimes"}, "« mode » vaut « sometimes »"),
        ({"scheme": "gold"}, "« scheme » vaut « gold »"),
        ({"journal": "ZZ"}, "0 journaux « ZZ »"),
        ({"counterpart": ""}, "sur quel compte 467"),
        ({"counterpart": "5120000000"}, "sur quel compte 467"),
        ({"counterpart": "4679"}, "le compte 4679 n'existe pas"),
    ],
)
def test_a_setting_that_fits_nothing_asks_a_person(
    office: Office, settings: dict[str, str], said: str
) -> None:
    with pytest.raises(ActionNeeded, match=said):
        paid(office, **settings)
    assert landed(office) == 0


def test_an_account_is_found_without_its_final_zeros(office: Office) -> None:
    assert paid(office, counterpart="4671").state == "pending"


def test_closed_places_ask_a_person(office: Office) -> None:
    office.books.close_account("4671000000")
    with pytest.raises(ActionNeeded, match="4671000000 est fermé"):
        paid(office)
    office.books.close_account("4671000000", closed=False)
    office.books.lock_journal("OD")
    with pytest.raises(ActionNeeded, match="le journal OD de MyUnisoft est verrouillé"):
        paid(office)
    with pytest.raises(ActionNeeded, match="le journal OD de MyUnisoft est verrouillé"):
        paid(office, journal="OD")
    assert landed(office) == 0


def test_a_closed_period_is_said_so_before_and_by_the_vendor(office: Office) -> None:
    late = payment(F1, on=date(2027, 2, 1))
    with pytest.raises(PeriodClosed, match="01/02/2027 n'est dans aucun exercice"):
        office.connector().record_payment(KEY, late)
    office.books.carry_forward(date(2025, 6, 1))
    with pytest.raises(PeriodClosed, match="exercice clos"):
        office.connector().record_payment(KEY, payment(F1, on=date(2025, 12, 1)))
    office.books.lock_period(date(2026, 4, 1), date(2026, 4, 30))
    with pytest.raises(PeriodClosed, match="verrouillé par le comptable"):
        paid(office)
    assert landed(office) == 0


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("ECR14", Rejected, "pas équilibrée"),
        ("ECR9", PeriodClosed, "clos"),
        ("JOURNAL2", ActionNeeded, "journal est fermé"),
        ("COMPTE32", ActionNeeded, "fermé"),
        ("DROIT1", ActionNeeded, "pas ouvert à cette clé"),
        ("ECR999", Rejected, "ECR999"),
        ("ECR11", OutcomeUnknown, "peut-être passée"),
        ("ERR-INTERNAL", OutcomeUnknown, "peut-être passée"),
        ("ERR-API-UNDER-MAINTENANCE", Transient, "Rien n'a été enregistré"),
        ("ERR-TOO-MANY-REQUEST", Transient, "Rien n'a été enregistré"),
    ],
)
def test_a_refused_write_is_one_sentence_about_the_invoice(
    office: Office, code: str, error: type[PartnerError], said: str
) -> None:
    office.world.myunisoft.fail_next(code, method="POST")
    with pytest.raises(error) as caught:
        paid(office)
    assert isinstance(caught.value, PartnerError)
    assert caught.value.message.startswith("Facture F1, règlement de 500,00 € : ")
    assert said in caught.value.message
    assert isinstance(found(office), Absent)
    assert landed(office) == 0


# --- doubts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["lost_reply", "5xx_after", "slow_after", "malformed"])
@pytest.mark.parametrize("mode", ["pending", "direct"])
def test_a_write_whose_reply_is_lost_is_found_and_stands_once(
    office: Office, kind: str, mode: str
) -> None:
    office.world.faults.schedule(kind, method="POST")  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        paid(office, mode=mode)
    receipt = found(office)
    assert isinstance(receipt, Receipt)
    assert receipt.state == ("pending" if mode == "pending" else "posted")
    assert landed(office) == 1


@pytest.mark.parametrize("kind", ["5xx", "slow"])
def test_a_write_that_never_arrived_is_absent(office: Office, kind: str) -> None:
    office.world.faults.schedule(kind, method="POST")  # type: ignore[arg-type]
    with pytest.raises(OutcomeUnknown):
        paid(office)
    assert isinstance(found(office), Absent)


def test_a_second_write_under_our_key_is_refused_there_and_adopted_here(office: Office) -> None:
    paid(office)
    with pytest.raises(OutcomeUnknown, match="porte déjà notre référence"):
        paid(office)
    assert isinstance(found(office), Receipt)
    assert landed(office) == 1


def test_two_entries_under_our_key_are_shown_never_hidden(office: Office) -> None:
    """What the vendor does with a second entry under one id is not documented."""
    office.world.myunisoft.choices = Choices(duplicate_partner_id="accept")
    paid(office, **DIRECT)
    paid(office)
    with pytest.raises(Conflict, match="inscrit 2 fois dans MyUnisoft") as double:
        found(office)
    assert double.value.code == "double"


@pytest.mark.parametrize(
    "code", ["ERR-API-TOKEN-NOT-FOUND", "ERR-INTERNAL", "GBL10", "DROIT1", "ERR-FORBIDDEN-ROUTE"]
)
@pytest.mark.parametrize("path", ["/mad/entry", "/mad/movements", "/mad/exercices"])
def test_a_refused_look_up_is_never_absence(office: Office, code: str, path: str) -> None:
    office.world.myunisoft.fail_next(code, path=path)
    with pytest.raises(PartnerError):
        found(office)


@pytest.mark.parametrize("draft", [False, True])
def test_an_entry_the_search_by_id_misses_is_found_in_the_lists(
    office: Office, draft: bool
) -> None:
    paid(office, mode="pending" if draft else "direct")

    class Forgetful(httpx.BaseTransport):
        """Answer every search by id with the vendor's word for « not found »."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/mad/entry"):
                said = {"error": {"code": "ERR-ENTRY-NOT-FOUND", "message": "", "details": ""}}
                return httpx.Response(404, json=said)
            return SimTransport(office.world).handle_request(request)

    with pytest.raises(Conflict, match="le porte pourtant"):
        office.connector(Forgetful()).find_payment(KEY, payment(F1))


def test_a_draft_validated_between_two_looks_is_found(office: Office) -> None:
    paid(office)

    class Quick(httpx.BaseTransport):
        """Validate right after the validated entries were searched."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = SimTransport(office.world).handle_request(request)
            if request.url.path.endswith("/mad/entry") and office.books.drafts():
                office.books.validate(OURS)
            return response

    receipt = office.connector(Quick()).find_payment(KEY, payment(F1))
    assert isinstance(receipt, Receipt)
    assert receipt.state == "posted"


def test_another_amount_under_our_key_is_a_conflict(office: Office) -> None:
    paid(office)
    with pytest.raises(Conflict, match=r"500,00 € au crédit du compte 411CLIENT0 au lieu de 400"):
        office.connector().find_payment(KEY, payment(F1, 40_000))


def test_an_answer_for_another_entry_is_no_answer(office: Office) -> None:
    """The route takes an invoice number too: an invoice called like our id must not pass for it."""
    office.invoice(OURS)
    with pytest.raises(Drift, match="ne porte pas notre référence"):
        found(office)
