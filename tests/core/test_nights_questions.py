"""Nights that leave a question: each is asked, asked again when it happens anew, lifted alone."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from tests.core.houses import (
    House,
    answer,
    line_of,
    open_tasks,
)
from tests.core.paper import invoice

from encaisse_api import (
    Drift,
    Instalment,
    Money,
    ProcedureState,
    SourceInvoice,
)
from encaisse_core.store import schema


def test_a_second_doubt_on_a_claim_is_asked_again(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.pay("F-2", 40_00)
    house.night()
    answer(house, "maybe_same", verdict="same")
    house.paper.collect("p2", opened[0], line, 30_00, date(2026, 2, 8))
    house.night()
    house.paper.pay("F-2", 30_00)
    house.night()
    assert house.claim("F-2")["hold"] == "maybe_same"
    assert "maybe_same" in {kind for _, kind, _ in open_tasks(house)}


def test_a_second_doubt_pauses_again(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    for n, cents in (("p1", 40_00), ("p2", 30_00)):
        house.paper.collect(n, opened[0], line, cents, date(2026, 2, 5))
        house.night()
        house.paper.pay("F-2", cents)
        house.night()
        if n == "p1":
            answer(house, "maybe_same", verdict="same")
    assert [kind for kind, _, _ in house.paper.stops] == ["pause", "pause"]


def test_a_dispute_is_not_lifted_by_another_answer(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-2")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.states["s"] = ProcedureState(
        remote_id=opened[0], state="paused", disputed=True, updated_at=house.clock.now()
    )
    house.night()
    assert house.claim("F-2")["hold"] == "disputed"
    house.paper.pay("F-2", 40_00)
    house.night()
    answer(house, "maybe_same", verdict="same")
    assert house.claim("F-2")["hold"] == "disputed"


def test_a_corrected_total_a_person_accepted_stays_accepted(house: House) -> None:
    house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    answer(house, "total_changed", lift=True)
    house.night()
    assert house.claim("F-4")["hold"] is None


def test_a_payment_after_a_corrected_total_is_seen(house: House) -> None:
    house.open_everything()
    house.paper.add(invoice("F-4", 350_00))
    house.night()
    house.paper.pay("F-4", 350_00)
    for _ in range(3):
        house.night()
    assert "direct_payment" in {kind for kind, _, _ in house.paper.stops} or "withdraw" in {
        kind for kind, _, _ in house.paper.stops
    }


def test_two_direct_payments_that_both_bounce_are_owed_again(house: House) -> None:
    house.night()
    house.paper.pay("F-2", 80_00)
    house.night()
    house.paper.pay("F-2", 120_00)
    house.night()
    assert house.claim("F-2")["open"] == 0
    house.paper.pay("F-2", -200_00)
    house.night()
    if "amount_rose" in house.tasks():
        answer(house, "amount_rose", lift=True)
        house.night()
    assert house.claim("F-2")["open"] == 200_00


def test_a_payment_made_before_we_came_that_bounces_is_owed_again(house: House) -> None:
    house.paper.add(invoice("F-2", 200_00, paid=150_00))
    house.night()
    house.paper.add(invoice("F-2", 200_00))
    house.night()
    answer(house, "amount_rose", lift=True)
    house.night()
    assert house.claim("F-2")["open"] == 200_00


def credit_note(number: str, cents: int, left: int) -> SourceInvoice:
    known = invoice(number, 1)
    return known.model_copy(
        update={
            "kind": "credit_note",
            "state": "open" if left else "settled",
            "total": Money.of_minor(-cents),
            "open": Money.of_minor(-left),
            "instalments": (
                Instalment(ref="1", amount=Money.of_minor(-cents), open=Money.of_minor(-left)),
            ),
        }
    )


def test_a_credit_note_that_was_used_up_blocks_nothing_any_more(house: House) -> None:
    house.paper.add(credit_note("A-1", 50_00, 50_00))
    house.night()
    assert "unallocated_credit" in house.reasons("F-2")
    house.paper.add(credit_note("A-1", 50_00, 0))
    known = house.paper.invoices["r-F-1"]
    left = Money.of_minor(50_00)
    parts = tuple(i.model_copy(update={"open": left}) for i in known.instalments)
    house.paper.add(known.model_copy(update={"open": left, "credited": left, "instalments": parts}))
    house.night()
    house.night()
    assert house.claim("F-1")["open"] == 50_00
    assert house.reasons("F-2") == set()
    assert house.tasks() == set()


def test_a_credit_note_cut_anew_is_worth_what_its_tool_says(house: House) -> None:
    house.paper.add(credit_note("A-1", 50_00, 50_00))
    house.night()
    parts = tuple(
        Instalment(ref=ref, amount=Money.of_minor(-35_00), open=Money.of_minor(-35_00))
        for ref in ("1", "2")
    )
    seventy = Money.of_minor(-70_00)
    house.paper.add(
        credit_note("A-1", 50_00, 50_00).model_copy(
            update={"total": seventy, "open": seventy, "instalments": parts}
        )
    )
    house.night()
    answer(house, "total_changed", lift=True)
    house.night()
    assert (house.claim("A-1")["total"], house.claim("A-1")["open"]) == (-70_00, -70_00)


def test_a_refund_nobody_owes_any_more_is_not_asked(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    for name in ("p1", "p2"):
        house.paper.collect(name, opened[0], line, 100_00, date(2026, 2, 5))
    house.night()
    assert "refund" in {kind for _, kind, _ in open_tasks(house)}
    house.paper.reverse("p2", date(2026, 2, 7))
    house.night()
    assert "refund" not in {kind for _, kind, _ in open_tasks(house)}


def test_a_refund_used_in_part_names_what_is_left(house: House) -> None:
    opened = house.open_everything()
    line = line_of(house, opened, "F-1")
    house.paper.collect("p1", opened[0], line, 40_00, date(2026, 2, 5))
    house.night()
    house.paper.collect("p2", opened[0], line, 160_00, date(2026, 2, 6))
    house.night()
    house.paper.reverse("p1", date(2026, 2, 7))
    house.night()
    t = schema.task.c
    with house.host.store.begin() as tx:
        said = tx.execute(select(t.sentence).where(t.kind == "refund")).scalar_one()
    assert "60,00" in said


def test_an_answer_nobody_could_read_is_kept_raw_until_the_tool_answers_well(house: House) -> None:
    def kept() -> list[tuple[str, str]]:
        u = schema.unreadable.c
        with house.host.store.begin() as tx:
            return [tuple(row) for row in tx.execute(select(u.raw, u.reason))]

    house.paper.fail_pull = Drift("Réponse d'une forme inconnue.", raw='{"rows": 7}')
    house.night()
    assert kept() == [('{"rows": 7}', "Réponse d'une forme inconnue.")]
    house.night()
    assert len(kept()) == 1
    house.paper.fail_pull = None
    house.night()
    assert kept() == []


def test_a_connector_that_is_gone_is_a_source_that_failed(house: House) -> None:
    house.night()
    del house.shelf.known["papertool"]
    (sentence,) = house.night().failures.values()
    assert sentence.startswith("Le connecteur papertool n'est plus installé")


def test_a_vendor_out_of_bounds_stops_its_own_connection_only(house: House) -> None:
    house.night()
    kind = house.shelf.known["papertool"]
    assumed = {"contract": "assumed", "local": False, "test_hosts": ("api.example.org",)}
    kind.manifest = kind.manifest.model_copy(update=assumed)
    night = house.night()
    (sentence,) = night.failures.values()
    assert "est supposé" in sentence and sentence.endswith("Rien n'a été envoyé.")
    n = schema.night.c
    with house.host.store.begin() as tx:
        ended = tx.execute(select(n.state).order_by(n.night.desc()).limit(1)).scalar_one()
    assert ended == "done"
