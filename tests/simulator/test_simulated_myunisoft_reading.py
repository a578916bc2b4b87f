"""What a connector reads in a dossier: exercices, open lines, customers, documents."""

from __future__ import annotations

from datetime import date

import pytest
from tests.simulator.office import Office, code_of

ISSUED = date(2026, 8, 1)
DUE = date(2026, 8, 31)


def test_an_open_invoice_is_a_debit_not_lettered(office: Office) -> None:
    office.mono.issue("FA1", office.customer, ISSUED, (DUE, 120_050))
    (row,) = office.open_lines()
    assert row["invoiceNumber"] == "FA1"
    assert row["value"] == {"credit": 0, "debit": 1200.5, "amount": -1200.5}
    assert row["lettering"] == {"state": "none", "value": None}
    assert row["dueDate"] == "2026-08-31"
    assert row["payment"] is None
    entry = row["entry"]
    assert isinstance(entry, dict)
    assert "movements" not in entry
    assert (entry["date"], entry["journal"]["type"]) == ("2026-08-01", "Vente")
    assert entry["additionalProducerProperties"]["accountedAt"] == "2026-08-01"
    assert isinstance(row["producerId"], str)


def test_each_instalment_of_an_invoice_is_a_line_of_its_own(office: Office) -> None:
    halves = [(DUE, 60_000), (date(2026, 9, 30), 60_001)]
    office.mono.issue("FA1", office.customer, ISSUED, *halves)
    rows = office.open_lines()
    assert {(row["dueDate"], row["invoiceNumber"]) for row in rows} == {
        ("2026-08-31", "FA1"),
        ("2026-09-30", "FA1"),
    }


def test_partly_paid_is_a_starred_code_and_paid_is_letters(office: Office) -> None:
    books, customer = office.mono, office.customer
    for number in ("FA1", "FA2"):
        books.issue(number, customer, ISSUED, (DUE, 100_000))
    books.receive(customer, DUE, 30_000, number="FA1", lettered=True)
    books.receive(customer, DUE, 100_000, number="FA2", lettered=True)
    assert {str(row["lettering"]) for row in office.open_lines()} == {
        "{'state': 'partial', 'value': '*AAA'}"
    }
    done = office.mad(
        "movements", idExercice=office.exercice(2026), classAccount="411%", lettering="complete"
    )
    assert {str(row["lettering"]) for row in done} == {"{'state': 'complete', 'value': 'AAB'}"}
    assert {row["invoiceNumber"] for row in done} == {"FA2"}
    assert books.open_cents(customer, "FA1") == 70_000
    assert books.open_cents(customer, "FA2") == 0


def test_drafts_are_no_claims_and_show_only_when_asked_for(office: Office) -> None:
    office.mono.issue("FA1", office.customer, ISSUED, (DUE, 100_000), draft=True)
    assert office.open_lines() == []
    exercice = office.exercice(2026)
    drafts = office.mad("movements", idExercice=exercice, classAccount="411%", draft="true")
    assert [row["invoiceNumber"] for row in drafts] == ["FA1"]
    assert office.mono.balance() == 0


def test_lines_come_in_another_order_at_each_reading(office: Office) -> None:
    for n in range(12):
        office.mono.issue(f"FA{n}", office.customer, ISSUED, (DUE, 10_000))
    orders = [[row["invoiceNumber"] for row in office.open_lines()] for _ in range(3)]
    assert orders[0] != orders[1] != orders[2]
    assert sorted(map(str, orders[0])) == sorted(map(str, orders[1]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": ""},
        {"version": "2.0.0"},
        {"idExercice": "1"},
        {"startDate": "2026-01-01"},
        {"startDate": "2026-01-01", "endDate": "2026-12-31", "idExercice": "8450"},
        {"startDate": "2025-06-01", "endDate": "2026-12-31"},
        {"startDate": "01/01/2026", "endDate": "31/12/2026"},
        {"startDate": "2026-01-01", "endDate": "2026-12-31", "lettering": "open"},
        {"startDate": "2026-01-01", "endDate": "2026-12-31", "lettering": ["none", "partial"]},
        {"startDate": "2026-01-01", "endDate": "2026-12-31", "dateFilter": "due"},
        {"startDate": "2026-01-01", "endDate": "2026-12-31", "source": "MOON"},
        {"startDate": "2026-01-01", "endDate": "2026-12-31", "classaccount": "411%"},
        {},
    ],
)
def test_a_wrong_parameter_is_refused_and_never_overlooked(
    office: Office, wrong: dict[str, object]
) -> None:
    answer = office.call("GET", "/mad/movements", **{"version": "1.0.0", **wrong})
    assert code_of(answer) == (400, "GBL10")


