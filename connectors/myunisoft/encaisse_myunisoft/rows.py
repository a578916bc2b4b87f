"""Describe what MyUnisoft sends, as its own names; everything it may add later is let through.

MAD 1.0.0, unless a class says otherwise: partners.api.myunisoft.fr, MAD/specs/v1.0.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, cast

from pydantic import (
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel

from encaisse_myunisoft import spelling

Side = Annotated[Decimal, BeforeValidator(spelling.side)]
Amount = Annotated[Decimal, BeforeValidator(spelling.amount)]
Day = Annotated[date, BeforeValidator(spelling.day)]
MaybeDay = Annotated[date | None, BeforeValidator(spelling.maybe_day)]
Name = Annotated[str, BeforeValidator(spelling.name)]
Words = Annotated[str, BeforeValidator(spelling.words)]
Id = Annotated[str, BeforeValidator(spelling.identifier)]


def _links(value: object) -> Mapping[str, str]:
    """Keep the attachments that are addresses; other kinds travel inside exports only."""
    found: dict[str, str] = {}
    if isinstance(value, dict):
        for filename, said in cast("dict[str, object]", value).items():
            if isinstance(said, dict):
                link = cast("dict[str, object]", said)
                if link.get("type") == "URL" and isinstance(link.get("value"), str):
                    found[filename] = str(link["value"])
    return found


Links = Annotated[Mapping[str, str], BeforeValidator(_links)]


class Row(BaseModel):
    """Be one object of an answer."""

    model_config = ConfigDict(frozen=True, extra="ignore", alias_generator=to_camel)


class ValueRow(Row):
    """Be the two sides of a movement; `amount` is credit minus debit, where it is said."""

    debit: Side
    credit: Side
    amount: Annotated[Decimal | None, BeforeValidator(spelling.maybe_amount)] = None

    @model_validator(mode="after")
    def _agrees(self) -> ValueRow:
        if self.debit and self.credit:
            raise ValueError(f"débit {self.debit} et crédit {self.credit} sur une même ligne")
        if self.amount is not None and self.amount != self.credit - self.debit:
            raise ValueError(
                f"débit {self.debit}, crédit {self.credit} et montant {self.amount} se contredisent"
            )
        return self


class LetteringRow(Row):
    """Be the state of a line: `AAB` complete, `*AAC` partial, null none."""

    state: Literal["none", "partial", "complete"]
    value: Words = ""

    @model_validator(mode="after")
    def _agrees(self) -> LetteringRow:
        marked = self.value.startswith("*")
        if bool(self.value) != (self.state != "none") or marked != (self.state == "partial"):
            raise ValueError(f"lettrage {self.value!r} avec l'état {self.state!r}")
        return self


class AccountName(Row):
    """Be an account as a movement names it."""

    producer_id: Id
    number: Name
    name: Words = ""


class JournalName(Row):
    """Be a journal as an entry names it."""

    type: Words = ""


class ThirdParty(Row):
    """Be the tool an imported entry comes from."""

    name: Words = ""


class SourceRow(Row):
    """Say how an entry came in."""

    name: Words = ""
    third_party: ThirdParty | None = None


class PartnerRow(Row):
    """Be what a partner left with an entry of its own."""

    partner_id: Words = ""
    json_text: str | None = Field(default=None, alias="json")


class EntryExtra(Row):
    """Be what MyUnisoft adds to the norm."""

    source: SourceRow | None = None
    partner_metadata: PartnerRow | None = None


class CurrencyRow(Row):
    """Be the currency of an entry; the amounts of its lines are euros whichever it is."""

    code: Words = "EUR"


class EntryHead(Row):
    """Be an entry as its movements name it."""

    producer_id: Id
    date: Day
    due_date: MaybeDay = None
    currency: CurrencyRow | None = None
    journal: JournalName
    attachments: Links = Field(default_factory=dict[str, str])
    additional_producer_properties: EntryExtra | None = None


class LineRow(Row):
    """Be a movement inside its entry."""

    producer_id: Id
    description: Words = ""
    due_date: MaybeDay = None
    free_number: Words = ""
    invoice_number: Words = ""
    value: ValueRow
    lettering: LetteringRow
    account: AccountName
    attachments: Links = Field(default_factory=dict[str, str])


class MovementRow(LineRow):
    """Be a movement with the entry around it."""

    entry: EntryHead


class EntryRow(EntryHead):
    """Be an entry with its movements."""

    movements: tuple[LineRow, ...]


class PeriodRow(Row):
    """Be the span of an exercice."""

    start: Day
    end: Day


class ExerciceExtra(Row):
    """Say how an exercice is lettered."""

    lettering: Words = ""


class ExerciceRow(Row):
    """Be one exercice."""

    producer_id: Id
    name: Words = ""
    period: PeriodRow
    state: Literal["open", "closed"]
    additional_producer_properties: ExerciceExtra | None = None


class JournalExtra(Row):
    """Say what a journal is for, and whether it takes entries."""

    type: Words = ""
    locked: bool = False


class JournalRow(Row):
    """Be one journal of the dossier."""

    producer_id: Id
    name: Words = ""
    customer_reference_code: Words = ""
    type: Words = ""
    counterpart_account: AccountName | None = None
    additional_producer_properties: JournalExtra | None = None


class BalanceAccount(Row):
    """Be an account as the balance names it."""

    number: Name


class BalanceRow(Row):
    """Be one line of the balance: debits minus credits."""

    account: BalanceAccount
    balance: Amount


class SocietyRow(BaseModel):
    """Be one dossier, on the historic route `/society` (accounting/society.html)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    society_id: Id = Field(validation_alias=AliasChoices("society_id", "id_society"))
    name: Words = ""
    siret: Words = ""
