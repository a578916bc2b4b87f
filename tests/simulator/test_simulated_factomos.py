"""Factomos as documented, its traps, and the assumed write."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from encaisse_simulator import LedgerEntry, World

AUGUST_31 = date(2026, 8, 31)


def issue(world: World, number: str = "F-1", **changes: object) -> str:
    contact = world.factomos.add_contact("jeton", "Bureau Modèle SARL", siret="98765432400017")
    return world.factomos.add_invoice(
        number,
        contact,
        date(2026, 8, 1),
        AUGUST_31,
        120_000,
        **changes,  # type: ignore[arg-type]
    )


def row(tool: httpx.Client, pid: str) -> dict[str, object]:
    answer = tool.get(f"/invoices/{pid}")
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()["invoice"]
    return found


def pay(tool: httpx.Client, pid: str, montant: object, **changes: object) -> httpx.Response:
    body = {
        "montant": montant,
        "type": "virement",
        "reference": "enc-1",
        "payment_date": "2026-11-24",
        **changes,
    }
    return tool.post(f"/invoices/{pid}/payments", json=body)


def test_an_invoice_row_has_the_documented_texts(world: World, tool: httpx.Client) -> None:
    pid = issue(world)
    found = row(tool, pid)
    assert found["figures_total_withvat"] == "1200.00"
    assert found["figures_total_withoutvat"] == "1000.00"
    assert found["figures_total_vat"] == "200.00"
    assert found["payment_term_fr"] == "31/08/26"
    assert found["document_key"] is False
    issued = datetime.fromtimestamp(int(str(found["unix_timestamp"])), UTC)
    assert issued == datetime(2026, 7, 31, 22, tzinfo=UTC)  # 1 August, midnight in Paris


def test_an_invoice_is_late_the_day_after_its_due_date_in_paris(
    world: World, tool: httpx.Client
) -> None:
    contact = world.factomos.add_contact("jeton", "Bureau Modèle SARL")
    due = date(2026, 11, 24)
    pid = world.factomos.add_invoice("F-9", contact, date(2026, 11, 1), due, 5_000)
    world.set_now(datetime(2026, 11, 24, 22, 59, tzinfo=UTC))
    assert row(tool, pid)["invoice_status"] == "pending"
    world.set_now(datetime(2026, 11, 24, 23, 0, tzinfo=UTC))
    assert row(tool, pid)["invoice_status"] == "later"


def test_the_late_list_holds_a_negative_row_and_a_down_payment(
    world: World, tool: httpx.Client
) -> None:
    contact = world.factomos.add_contact("jeton", "Bureau Modèle SARL")
    day = date(2026, 8, 1)
    world.factomos.add_invoice("C-1", contact, day, AUGUST_31, -18_000, kind="credit")
    world.factomos.add_invoice("A-1", contact, day, AUGUST_31, 30_000, kind="down-payment")
    world.factomos.add_invoice("N-1", contact, day, None, 30_000)
    late = tool.get("/invoices", params={"status": "later"}).json()["invoices"]
    assert [(each["invoice_formated_number"], each["invoice_type"]) for each in late] == [
        ("A-1", "down-payment"),
        ("C-1", "invoice"),
    ]
    assert late[1]["figures_due"] == "-180.00"
    undated = tool.get("/invoices", params={"status": "pending"}).json()["invoices"]
    assert [each["payment_term_fr"] for each in undated] == ["00/00/00"]


def test_payments_move_the_status_and_too_much_leaves_a_negative_due(
    world: World, tool: httpx.Client
) -> None:
    pid = issue(world)
    assert row(tool, pid)["invoice_status"] == "later"
    assert pay(tool, pid, "200.00").status_code == 201
    assert row(tool, pid)["invoice_status"] == "partially-paid"
    assert pay(tool, pid, "1000").status_code == 201
    assert row(tool, pid)["invoice_status"] == "paid"
    assert pay(tool, pid, "50.5").status_code == 201
    found = row(tool, pid)
    assert (found["invoice_status"], found["figures_due"]) == ("paid", "-50.50")


def test_two_equal_posts_make_two_payments(world: World, tool: httpx.Client) -> None:
    pid = issue(world)
    first, second = pay(tool, pid, "120.00"), pay(tool, pid, "120.00")
    assert first.json()["payment"]["payment_id"] != second.json()["payment"]["payment_id"]
    listed = tool.get(f"/invoices/{pid}/payments").json()
    assert listed["total_payments"] == 2
    assert [each["reference"] for each in listed["payments"]] == ["enc-1", "enc-1"]
    entry = LedgerEntry(
        "factomos", "123456782", "F-1", 12_000, date(2026, 11, 24), "payment", "api"
    )
    assert world.ledger() == [entry, entry]


def test_a_negative_payment_reverses_an_earlier_one(world: World, tool: httpx.Client) -> None:
    pid = issue(world)
    pay(tool, pid, "1200.00")
    pay(tool, pid, "-1200.00", reference="enc-2")
    found = row(tool, pid)
    assert (found["invoice_status"], found["figures_due"]) == ("later", "1200.00")
    assert [entry.kind for entry in world.ledger()] == ["payment", "reversal"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"montant": "12.345"}, -50),
        ({"montant": "0.00"}, -50),
        ({"montant": 12}, -50),
        ({"montant": "1e3"}, -50),
        ({"type": "troc"}, -51),
        ({"payment_date": "24/11/2026"}, -52),
        ({"payment_date": "2026-02-30"}, -52),
        ({"reference": "x" * 65}, -53),
    ],
)
def test_a_payment_at_fault_is_refused_and_leaves_nothing(
    world: World, tool: httpx.Client, changes: dict[str, object], code: int
) -> None:
    pid = issue(world)
    answer = pay(tool, pid, **{"montant": "10.00", **changes})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert world.ledger() == []
    assert tool.get(f"/invoices/{pid}/payments").json()["payments"] == []


def test_what_the_user_records_counts_as_the_users(world: World, tool: httpx.Client) -> None:
    pid = issue(world)
    world.factomos.customer_pays(pid, 120_000, date(2026, 11, 20), "VIR CLIENT")
    assert row(tool, pid)["invoice_status"] == "paid"
    assert [(entry.via, entry.on) for entry in world.ledger()] == [("user", date(2026, 11, 20))]
    assert world.factomos.payment_references(pid) == ["VIR CLIENT"]


def test_an_avoir_lowers_what_is_due_and_has_its_own_row(world: World, tool: httpx.Client) -> None:
    pid = issue(world)
    world.factomos.credit_note(pid, 20_000, date(2026, 11, 20))
    found = row(tool, pid)
    assert (found["invoice_status"], found["figures_due"]) == ("partially-paid-avoir", "1000.00")
    avoirs = tool.get("/invoices", params={"status": "avoir"}).json()["invoices"]
    assert [(each["figures_total_withvat"], each["origin_invoice_id"]) for each in avoirs] == [
        ("-200.00", pid)
    ]
    world.factomos.credit_note(pid, 100_000, date(2026, 11, 21))
    assert row(tool, pid)["invoice_status"] == "paid-avoir"
    with pytest.raises(ValueError, match="at most what is due"):
        world.factomos.credit_note(pid, 1, date(2026, 11, 22))


def test_pages_count_rows_from_zero_and_end_with_an_empty_one(
    world: World, tool: httpx.Client
) -> None:
    contact = world.factomos.add_contact("jeton", "Bureau Modèle SARL")
    for n in range(54):
        number = f"F-{n:03d}"
        world.factomos.add_invoice(number, contact, date(2026, 8, 1), AUGUST_31, 1_000)
    pages = [tool.get("/invoices", params={"page": page}).json() for page in (1, 2, 3)]
    assert [page["pagination"] for page in pages] == [
        {"first_row": 0, "last_row": 49, "total_invoices": 54},
        {"first_row": 50, "last_row": 53, "total_invoices": 54},
        {"first_row": 100, "last_row": 99, "total_invoices": 54},
    ]
    numbers = [each["invoice_formated_number"] for page in pages for each in page["invoices"]]
    assert numbers == [f"F-{n:03d}" for n in range(54)]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/invoices/inconnu", 404, -20),
        ("/invoices/inconnu/pdf", 404, -20),
        ("/contacts/inconnu", 404, -10),
        ("/invoices?status=overdue", 400, -39),
        ("/invoices?page=0", 400, -41),
        ("/invoices?per_page=51", 400, -41),
        ("/companies", 404, -6),
    ],
)
def test_each_refusal_has_its_code(tool: httpx.Client, path: str, status: int, code: int) -> None:
    answer = tool.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


@pytest.mark.parametrize(("header", "code"), [("Bearer autre", -3), ("", -1), ("Basic x", -1)])
def test_a_stranger_is_refused(http: httpx.Client, header: str, code: int) -> None:
    headers = {"Authorization": header} if header else {}
    answer = http.get("https://api.factomos.com/invoices", headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)


def test_one_company_never_sees_anothers_invoice(world: World, http: httpx.Client) -> None:
    pid = issue(world)
    world.factomos.add_company("autre-jeton", "987654324", "Autre SAS")
    headers = {"Authorization": "Bearer autre-jeton"}
    assert http.get("https://api.factomos.com/invoices", headers=headers).json()["invoices"] == []
    read = http.get(f"https://api.factomos.com/invoices/{pid}", headers=headers)
    assert read.status_code == 404


def test_the_daily_quota_begins_again_at_midnight_in_paris(
    world: World, tool: httpx.Client
) -> None:
    assert [tool.get("/contacts").status_code for _ in range(500)] == [200] * 500
    refused = tool.get("/contacts")
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, -4)
    world.set_now(datetime(2026, 11, 24, 22, 59, 59, tzinfo=UTC))
    assert tool.get("/contacts").status_code == 429
    world.advance(timedelta(seconds=1))
    assert tool.get("/contacts").status_code == 200
    assert world.factomos.calls_today("jeton") == 1


def test_a_document_comes_back_as_it_was_attached(world: World, tool: httpx.Client) -> None:
    pid = issue(world, document=b"%PDF-1.7 exemple")
    assert isinstance(row(tool, pid)["document_key"], str)
    answer = tool.get(f"/invoices/{pid}/pdf")
    assert (answer.headers["content-type"], answer.content) == (
        "application/pdf",
        b"%PDF-1.7 exemple",
    )


def test_a_contact_is_found_by_keyword_and_read(world: World, tool: httpx.Client) -> None:
    pid = world.factomos.add_contact("jeton", "Bureau Modèle SARL", siret="98765432400017")
    world.factomos.add_contact("jeton", "Autre Client")
    found = tool.get("/contacts", params={"keyword": "modèle"}).json()["contacts"]
    assert [each["pid"] for each in found] == [pid]
    assert tool.get(f"/contacts/{pid}").json()["contact"]["number_siret"] == "98765432400017"


def test_a_deleted_invoice_is_gone_and_a_webhook_says_so(world: World, tool: httpx.Client) -> None:
    pid = issue(world)
    world.factomos.delete_invoice(pid)
    assert tool.get(f"/invoices/{pid}").status_code == 404
    assert tool.get("/invoices").json()["invoices"] == []
    assert [b'"delete_invoice"' in each.body for each in world.factomos.deliveries()] == [
        False,
        True,
    ]
    assert world.factomos.deliveries() == []
