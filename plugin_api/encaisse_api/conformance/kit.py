"""Prove of one connector what its `Dialect` says: each difference read, refused, or impossible.

    class TestAcmeDialect(NormaliserKit):
        vendor = AcmeVendor

The kit has the same few invoices rendered in the vendor's own answers, then again with one value
written another way, missing, or of another type. An altered row is told as it truly is or set aside
with its reason; it is never guessed, never lost, and takes no other invoice with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, Literal

import pytest

from encaisse_api.conformance.seat import Pass
from encaisse_api.conformance.vendor import (
    DATES,
    EMPTIES,
    INVOICES,
    MONEY,
    SPOILT,
    JsonVendor,
    Known,
    Term,
    Told,
    Vendor,
    many,
    moving,
    setting,
)
from encaisse_api.dialect import DIFFERENCES, VALUES, Dialect, family
from encaisse_api.errors import PartnerError
from encaisse_api.source import SourceInvoice

Verdict = Literal["read", "empty", "aside"]
TRUE = next(known for known in INVOICES if known.number == SPOILT)
AMBIGUOUS = ("1.500", "1,500", "1500.001", "1 5 00", "1.500,00", "1,500.00", "1500 EUR")
"""Texts that are 1500 to one reader and something else, or nothing, to another."""
SENSELESS = (b"{}", b"null", b'"ok"', b"<html></html>", b"", b'{"error": {"code": 1}}')
"""Answers under HTTP 200 that hold no list."""


TERMS = {
    "term": ("money", "date", "text"),
    "value": ("money", "date"),
    "amount": ("money",),
    "text": ("text",),
}
"""Which terms of a row a test is made for, by the name of its argument."""


class NormaliserKit:
    """Examine the dialect of one connector: give the class that stands in for its vendor."""

    vendor: ClassVar[type[Vendor]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test for each term of a row."""
        for name, kinds in TERMS.items():
            if name in metafunc.fixturenames:
                terms = [term for term in self.vendor.terms if term.kind in kinds]
                metafunc.parametrize(name, terms, ids=str)

    @pytest.fixture
    def filled(self) -> Vendor:
        """Give the vendor with the invoices rendered; each test pulls them anew."""
        return _ready(self.vendor)

    @property
    def dialect(self) -> Dialect:
        """Give what the connector declares."""
        declared = getattr(self.vendor.connector, "dialect", None)
        assert isinstance(declared, Dialect), "the connector declares no `dialect`"
        return declared

    def test_the_same_invoices_are_told_whatever_the_vendor(self, filled: Vendor) -> None:
        done = filled.pull()
        assert done.error is None and done.ended, str(done)
        assert done.unreadable == 0
        assert filled.told(done) == _truth(filled)

    def test_a_value_is_read_as_declared_and_set_aside_otherwise(
        self, filled: Vendor, value: Term
    ) -> None:
        written: Mapping[str, Callable[[Any], object]]
        written = MONEY if value.kind == "money" else DATES
        for difference, write in written.items():
            if self.dialect.reason(difference) is None:
                found = _verdict(filled, value, write(value.of(TRUE)))
                due: Verdict = "read" if difference in value.reads else "aside"
                assert found == due, f"{value} written as {difference}: {found}, {due} was due"

    def test_nothing_is_said_as_declared_and_set_aside_otherwise(
        self, filled: Vendor, term: Term
    ) -> None:
        for difference, empty in EMPTIES.items():
            worded = term.kind == "text" and empty in ("00/00/00", "0000-00-00")
            if worded or self.dialect.reason(difference) is not None:
                continue
            found = _verdict(filled, term, empty)
            if difference in term.empties:
                assert found == ("empty" if term.feeds else "read"), f"{term}: {difference}"
            else:
                assert found == "aside", f"{term} is {difference}: {found}, aside was due"

    def test_a_value_of_another_type_is_set_aside(self, filled: Vendor, term: Term) -> None:
        for strange in filled.strange(term.of(TRUE)):
            assert _verdict(filled, term, strange) == "aside", f"{term} is {strange!r}"

    def test_padding_changes_no_text(self, filled: Vendor, text: Term) -> None:
        padded = f"  {text.of(TRUE)} "
        assert _verdict(filled, text, padded) in ("read", "aside"), f"{text} is {padded!r}"

    def test_an_amount_with_two_readings_is_set_aside(self, filled: Vendor, amount: Term) -> None:
        for written in AMBIGUOUS:
            assert _verdict(filled, amount, written) == "aside", f"{amount} is {written!r}"

    def test_pages_lose_and_repeat_nothing(self) -> None:
        vendor = self._networked("paging")
        size = vendor.page
        assert size is not None, "declared as read: say how many rows a page has"
        for count in (size, size + 1, 2 * size + 1):
            invoices = many(count)
            filled = _filled(self.vendor, invoices)
            assert isinstance(filled, JsonVendor)
            done = filled.pull()
            assert done.error is None and done.ended, f"{count} rows: {done}"
            assert filled.told(done) == _truth(filled, invoices)
            marks = {url.params.get(vendor.mark) for url in filled.tap.listed}
            assert len(marks) >= -(-count // size), f"{vendor.mark} does not lead from page to page"

    def test_an_error_is_one_wherever_it_is_told(self) -> None:
        filled = self._networked("error")
        assert filled.refusals, "declared as read: give answers by which the vendor refuses"
        told_in_body = "error.body" in self.dialect.reads
        for name, (status, body, error) in filled.refusals.items():
            _raises(filled.refused(status, body), error, name)
            wanted = error if told_in_body else PartnerError
            _raises(filled.refused(200, body), wanted, f"{name} under HTTP 200")
        for body in SENSELESS:
            _raises(filled.refused(200, body), PartnerError, repr(body))

    def test_a_due_date_is_found_where_it_stands_and_never_made_up(self, filled: Vendor) -> None:
        places = filled.due_places
        read = {one for one in self.dialect.reads if family(one) == "due"}
        if not read:
            pytest.skip(self._spared("due"))
        assert read - {"due.absent"} == set(places), "say where each due date that is read stands"
        if not isinstance(filled, JsonVendor):
            assert _told(filled) == _truth(filled)
            return
        absent = next((t.empties for t in filled.terms if t.feeds == "due" and t.empties), None)
        empty = EMPTIES[min(absent)] if absent else None
        for place in places.values():
            done = filled.pull(moving(tuple(places.values()), place, empty))
            assert filled.told(done) == _truth(filled)
        if "due.absent" in read:
            done = filled.pull(moving(tuple(places.values()), None, empty))
            assert filled.told(done)[SPOILT] == _truth(filled)[SPOILT].without("due")

    def test_a_debtor_is_found_where_it_stands(self) -> None:
        few, more = (self._made("debtor", many(count)) for count in (1, 12))
        for filled in (few, more):
            assert all(one.siren for one in _told(filled).values())
        if not isinstance(few, JsonVendor) or not isinstance(more, JsonVendor):
            assert "debtor.row" in self.dialect.reads
        elif "debtor.row" in self.dialect.reads:
            assert more.tap.others == []
        else:
            assert few.tap.others, "declared as a second call, and none is made"
            assert len(more.tap.others) == len(few.tap.others), "one customer is asked for once"

    def test_an_invoice_whose_ids_change_stays_one(self) -> None:
        filled = self._made("id", INVOICES)
        before = _refs(filled, filled.pull())
        if not isinstance(filled, JsonVendor):
            assert before == _refs(filled, filled.pull())
            return
        assert filled.ids, "say where the vendor's ids stand"
        done = filled.pull(filled.renumbered(), number="")
        after = _refs(filled, done)
        assert filled.told(done) == _truth(filled)
        if "id.changing" in self.dialect.reads:
            assert before == after
        else:  # the host joins by seller, number and year, so these must be told
            assert all(before[number] != after[number] for number in before)
            invoices = [item for item in done.items if isinstance(item, SourceInvoice)]
            assert all(invoice.seller.siren for invoice in invoices)

    def test_what_is_declared_is_what_was_proven(self) -> None:
        terms, dialect = self.vendor.terms, self.dialect
        proven = {one for term in terms for one in term.reads | term.empties}
        declared = {one for one in dialect.reads if family(one) in VALUES}
        assert proven == declared
        for kind in ("paging", "error", "due", "debtor", "id"):
            read = {one for one in dialect.reads if family(one) == kind}
            spared = {one for one in DIFFERENCES if family(one) == kind} - read
            assert all(dialect.reason(one) for one in spared)

    def _spared(self, kind: str) -> str:
        """Give the reason why a whole family cannot arise."""
        told = (self.dialect.reason(one) for one in DIFFERENCES if family(one) == kind)
        return next(why for why in told if why is not None)

    def _networked(self, kind: str) -> JsonVendor:
        """Give the vendor filled anew; skip with the reason where it answers no requests."""
        filled = self._made(kind, INVOICES)
        assert isinstance(filled, JsonVendor), f"{kind} is read by a vendor that is asked nothing"
        return filled

    def _made(self, kind: str, invoices: Iterable[Known]) -> Vendor:
        """Give the vendor filled anew; skip with the reason where the family cannot arise."""
        if not any(family(one) == kind for one in self.dialect.reads):
            pytest.skip(self._spared(kind))
        return _filled(self.vendor, tuple(invoices))


@cache
def _ready(kind: type[Vendor]) -> Vendor:
    return _filled(kind, INVOICES)


def _filled(kind: type[Vendor], invoices: tuple[Known, ...]) -> Vendor:
    vendor = kind()
    vendor.fill(invoices)
    return vendor


def _truth(vendor: Vendor, invoices: tuple[Known, ...] = INVOICES) -> dict[str, Told]:
    return {known.number: vendor.truth(known) for known in invoices}


def _refs(vendor: Vendor, done: Pass) -> dict[str, str]:
    assert done.error is None and done.ended, str(done)
    return {vendor.told_of(item).number: vendor.ref_of(item) for item in done.items}


def _told(vendor: Vendor) -> dict[str, Told]:
    done = vendor.pull()
    assert done.error is None and done.ended, str(done)
    return vendor.told(done)


def _raises(done: Pass, error: type[PartnerError], what: str) -> None:
    assert isinstance(done.error, error), f"{what}: {done}; {error.__name__} was due"
    assert not done.ended and not done.items, f"{what}: {done}"


def _verdict(vendor: Vendor, term: Term, value: object) -> Verdict:
    """Pull with one value of one row changed, and say what became of its invoice.

    Fails where the pass does not end, another invoice suffers, or the invoice is told otherwise
    than it is.
    """
    what = f"{term} = {value!r}"
    done = vendor.pull(setting(term.place, value))
    assert done.error is None and done.ended, f"{what}: {done}; one row must not stop the pass"
    told, truth = vendor.told(done), _truth(vendor)
    for number, one in told.items():
        if number != SPOILT:
            assert one == truth.get(number), f"{what}: {one} was told"
    spared = {known.number for known in INVOICES if known.number != SPOILT}
    if vendor.doubt == "debtor":
        spared = {one.number for one in INVOICES if one.debtor != TRUE.debtor}
    assert spared <= set(told), f"{what} takes {sorted(spared - set(told))} with it"
    mine = told.get(SPOILT)
    if mine is None:
        assert done.unreadable, f"{what}: the invoice is lost"
        return "aside"
    if mine == truth[SPOILT]:
        return "read"
    if term.feeds and mine == truth[SPOILT].without(term.feeds):
        return "empty"
    raise AssertionError(f"{what} was guessed: {mine}")
