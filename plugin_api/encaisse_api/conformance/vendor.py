"""Stand in for one vendor in front of the kit: the same invoices, in that vendor's own answers.

An author subclasses `Vendor`, or `JsonVendor` where the vendor answers in JSON, and says where each
term of an invoice stands in a row. The invoices and the ways to write a value are the kit's own,
written here by hand and not by what reads them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, ClassVar, Literal, cast
from zoneinfo import ZoneInfo

import httpx

from encaisse_api import wire
from encaisse_api.conformance.seat import Pass
from encaisse_api.errors import PartnerError
from encaisse_api.source import SourceInvoice

Path = tuple[str | int, ...]
Row = dict[str, Any]
Kind = Literal["money", "date", "text"]


class Absent:
    """Stand for a field that is not there."""

    def __repr__(self) -> str:
        return "absent"


ABSENT = Absent()


@dataclass(frozen=True, slots=True)
class Party:
    """Name a customer; the SIRET is invented, its keys right."""

    name: str
    siret: str

    @property
    def siren(self) -> str:
        """Cut the SIREN from the SIRET."""
        return self.siret[:9]


@dataclass(frozen=True, slots=True)
class Known:
    """Hold one invoice as it truly is; amounts in cents, VAT included."""

    number: str
    issued: date
    due: date | None
    cents: int
    paid: int
    debtor: Party


@dataclass(frozen=True, slots=True)
class Told:
    """Hold what a connector told of one invoice, as far as all vendors can."""

    number: str
    total: int
    open: int
    issued: date
    due: date | None
    debtor: str | None
    siren: str | None

    @classmethod
    def truly(cls, known: Known) -> Told:
        """Give what had to be told."""
        return cls(
            known.number,
            known.cents,
            known.cents - known.paid,
            known.issued,
            known.due,
            known.debtor.name,
            known.debtor.siren,
        )

    def without(self, term: str) -> Told:
        """Give the same where one term is not known."""
        told: dict[str, Any] = {**asdict(self), term: None}
        return Told(**told)

    @classmethod
    def of(cls, item: SourceInvoice) -> Told:
        """Give what was told; an invoice of several dates has none here."""
        dates = {part.due_date for part in item.instalments if not part.due_estimated}
        return cls(
            item.number,
            item.total.minor,
            item.open.minor,
            item.issue_date,
            next(iter(dates)) if len(dates) == 1 else None,
            item.debtor.name,
            item.debtor.siren,
        )


FIRST = Party("Client Exemple SAS", "81234567600017")
SECOND = Party("Scierie Exemple SA", "99910001900010")
SPOILT = "FK2026001"
"""The invoice whose row is altered; all others must be told as if nothing had happened."""
INVOICES = (
    Known(SPOILT, date(2026, 1, 15), date(2026, 3, 31), 150_000, 0, FIRST),
    Known("FK2026002", date(2026, 2, 2), date(2026, 3, 4), 123_456, 0, SECOND),
    Known("FK2026003", date(2026, 2, 28), date(2026, 3, 30), 200_000, 50_050, SECOND),
    Known("FK2026004", date(2026, 3, 29), date(2026, 4, 28), 7, 0, FIRST),
    Known("FK2026005", date(2026, 1, 1), None, 999_999_999, 0, SECOND),
)
"""Seven cents, ten million euros, a part paid, days at a change of the clock, no due date."""


def many(count: int) -> tuple[Known, ...]:
    """Give as many invoices as it takes to fill pages."""
    return tuple(
        Known(f"FP2026{place:04}", date(2026, 2, 2), date(2026, 3, 4), 10_000 + place, 0, FIRST)
        for place in range(1, count + 1)
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo("Europe/Paris"))


def _french(euros: Decimal, blank: str) -> str:
    return f"{euros:,.2f}".replace(",", blank).replace(".", ",")


MONEY: Mapping[str, Callable[[Decimal], object]] = {
    "money.text": lambda euros: f"{euros:.2f}",
    "money.number": lambda euros: euros.quantize(Decimal("0.1")),
    "money.whole": lambda euros: int(euros),
    "money.cents": lambda euros: int(euros * 100),
    "money.object": lambda euros: {"amount": f"{euros:.2f}", "currency": "EUR"},
    "money.padded": lambda euros: f" {euros:.2f} ",
    "money.comma": lambda euros: f"{euros:.2f}".replace(".", ","),
    "money.grouped": lambda euros: _french(euros, " "),
    "money.nbsp": lambda euros: _french(euros, "\u00a0"),
    "money.nnbsp": lambda euros: _french(euros, "\u202f"),
}
DATES: Mapping[str, Callable[[date], object]] = {
    "date.iso": lambda day: day.isoformat(),
    "date.compact": lambda day: day.strftime("%Y%m%d"),
    "date.local": lambda day: f"{day}T00:00:00",
    "date.instant": lambda day: f"{_midnight(day).astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z",
    "date.d/m/y": lambda day: day.strftime("%d/%m/%Y"),
    "date.d/m/yy": lambda day: day.strftime("%d/%m/%y"),
    "date.seconds": lambda day: str(int(_midnight(day).timestamp())),
    "date.milliseconds": lambda day: str(int(_midnight(day).timestamp()) * 1000),
    "date.object": lambda day: {"date": day.isoformat()},
    "date.padded": lambda day: f" {day.isoformat()} ",
}
EMPTIES: Mapping[str, object] = {
    "empty.absent": ABSENT,
    "empty.null": None,
    "empty.text": "",
    "empty.false": False,
    "empty.00/00/00": "00/00/00",
    "empty.0000-00-00": "0000-00-00",
}
"""Each way to write a value; a day of ours is written by its midnight in Paris."""


@dataclass(frozen=True, slots=True)
class Term:
    """Say where one term stands in a row, and which ways of writing it are read there.

    `of` is its true value: euros, a day, a text. `reads` are differences of its family. `empties`
    are those that say "there is none": the invoice is then told without the field `feeds` names, or
    just the same where that is "". A term without `empties` is required.
    """

    place: Path
    kind: Kind
    of: Callable[[Known], Any] = lambda known: known.number
    reads: frozenset[str] = frozenset()
    empties: frozenset[str] = frozenset()
    feeds: str = ""

    def __str__(self) -> str:
        return ".".join(map(str, self.place))


Change = Callable[[Row], None]
"""What is done to one row before it is answered."""


def setting(place: Path, value: object) -> Change:
    """Make the change that writes another value at a place of a row."""

    def change(row: Row) -> None:
        here: Any = row
        for step in place[:-1]:
            here = here[step]
        if isinstance(value, Absent):
            here.pop(place[-1], None)
        else:
            here[place[-1]] = value

    return change


def moving(places: Sequence[Path], place: Path | None, empty: object) -> Change:
    """Make the change that leaves a value at one of its places only, or at none."""

    def change(row: Row) -> None:
        value = next(found for each in places if (found := at(row, each)) is not None)
        for each in places:
            setting(each, value if each == place else empty)(row)

    return change


def at(row: object, place: Path) -> object:
    """Get what stands at a place of a row, None when nothing does."""
    here: Any = row
    for step in place:
        if isinstance(here, list) and isinstance(step, int):
            here = cast("list[object]", here)[step] if step < len(here) else None
        else:
            here = cast("Row", here).get(str(step)) if isinstance(here, dict) else None
    return cast("object", here)


class Vendor(ABC):
    """Render invoices as one vendor does, and let its connector pull them by `stream`.

    `doubt` says how far one bad row reaches: to itself, or to all of its customer, where a vendor's
    list is only trusted as a whole. `page` is how many rows a page has, None where it does not
    page. `refusals` are answers by which the vendor itself refuses, with the error due.
    """

    connector: ClassVar[type]
    stream: ClassVar[str] = "pull_invoices"
    terms: ClassVar[tuple[Term, ...]]
    mark: ClassVar[str] = ""
    doubt: ClassVar[Literal["row", "debtor"]] = "row"
    page: ClassVar[int | None] = None
    due_places: ClassVar[Mapping[str, Path]] = {}
    ids: ClassVar[tuple[Path, ...]] = ()
    refusals: ClassVar[Mapping[str, tuple[int, bytes, type[PartnerError]]]] = {}

    @abstractmethod
    def fill(self, invoices: Sequence[Known]) -> None:
        """Put these invoices, and no others, into the tool."""

    @abstractmethod
    def pull(self, change: Change | None = None, number: str = SPOILT) -> Pass:
        """Pull everything, one row changed on the way; `number` "" changes every row."""

    def strange(self, value: object) -> tuple[object, ...]:
        """Give values of a type no field of this vendor has."""
        return ([f"{value}"], {"unexpected": f"{value}"}, True)

    def told(self, done: Pass) -> dict[str, Told]:
        """Sort what was told by number; a number told twice is an error of its own."""
        found: dict[str, Told] = {}
        for item in done.items:
            one = self.told_of(item)
            if one.number in found:
                raise AssertionError(f"{one.number} was told twice")
            found[one.number] = one
        return found

    def truth(self, known: Known) -> Told:
        """Give what has to be told; a vendor that tells something else of an invoice says what."""
        return Told.truly(known)

    def told_of(self, item: object) -> Told:
        """Give what was told by one item of the stream."""
        return Told.of(cast("SourceInvoice", item))

    def ref_of(self, item: object) -> str:
        """Give the name one item goes by."""
        return cast("SourceInvoice", item).ref


@dataclass
class Tap(httpx.BaseTransport):
    """Change rows of a list, or refuse it, between a vendor and its connector."""

    inner: httpx.BaseTransport
    listing: Callable[[httpx.Request], bool]
    where: Path
    change: Change
    refusal: tuple[int, bytes] | None = None
    listed: list[httpx.URL] = field(default_factory=list[httpx.URL])
    others: list[str] = field(default_factory=list[str])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Pass one request on, and its answer back."""
        if not self.listing(request):
            self.others.append(str(request.url))
            return self.inner.handle_request(request)
        self.listed.append(request.url)
        if self.refusal is not None:
            status, body = self.refusal
            return httpx.Response(status, headers=JSON, content=body, request=request)
        answer = self.inner.handle_request(request)
        document = wire.read(answer.read())
        for row in wire.rows(at(document, self.where)) or ():
            if isinstance(row, dict):
                self.change(cast("Row", row))
        body = wire.write(document).encode()
        return httpx.Response(answer.status_code, headers=JSON, content=body, request=request)


