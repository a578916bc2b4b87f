"""Reading the simulated dossier in process, with everything that goes wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

import httpx
import pytest
from tests.connectors_myunisoft.office import (
    CUSTOMER,
    KEY,
    NOW,
    SECRET,
    SIREN,
    Y2026,
    Office,
    opened,
    payment,
)
from tests.lent import drawn

from encaisse_api import (
    ActionNeeded,
    Denied,
    Drift,
    Missing,
    Page,
    PartnerError,
    Rejected,
    SourceInvoice,
    Transient,
)
from encaisse_simulator.transport import SimTransport

MOVEMENTS = "/mad/movements$"
F1 = "411CLIENT0/2026/F1"


@pytest.fixture
def office() -> Iterator[Office]:
    with opened() as made:
        yield made


@pytest.fixture
def firm() -> Iterator[Office]:
    with opened(key="firm") as made:
        yield made


def calls(office: Office) -> tuple[Callable[[], object], ...]:
    """Give one call of every kind, the invoice F1 being there."""
    connector = office.connector()
    return (
        connector.probe,
        connector.accounts,
        lambda: list(connector.pull_invoices(None)),
        lambda: connector.read_invoices([F1]),
        lambda: connector.find_payment(KEY, payment(F1)),
        lambda: connector.record_payment(KEY, payment(F1)),
        lambda: connector.follow_up([f"GCO-{KEY}"]),
    )


# --- whole passes --------------------------------------------------------------------------------


def test_every_open_item_comes_and_what_is_settled_does_not(office: Office) -> None:
    books, who = office.books, office.customer
    office.invoice("F1", document=b"%PDF-1.4 essai")
    office.invoice("F2", due=date(2026, 5, 31))
    office.invoice("F3", due=None)
    office.invoice("F4")
    books.receive(who, date(2026, 3, 9), 120_000, number="F4", lettered=True)
    office.invoice("F5")
    books.receive(who, date(2026, 3, 9), 20_000, number="F5", lettered=True)
    office.invoice("F6", draft=True)
    books.credit("AV1", who, date(2026, 3, 2), 5_000)
    books.receive(who, date(2026, 3, 9), 700)
    found = office.pulled()
    told = {
        item.number: (item.kind, item.state, item.open.minor, item.instalments[0].due_date)
        for item in found.values()
    }
    receipt = next(name for name in told if name.startswith("REGLEMENT-"))
    assert told == {
        "F1": ("invoice", "open", 120_000, date(2026, 3, 4)),
        "F2": ("invoice", "open", 120_000, date(2026, 5, 31)),
        "F3": ("invoice", "open", 120_000, None),
        "F5": ("invoice", "open", 100_000, date(2026, 3, 4)),
        "AV1": ("credit_note", "open", -5_000, None),
        receipt: ("unallocated_credit", "open", -700, None),
    }
    first = found[F1]
    assert (first.debtor.siren, first.debtor.kind) == (CUSTOMER, "company")
    assert (first.seller.siren, first.issue_date) == (SIREN, date(2026, 2, 2))
    assert sum(item.open.minor for item in found.values()) == books.balance()
    assert [office.read(ref) for ref in found] == list(found.values())


def test_terms_are_asked_for_only_where_a_due_date_is_missing(office: Office) -> None:
    office.books.set_terms(office.books.term(30, end_of_month=True))
    office.invoice("F1")
    office.pulled()
    asked = office.world.myunisoft.key_journal(office.token)
    assert not any("/account/v2" in said for said in asked)
    office.invoice("F2", due=None)
    part = office.pulled()["411CLIENT0/2026/F2"].instalments[0]
    assert (part.due_date, part.due_estimated) == (date(2026, 3, 31), True)


def test_terms_nobody_may_read_leave_the_due_date_missing(office: Office) -> None:
    office.books.set_terms(office.books.term(30))
    office.invoice("F1", due=None)
    without = [("GET", "/account/v2")]
    office.world.myunisoft.change_partner(without=without)
    part = office.pulled()[F1].instalments[0]
    assert (part.due_date, part.due_estimated) == (None, False)


def test_a_new_key_is_activated_by_the_first_thing_asked(firm: Office) -> None:
    firm.connector().accounts()
    asked = firm.world.myunisoft.key_journal(firm.token)
    assert "/key/info" in asked[0]


def test_a_dossier_without_any_customer_line_is_a_complete_pass(office: Office) -> None:
    assert drawn(office.connector()) == ([Page[SourceInvoice](end=True)], None)


def test_a_firm_names_the_dossier_it_speaks_of(firm: Office) -> None:
    firm.invoice("F1")
    assert set(firm.pulled()) == {F1}
    granted = firm.connector().probe()
    assert (granted.account, granted.siren) == (str(firm.books.society_id), SIREN)
    assert [account.ref for account in firm.connector().accounts()] == [granted.account]
    firm.account = None
    with pytest.raises((ActionNeeded, Drift, Rejected)):
        firm.connector().read_invoices([F1])


def test_a_firms_key_without_a_dossier_says_which_ones_it_opens() -> None:
    with opened(key="firm") as office:
        tool = office.world.myunisoft
        firm = tool.dossier(office.books.society_id)._dossier.firm
        other = tool.add_dossier(firm, "Autre", CUSTOMER, (Y2026,))
        office.account = None
        with pytest.raises(ActionNeeded, match=f"2 dossiers.*{other.society_id}"):
            office.connector().probe()


def test_other_roots_are_read_when_they_are_set(office: Office) -> None:
    office.books.enter(
        "VTE", date(2026, 2, 2), ("4160000000", 9_000), ("7060000000", -9_000), number="D1"
    )
    office.invoice("F1")
    assert set(office.pulled()) == {F1}
    assert set(office.pulled(customer_accounts="411, 4110 416")) == {F1, "4160000000/2026/D1"}


# --- again, and documents ------------------------------------------------------------------------


def test_items_are_read_again_one_answer_each_in_order(office: Office) -> None:
    refs = [office.invoice("F1"), "411CLIENT0/2026/NEVER", office.invoice("F2"), F1, "odd"]
    office.books.receive(office.customer, date(2026, 3, 9), 120_000, number="F2", lettered=True)
    answers = office.connector().read_invoices(refs)
    assert [answer.ref for answer in answers] == refs
    assert [isinstance(answer, Missing) for answer in answers] == [False, True, False, False, True]
    paid = answers[2]
    assert isinstance(paid, SourceInvoice)
    assert (paid.state, paid.open.minor, paid.total.minor) == ("settled", 0, 120_000)


def test_many_customers_are_read_at_once(office: Office) -> None:
    refs: list[str] = []
    for place in range(12):
        number = office.books.add_customer(f"Client {place}", number=f"411C{place:06}")
        refs.append(office.invoice(f"F{place}", customer=number))
    before = len(office.world.myunisoft.key_journal(office.token))
    assert [a.ref for a in office.connector().read_invoices(refs)] == refs
    assert len(office.world.myunisoft.key_journal(office.token)) - before < 12


def test_an_unallocated_receipt_that_was_lettered_since_is_settled(office: Office) -> None:
    office.invoice("F1")
    office.books.receive(office.customer, date(2026, 3, 9), 120_000)
    (receipt,) = (ref for ref in office.pulled() if "#" in ref)
    lines = office.books.line_ids(office.customer, "F1")
    office.books.letter(lines[0], int(receipt.partition("#")[2]))
    assert office.pulled() == {}
    again = office.read(receipt)
    assert (again.kind, again.state, again.open.minor) == ("unallocated_credit", "settled", 0)


def test_a_document_is_fetched_without_telling_its_host_who_we_are(office: Office) -> None:
    ref = office.invoice("F1", document=b"%PDF-1.4 essai")
    named = office.pulled()[ref].document_ref
    assert named is not None
    assert "ged" not in named  # its address opens it to whoever has it, and is not kept
    assert office.connector().fetch_document(named).content == b"%PDF-1.4 essai"
    for gone in ("nothing", "1/F1.pdf", f"{named}x"):
        with pytest.raises(Rejected):
            office.connector().fetch_document(gone)


def test_a_document_on_another_host_is_not_asked_for(office: Office) -> None:
    ref = office.invoice("F1", document=b"%PDF-1.4 essai")
    named = office.pulled()[ref].document_ref
    assert named is not None
    asked: list[str] = []

    class Elsewhere(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request.url.host)
            response = SimTransport(office.world).handle_request(request)
            body = response.read().replace(b"app.prodcomptable.myunisoft.fr", b"files.example.org")
            return httpx.Response(response.status_code, content=body)

    with pytest.raises(Rejected, match=r"files\.example\.org"):
        office.connector(Elsewhere()).fetch_document(named)
    assert set(asked) == {"api.myunisoft.fr"}


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["5xx", "lost_reply", "slow", "malformed", "429"])
@pytest.mark.parametrize("nth", [1, 4, 8])
def test_a_failing_list_ends_nothing(office: Office, kind: str, nth: int) -> None:
    office.invoice("F1")
    office.world.faults.schedule(kind, path=MOVEMENTS, nth=nth)  # type: ignore[arg-type]
    pages, error = drawn(office.connector())
    assert isinstance(error, Transient | Drift)
    assert pages == []


@pytest.mark.parametrize("nth", range(1, 9))
def test_a_list_cut_short_tells_nothing_of_the_customers_it_cuts(office: Office, nth: int) -> None:
    other = office.books.add_customer("Autre client", number="411AUTRE00")
    for place in range(4):
        office.invoice(f"F{place}", 10_000 + place, issued=date(2025, 2, 2))
        office.invoice(f"G{place}", 20_000 + place)
        office.invoice(f"H{place}", 30_000 + place, customer=other)
        office.books.receive(other, date(2026, 3, 3), 1_000, number=f"H{place}", lettered=True)
        office.invoice(f"K{place}", 7_000 + place)
        office.books.receive(
            office.customer, date(2026, 3, 3), 7_000 + place, number=f"K{place}", lettered=True
        )
    whole = office.pulled()
    office.world.faults.schedule("truncated_list", path=MOVEMENTS, nth=nth)
    pages, error = drawn(office.connector())
    items = {item.ref: item for page in pages for item in page.items}
    if office.world.faults.counts["truncated_list"] == 0:
        assert items == whole  # this list had no row to lose
        return
    assert error is None
    assert all(item == whole[ref] for ref, item in items.items())
    aside = [row for page in pages for row in page.unreadable]
    assert aside
    assert "la balance dit" in aside[0].reason
    assert {ref for ref in whole if ref not in items} >= {row.ref for row in aside if row.ref}


def test_without_the_control_a_dossier_is_read_as_it_comes(office: Office) -> None:
    office.invoice("F1")
    office.world.myunisoft.fail_next("ERR-FORBIDDEN-ROUTE", path="/mad/balance", count=9)
    assert set(office.pulled(control="non")) == {F1}
    with pytest.raises(ActionNeeded, match="demandez à MyUnisoft d'ouvrir ce service"):
        office.pulled()


def test_a_revoked_key_denies_every_call(office: Office) -> None:
    office.invoice("F1")
    office.world.myunisoft.revoke(office.token)
    for call in calls(office):
        with pytest.raises(Denied, match="révoquée"):
            call()


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("ERR-THIRD-PARTY-DISCONNECTED", Denied, "déconnecté encaisse"),
        ("ERR-INVALID-SECRET", Denied, "secret du partenaire"),
        ("ERR-SECRET-NOT-CONFIGURED", Denied, "pas encore activé"),
        ("ERR-NEW-KIND-OF-REFUSAL", PartnerError, "ERR-NEW-KIND-OF-REFUSAL"),
        ("ERR-FORBIDDEN-ROUTE", ActionNeeded, "ouvrir ce service"),
        ("ERR-API-UNDER-MAINTENANCE", Transient, "maintenance"),
        ("ERR-TOO-MANY-CONCURRENT-REQUEST", Transient, "en même temps"),
        ("ERR-INTERNAL", Transient, "en panne"),
        ("DROIT1", ActionNeeded, "pas ouvert à cette clé"),
        ("SOCIETE12", ActionNeeded, "inactif"),
        ("GBL99", Drift, "GBL99"),
    ],
)
def test_every_refusal_is_one_sentence_and_ends_nothing(
    office: Office, code: str, error: type[PartnerError], said: str
) -> None:
    office.invoice("F1")
    office.world.myunisoft.fail_next(code, path="/mad/movements")
    pages, caught = drawn(office.connector())
    assert pages == []
    assert isinstance(caught, error)
    assert said in caught.message
    assert caught.message.count("\n") == 0


def test_a_secret_nobody_knows_is_denied(office: Office) -> None:
    client = httpx.Client(
        transport=SimTransport(office.world), headers={"X-Third-Party-Secret": SECRET + "x"}
    )
    office.opened.append(client)
    connector = office.connector(client._transport)
    assert connector.probe().siren == SIREN
    office.world.myunisoft.change_partner(activated=False)
    with pytest.raises(Denied, match="pas encore activé"):
        office.connector().probe()


def test_too_many_calls_wait_for_the_reset(office: Office) -> None:
    office.world.myunisoft.rate_limit = 2
    _, error = drawn(office.connector())
    assert isinstance(error, Transient)
    assert error.retry_after is not None
    assert 0 < error.retry_after.total_seconds() <= 10


def test_the_dossier_of_another_company_is_not_read(firm: Office) -> None:
    tool = firm.world.myunisoft
    stranger = tool.add_firm("Autre cabinet", "81234567600017")
    other = tool.add_dossier(stranger, "Autre", CUSTOMER, (Y2026,))
    for account, said in ((str(other.society_id), "pas ouvert"), ("999999", "inconnu")):
        firm.account = account
        _, error = drawn(firm.connector())
        assert isinstance(error, ActionNeeded)
        assert said in error.message


def test_a_dossier_without_an_open_year_is_said_so() -> None:
    with opened(years=((date(2024, 1, 1), date(2024, 12, 31)),), now=NOW) as office:
        year = office.books._dossier.exercices[0]
        year.closed_on = date(2025, 5, 1)
        _, error = drawn(office.connector())
        assert isinstance(error, ActionNeeded)
        assert "aucun exercice ouvert" in error.message


def test_a_line_lettered_during_the_reading_stops_it(office: Office) -> None:
    office.invoice("F1")
    office.books.receive(office.customer, date(2026, 3, 9), 50_000, number="F1")

    class Busy(httpx.BaseTransport):
        """Letter between the list of unlettered lines and the next one."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = SimTransport(office.world).handle_request(request)
            if b"F1" in response.content and request.url.params.get("lettering") == "none":
                office.books.letter_invoice(office.customer, "F1")
            return response

    pages, error = drawn(office.connector(Busy()))
    assert pages == []
    assert isinstance(error, Transient)
    assert "pendant la lecture" in error.message
    assert {ref: item.open.minor for ref, item in office.pulled().items()} == {F1: 70_000}
