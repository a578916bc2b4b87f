"""What is handed over to accountants waits for what is in doubt, once, and blocks the tools."""

from __future__ import annotations

from datetime import date

from tests.core.houses import House, add_tool, answer, line_of

from encaisse_api import OutcomeUnknown, RecordsPayments
from encaisse_core import accounting, routing
from encaisse_core.accounting import Destination, Handed
from encaisse_core.store import schema
from encaisse_einvoicing.fec.columns import NAMES

INVOICES = 2


def hand_over(house: House, written_on: str = "467") -> Handed:
    with house.host.store.begin() as tx:
        return accounting.hand_over(
            house.host, tx, house.company, Destination(written_on=written_on)
        )


def paid(house: House, cents: int = 50_00) -> list[str]:
    """Collect on F-1 and pay it out, before any night heard of it."""
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), cents, date(2026, 2, 5))
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 7))
    return opened


def by_account(done: Handed) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in done.rows:
        told = dict(zip(NAMES, row, strict=True))
        found.setdefault(told["CompteNum"], []).append((told["Debit"], told["Credit"]))
    return found


def route(house: House) -> None:
    """Answer at last which tool is written to."""
    with house.host.store.begin() as tx:
        tools = routing.candidates(house.host, tx, house.company, RecordsPayments)
        (books,) = [tool for tool in tools if tool.connector == "papertool"]
        routing.answer(
            house.host,
            tx,
            house.company,
            "record_payment",
            books.id,
            decided_by="essai",
            among=tools,
        )


def test_principal_written_into_the_tool_is_left_out_and_said(house: House) -> None:
    paid(house)
    house.night()
    assert [cents for _, _, cents in house.paper.written] == [50_00]
    done = hand_over(house)
    assert "411" not in by_account(done)
    assert by_account(done)["467"] == [("0,00", "6,00")]
    assert [row["left_out"] for row in done.payouts] == [50_00]
    assert {row[2] for row in done.rows} == {"ENC000001"}
    assert {row[3] for row in done.rows} == {"20260207"}


def test_principal_the_tool_put_on_512_is_moved_to_467(house: House) -> None:
    paid(house)
    house.night()
    done = hand_over(house, "512")
    assert by_account(done)["467"] == [("0,00", "6,00"), ("50,00", "0,00")]
    assert by_account(done)["512"] == [("0,00", "50,00")]


def test_principal_nobody_wrote_is_handed_over_with_its_customer_and_never_written_after(
    house: House,
) -> None:
    add_tool(house)  # with two tools nothing is written until a person chooses one
    paid(house)
    house.night()
    assert house.paper.written == []
    done = hand_over(house)
    assert by_account(done)["411"] == [("0,00", "50,00")]
    customers = [row for row in done.rows if row[4] == "411"]
    assert [(row[6], row[7], row[8]) for row in customers] == [("c-987654324", "Client", "F-1")]
    route(house)
    house.night()
    assert house.paper.written == []


def test_a_payout_is_handed_over_once_and_written_again_the_same(house: House) -> None:
    paid(house)
    house.night()
    done = hand_over(house)
    house.paper.reverse("p1", date(2026, 2, 8))
    house.night()
    assert hand_over(house).rows == []
    with house.host.store.begin() as tx:
        assert accounting.handed_over(tx, house.company).rows == done.rows


def test_an_entry_in_doubt_holds_its_payout_back_until_it_is_settled(house: House) -> None:
    kind = house.shelf.known["papertool"]
    record = kind.record_payment  # type: ignore[attr-defined]
    find = kind.find_payment  # type: ignore[attr-defined]

    def lost(*_: object) -> None:
        raise OutcomeUnknown("réponse perdue")

    kind.record_payment = lost  # type: ignore[attr-defined]
    paid(house)
    house.night()
    assert house.effect_states("record_payment") == ["uncertain"]
    held = hand_over(house)
    assert held.rows == []
    assert "est en cours" in held.waiting[0]["reason"]
    kind.record_payment, kind.find_payment = record, find  # type: ignore[attr-defined]
    house.night()
    assert "411" not in by_account(hand_over(house))


def test_what_a_person_is_asked_about_waits_and_what_was_typed_in_is_left_out(
    house: House,
) -> None:
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened, "F-1"), 40_00, date(2026, 2, 5))
    house.paper.pay("F-1", 40_00)  # somebody typed the collector's payment in by hand
    house.paper.pay_out("v1", ["p1"], date(2026, 2, 7))
    house.night()
    assert "attend sa réponse" in hand_over(house).waiting[0]["reason"]
    answer(house, "maybe_same", verdict="same")
    house.night()
    done = hand_over(house)
    assert "411" not in by_account(done)
    assert [row["left_out"] for row in done.payouts] == [40_00]
    assert house.paper.written == []


def test_money_taken_back_before_the_partner_said_so_waits(house: House) -> None:
    opened = paid(house)
    house.night()
    hand_over(house)
    known = house.paper.payouts["v1"]
    (line,) = known.lines
    back = line.model_copy(
        update={name: -getattr(line, name) for name in ("gross", "fee", "fee_vat", "net")}
    )
    house.paper.payouts["v2"] = known.model_copy(
        update={"remote_id": "v2", "lines": (back,), "net": back.net}
    )
    house.night()
    assert "est revenu" in hand_over(house).waiting[0]["reason"]
    house.paper.reverse("p1", date(2026, 2, 9))
    house.night()
    done = hand_over(house)
    assert by_account(done)["467"] == [("6,00", "0,00")]  # the reversal is in the tool already
    assert done.waiting == []
    assert opened


def test_a_draft_holds_its_payout_back_and_refused_it_is_handed_over_then_never_retried(
    house: House,
) -> None:
    paid(house)
    house.night()
    e = schema.effect
    recorded = e.c.kind == "record_payment"

    def become(**values: str) -> None:
        with house.host.store.begin() as tx:
            tx.execute(e.update().where(recorded).values(**values))

    become(fate="pending")
    assert "attend son comptable" in hand_over(house).waiting[0]["reason"]
    become(fate="rejected", state="refused")
    assert by_account(hand_over(house))["411"] == [("0,00", "50,00")]
    house.paper.written.clear()
    become(state="planned")  # a person retries it
    house.night()
    assert house.paper.written == []
    assert house.effect_states("record_payment") == ["refused"]