def test_roots_dates_and_sources_choose_movements(office: Office) -> None:
    books, customer = office.mono, office.customer
    books.issue("FA1", customer, ISSUED, (DUE, 120_000))
    books.receive(customer, DUE, 20_000, number="FA1")
    year = {"startDate": "2026-01-01", "endDate": "2026-12-31"}
    assert len(office.mad("movements", **year)) == 5
    assert len(office.mad("movements", classAccount="411", **year)) == 2
    assert len(office.mad("movements", classAccount=["411%", "512%"], **year)) == 3
    assert len(office.mad("movements", classAccount="411%", source="IB", **year)) == 1
    august = {"startDate": "2026-08-02", "endDate": "2026-08-31"}
    assert len(office.mad("movements", **august)) == 2
    assert office.mad("movements", dateFilter="myunisoft", **august) == []
    day = {"startDate": "2026-11-24", "endDate": "2026-11-24", "dateFilter": "myunisoft"}
    assert len(office.mad("movements", **day)) == 5
    balance = office.mad("balance", classAccount="411%", **year)
    assert balance == [{"account": {"number": customer, "name": "BUREAU MODÈLE"}, "balance": 1000}]
    journal = office.journal_id("BQ")
    assert [each["producerId"] for each in office.mad("entries", journalIds=journal, **year)]


def test_a_mono_dossier_carries_each_open_line_into_the_next_year(office: Office) -> None:
    books, customer = office.mono, office.customer
    old = date(2025, 11, 3)
    books.issue("FA1", customer, old, (date(2025, 12, 3), 100_000))
    books.issue("FA2", customer, old, (date(2025, 12, 3), 50_000))
    books.receive(customer, date(2025, 12, 10), 40_000, number="FA1", lettered=True)
    books.receive(customer, date(2025, 12, 10), 50_000, number="FA2", lettered=True)
    books.carry_forward(old)
    rows = office.open_lines(2026)
    assert {str(row["invoiceNumber"]) for row in rows} == {"FA1"}
    assert {str(row["lettering"]) for row in rows} == {"{'state': 'partial', 'value': '*AAA'}"}
    assert {str(row["dueDate"]) for row in rows} == {"None"}
    kinds = {row["entry"]["journal"]["type"] for row in rows}  # type: ignore[index]
    assert kinds == {"À Nouveaux"}
    assert {str(row["dueDate"]) for row in office.open_lines(2025)} == {"2025-12-03", "2025-12-10"}
    assert books.balance() == 60_000 == books.open_cents(customer, "FA1")
    states = {each["name"]: each["state"] for each in office.mad("exercices")}
    assert states == {"N": "open", "N-1": "closed"}
    whole = office.mad("balance", idExercice=office.exercice(2026), classAccount="411%")
    assert [each["balance"] for each in whole] == [600]


def test_provisional_carried_lines_double_the_original_until_the_year_closes(
    office: Office,
) -> None:
    books, old = office.mono, date(2025, 11, 3)
    books.issue("FA1", office.customer, old, (date(2025, 12, 3), 100_000))
    books.carry_forward(old, close=False)
    first = office.open_lines(2026)
    assert len(first) == len(office.open_lines(2025)) == 1
    assert books.balance() == 100_000
    books.carry_forward(old)
    (again,) = office.open_lines(2026)
    assert again["producerId"] != first[0]["producerId"]
    assert books.balance() == 100_000


def test_a_multi_dossier_keeps_open_lines_in_their_own_year(office: Office) -> None:
    books, old = office.multi, date(2025, 11, 3)
    books.issue("FA1", office.other, old, (date(2025, 12, 3), 100_000))
    books.issue("FA2", office.other, old, (date(2025, 12, 3), 1_000))
    books.carry_forward(old)
    assert {row["invoiceNumber"] for row in office.open_lines(2025, token="multi")} == {
        "FA1",
        "FA2",
    }
    (carried,) = office.open_lines(2026, token="multi")
    assert (carried["invoiceNumber"], carried["value"]) == (
        None,
        {"credit": 0, "debit": 1010, "amount": -1010},
    )
    assert books.balance() == 101_000
    assert [item.invoice_number for item in books.open_items()] == ["FA1", "FA2"]


def test_terms_are_told_only_by_the_historic_account(office: Office) -> None:
    books = office.mono
    term = books.term(30, end_of_month=True)
    number = books.add_customer("Imprimerie Exemple", term=term, country="BELGIQUE")
    books.set_terms(books.term(45))
    rows = office.call("GET", "/account/v2", begin_by="411", details="true", compta="true").json()
    found = {row["account_number"]: row["complementary_informations"] for row in rows}
    assert found[number]["payment_deadline"] == {
        "id_payment_deadline": term.id,
        "label": "30 JOURS FIN DE MOIS",
        "number_of_days": 30,
        "end_month": True,
        "day_number": None,
    }
    assert found[number]["is_foreign"] is True
    assert found[office.customer]["payment_deadline"] is None
    bare = office.call("GET", "/account/v2", account_id=office.account_id(number)).json()
    assert "complementary_informations" not in bare[0]
    said = office.call("GET", "/society/accountingParameters").json()
    assert said["customer_payment_deadline"]["number_of_days"] == 45
    assert "payment_deadline" not in str(office.mad("accounts", classAccount="411%"))


