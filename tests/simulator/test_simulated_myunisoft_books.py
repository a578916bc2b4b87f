"""Books that always balance, whatever is done; the same seed; real HTTP."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples
from tests.simulator.office import PARTNER_SECRET, Office, open_office

from encaisse_simulator import SimTransport, World, serve
from encaisse_simulator.myunisoft import HOST
from encaisse_simulator.myunisoft.refusals import Refused

START = datetime(2026, 11, 24, 8, tzinfo=UTC)

STEP = st.tuples(
    st.sampled_from(["issue", "receive", "credit", "post", "draft", "letter", "call", "unletter"]),
    st.integers(0, 1),
    st.sampled_from([1, 50, 100]),
    st.sampled_from(["mono", "multi"]),
    st.booleans(),
)


def play(office: Office, step: tuple[str, int, int, str, bool]) -> None:
    """Do one thing somebody may do; what is not allowed changes nothing."""
    kind, place, cents, token, last_year = step
    books = office.mono if token == "mono" else office.multi
    customer = office.customer if token == "mono" else office.other
    year = 2025 if last_year else 2026
    number, on = f"FA{place}{year}", date(year, 6, 1)
    partner_id = f"GCO-{len(office.world.ledger())}-{cents}"
    with suppress(Refused, ValueError, IndexError, KeyError):
        match kind:
            case "issue":
                books.issue(number, customer, on, (on, cents), (None, cents))
            case "receive":
                books.receive(customer, on, cents, number=number)
            case "credit":
                books.credit(f"AV{place}", customer, on, cents, of=number)
            case "post":
                office.post(number, cents, token=token, entry_origin_partner_id=partner_id)
            case "draft":
                body = office.payment(number, cents, token=token)
                office.call("POST", "/entry/temp", token=token, body=body, type="o")
                (books.validate if last_year else books.reject)(f"GCO-{number}-{cents}")
            case "letter":
                books.letter_invoice(customer, number)
            case "call":
                partial = bool(cents % 2)
                code = office.next_code(partial=partial, token=token)
                office.letter(code, *books.line_ids(customer, number)[: 2 + cents], token=token)
            case _:
                books.unletter(customer, f"{'*' if cents % 2 else ''}AA{'ABC'[place % 3]}")


@settings(max_examples=examples(30), deadline=None)
@given(
    steps=st.lists(STEP, min_size=3, max_size=25),
    rest=st.lists(STEP, min_size=3, max_size=12),
    close=st.booleans(),
    seed=st.integers(0, 99),
)
def test_any_sequence_leaves_balanced_books_whose_open_items_are_the_balance(
    steps: list[tuple[str, int, int, str, bool]],
    rest: list[tuple[str, int, int, str, bool]],
    close: bool,
    seed: int,
) -> None:
    world = World(seed, START)
    with httpx.Client(transport=SimTransport(world)) as http:
        office = open_office(world, http)
        for token in ("mono", "multi"):
            for kind in ("issue", "receive", "letter"):
                play(office, (kind, 9, 1, token, True))
        for step in steps:
            play(office, step)
        for token, books in (("mono", office.mono), ("multi", office.multi)):
            before = books.balance()
            books.carry_forward(date(2025, 6, 1), close=close)
            assert books.balance() == before
            exercice = office.exercice(2026, token=token)
            found = office.mad("balance", token=token, idExercice=exercice, classAccount="411%")
            carried = sum(round(float(str(each["balance"])) * 100) for each in found)
            assert carried == before
        for step in rest:
            play(office, step)
        for token, books in (("mono", office.mono), ("multi", office.multi)):
            everything = [
                row
                for year in (2025, 2026)
                for row in office.mad(
                    "entries", token=token, idExercice=office.exercice(year, token=token)
                )
            ]
            for entry in everything:
                movements = entry["movements"]
                assert isinstance(movements, list)
                assert sum(round(each["value"]["amount"] * 100) for each in movements) == 0
            assert books.balance() == sum(item.cents for item in books.open_items())


def _day(seed: int) -> tuple[list[bytes], list[object]]:
    """Play one day; give every answer's bytes and every effect."""
    heard: list[bytes] = []

    def hear(response: httpx.Response) -> None:
        heard.append(str(sorted(response.headers.items())).encode() + response.read())

    world = World(seed, START)
    with httpx.Client(transport=SimTransport(world), event_hooks={"response": [hear]}) as http:
        office = open_office(world, http)
        for n in range(6):
            office.mono.issue(f"FA{n}", office.customer, date(2026, 8, 1), (None, 10_000 + n))
        office.post("FA1", 10_001)
        office.letter(office.next_code(), *office.mono.line_ids(office.customer, "FA1"))
        office.open_lines()
    return heard, [world.ledger(), office.tokens]


