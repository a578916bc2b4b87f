"""Say in French what a life-cycle message means for a claim, and which signal it gives.

Pure: a message in, one `Meaning` per invoice out. Nothing is decided here: the signal is for the
host's rules, the sentences for a person.
"""

from collections.abc import Iterator
from decimal import Decimal

from encaisse_einvoicing.cdar.codes import COLLECTED, Signal, labels, reasons, statuses
from encaisse_einvoicing.cdar.message import CdarMessage, Characteristic, Detail, Referenced
from encaisse_einvoicing.cli.printing import amount
from encaisse_einvoicing.model import Part
from encaisse_einvoicing.reading.documents import shown

REVERSED = (
    "Le vendeur reprend un encaissement déclaré (rejet, impayé) : le montant est de nouveau dû, "
    "faites vérifier la banque par une personne avant de relancer."
)
TEST = "Message d'essai : n'en tirez aucune conséquence."


class Meaning(Part):
    """Be what a message says of one invoice.

    `sentence` says what it means and what to do, `points` the reasons, amounts, wishes and notes
    that come with it. `collected` is the sum of the amounts collected (MEN) of a 212.
    """

    number: str | None
    status: str | None
    label: str | None
    signal: Signal
    sentence: str
    points: tuple[str, ...] = ()
    collected: Decimal | None = None


def meanings(message: CdarMessage) -> tuple[Meaning, ...]:
    """Explain each invoice of a message, in its order."""
    return tuple(_meaning(message, document) for document in message.documents())


def _meaning(message: CdarMessage, document: Referenced) -> Meaning:
    code = document.process_code
    status = statuses().get(code or "")
    received = _received(document) if code == COLLECTED else None
    if status is None:
        signal, sentence = (
            Signal.PERSON,
            f"Le statut {shown(code or '?')} n'est pas connu : faites-le lire par une personne "
            "avant toute relance.",
        )
    elif received is not None and received < 0:
        signal, sentence = Signal.REVERSED, REVERSED
    else:
        signal, sentence = status.signal, status.meaning
    if message.test:
        signal, sentence = Signal.NONE, f"{TEST} {sentence}"
    given = document.process_label
    return Meaning(
        number=document.number,
        status=code,
        label=status.label if status else given,
        signal=signal,
        sentence=sentence,
        points=tuple(point for detail in document.details for point in _points(detail)),
        collected=received,
    )


def _received(document: Referenced) -> Decimal | None:
    """Sum the amounts collected; None where there is none, or several currencies."""
    data = [
        each
        for detail in document.details
        for each in detail.characteristics
        if each.type_code == "MEN" and each.amount is not None
    ]
    if not data or len({each.currency for each in data}) > 1:
        return None
    return sum((each.amount for each in data if each.amount is not None), Decimal(0))


def _points(detail: Detail) -> Iterator[str]:
    if detail.reason_code is not None or detail.reason is not None:
        known = reasons().get(detail.reason_code or "")
        told = [
            shown(detail.reason_code) if detail.reason_code else None,
            known.label if known else None,
            f"« {shown(detail.reason)} »" if detail.reason else None,
        ]
        yield f"Motif : {', '.join(filter(None, told))}."
    if detail.action_code is not None or detail.action is not None:
        told = [
            labels("action").get(detail.action_code or "", shown(detail.action_code or "")),
            f"« {shown(detail.action)} »" if detail.action else None,
        ]
        yield f"Action demandée : {', '.join(filter(None, told))}."
    for each in detail.characteristics:
        yield _datum(each)
    if detail.invalid is not None:
        yield f"Données invalides : « {shown(detail.invalid)} »."
    if detail.valid is not None:
        yield f"Données valides : « {shown(detail.valid)} »."
    for note in detail.notes:
        if note.text:
            yield f"Note : « {shown(note.text)} »."


def _datum(each: Characteristic) -> str:
    code = each.type_code
    label = labels("characteristic").get(code or "", shown(code or "donnée"))
    about = " ".join(shown(part) for part in (each.id, each.name) if part)
    held = [
        amount(each.amount, shown(each.currency or "")),
        f"{each.percent} %".replace(".", ",") if each.percent is not None else "",
        f"le {each.day:%d/%m/%Y}" if each.day is not None else "",
        *(f"« {shown(text)} »" for text in (each.value, each.description, each.code) if text),
        *(str(number) for number in (each.quantity, each.numeric) if number is not None),
    ]
    name = f"{label} ({about})" if about else label
    return f"{name[0].upper()}{name[1:]} : {', '.join(filter(None, held)) or 'sans valeur'}."
