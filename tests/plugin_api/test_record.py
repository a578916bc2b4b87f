"""An author records against a server of their own, and the exam takes what comes of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from tests.plugin_api.toy import ToyConnector

from encaisse_api import Money, PaymentEntry
from encaisse_api.conformance import declared, finding, pulling, writing
from encaisse_api.conformance.exam import Exam
from encaisse_api.conformance.record import Loopback, NotForPublication, Recorder

KEY = "enc-0000000000000000000000000a"
TOKEN = "invented-for-the-recording"


class Own(BaseHTTPRequestHandler):
    """Be an author's own server, with one invoice and what is recorded on it."""

    customer = "Client"
    paid: ClassVar[list[Mapping[str, Any]]] = []

    def do_GET(self) -> None:
        invoice = {
            "id": "i-1", "number": "F1", "status": "unpaid", "issued": "2026-01-15",
            "due": "2026-02-14", "total": "120.00", "open": "120.00", "customer": self.customer,
        }  # fmt: skip
        rows = self.paid if "/payments" in self.path else [invoice]
        listed = {"items": rows, "total": len(rows), "has_more": False, "next_cursor": None}
        self.answer(200, listed)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        row = {"id": "pay-1", "reference": asked["reference"], "amount": asked["amount"]}
        self.paid.append({**row, "status": "posted"})
        self.answer(201, self.paid[-1])

    def answer(self, status: int, content: object) -> None:
        known = self.headers["Authorization"] == f"Bearer {TOKEN}"
        known = known and self.headers["Host"] == "api.toy.example.org"
        body = json.dumps(content).encode()
        self.send_response(status if known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "session=secret")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    thread = Thread(target=server.serve_forever)
    thread.start()
    Own.paid, Own.customer = [], "Client"
    transport = Loopback({"api.toy.example.org": f"http://127.0.0.1:{server.server_port}"})
    yield Recorder(
        folder=tmp_path,
        connector=ToyConnector,
        transport=transport,
        now=datetime(2026, 3, 2, 23, 30, tzinfo=UTC),
        recorded_against="our own server",
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    transport.close()
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_was_recorded_here_passes_the_exam(recorder: Recorder) -> None:
    recorder.write_context()
    recorder.record("pull_invoices", {"since": None})
    payment = PaymentEntry(
        invoice_ref="i-1",
        invoice_number="F1",
        amount=Money.of_minor(12_000),
        paid_on=date(2026, 2, 27),
        reference=KEY,
        label="Virement",
    )
    recorder.record_write("record_payment", "find_payment", KEY, {"payment": payment})
    exam = Exam(ToyConnector, recorder.folder)
    assert exam.context_file().today == "2026-03-03"  # it was past midnight in Paris
    assert exam.recording("pull_invoices")[0].url.host == "api.toy.example.org"
    pulling.check_pass_is_whole(exam, "pull_invoices")
    finding.check_absent_is_absent(exam, "find_payment")
    writing.check_write_replays(exam, "record_payment")
    finding.check_present_is_found(exam, "find_payment")
    declared.check_hosts_are_declared(exam)
    declared.check_no_credential_was_recorded(exam)
    written = "".join(path.read_text() for path in recorder.folder.iterdir())
    assert TOKEN not in written
    assert "session" not in written


@pytest.mark.parametrize("customer", ["jean@client.test", TOKEN, "Bearer abc"])
def test_what_must_not_be_published_is_not_written(recorder: Recorder, customer: str) -> None:
    Own.customer = customer
    with pytest.raises(NotForPublication):
        recorder.record("pull_invoices", {"since": None})
    assert list(recorder.folder.iterdir()) == []


def test_only_this_machine_is_recorded_under_another_name() -> None:
    with pytest.raises(ValueError, match="not this machine"):
        Loopback({"api.toy.example.org": "https://elsewhere.example.org"})