def test_the_same_seed_and_calls_give_the_same_bytes() -> None:
    first, again, other = (_day(seed) for seed in (7, 7, 8))
    assert first == again
    assert first[0] != other[0]


def test_other_partners_draw_nothing_from_it(world: World, office: Office) -> None:
    alone = World(7, START)
    alone.factomos.add_company("jeton", "123456782", "Menuiserie Exemple SAS")
    assert alone.factomos.add_contact("jeton", "A") == world.factomos.add_contact("jeton", "A")
    assert office.world is world


def test_a_dossier_is_read_written_and_run_by_hand_over_real_http(
    world: World, office: Office
) -> None:
    pdf = b"%PDF-1.7 exemple"
    customer, society = office.customer, office.mono.society_id
    office.mono.issue("FA1", customer, date(2026, 8, 1), (None, 10_050), document=pdf)
    with (
        serve(world, with_control=True) as server,
        httpx.Client(base_url=server.base_url, headers={"X-Sim-Host": HOST}) as http,
    ):

        def act(name: str, **ask: object) -> httpx.Response:
            body = {"society_id": society, **ask}
            return http.post(f"{server.base_url}/_sim/myunisoft/{name}", json=body)

        headers = {
            "X-Third-Party-Secret": PARTNER_SECRET,
            "Authorization": f"Bearer {office.tokens['mono']}",
        }
        year = {"version": "1.0.0", "idExercice": office.exercice(2026)}
        answer = http.get("/api/v1/mad/movements", params=year, headers=headers)
        assert "request-id" in answer.headers
        row = next(each for each in answer.json() if each["account"]["number"] == customer)
        link = row["entry"]["attachments"]["FA1.pdf"]["value"]
        assert http.get(httpx.URL(link).path).content == pdf
        body = office.payment("FA1", 10_050)
        sent = http.post("/api/v1/entry/temp", params={"type": "o"}, json=body, headers=headers)
        assert sent.status_code == 200
        assert act("drafts").json() == {"drafts": ["GCO-FA1-10050"]}
        assert act("validate", partner_id="GCO-FA1-10050").status_code == 200
        lettered = act("letter", customer=customer, invoice_numbers=["FA1"])
        assert lettered.json() == {"lettering": "AAA"}
        again = act("letter", customer=customer, invoice_numbers=["FA1"])
        assert again.status_code == 400
        assert act("open_items").json() == {"balance_cents": 0, "items": []}
        world.faults.schedule("lost_reply", path="/key/info$")
        with pytest.raises(httpx.TransportError):
            http.get("/api/v1/key/info", headers=headers)
        assert http.get("/api/v1/key/info", headers=headers).status_code == 200


def test_a_person_does_the_rest_by_hand_too(world: World, office: Office) -> None:
    customer, society = office.customer, office.mono.society_id
    office.mono.issue("FA1", customer, date(2025, 8, 1), (date(2025, 8, 31), 10_000))
    with serve(world, with_control=True) as server:

        def act(name: str, **ask: object) -> int:
            url = f"{server.base_url}/_sim/myunisoft/{name}"
            return httpx.post(url, json={"society_id": society, **ask}).status_code

        assert act("carry_forward", on="2025-01-01", close=True) == 200
        assert act("carry_forward", on="2025-01-01", close=True) == 400
        receipt = {"customer": customer, "on": "2026-03-01", "invoice_number": "FA1"}
        assert act("receipt", **receipt, cents=10_000, lettered=True) == 200
        assert office.mono.open_items() == []
        assert act("lock_period", **{"from": "2026-11-01", "to": "2026-11-30"}) == 200
        assert office.post("FA1", 1_000).json()["error"]["code"] == "BLOCAGE_PERIODIQUE23"
        assert act("lock_journal", code="OD") == 200
        assert act("fail_next", code="ERR-INTERNAL", path="/society") == 200
        assert office.call("GET", "/society").status_code == 500
        assert act("revoke", token=office.tokens["mono"]) == 200
        assert office.call("GET", "/society").status_code == 401
        assert act("reject", partner_id="GCO-x") == 400
