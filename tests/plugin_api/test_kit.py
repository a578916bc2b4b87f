"""The kit passes a connector of any dialect that says what it reads, and notices each mistake."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from pydantic import ValidationError
from tests.plugin_api import polyglot
from tests.plugin_api.polyglot import Mistake, Polyglot, Tongue, Tool

from encaisse_api import DIFFERENCES, Dialect
from encaisse_api.conformance import NormaliserKit, Vendor
from encaisse_api.conformance.kit import TERMS
from encaisse_api.conformance.vendor import INVOICES
from encaisse_api.dialect import VALUES, family
from encaisse_api.spelling import Amounts, Days

EUROS = ("money.text", "money.number", "money.whole")
FRENCH = Amounts(mark=",", grouped=True, padded=False, numbers=False)
TONGUES = (
    Tongue(Amounts(), EUROS, Days(("iso",), none=(None,)), ("date.iso",)),
    Tongue(
        Amounts(minor=True), ("money.cents",),
        Days(("seconds",), none=(None, "")), ("date.seconds",),
        none=("empty.null", "empty.text"),
        paging="offset", error="body", due="line", debtor="call", ids="changing",
    ),
    Tongue(
        Amounts(carrier="amount", numbers=False), ("money.object",),
        Days(("milliseconds",), none=(False,)), ("date.milliseconds",), none=("empty.false",),
        paging="range", debtor="call",
    ),
    Tongue(
        FRENCH, ("money.comma", "money.grouped", "money.nbsp", "money.nnbsp"),
        Days(("d/m/yy",), none=("00/00/00",)), ("date.d/m/yy",), none=("empty.00/00/00",),
        paging="cursor", due="line",
    ),
    Tongue(
        Amounts(padded=True, numbers=False), ("money.text", "money.padded"),
        Days(("d/m/y", "iso"), none=("0000-00-00",), padded=True),
        ("date.d/m/y", "date.iso", "date.padded"), none=("empty.0000-00-00",),
    ),
    Tongue(Amounts(), EUROS, Days(("instant",), none=(None,)), ("date.instant",), ids="changing"),
    Tongue(Amounts(), EUROS, Days(("local", "compact"), none=(None,)),
           ("date.local", "date.compact")),
    Tongue(Amounts(), EUROS, Days(("iso",), none=(None,), carrier="date"), ("date.object",)),
)  # fmt: skip
"""Dialects that between them read every difference but a field that is not there."""


def kit(connector: type[Polyglot], tongue: Tongue) -> NormaliserKit:
    """Make the exam of one connector, as an author's class of tests is."""
    made: type[NormaliserKit] = type(
        "Kit", (NormaliserKit,), {"vendor": Tool.speaking(connector, tongue)}
    )
    return made()


def run(exam: NormaliserKit, rule: str) -> None:
    """Run one rule as pytest would, once for each term it is made for."""
    test = getattr(exam, rule)
    wanted = inspect.signature(test).parameters
    vendor: Vendor = exam.vendor()
    given: dict[str, Any] = {}
    if "filled" in wanted:
        vendor.fill(INVOICES)
        given["filled"] = vendor
    named = next((name for name in TERMS if name in wanted), None)
    if named is None:
        test(**given)
        return
    for term in exam.vendor.terms:
        if term.kind in TERMS[named]:
            test(**given, **{named: term})


RULES = [name for name in vars(NormaliserKit) if name.startswith("test_")]


@pytest.mark.parametrize("tongue", TONGUES, ids=lambda one: f"{one.money[0]}-{one.dates[0]}")
def test_a_connector_of_any_dialect_passes_every_rule(tongue: Tongue) -> None:
    for rule in RULES:
        run(kit(Polyglot, tongue), rule)


def test_between_them_they_speak_of_every_difference() -> None:
    spoken = {one for tongue in TONGUES for one in tongue.dialect.reads}
    assert set(DIFFERENCES) - spoken == {"empty.absent"}