JSON = {"content-type": "application/json"}


class JsonVendor(Vendor):
    """Be a vendor that answers in JSON: one address lists invoices, one row each.

    `where` leads from a document to its rows, `number` from a row to the invoice's number;
    `listing` tells which requests list invoices.
    """

    where: ClassVar[Path] = ()
    number: ClassVar[Path]

    tap: Tap

    @abstractmethod
    def transport(self) -> httpx.BaseTransport:
        """Give the vendor's own answers."""

    @abstractmethod
    def connect(self, transport: httpx.BaseTransport) -> Any:
        """Build the connector on a transport, as the host does for one unit of work."""

    @abstractmethod
    def listing(self, request: httpx.Request) -> bool:
        """Tell whether a request lists invoices."""

    def pull(self, change: Change | None = None, number: str = SPOILT) -> Pass:
        """Pull through a tap on the vendor's answers."""
        return self.drawn(change, number)

    def refused(self, status: int, body: bytes) -> Pass:
        """Pull while every list is answered so."""
        return self.drawn(refusal=(status, body))

    def drawn(
        self,
        change: Change | None = None,
        number: str = SPOILT,
        refusal: tuple[int, bytes] | None = None,
    ) -> Pass:
        """Draw a pass as far as it goes."""

        def changed(row: Row) -> None:
            if change is not None and number in ("", str(at(row, self.number))):
                change(row)

        self.tap = Tap(self.transport(), self.listing, self.where, changed, refusal)
        done = Pass()
        try:
            for page in getattr(self.connect(self.tap), self.stream)(None):
                done.pages.append(page)
        except Exception as error:
            done.error = error
        return done

    def renumbered(self) -> Change:
        """Make the change that gives every id of a row another value of its own kind."""

        def change(row: Row) -> None:
            for place in self.ids:
                old = at(row, place)
                if isinstance(old, str) and old.isdecimal():
                    setting(place, f"7{old}")(row)
                elif isinstance(old, str):
                    setting(place, f"{old}-bis")(row)

        return change
