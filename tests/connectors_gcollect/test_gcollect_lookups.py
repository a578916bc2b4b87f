"""Looking an effect up: found, absent after a complete search, or an error; never a guess."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import httpx
import pytest
from tests.connectors_gcollect.counter import (
    AMENDMENT,
    CONTESTED,
    DRAFT,
    FILE,
    KEY,
    LINES,
    NOW,
    OTHER_KEY,
    PAID,
    PAUSE,
    WITHDRAWAL,
    annex_line,
    answer,
    at_counter,
    euros,
    html,
    listing,
    payload,
)

from encaisse_api import (
    Absent,
    Conflict,
    Denied,
    Drift,
    MandateLink,
    PartnerError,
    Receipt,
    Rejected,
)
from encaisse_gcollect import GCollectConnector

Find = Callable[[GCollectConnector], Receipt | MandateLink | Absent]


@dataclass(frozen=True)
class Sought:
    """Say how one kind of effect is looked up, and what stands there."""

    find: Find
    other: Find
    path: str
    row: str
    then: str | None = None


def but(value: object, **changed: object) -> object:
    return value.model_copy(update=changed)  # type: ignore[attr-defined]


LOOKUPS = {
    "mandate": Sought(
        lambda c: c.find_mandate(KEY, DRAFT),
        lambda c: c.find_mandate(KEY, but(DRAFT, quote_ids=("quo_99",))),  # type: ignore[arg-type]
        "/v1/mandates",
        "mandate_pending",
    ),
    "procedure": Sought(
        lambda c: c.find_procedure(KEY, FILE),
        lambda c: c.find_procedure(
            KEY,
            but(  # type: ignore[arg-type]
                FILE,
                claims=(
                    FILE.claims[1].model_copy(
                        update={
                            "line": annex_line(LINES[1].claim_id, "L-2026-999", "500.00", "1.05")
                        }
                    ),
                ),
            ),
        ),
        "/v1/procedures",
        "procedure",
    ),
    "withdrawal": Sought(
        lambda c: c.find_withdrawal(KEY, WITHDRAWAL),
        lambda c: c.find_withdrawal(KEY, but(WITHDRAWAL, reason="error")),  # type: ignore[arg-type]
        "/v1/procedures/prc_401/timeline",
        "timeline_withdrawn",
        "procedure_withdrawn",
    ),
    "pause": Sought(
        lambda c: c.find_pause(KEY, PAUSE),
        lambda c: c.find_pause(KEY, but(PAUSE, reason="dispute")),  # type: ignore[arg-type]
        "/v1/procedures/prc_401/timeline",
        "timeline_paused",
    ),
    "amendment": Sought(
        lambda c: c.find_amendment(KEY, AMENDMENT),
        lambda c: c.find_amendment(KEY, but(AMENDMENT, principal=euros("899.99"))),  # type: ignore[arg-type]
        "/v1/procedures/prc_401/timeline",
        "timeline_amended",
    ),
    "direct_payment": Sought(
        lambda c: c.find_direct_payment(KEY, PAID),
        lambda c: c.find_direct_payment(KEY, but(PAID, settles=True)),  # type: ignore[arg-type]
        "/v1/procedures/prc_401/direct_payments",
        "direct_payment",
    ),
    "dispute": Sought(
        lambda c: c.find_dispute(KEY, CONTESTED),
        lambda c: c.find_dispute(KEY, but(CONTESTED, reason="other")),  # type: ignore[arg-type]
        "/v1/procedures/prc_401/disputes",
        "dispute",
    ),
}

every_lookup = pytest.mark.parametrize("name", LOOKUPS)


def found_there(sought: Sought) -> list[httpx.Response | Exception]:
    answers: list[httpx.Response | Exception] = [answer(listing(payload(sought.row)))]
    if sought.then is not None:
        answers.append(answer(payload(sought.then)))
    return answers


@every_lookup
def test_what_stands_there_is_found_under_its_key(name: str) -> None:
    sought = LOOKUPS[name]
    connector, counter = at_counter(*found_there(sought))
    found = sought.find(connector)
    assert isinstance(found, MandateLink) or (
        isinstance(found, Receipt) and found.state == "posted"
    )
    first = counter.sent[0]
    assert (first.method, first.url.path) == ("GET", sought.path)
    assert first.url.params["external_reference"] == KEY
    assert counter.answers == []


@every_lookup
def test_an_empty_complete_list_is_an_absence_that_says_where_it_looked(name: str) -> None:
    sought = LOOKUPS[name]
    connector, _ = at_counter(answer(listing()))
    absent = sought.find(connector)
    assert isinstance(absent, Absent)
    assert absent.at == NOW
    assert absent.searched == f"GET {sought.path}?external_reference={KEY}, liste complète"


@every_lookup
def test_other_content_under_the_key_is_a_conflict(name: str) -> None:
    sought = LOOKUPS[name]
    connector, _ = at_counter(*found_there(sought))
    with pytest.raises(Conflict):
        sought.other(connector)


@every_lookup
def test_two_things_under_one_key_are_a_conflict(name: str) -> None:
    sought = LOOKUPS[name]
    twice = listing(payload(sought.row), payload(sought.row, id="another"))
    connector, _ = at_counter(answer(twice))
    with pytest.raises(Conflict):
        sought.find(connector)


@every_lookup
@pytest.mark.parametrize(
    "doubt",
    [
        answer({"code": "unauthorized"}, 401),
        answer({"code": "forbidden_scope"}, 403),
        answer({"code": "not_found"}, 404),
        html(404),
        answer({}, 500),
        html(502),
        html(200),
        answer({}),
        answer([]),
        answer({"items": []}),
        httpx.Response(200, content=b"", headers={"content-type": "application/json"}),
        httpx.Response(
            200, content=b'{"items": [], "has', headers={"content-type": "application/json"}
        ),
        answer(listing(total=1)),
        answer({**listing(), "has_more": True}),
        answer({**listing(), "next_cursor": "abc"}),
        answer(listing(cursor="abc")),
        answer({**listing(), "total": "0"}),
        httpx.ReadTimeout("lost"),
        httpx.ConnectError("no"),
        answer({"code": "rate_limited"}, 429),
    ],
    ids=str,
)
def test_doubt_is_an_error_and_never_an_absence(
    name: str, doubt: httpx.Response | Exception
) -> None:
    connector, _ = at_counter(doubt)
    with pytest.raises(PartnerError) as raised:
        LOOKUPS[name].find(connector)
    assert not isinstance(raised.value, Rejected), "which would end an effect that may stand there"


@every_lookup
def test_a_search_whose_filter_is_not_applied_is_doubt(name: str) -> None:
    sought = LOOKUPS[name]
    stranger = payload(sought.row, external_reference=OTHER_KEY)
    connector, _ = at_counter(answer(listing(stranger)))
    with pytest.raises(Drift, match="filtre"):
        sought.find(connector)


@every_lookup
def test_a_row_nobody_can_read_under_the_key_is_doubt(name: str) -> None:
    connector, _ = at_counter(answer(listing({"external_reference": KEY})))
    with pytest.raises(Drift):
        LOOKUPS[name].find(connector)


def test_a_list_that_turns_in_circles_is_doubt() -> None:
    page = listing(payload("dispute", external_reference=KEY), cursor="again", total=9)
    connector, counter = at_counter(answer(page), answer(page), answer(page))
    with pytest.raises(Drift, match="tourne en rond"):
        connector.find_dispute(KEY, CONTESTED)
    assert len(counter.sent) == 2


def test_a_revoked_access_is_denied_not_absent() -> None:
    connector, _ = at_counter(answer({"code": "unauthorized"}, 401))
    with pytest.raises(Denied, match="Reconnectez"):
        connector.find_procedure(KEY, FILE)


def test_a_file_that_shrank_since_it_landed_is_still_found() -> None:
    """Amounts may only go down between a lost reply and the look-up; a paid claim is left out."""
    less = FILE.claims[0].model_copy(
        update={"line": LINES[0].model_copy(update={"principal": euros("1100.00")})}
    )
    connector, _ = at_counter(answer(listing(payload("procedure"))))
    found = connector.find_procedure(KEY, FILE.model_copy(update={"claims": (less,)}))
    assert isinstance(found, Receipt)
    assert found.amount == euros("2093.36"), "what stands there, not what we would ask today"


def test_a_procedure_that_claims_less_than_our_file_is_a_conflict() -> None:
    more = FILE.claims[0].model_copy(
        update={"line": LINES[0].model_copy(update={"principal": euros("1500.01")})}
    )
    connector, _ = at_counter(answer(listing(payload("procedure"))))
    with pytest.raises(Conflict):
        connector.find_procedure(KEY, FILE.model_copy(update={"claims": (more,)}))


def test_a_key_that_left_another_kind_of_trace_is_a_conflict() -> None:
    connector, _ = at_counter(answer(listing(payload("timeline_paused"))))
    with pytest.raises(Conflict, match="historique"):
        connector.find_withdrawal(KEY, WITHDRAWAL)


def test_a_withdrawal_in_vain_for_a_claim_already_ended_is_found() -> None:
    entry = payload("timeline_withdrawn")
    entry["data"]["invoice_numbers"] = ["L-2026-131"]
    row = payload("procedure_withdrawn")
    row["invoices"][0]["status"] = "recovered"
    connector, _ = at_counter(answer(listing(entry)), answer(row))
    found = connector.find_withdrawal(KEY, WITHDRAWAL)
    assert isinstance(found, Receipt) and found.state == "posted"


def test_a_mandate_with_another_annex_is_a_conflict() -> None:
    row = payload("mandate_pending")
    row["invoices"][1]["indemnity"] = {"amount": "0.00", "currency": "EUR"}
    connector, _ = at_counter(answer(listing(row)))
    with pytest.raises(Conflict):
        connector.find_mandate(KEY, DRAFT)


@pytest.mark.parametrize("name", ["procedure", "direct_payment", "dispute"])
def test_an_unknown_status_is_found_but_not_posted(name: str) -> None:
    sought = LOOKUPS[name]
    connector, _ = at_counter(answer(listing(payload(sought.row, status="zz_new"))))
    found = sought.find(connector)
    assert isinstance(found, Receipt) and found.state == "pending"


def test_a_withdrawal_whose_procedure_cannot_be_read_is_doubt() -> None:
    connector, _ = at_counter(
        answer(listing(payload("timeline_withdrawn"))), answer({"code": "not_found"}, 404)
    )
    with pytest.raises(Drift, match="rien n'en est conclu"):
        connector.find_withdrawal(KEY, WITHDRAWAL)


def test_a_withdrawal_that_left_one_of_our_claims_in_procedure_is_a_conflict() -> None:
    entry = payload("timeline_withdrawn")
    entry["data"]["invoice_numbers"] = ["L-2026-131"]
    row = payload("procedure_withdrawn")
    row["invoices"][0]["status"] = "in_procedure"
    connector, _ = at_counter(answer(listing(entry)), answer(row))
    with pytest.raises(Conflict):
        connector.find_withdrawal(KEY, WITHDRAWAL)
