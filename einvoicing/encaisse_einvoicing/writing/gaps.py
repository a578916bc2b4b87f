"""Say why an invoice cannot be written: what is missing, and what would be lost."""

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

from encaisse_einvoicing.issues import Refused

GapCode = Literal["missing", "no_place", "unwritable"]
SHOWN: Final = 12
"""Gaps named in the sentence of a refusal; all of them are in its list."""
_HEADS: Final[dict[GapCode, tuple[str, str]]] = {
    "missing": ("il manque", "il manque"),
    "no_place": ("n'y a pas de place", "n'y ont pas de place"),
    "unwritable": ("ne s'écrit pas", "ne s'écrivent pas"),
}
"""What is said of one gap, and of several."""


class Gap(BaseModel):
    """Be one thing between an invoice and a document that says it all.

    `missing`: the standard or the schema wants it; `no_place`: the syntax or the level cannot say
    it; `unwritable`: the value itself cannot stand in XML or is no number. `field` is the place in
    the invoice (`lines.2.unit`), `term` its number where it has one (BT-130), `label` its French
    name, `why` a remark in French.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: GapCode
    field: str
    label: str
    term: str | None = None
    why: str = ""

    def __str__(self) -> str:
        """Name it as a person would look for it."""
        inside = ", ".join(part for part in (self.term or "", self.field, self.why) if part)
        return f"{self.label} ({inside})"


Report: TypeAlias = Callable[[GapCode, str, str, str, str], None]
"""Take code, term, field, label and remark of one gap."""


class CannotWrite(Refused):
    """Refuse to write a document that would be invalid, or would say less than the invoice.

    `gaps` lists every reason; nothing was written.
    """

    def __init__(self, document: str, gaps: Sequence[Gap]) -> None:
        """Tell all the reasons in one French sentence, by kind."""
        self.gaps: Final = tuple(gaps)
        parts: list[str] = []
        for code, heads in _HEADS.items():
            named = [str(gap) for gap in gaps if gap.code == code]
            if not named:
                continue
            beyond, head = len(named) - SHOWN, heads[len(named) > 1]
            more = f" et {beyond} autre{'s' if beyond > 1 else ''}" if beyond > 0 else ""
            listed = ", ".join(named[:SHOWN]) + more
            parts.append(f"{head} : {listed}" if code == "missing" else f"{listed} {head}")
        super().__init__(
            "cannot_write",
            f"La facture ne s'écrit pas en {document} : {' ; '.join(parts)}. Complétez la "
            "facture, ou choisissez un niveau ou une syntaxe qui dit tout.",
            document,
        )