PLAIN, RICH = TONGUES[0], TONGUES[1]
MISTAKES = (
    (Mistake(polyglot.GuessesAmounts, "test_an_amount_with_two_readings_is_set_aside",
             "is '1 5 00'"), PLAIN),
    (Mistake(polyglot.GuessesAmounts, "test_a_value_is_read_as_declared_and_set_aside_otherwise",
             "aside was due"), PLAIN),
    (Mistake(polyglot.GuessesDueDates, "test_the_same_invoices_are_told_whatever_the_vendor", None),
     PLAIN),
    (Mistake(polyglot.GuessesDueDates, "test_a_due_date_is_found_where_it_stands_and_never_made_up",
             None), PLAIN),
    (Mistake(polyglot.DropsBadRows, "test_a_value_of_another_type_is_set_aside", "lost"), PLAIN),
    (Mistake(polyglot.StopsAtBadRows, "test_a_value_of_another_type_is_set_aside",
             "must not stop the pass"), PLAIN),
    (Mistake(polyglot.StopsAtBadRows, "test_nothing_is_said_as_declared_and_set_aside_otherwise",
             "must not stop the pass"), PLAIN),
    (Mistake(polyglot.ReadsErrorsAsEmpty, "test_an_error_is_one_wherever_it_is_told", "was due"),
     PLAIN),
    (Mistake(polyglot.RefusesTheWrongError, "test_an_error_is_one_wherever_it_is_told", "was due"),
     RICH),
    (Mistake(polyglot.StopsAfterOnePage, "test_pages_lose_and_repeat_nothing", None), PLAIN),
    (Mistake(polyglot.AsksEachTime, "test_a_debtor_is_found_where_it_stands", "asked for once"),
     RICH),
    (Mistake(polyglot.NamesByChangingIds, "test_an_invoice_whose_ids_change_stays_one", None),
     RICH),
    (Mistake(polyglot.ForgetsTheSeller, "test_an_invoice_whose_ids_change_stays_one", None), PLAIN),
)  # fmt: skip


@pytest.mark.parametrize(
    ("mistake", "tongue"), MISTAKES, ids=[f"{m.connector.__name__}-{m.rule}" for m, _ in MISTAKES]
)
def test_each_mistake_is_noticed(mistake: Mistake, tongue: Tongue) -> None:
    with pytest.raises(AssertionError, match=mistake.told):
        run(kit(mistake.connector, tongue), mistake.rule)


def test_a_dialect_that_claims_more_than_its_connector_reads_is_noticed() -> None:
    boastful = Tongue(Amounts(), (*EUROS, "money.comma"), PLAIN.days, PLAIN.dates)
    with pytest.raises(AssertionError, match=r"money\.comma: aside, read was due"):
        run(kit(Polyglot, boastful), "test_a_value_is_read_as_declared_and_set_aside_otherwise")


def test_a_connector_without_a_dialect_is_noticed() -> None:
    made = kit(Polyglot, PLAIN)
    made.vendor.connector.dialect = None  # type: ignore[attr-defined]
    with pytest.raises(AssertionError, match="declares no `dialect`"):
        run(made, "test_what_is_declared_is_what_was_proven")


def test_a_dialect_is_silent_on_nothing() -> None:
    known = PLAIN.dialect
    for one in DIFFERENCES:
        if family(one) in VALUES:
            with pytest.raises(ValidationError, match=f"not declared: {one}"):
                Dialect(
                    reads=known.reads - {one},
                    refuses=known.refuses - {one},
                    spares={key: why for key, why in known.spares.items() if key != one},
                )
    for wrong, told in (
        ({"refuses": known.refuses | {"money.text"}}, "declared twice: money.text"),
        ({"reads": known.reads | {"money.shells"}}, "no difference is called: money.shells"),
        ({"spares": {**known.spares, "paging": " "}}, "spared without a reason: paging"),
        ({"refuses": known.refuses | {"paging.cursor"}}, "only a value can be refused"),
    ):
        said = {"reads": known.reads, "refuses": known.refuses, "spares": known.spares, **wrong}
        with pytest.raises(ValidationError, match=told):
            Dialect(**said)  # type: ignore[arg-type]