def test_only_tiers_accounts_name_a_company(office: Office) -> None:
    (customer,) = office.mad("accounts", classAccount="411%")
    assert customer["company"]["SIREN"] == "712804632"  # type: ignore[index]
    (bank,) = office.mad("accounts", classAccount="512%")
    assert "company" not in bank
    assert "correspondanceAccount" in bank
    short = office.call("GET", "/account", mode=1, q="411").json()
    assert [each["account_number"] for each in short] == [office.customer]
    assert len(office.call("GET", "/account", mode=1, q="").json()) == 5


def test_a_document_is_read_by_its_link_without_any_key(office: Office) -> None:
    pdf = b"%PDF-1.7 facture exemple"
    office.mono.issue("FA1", office.customer, ISSUED, (DUE, 5_000), document=pdf)
    office.mono.issue("FA2", office.customer, ISSUED, (DUE, 5_000), document=pdf, on_line=True)
    rows = {row["invoiceNumber"]: row for row in office.open_lines()}
    assert rows["FA1"]["attachments"] == {}
    links = [
        rows["FA1"]["entry"]["attachments"]["FA1.pdf"]["value"],  # type: ignore[index]
        rows["FA2"]["attachments"]["FA2.pdf"]["value"],  # type: ignore[index]
    ]
    for link in links:
        assert link.startswith("https://app.prodcomptable.myunisoft.fr/api/ged/ged/document/")
        answer = office.http.get(link)
        assert (answer.headers["content-type"], answer.content) == ("application/pdf", pdf)
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert office.http.get(links[0].replace("document/", "document/9")).status_code == 404


def test_a_file_is_attached_to_an_entry_and_one_dropped_for_booking(office: Office) -> None:
    entry = office.mono.issue("FA1", office.customer, ISSUED, (DUE, 5_000))

    def attach(name: str, content: bytes, at: int = entry) -> int:
        url = "https://api.myunisoft.fr/api/v1/document/add_all_types"
        params = {"location": "ENTRIES", "object_id": at, "filename_extension": name}
        headers = {
            "X-Third-Party-Secret": office.call("GET", "/society").request.headers[
                "X-Third-Party-Secret"
            ],
            "Authorization": f"Bearer {office.tokens['mono']}",
        }
        return office.http.post(url, params=params, headers=headers, content=content).status_code

    assert attach("relance.pdf", b"%PDF") == 200
    assert attach("relance.xml", b"<a/>") == 400
    assert attach("relance.pdf", b"%PDF", 1) == 400
    found = office.call("GET", "/mad/entry", version="1.0.0", id="FA1").json()
    assert list(found["attachments"]) == ["relance.pdf"]
    kind = {"invoice_type_id": 3, "ocr_type_id": 6, "name": "FA9", "extension": "pdf"}
    assert office.call("POST", "/invoice", body="x", **kind).json() == {"result": "success"}
    assert [each.name for each in office.mono.dropped()] == ["FA9.pdf"]


def test_the_lines_of_an_account_are_listed_page_by_page(office: Office) -> None:
    for n in range(5):
        office.mono.issue(f"FA{n}", office.customer, date(2026, 3, 1 + n), (DUE, 10_050))
    office.mono.receive(office.customer, DUE, 10_050, number="FA0", lettered=True)
    asked = {"account_no": office.customer, "lettering": "false", "limit": 3}
    first = office.call("GET", "/account/entries", **asked).json()
    assert (first["rows_number"], first["pages_number"]) == (4, 2)
    assert [row["piece2"] for row in first["list_entries_line"]] == ["FA1", "FA2", "FA3"]
    assert first["list_entries_line"][0]["date"] == "20260302"
    assert first["list_entries_line"][0]["credit"] is None
    rest = office.call("GET", "/account/entries", offset=3, **asked).json()
    assert [row["solde"] for row in rest["list_entries_line"]] == [402]


def test_a_complete_export_takes_its_time_and_is_kept_an_hour(office: Office) -> None:
    office.mono.issue("FA1", office.customer, ISSUED, (DUE, 5_000))
    started = office.call("GET", "/mad/all", version="1.0.0", format="json").json()
    assert started["status"] == "INIT"
    steps = [
        office.call("GET", "/mad/all/status", version="1.0.0", exportId=started["id"]).json()
        for _ in range(3)
    ]
    assert [step["status"] for step in steps] == ["PROCESSING", "DONE", "DONE"]
    data = office.http.get(steps[-1]["url"]).json()["data"]
    assert len(data["entries"]) == 1
    again = office.call("GET", "/mad/all", version="1.0.0", format="json").json()
    assert again == {"id": started["id"], "status": "DONE"}
