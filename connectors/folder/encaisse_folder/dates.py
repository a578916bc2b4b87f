"""Doubt an open invoice whose dates cannot be: nobody is late on a day that makes no sense."""

from __future__ import annotations

from datetime import date

from encaisse_api.source import Instalment


def believable(
    parts: tuple[Instalment, ...], *, issued: date, today: date, may_fall_due_before: bool
) -> tuple[Instalment, ...]:
    """Give back the échéances of an invoice as far as its dates can be believed.

    Raises `ValueError` (in French) for an issue date still to come, and for an open échéance due
    before the invoice existed. Where rule BR-FR-CO-07 allows the latter (deposits, and frames of
    what was already paid) the date is kept as an estimate, which starts nothing by itself.
    """
    if issued > today:
        raise ValueError(
            f"elle est datée du {issued:%d/%m/%Y} (BT-2), un jour qui n'est pas encore venu"
        )
    early = min((p.due_date for p in parts if _early(p, issued) and p.due_date), default=None)
    if early is None:
        return parts
    if not may_fall_due_before:
        raise ValueError(
            f"l'échéance du {early:%d/%m/%Y} (BT-9) est avant la date de la facture, le "
            f"{issued:%d/%m/%Y} (BT-2)"
        )
    return tuple(
        part.model_copy(update={"due_estimated": True}) if _early(part, issued) else part
        for part in parts
    )


def _early(part: Instalment, issued: date) -> bool:
    return part.open.minor > 0 and part.due_date is not None and part.due_date < issued
