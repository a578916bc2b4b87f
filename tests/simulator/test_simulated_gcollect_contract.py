"""The assumed contract: access, blind quotes, mandates, procedures, keys, feeds."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from encaisse_simulator import World
from encaisse_simulator.caller import CalledClaim, GCollectCaller, euro
from encaisse_simulator.wire import Json

CLAIM = CalledClaim("F-1")


def signed(world: World, collector: GCollectCaller, *claims: CalledClaim) -> str:
    mandate = collector.prepare(*claims)
    world.gcollect.sign_mandate(mandate, name="Sandrine Exemple", email="sandrine@example.org")
    return mandate


def opened(world: World, collector: GCollectCaller, *claims: CalledClaim) -> str:
    answer = collector.open(signed(world, collector, *claims), claims)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_lives_thirty_minutes(world: World, collector: GCollectCaller) -> None:
    assert collector.get("/me").json()["creditors"][0]["siren"] == "123456782"
    world.advance(timedelta(seconds=1799))
    assert collector.get("/me").status_code == 200
    world.advance(timedelta(seconds=1))
    answer = collector.get("/me")
    refused(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    collector.log_in()
    assert collector.get("/me").status_code == 200


@pytest.mark.parametrize(
    ("form", "basic", "status", "error"),
    [
        ({"grant_type": "client_credentials"}, ("client", "faux"), 401, "invalid_client"),
        ({"grant_type": "password"}, ("client", "secret"), 400, "unsupported_grant_type"),
        ({"scope": "x"}, ("client", "secret"), 400, "invalid_request"),
        (
            {"grant_type": "client_credentials", "scope": "admin"},
            ("client", "secret"),
            400,
            "invalid_scope",
        ),
    ],
)
def test_the_token_endpoint_refuses_as_oauth_says(
    http: httpx.Client, form: dict[str, str], basic: tuple[str, str], status: int, error: str
) -> None:
    url = "https://api.gcollect.example/v1/oauth/token"
    answer = http.post(url, data=form, auth=basic)
    assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_the_secret_may_be_in_the_form(http: httpx.Client) -> None:
    url = "https://api.gcollect.example/v1/oauth/token"
    form = {"grant_type": "client_credentials", "client_id": "client", "client_secret": "secret"}
    answer = http.post(url, data=form)
    assert answer.json()["expires_in"] == 1800
    assert answer.json()["access_token"].count(".") == 2


def test_a_narrow_access_cannot_open_procedures(collector: GCollectCaller) -> None:
    collector.log_in("quotes:write")
    assert collector.quote([CLAIM]).status_code == 200
    refused(collector.ask_mandate("quo_1", [CLAIM]), 403, "forbidden_scope")
    refused(collector.get("/payouts"), 403, "forbidden_scope")


def test_a_quote_takes_no_name(world: World, collector: GCollectCaller) -> None:
    answer = collector.quote([CLAIM], kind="company", siren="987654324", name="Bureau Modèle")
    refused(answer, 422, "validation_error")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [
        ("/debtor/name", "unknown_field")
    ]
    assert "Bureau" not in answer.text
    assert world.ledger() == []


def test_older_claims_cost_more_and_the_figures_agree(collector: GCollectCaller) -> None:
    recent = collector.quote([CalledClaim("F-1", due_date="2026-11-01")]).json()
    assert (recent["fee_rate"], recent["fee_estimate"]["amount"]) == ("10.50", "126.00")
    assert (recent["fee_vat"]["amount"], recent["net_estimate"]["amount"]) == ("25.20", "1048.80")
    old = collector.quote([CalledClaim("F-1", issue_date="2024-01-01", due_date="2024-02-01")])
    assert old.json()["fee_rate"] == "28.00"


@pytest.mark.parametrize(
    ("claim", "kind", "reason"),
    [
        (CalledClaim("F-1", principal=999), "company", "below_minimum"),
        (CalledClaim("F-1", due_date="2026-11-24"), "company", "not_due"),
        (CLAIM, "public", "public_debtor"),
    ],
)
def test_a_claim_not_eligible_has_a_reason_and_no_price(
    collector: GCollectCaller, claim: CalledClaim, kind: str, reason: str
) -> None:
    quote = collector.quote([claim], kind=kind).json()
    assert (quote["eligible"], quote["ineligibility_reasons"]) == (False, [reason])
    assert quote["fee_estimate"] is None
    refused(collector.ask_mandate(quote["id"], [claim]), 422, "not_eligible")


def test_a_quote_runs_out(world: World, collector: GCollectCaller) -> None:
    quote = collector.quote([CLAIM]).json()["id"]
    world.advance(timedelta(days=15))
    collector.log_in()
    assert collector.get(f"/quotes/{quote}").json()["status"] == "expired"
    refused(collector.ask_mandate(quote, [CLAIM]), 422, "quote_expired")


def test_nothing_opens_before_a_person_has_signed(world: World, collector: GCollectCaller) -> None:
    mandate = collector.prepare(CLAIM)
    answer = collector.open(mandate, [CLAIM])
    refused(answer, 409, "mandate_required")
    assert answer.json()["solution_url"] == world.gcollect.signing_url(mandate)
    assert world.gcollect.procedures_ledger() == []


@pytest.mark.parametrize("end", ["refuse", "expire", "revoke"])
def test_a_mandate_that_ended_opens_nothing(
    world: World, collector: GCollectCaller, end: str
) -> None:
    mandate = collector.prepare(CLAIM)
    if end == "refuse":
        world.gcollect.refuse_mandate(mandate)
    elif end == "revoke":
        world.gcollect.sign_mandate(mandate, name="Sandrine", email="sandrine@example.org")
        world.gcollect.revoke_mandate(mandate)
    else:
        world.advance(timedelta(days=30, seconds=1))
        collector.log_in()
    status = collector.get(f"/mandates/{mandate}").json()["status"]
    assert status == {"refuse": "refused", "expire": "expired", "revoke": "revoked"}[end]
    refused(collector.open(mandate, [CLAIM]), 409, "mandate_required")


def test_only_what_was_signed_can_be_opened(world: World, collector: GCollectCaller) -> None:
    mandate = signed(world, collector, CLAIM)
    dearer = CalledClaim("F-1", interest=1)
    refused(collector.open(mandate, [dearer]), 422, "not_in_mandate")
    refused(collector.open(mandate, [CalledClaim("F-2")]), 422, "not_in_mandate")
    cheaper = CalledClaim("F-1", principal=100_000)
    assert collector.open(mandate, [cheaper]).status_code == 201


def test_the_same_key_replays_the_same_bytes_for_a_day(
    world: World, collector: GCollectCaller
) -> None:
    mandate = signed(world, collector, CLAIM)
    first = collector.open(mandate, [CLAIM], reference="ref", key="key")
    again = collector.open(mandate, [CLAIM], reference="ref", key="key")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["idempotency-replayed"] == "true"
    other = collector.open(mandate, [CalledClaim("F-2")], reference="ref", key="key")
    refused(other, 422, "idempotency_conflict")
    world.advance(timedelta(hours=24))
    collector.log_in()
    late = collector.open(mandate, [CLAIM], reference="ref", key="key")
    refused(late, 409, "duplicate_external_reference")
    assert late.json()["existing_id"] == first.json()["id"]
    kinds = [entry.kind for entry in world.ledger()]
    assert kinds == ["mandate_requested", "mandate_signed", "procedure_opened"]


def test_a_refusal_is_not_stored_under_its_key(world: World, collector: GCollectCaller) -> None:
    mandate = collector.prepare(CLAIM)
    refused(collector.open(mandate, [CLAIM], reference="r", key="k"), 409, "mandate_required")
    world.gcollect.sign_mandate(mandate, name="Sandrine", email="sandrine@example.org")
    assert collector.open(mandate, [CLAIM], reference="r", key="k").status_code == 201


def test_a_write_without_a_key_is_refused(world: World, collector: GCollectCaller) -> None:
    procedure = opened(world, collector, CLAIM)
    body = {"external_reference": "p", "reason": "creditor"}
    for headers in ({"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 256}):
        answer = collector.send("POST", f"/procedures/{procedure}/pause", body, headers=headers)
        refused(answer, 400, "idempotency_key_required")


def test_an_invoice_is_in_one_open_procedure_per_issue_year(
    world: World, collector: GCollectCaller
) -> None:
    first = opened(world, collector, CLAIM)
    again = collector.open(signed(world, collector, CLAIM), [CLAIM])
    refused(again, 409, "duplicate_invoice")
    assert again.json()["existing_id"] == first
    last_year = CalledClaim("F-1", issue_date="2025-08-01", due_date="2025-08-31")
    opened(world, collector, last_year)
    body = {"external_reference": "w", "reason": "creditor"}
    assert collector.send("POST", f"/procedures/{first}/withdraw", body).status_code == 200
    opened(world, collector, CLAIM)
    lines = world.gcollect.procedures_ledger()
    assert [(line.invoice_number, line.issue_year, line.close_code) for line in lines] == [
        ("F-1", 2026, "withdrawn"),
        ("F-1", 2025, None),
        ("F-1", 2026, None),
    ]


def test_a_procedure_is_found_by_our_reference_and_by_nobody_else(
    world: World, collector: GCollectCaller, http: httpx.Client
) -> None:
    mandate = signed(world, collector, CLAIM)
    procedure = collector.open(mandate, [CLAIM], reference="dossier/1").json()["id"]
    found = collector.get("/procedures/by-external-reference/dossier%2F1")
    assert found.json()["id"] == procedure
    world.gcollect.register_creditor("987654324", "Autre SAS", "autre", "secret")
    stranger = GCollectCaller(http, "autre", "secret")
    stranger.log_in()
    refused(stranger.get("/procedures/by-external-reference/dossier%2F1"), 404, "not_found")
    for path in (f"/procedures/{procedure}", f"/mandates/{mandate}"):
        refused(stranger.get(path), 404, "not_found")
    assert stranger.get("/procedures").json()["items"] == []


def test_an_amount_only_falls_and_only_on_the_version_seen(
    world: World, collector: GCollectCaller
) -> None:
    procedure = opened(world, collector, CLAIM)
    path = f"/procedures/{procedure}"

    def amend(cents: int, etag: str | None) -> httpx.Response:
        lines: list[Json] = [{"number": "F-1", "principal": euro(cents)}]
        headers = {"If-Match": etag} if etag else {}
        body: dict[str, Json] = {
            "external_reference": f"amend-{cents}",
            "invoices": lines,
        }
        return collector.send("PATCH", path, body, headers=headers)

    seen = collector.get(path)
    etag = seen.headers["etag"]
    assert collector.get(path, headers={"If-None-Match": etag}).status_code == 304
    refused(amend(100_000, None), 428, "precondition_required")
    refused(amend(130_000, etag), 422, "amount_may_only_fall")
    changed = amend(100_000, etag)
    assert changed.json()["invoices"][0]["balance"]["amount"] == "1000.00"
    assert changed.headers["etag"] != etag
    refused(amend(90_000, etag), 412, "precondition_failed")
    found = {
        cents: collector.get(f"{path}/timeline", external_reference=f"amend-{cents}").json()
        for cents in (130_000, 100_000, 90_000)
    }
    assert [each["total"] for each in found.values()] == [0, 1, 0]
    (lowered,) = found[100_000]["items"]
    assert lowered["type"] == "procedure.amended"
    assert lowered["data"]["invoices"] == [{"number": "F-1", "principal": euro(100_000)}]


def test_a_step_is_found_in_the_timeline_by_its_reference(
    world: World, collector: GCollectCaller
) -> None:
    path = f"/procedures/{opened(world, collector, CLAIM)}"
    body = {"external_reference": "pause-ref", "reason": "payment_check"}
    paused = collector.send("POST", f"{path}/pause", body).json()
    assert (paused["status"], paused["lock"]) == ("paused", {"reason": "payment_check"})
    found = collector.get(f"{path}/timeline", external_reference="pause-ref").json()
    assert [(each["type"], each["data"]["reason"]) for each in found["items"]] == [
        ("procedure.paused", "payment_check")
    ]
    again = {"external_reference": "pause-2", "reason": "creditor"}
    refused(collector.send("POST", f"{path}/pause", again), 409, "invalid_transition")


def test_one_invoice_of_a_procedure_can_be_withdrawn(
    world: World, collector: GCollectCaller
) -> None:
    claims = (CLAIM, CalledClaim("F-2"))
    path = f"/procedures/{opened(world, collector, *claims)}"
    body = {"external_reference": "w1", "reason": "credit_note", "invoice_numbers": ["F-2"]}
    left = collector.send("POST", f"{path}/withdraw", body).json()
    assert left["status"] == "active"
    assert [each["status"] for each in left["invoices"]] == ["in_procedure", "withdrawn"]
    rest = {"external_reference": "w2", "reason": "creditor"}
    closed = collector.send("POST", f"{path}/withdraw", rest).json()
    assert (closed["status"], closed["close_code"]) == ("closed", "withdrawn")
    third = {"external_reference": "w3", "reason": "creditor"}
    refused(collector.send("POST", f"{path}/withdraw", third), 409, "procedure_closed")
    withdrawn = [e.invoice_number for e in world.ledger() if e.kind == "procedure_withdrawn"]
    assert withdrawn == ["F-2", "F-1"]


def test_a_document_that_does_not_match_its_print_is_refused(
    world: World, collector: GCollectCaller
) -> None:
    mandate = signed(world, collector, CLAIM)
    document: dict[str, Json] = {
        "invoice_number": "F-1",
        "filename": "F-1.pdf",
        "media_type": "application/pdf",
        "content_base64": "JVBERg==",
        "sha256": "0" * 64,
    }
    body: dict[str, Json] = {
        "external_reference": "p",
        "mandate_id": mandate,
        "debtor": {"kind": "company", "name": "Bureau Modèle SARL"},
        "invoices": [CLAIM.line()],
    }
    answer = collector.send("POST", "/procedures", {**body, "documents": [document]})
    assert [each["code"] for each in answer.json()["errors"]] == ["mismatch"]
    del document["sha256"]
    answer = collector.send("POST", "/procedures", {**body, "documents": [document]})
    debtor, documents = world.gcollect.received_file(answer.json()["id"])
    assert debtor.name == "Bureau Modèle SARL"
    assert [each.content for each in documents] == [b"%PDF"]


def test_an_insolvent_debtor_is_refused(world: World, collector: GCollectCaller) -> None:
    mandate = signed(world, collector, CLAIM)
    world.gcollect.mark_insolvent("987654324")
    refused(collector.open(mandate, [CLAIM]), 409, "debtor_insolvent")
    assert collector.quote([CLAIM]).json()["ineligibility_reasons"] == ["debtor_insolvent"]


@pytest.mark.parametrize("coarse", [False, True])
def test_a_feed_gives_each_change_once_and_in_order(
    world: World, collector: GCollectCaller, coarse: bool
) -> None:
    world.gcollect.coarse_clock = coarse
    claims = [CalledClaim(f"F-{n}") for n in range(7)]
    mandate = signed(world, collector, *claims)
    ids = [collector.open(mandate, [claim]).json()["id"] for claim in claims]
    first = collector.get("/procedures", limit="3").json()
    assert (first["has_more"], first["total"]) == (True, 7)
    seen = [*first["items"]]
    cursor = first["next_cursor"]
    while cursor is not None:
        page = collector.get("/procedures", limit="3", cursor=cursor).json()
        seen += page["items"]
        cursor = page["next_cursor"]
    assert sorted(each["id"] for each in seen) == sorted(ids)
    order = [(each["updated_at"], each["id"]) for each in seen]
    assert order == sorted(order)
    assert len({each["updated_at"] for each in seen}) == (1 if coarse else 7)
    at, after = order[4]
    rest = collector.get("/procedures", updated_since=at, after_id=after).json()
    assert [(each["updated_at"], each["id"]) for each in rest["items"]] == order[5:]
    refused(collector.get("/procedures", limit="3", cursor="xyz"), 410, "cursor_expired")
    other_query = collector.get("/procedures", limit="2", cursor=first["next_cursor"])
    refused(other_query, 410, "cursor_expired")
    refused(collector.get("/procedures", updated_since="hier"), 422, "validation_error")


def test_speed_is_limited_when_asked(world: World, collector: GCollectCaller) -> None:
    world.gcollect.rate_limit = 2
    world.advance(timedelta(seconds=1))
    first, second, third = (collector.get("/me") for _ in range(3))
    remaining = [each.headers["ratelimit-remaining"] for each in (first, second, third)]
    assert remaining == ["1", "0", "0"]
    refused(third, 429, "rate_limited")
    assert third.headers["retry-after"] == "1"
    world.advance(timedelta(seconds=1))
    assert collector.get("/me").status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_object_is_refused(
    http: httpx.Client, collector: GCollectCaller, body: bytes
) -> None:
    authorization = collector.get("/me").request.headers["Authorization"]
    headers = {"Authorization": authorization}
    url = "https://api.gcollect.example/v1/quotes"
    refused(http.post(url, content=body, headers=headers), 400, "validation_error")


def test_unknown_paths_and_methods_are_told_apart(collector: GCollectCaller) -> None:
    refused(collector.get("/nothing"), 404, "not_found")
    refused(collector.send("DELETE", "/payouts", {}), 405, "method_not_allowed")
