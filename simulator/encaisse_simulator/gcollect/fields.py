"""Read a body field by field; whatever nobody asked for is a fault.

All faults of a body are told at once. A value at fault reads as an empty one, so a caller must call
`check` before it uses anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import cast

from encaisse_simulator.gcollect.problems import FieldFault, Problem

_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Fields:
    """Read one JSON object of a body."""

    def __init__(self, value: Mapping[str, object], pointer: str, faults: list[FieldFault]) -> None:
        self._value = value
        self._pointer = pointer
        self._faults = faults
        self._asked: set[str] = set()
        self._children: list[Fields] = []

    @classmethod
    def of(cls, body: bytes) -> Fields:
        """Read a body that must be a JSON object."""
        try:
            value: object = json.loads(body)
        except ValueError:
            raise Problem("bad_request") from None
        if not isinstance(value, dict):
            raise Problem("bad_request")
        return cls(cast("dict[str, object]", value), "", [])

    def check(self) -> None:
        """Refuse the body if anything in it is at fault."""
        self._refuse_unknown()
        if self._faults:
            raise Problem("validation_error", faults=self._faults)

    def fault(self, name: str, code: str, message: str) -> None:
        """Report a fault of a field."""
        self._faults.append(FieldFault(f"{self._pointer}/{name}", code, message))

    def has(self, name: str) -> bool:
        """Tell whether a field is given and not null."""
        return self._value.get(name) is not None

    def text(self, name: str, *, longest: int = 512, among: Collection[str] | None = None) -> str:
        """Read a required text."""
        value = self._take(name)
        if value is None:
            self.fault(name, "required", "Ce champ est obligatoire.")
        elif not isinstance(value, str) or not 1 <= len(value) <= longest:
            self.fault(name, "invalid", f"Un texte de 1 à {longest} signes est attendu.")
        elif among is not None and value not in among:
            self.fault(name, "unknown_value", f"Valeurs possibles : {', '.join(sorted(among))}.")
        else:
            return value
        return ""

    def text_or_none(
        self, name: str, *, longest: int = 512, among: Collection[str] | None = None
    ) -> str | None:
        """Read a text that may be left out."""
        if not self.has(name):
            self._asked.add(name)
            return None
        return self.text(name, longest=longest, among=among)

    def digits(self, name: str, count: int) -> str | None:
        """Read a number of fixed length that may be left out."""
        value = self.text_or_none(name, longest=count)
        if value and not re.fullmatch(rf"[0-9]{{{count}}}", value):
            self.fault(name, "invalid", f"{count} chiffres sont attendus.")
        return value

    def texts(self, name: str) -> list[str]:
        """Read a list of texts that may be left out."""
        value = self._take(name)
        if value is None:
            return []
        listed = cast("list[object]", value) if isinstance(value, list) else [None]
        texts = [each for each in listed if isinstance(each, str) and 1 <= len(each) <= 512]
        if len(texts) != len(listed):
            self.fault(name, "invalid", "Une liste de textes est attendue.")
        return texts

    def flag(self, name: str) -> bool:
        """Read a required yes or no."""
        value = self._take(name)
        if not isinstance(value, bool):
            self.fault(name, "required", "true ou false est attendu.")
            return False
        return value

    def day(self, name: str) -> date:
        """Read a required date."""
        value = self._take(name)
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        self.fault(name, "invalid", "Une date AAAA-MM-JJ est attendue.")
        return date.min

    def money(self, name: str, *, least: int = 0) -> int:
        """Read a required amount of euro, in cents."""
        cents, currency = self.money_of_any_currency(name, least=least)
        if currency not in ("", "EUR"):
            self.fault(name, "currency", "Seul l'euro est accepté.")
        return cents

    def money_of_any_currency(self, name: str, *, least: int = 0) -> tuple[int, str]:
        """Read a required amount, in hundredths, and its currency; ("", 0) when at fault."""
        value = self._take(name)
        if isinstance(value, dict):
            pair = cast("dict[str, object]", value)
            amount, currency = pair.get("amount"), pair.get("currency")
            if (
                set(pair) == {"amount", "currency"}
                and isinstance(amount, str)
                and _AMOUNT.fullmatch(amount)
                and isinstance(currency, str)
            ):
                whole, _, decimals = amount.partition(".")
                cents = int(whole) * 100 + int(decimals.ljust(2, "0"))
                if cents >= least:
                    return cents, currency
        self.fault(
            name, "invalid", 'Un montant {"amount": "12.34", "currency": "EUR"} est attendu.'
        )
        return 0, ""

    def record(self, name: str) -> Fields:
        """Read a required object."""
        return self._child(name, self._take(name))

    def record_or_none(self, name: str) -> Fields | None:
        """Read an object that may be left out."""
        value = self._take(name)
        return None if value is None else self._child(name, value)

    def records(self, name: str, *, least: int = 1) -> list[Fields]:
        """Read a list of objects."""
        value = self._take(name)
        if value is None and least == 0:
            return []
        if not isinstance(value, list) or len(cast("list[object]", value)) < least:
            self.fault(name, "required", f"Une liste d'au moins {least} élément est attendue.")
            return []
        listed = cast("list[object]", value)
        return [self._child(f"{name}/{place}", each) for place, each in enumerate(listed)]

    def _take(self, name: str) -> object:
        self._asked.add(name)
        return self._value.get(name)

    def _child(self, name: str, value: object) -> Fields:
        if not isinstance(value, dict):
            self.fault(name, "invalid", "Un objet est attendu.")
            value = {}
        child = Fields(cast("dict[str, object]", value), f"{self._pointer}/{name}", self._faults)
        self._children.append(child)
        return child

    def _refuse_unknown(self) -> None:
        for name in sorted(set(self._value) - self._asked):
            self.fault(name, "unknown_field", "Ce champ n'est pas accepté.")
        for child in self._children:
            child._refuse_unknown()
