"""Every answer GCollect may give to a write or a read, and what the host is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from tests.connectors_gcollect.counter import (
    AMENDMENT,
    CONTESTED,
    DRAFT,
    FILE,
    KEY,
    LINES,
    PAID,
    PAUSE,
    REQUEST,
    SIGNED,
    WITHDRAWAL,
    answer,
    at_counter,
    html,
    lowered_procedure,
    payload,
)

from encaisse_api import (
    ActionNeeded,
    Conflict,
    CursorLost,
    Denied,
    Drift,
    MandateLink,
    OutcomeUnknown,
    PartnerError,
    Receipt,
    Rejected,
    SignedMandate,
    Transient,
)
from encaisse_gcollect import GCollectConnector

Act = Callable[[GCollectConnector], Receipt | MandateLink]

WRITES: dict[str, tuple[Act, str, str]] = {
    "request_mandate": (lambda c: c.request_mandate(KEY, DRAFT), "/v1/mandates", "mandate_pending"),
    "open_procedure": (
        lambda c: c.open_procedure(KEY, FILE, SIGNED),
        "/v1/procedures",
        "procedure",
    ),
    "withdraw": (
        lambda c: c.withdraw(KEY, WITHDRAWAL),
        "/v1/procedures/prc_401/withdraw",
        "procedure_withdrawn",
    ),
    "pause": (lambda c: c.pause(KEY, PAUSE), "/v1/procedures/prc_401/pause", "procedure_disputed"),
    "declare_direct_payment": (
        lambda c: c.declare_direct_payment(KEY, PAID),
        "/v1/procedures/prc_401/direct_payments",
        "direct_payment",
    ),
    "open_dispute": (
        lambda c: c.open_dispute(KEY, CONTESTED),
        "/v1/procedures/prc_401/disputes",
        "dispute",
    ),
}

every_write = pytest.mark.parametrize("name", WRITES)


@every_write
def test_an_accepted_write_gives_its_receipt_and_carries_its_key(name: str) -> None:
    act, path, reply = WRITES[name]
    connector, counter = at_counter(answer(payload(reply), 201))
    given = act(connector)
    assert isinstance(given, MandateLink) or given.state == "posted"
    (sent,) = counter.sent
    assert (sent.method, sent.url.host, sent.url.path) == ("POST", "api.gcollect.example", path)
    assert sent.headers["idempotency-key"] == KEY


@every_write
@pytest.mark.parametrize(
    "failure",
    [
        httpx.ReadTimeout("lost"),
        httpx.WriteTimeout("lost"),
        httpx.ReadError("lost"),
        httpx.RemoteProtocolError("lost"),
        html(200),
        html(404),
        html(502),
        answer({}, 500),
        answer({}, 503),
        answer([], 201),
        answer({}, 201),
        httpx.Response(201, content=b"", headers={"content-type": "application/json"}),
        httpx.Response(201, content=b'{"id": "x', headers={"content-type": "application/json"}),
        httpx.Response(302, headers={"location": "https://autre.example"}),
        answer({"code": "duplicate_external_reference", "existing_id": "x"}, 409),
    ],
    ids=str,
)
def test_a_doubtful_reply_is_an_unknown_outcome_and_nothing_is_sent_again(
    name: str, failure: httpx.Response | Exception
) -> None:
    connector, counter = at_counter(failure)
    with pytest.raises(OutcomeUnknown):
        WRITES[name][0](connector)
    assert len(counter.sent) == 1


@every_write
@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("no"), Transient),
        (httpx.ConnectTimeout("no"), Transient),
        (httpx.PoolTimeout("no"), Transient),
        (answer({"code": "rate_limited"}, 429), Transient),
        (html(429), Transient),
        (answer({"code": "unauthorized"}, 401), Denied),
        (html(401), Denied),
        (answer({"code": "forbidden_scope"}, 403), Denied),
        (answer({"code": "not_found"}, 404), Rejected),
        (answer({"code": "duplicate_invoice"}, 409), Conflict),
        (answer({"code": "idempotency_conflict"}, 422), Conflict),
        (answer({"code": "validation_error"}, 422), Rejected),
        (answer({"code": "not_in_mandate"}, 422), Rejected),
        (answer({"code": "procedure_closed"}, 409), Rejected),
        (answer({"code": "dispute_open"}, 409), Rejected),
        (answer({"code": "un_code_nouveau"}, 409), Rejected),
        (answer({"code": "precondition_failed"}, 412), Transient),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else str(each),
)
def test_a_plain_refusal_says_that_nothing_was_done(
    name: str, failure: httpx.Response | Exception, error: type[PartnerError]
) -> None:
    connector, _ = at_counter(failure)
    with pytest.raises(PartnerError) as refused:
        WRITES[name][0](connector)
    assert type(refused.value) is error


@every_write
def test_a_reply_about_something_else_is_an_unknown_outcome(name: str) -> None:
    act, _, reply = WRITES[name]
    stranger = payload(reply, id="another", external_reference="another")
    connector, _ = at_counter(answer(stranger, 201))
    with pytest.raises(OutcomeUnknown):
        act(connector)


def test_an_unsigned_claim_is_refused_before_anything_leaves() -> None:
    connector, counter = at_counter()
    only_first = SIGNED.mandate.model_copy(update={"annex": LINES[:1]})
    with pytest.raises(Rejected, match=r"L-2026-131.*Rien n'est parti"):
        connector.open_procedure(KEY, FILE, SignedMandate(mandate=only_first))
    assert counter.sent == []


@pytest.mark.parametrize("missing", [{"name": None}, {"kind": "unknown"}])
def test_a_debtor_nobody_named_is_refused_before_anything_leaves(
    missing: dict[str, object],
) -> None:
    connector, counter = at_counter()
    debtor = FILE.debtor.model_copy(update=missing)
    with pytest.raises(Rejected, match="Rien n'est parti"):
        connector.open_procedure(KEY, FILE.model_copy(update={"debtor": debtor}), SIGNED)
    assert counter.sent == []


def test_a_missing_signature_points_to_the_page_where_a_person_signs() -> None:
    connector, _ = at_counter(answer(payload("problem_mandate_required"), 409))
    with pytest.raises(ActionNeeded) as needed:
        connector.open_procedure(KEY, FILE, SIGNED)
    assert needed.value.url == "https://api.gcollect.example/sign/4f1d"
    assert "L-2026-118" in needed.value.message
    assert "Signez le mandat" in needed.value.message


def test_a_missing_signature_without_a_page_is_refused() -> None:
    connector, _ = at_counter(answer({"code": "mandate_required"}, 409))
    with pytest.raises(Rejected) as refused:
        connector.open_procedure(KEY, FILE, SIGNED)
    assert refused.value.code == "mandate_required"


def test_a_refusal_names_the_invoices_and_the_next_step_but_repeats_no_personal_word() -> None:
    refusal = answer(payload("problem_duplicate_invoice"), 409, **{"x-request-id": "req-9"})
    connector, _ = at_counter(refusal)
    with pytest.raises(Conflict) as refused:
        connector.open_procedure(KEY, FILE, SIGNED)
    assert "L-2026-118, L-2026-131" in refused.value.message
    assert "dites laquelle garder" in refused.value.message
    assert "Madame" not in refused.value.message
    assert refused.value.request_id == "req-9"


def test_a_refusal_names_the_fields_at_fault() -> None:
    connector, _ = at_counter(answer(payload("problem_validation"), 422))
    with pytest.raises(Rejected, match=r"champs /invoices/0/due_date, /quote_ids"):
        connector.request_mandate(KEY, DRAFT)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "7"}, timedelta(seconds=7)),
        (
            {
                "retry-after": "Fri, 02 Oct 2026 01:00:30 GMT",
                "date": "Fri, 02 Oct 2026 01:00:00 GMT",
            },
            timedelta(seconds=30),
        ),
        ({"retry-after": "Fri, 02 Oct 2026 01:00:30 GMT"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_too_many_calls_wait_as_long_as_asked(
    headers: dict[str, str], wait: timedelta | None
) -> None:
    connector, _ = at_counter(answer({"code": "rate_limited"}, 429, **headers))
    with pytest.raises(Transient) as busy:
        connector.quote(REQUEST)
    assert busy.value.retry_after == wait


def test_an_amendment_is_sent_on_the_version_just_read() -> None:
    connector, counter = at_counter(
        answer(payload("procedure"), etag='"prc_401-1"'), answer(lowered_procedure())
    )
    receipt = connector.amend(KEY, AMENDMENT)
    assert (receipt.remote_id, receipt.amount, receipt.state) == (
        "prc_401",
        AMENDMENT.principal,
        "posted",
    )
    read, sent = counter.sent
    assert (read.method, sent.method) == ("GET", "PATCH")
    assert sent.headers["if-match"] == '"prc_401-1"'
    assert sent.headers["idempotency-key"] == KEY


def test_an_amendment_of_a_procedure_that_moved_is_tried_again_later() -> None:
    connector, _ = at_counter(
        answer(payload("procedure")), answer({"code": "precondition_failed"}, 412)
    )
    with pytest.raises(Transient, match="L-2026-118"):
        connector.amend(KEY, AMENDMENT)


def test_an_amendment_that_changed_nothing_is_an_unknown_outcome() -> None:
    connector, _ = at_counter(answer(payload("procedure")), answer(payload("procedure")))
    with pytest.raises(OutcomeUnknown):
        connector.amend(KEY, AMENDMENT)


def test_a_withdrawal_that_left_a_claim_in_procedure_is_not_posted() -> None:
    connector, _ = at_counter(answer(payload("procedure")))
    assert connector.withdraw(KEY, WITHDRAWAL).state == "pending"


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ReadTimeout("lost"), Transient),
        (httpx.ConnectError("no"), Transient),
        (html(200), Drift),
        (html(404), Drift),
        (html(502), Transient),
        (answer({}, 503), Transient),
        (answer({}), Drift),
        (httpx.Response(200, content=b"", headers={"content-type": "application/json"}), Drift),
        (answer({"code": "unauthorized"}, 401), Denied),
        (answer({"code": "not_found"}, 404), Rejected),
        (answer({"code": "cursor_expired"}, 410), CursorLost),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else str(each),
)
def test_a_failed_read_says_why(
    failure: httpx.Response | Exception, error: type[PartnerError]
) -> None:
    connector, _ = at_counter(failure)
    with pytest.raises(PartnerError) as refused:
        connector.read_mandate("mdt_8")
    assert type(refused.value) is error


def test_a_changed_shape_is_kept_raw_and_its_values_stay_out_of_the_sentence() -> None:
    row = payload("mandate_signed", status=["Alix Exemple"])
    connector, _ = at_counter(answer(row))
    with pytest.raises(Drift) as drift:
        connector.read_mandate("mdt_8")
    assert "status" in drift.value.message
    assert "Alix" not in drift.value.message
    assert "Alix" in drift.value.raw


def test_a_mandate_over_claims_that_are_not_ours_is_a_drift() -> None:
    row = payload("mandate_signed")
    row["invoices"][0]["external_id"] = "facture-12"
    connector, _ = at_counter(answer(row))
    with pytest.raises(Drift):
        connector.read_mandate("mdt_8")


def test_no_attestation_is_an_answer_and_a_wrong_address_is_none() -> None:
    connector, _ = at_counter(
        answer({"code": "attestation_unavailable"}, 404), answer({"code": "not_found"}, 404)
    )
    assert connector.attestation("prc_401") is None
    with pytest.raises(Rejected):
        connector.attestation("prc_401")
