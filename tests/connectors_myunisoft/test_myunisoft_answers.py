"""Every refusal of the vendor is one error of the contract and one French sentence."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from encaisse_api import Delivery, Hint, WebhookScheme
from encaisse_api.errors import (
    ActionNeeded,
    Conflict,
    Denied,
    Drift,
    OutcomeUnknown,
    PartnerError,
    PeriodClosed,
    Rejected,
    Transient,
)
from encaisse_api.webhooks import Unverified, verify
from encaisse_lab import record_myunisoft
from encaisse_myunisoft import answers, hints
from encaisse_myunisoft.answers import Answer, NotFound
from encaisse_myunisoft.codes import CODES, Fate
from encaisse_myunisoft.manifest import MANIFEST

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
SUBJECT = "Facture F1, règlement de 600.00 €"
CASSETTES = Path(__file__).parents[1] / "cassettes" / "myunisoft"

WRITTEN: dict[Fate, type[PartnerError]] = {
    Fate.DENIED: Denied,
    Fate.LATER: Transient,
    Fate.PERIOD: PeriodClosed,
    Fate.PERSON: ActionNeeded,
    Fate.REFUSED: Rejected,
    Fate.DIFFERS: Conflict,
    Fate.UNSURE: OutcomeUnknown,
}


def raised(
    body: object, status: int = 400, *, writes: bool = True, reset: str | None = None
) -> PartnerError:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Answer(SUBJECT, writes, status, text, reset=reset, request_id="req-1")
    try:
        found = answers.content(answer, NOW)
    except PartnerError as error:
        return error
    raise AssertionError(found)


def refusal(code: str) -> dict[str, object]:
    return {"error": {"code": code, "message": "mots qui changent", "details": ""}}


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_one_fate_and_one_sentence(code: str) -> None:
    for status in (400, 401, 403, 429, 500):
        error = raised(refusal(code), status)
        assert type(error) is WRITTEN[CODES[code][0]], status
        assert error.message.startswith(f"{SUBJECT} : ")
        assert code in error.message
        assert "mots qui changent" not in error.message
        assert error.message.rstrip().endswith((".", "tentative."))
        assert error.request_id == "req-1"
    read = raised(refusal(code), writes=False)
    assert not isinstance(read, OutcomeUnknown | Rejected | Conflict) or isinstance(
        read, PeriodClosed
    )


def test_a_code_nobody_listed_refuses_a_write_and_is_drift_in_a_read() -> None:
    assert type(raised(refusal("ECR404"))) is Rejected
    assert type(raised(refusal("ECR404"), writes=False)) is Drift
    assert type(raised(refusal("ECR404"), 500)) is OutcomeUnknown
    assert type(raised(refusal("ERR-NEW"), 401)) is Denied


def test_not_found_needs_the_vendors_own_word() -> None:
    for code in ("ERR-ENTRY-NOT-FOUND", "ERR-HTTP", "SOMETHING"):
        with pytest.raises(NotFound):
            raised(refusal(code), 404, writes=False)
    odd: tuple[object, ...] = (b"", b"<html>", {"title": "x"}, [], {"error": "x"}, {"error": {}})
    for body in odd:
        assert type(raised(body, 404, writes=False)) is Drift
    assert type(raised(refusal("ERR-API-TOKEN-NOT-FOUND"), 404, writes=False)) is Denied


@pytest.mark.parametrize(
    ("reset", "wait"),
    [
        ("1795161605.33", timedelta(seconds=5, milliseconds=330)),
        (" 1795161610 ", timedelta(seconds=10)),
        ("1795161590", timedelta(0)),
        (None, None),
        ("bientôt", None),
        ("NaN", None),
        ("-5", None),
        ("9" * 40, None),
    ],
)
def test_the_wait_is_until_the_reset(reset: str | None, wait: timedelta | None) -> None:
    error = raised(refusal("ERR-TOO-MANY-REQUEST"), 429, reset=reset)
    assert isinstance(error, Transient)
    assert error.retry_after == wait


def test_a_file_is_a_pdf_or_nothing() -> None:
    answers.check_file(Answer("PDF", False, 200, b"%PDF-1.7 essai"), NOW)
    for body in (b"", b"<html>", b'{"a":1}', b"PK\x03\x04"):
        with pytest.raises(Drift):
            answers.check_file(Answer("PDF", False, 200, body), NOW)
    with pytest.raises(Denied):
        answers.check_file(Answer("PDF", False, 401, b""), NOW)


# --- webhooks ------------------------------------------------------------------------------------

SECRET = "demo-K3y0nlyForTests"
STAMP = "1795255200123"
BODY = (
    b'[{"name":"accountingEntryLettering","operation":"CREATE","scope":{"schemaId":7,"firmId":3,'
    b'"accountingFolderId":512,"accountingFolderRef":"DUPO1"},"data":{"id":"880031","paymentType":'
    b'"VIRT","piece1":"VIR20261120"},"webhookId":"0b7e6f5e-5f0a-4d1c-9f0e-1f2d3c4b5a69",'
    b'"createdAt":1795255200000}]'
)
SIGNATURE = "785fec51b8899d2fe9710a744a32e5051a25d5eda332890d42f27f7d87d0f055"
SENT = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(STAMP))


def scheme() -> WebhookScheme:
    assert MANIFEST.webhook is not None
    return MANIFEST.webhook


def delivery(body: bytes = BODY, stamp: str = STAMP) -> Delivery:
    headers = (("Date", stamp), ("signature", SIGNATURE), ("content-type", "application/json"))
    return Delivery(headers=headers, body=body, received_at=SENT)


def test_the_documented_signature_holds_by_the_manifests_scheme() -> None:
    verify(scheme(), [SECRET], delivery(), SENT)
    for odd, secret, now in (
        (delivery(BODY + b" "), SECRET, SENT),
        (delivery(stamp=str(int(STAMP) + 1)), SECRET, SENT),
        (delivery(), "another", SENT),
        (delivery(), SECRET, SENT + timedelta(minutes=6)),
    ):
        with pytest.raises(Unverified):
            verify(scheme(), [secret], odd, now)


def test_a_lettering_of_our_dossier_is_a_reason_to_look_and_nothing_more() -> None:
    assert hints.read(BODY, "512") == (Hint(stream="invoices"),)
    assert hints.read(BODY, None) == (Hint(stream="invoices"),)
    assert hints.read(BODY, "513") == ()
    assert hints.read(BODY.replace(b"accountingEntryLettering", b"cloudDocument"), "512") == ()
    assert hints.read(b'[{"name":"exercice","scope":null},3]', "512") != ()
    for odd in (b"", b"{}", b"not json"):
        with pytest.raises(Drift):
            hints.read(odd, "512")


# --- recordings ----------------------------------------------------------------------------------


def test_recording_again_gives_the_same_bytes(tmp_path: Path) -> None:
    record_myunisoft.main(tmp_path)
    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in CASSETTES.iterdir()}
    assert fresh == kept, "record again: python -m encaisse_lab.record_myunisoft FOLDER"


def test_no_recording_holds_a_secret() -> None:
    for path in CASSETTES.glob("*.yaml"):
        text = path.read_text("utf-8")
        assert record_myunisoft.TOKEN not in text
        assert record_myunisoft.SECRET not in text
