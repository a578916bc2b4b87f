"""Life-cycle messages the tests make: one of each status, changed at will, and any at random."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from encaisse_einvoicing.cdar.codes import (
    CHORUS,
    COLLECTED,
    PLATFORM,
    PPF,
    PROFILE,
    REFUSED_B2G,
    SIREN,
    Status,
    labels,
    reasons_of,
    statuses,
)
from encaisse_einvoicing.cdar.facts import InvoiceFacts
from encaisse_einvoicing.cdar.message import (
    Acknowledgement,
    AttachedFile,
    CdarMessage,
    Characteristic,
    Detail,
    Party,
    Referenced,
)
from encaisse_einvoicing.model import Identifier, Note, VatSubtotal

SELLER, BUYER = "123456782", "987654324"
AT = datetime(2026, 11, 22, 9, 30)  # noqa: DTZ001 - messages have no zone
DECLARED = [each for each in statuses().values() if each.of_an_invoice]
"""The statuses that can be declared about an invoice."""


def siren(number: str) -> tuple[Identifier, ...]:
    return (Identifier(value=number, scheme=SIREN),)


def facts(*rates: tuple[str, str, str], **changed: object) -> InvoiceFacts:
    """Make an invoice of (taxable, tax, rate) groups, 120.00 and 52.75 TTC unless told."""
    groups = tuple(
        VatSubtotal(taxable=Decimal(base), tax=Decimal(tax), rate=Decimal(rate), category="S")
        for base, tax, rate in rates or (("100.00", "20.00", "20"), ("50.00", "2.75", "5.5"))
    )
    total = sum((g.taxable or Decimal(0)) + (g.tax or Decimal(0)) for g in groups)
    given: dict[str, object] = {
        "number": "FA-2026-0042",
        "issue_date": date(2026, 9, 15),
        "type_code": "380",
        "currency": "EUR",
        "total": total,
        "vat_breakdown": groups,
        "seller_siren": SELLER,
        "seller_name": "Vendeur SAS",
        "buyer_siren": BUYER,
        "buyer_name": "Acheteur SARL",
        "buyer_endpoint": BUYER,
        "buyer_endpoint_scheme": "0225",
    }
    return InvoiceFacts.model_validate({**given, **changed})


def a_message(status: Status, **document: object) -> CdarMessage:
    """Make the plainest message of a status that the rules let through."""
    transmission = status.type_code == "305"
    seller = Party(
        global_ids=siren(SELLER),
        name="Vendeur SAS",
        role="SE",
        endpoint=SELLER,
        endpoint_scheme="0225",
    )
    buyer = Party(
        global_ids=siren(BUYER),
        name="Acheteur SARL",
        role="BY",
        endpoint=BUYER,
        endpoint_scheme="0225",
    )
    from_seller = "SE" in status.declared_by
    detail = Detail(sequence=Decimal(1))
    allowed = sorted(reasons_of(status.code))
    if status.needs_reason:
        detail = detail.model_copy(
            update={"reason_code": allowed[0], "reason": "voir notre courrier"}
        )
    if status.code == COLLECTED:
        men = Characteristic(
            type_code="MEN", amount=Decimal("120.00"), currency="EUR", percent=Decimal("20.00")
        )
        detail = detail.model_copy(update={"characteristics": (men,)})
    issuer = Party(role="WK") if transmission else seller if from_seller else buyer
    return CdarMessage(
        process="REGULATED",
        profile=PROFILE,
        id=f"CDV-{status.code}-1",
        issued_at=AT,
        sender=Party(role="WK"),
        issuer=issuer,
        recipients=(buyer if from_seller else seller,),
        acknowledgements=(
            Acknowledgement(
                multiple=False,
                type_code=status.type_code,
                issued_at=AT,
                documents=(
                    Referenced.model_validate(
                        {
                            "number": "FA-2026-0042",
                            "status_code": status.stage,
                            "type_code": "380",
                            "issue_date": date(2026, 9, 15),
                            "process_code": status.code,
                            "process_label": status.label,
                            "issuer": Party(global_ids=siren(SELLER), role="SE"),
                            "details": (detail,),
                            **document,
                        }
                    ),
                ),
            ),
        ),
    )


def changed(message: CdarMessage, **document: object) -> CdarMessage:
    """Change the one invoice a message is about."""
    (said,) = message.acknowledgements
    (about,) = said.documents
    below = said.model_copy(update={"documents": (about.model_copy(update=document),)})
    return message.model_copy(update={"acknowledgements": (below,)})


# --- any message ---------------------------------------------------------------------------------

_SHORT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=12,
).filter(lambda text: bool(text) and text == text.strip())
TEXT = _SHORT | st.builds("{}\n{}".format, _SHORT, _SHORT)
CODE = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", min_size=1, max_size=8)
AMOUNT = st.decimals(-(10**9), 10**9, places=2)
DAY = st.dates(date(2000, 1, 1), date(2099, 12, 31))
MOMENT = st.builds(datetime.combine, DAY, st.times().map(lambda time: time.replace(microsecond=0)))
IDENTIFIER = st.builds(Identifier, value=CODE, scheme=st.none() | st.just("0009"))


NONE = st.none()
CHARACTERISTICS = st.builds(
    lambda datum, money, quantity: datum.model_copy(update={**money, **quantity}),
    st.builds(
        Characteristic,
        id=NONE | CODE,
        type_code=st.sampled_from(sorted(set(labels("characteristic")) - {"MEN"})),
        changed=NONE | st.booleans(),
        name=NONE | TEXT,
        description=NONE | TEXT,
        location=NONE | _SHORT,
        value=NONE | TEXT,
        day=NONE | DAY,
        code=NONE | CODE,
        numeric=NONE | AMOUNT,
        percent=NONE | st.decimals(0, 100, places=2),
    ),
    st.just({}) | st.fixed_dictionaries({"amount": AMOUNT, "currency": st.just("EUR")}),
    st.just({}) | st.fixed_dictionaries({"quantity": AMOUNT, "unit": NONE | CODE}),
)
NOTES = st.lists(st.builds(Note, text=NONE | TEXT, subject_code=CODE), max_size=2).map(tuple)
FILES = st.builds(
    AttachedFile,
    encoded=st.just("UMOpY2Vww6k="),
    mime=NONE | st.just("application/pdf"),
    filename=NONE | _SHORT,
)


@st.composite
def parties(draw: st.DrawFn, role: str, *, scheme: str = SIREN, number: str = SELLER) -> Party:
    """Make a party of a role that can be reached, with an identifier of one register."""
    return Party(
        ids=tuple(draw(st.lists(IDENTIFIER, max_size=2))),
        global_ids=(Identifier(value=number, scheme=scheme),),
        name=draw(NONE | _SHORT),
        role=role,
        endpoint=draw(CODE),
        endpoint_scheme=draw(NONE | st.just("0225")),
    )


@st.composite
def details(draw: st.DrawFn, status: Status, number: int, about: str) -> Detail:
    """Make one detail a status may have; the first has what the rules want."""
    allowed = sorted(reasons_of(about))
    must = status.needs_reason and number == 1
    data = draw(st.lists(CHARACTERISTICS, max_size=3))
    notes = draw(NOTES)
    if status.code == COLLECTED and number == 1:
        rates = draw(st.lists(st.sampled_from(("0", "5.5", "10", "20")), min_size=1, unique=True))
        amounts = [draw(AMOUNT) for _ in rates]
        data += [
            Characteristic(type_code="MEN", amount=a, currency="EUR", percent=Decimal(rate))
            for a, rate in zip(amounts, rates, strict=True)
        ]
        notes = (Note(text="prélèvement rejeté"), *notes)
    return Detail(
        reason_code=draw(st.sampled_from(allowed) if must else NONE | st.sampled_from(allowed))
        if allowed
        else None,
        reason=draw(NONE | TEXT),
        process_label=draw(NONE | TEXT),
        action_code=draw(NONE | st.sampled_from(sorted(labels("action")))),
        action=draw(NONE | TEXT),
        invalid=draw(NONE | _SHORT),
        valid=draw(NONE | _SHORT),
        sequence=Decimal(number),
        notes=notes,
        characteristics=tuple(data),
    )


@st.composite
def messages(draw: st.DrawFn, status: Status | None = None) -> CdarMessage:
    """Make any message the rules let through, of a status or of any."""
    status = status or draw(st.sampled_from(DECLARED))
    kind = str(status.type_code)
    public = status.code == "210" and draw(st.booleans())
    about = REFUSED_B2G if public else status.code
    count = draw(st.integers(1, 3))
    platform = Party(role="WK", global_ids=(Identifier(value=CHORUS, scheme=PLATFORM),))
    declarers = sorted(set(labels("role")) - {"WK", "DFH"})
    issuer = "WK" if kind == "305" else draw(st.sampled_from(declarers))
    ppf = Party(global_ids=(Identifier(value=PPF, scheme=PLATFORM),), role="DFH")
    document = Referenced(
        number=draw(CODE),
        status_code=draw(NONE | st.sampled_from(sorted(labels(f"stage{kind}")))),
        type_code=draw(st.sampled_from(sorted({**labels("invoice"), **labels("credit")}))),
        received_at=draw(NONE | MOMENT),
        attachments=tuple(draw(st.lists(FILES, max_size=2))),
        issue_date=draw(DAY),
        process_code=status.code,
        process_label=draw(NONE | TEXT),
        issuer=draw(parties("SE")),
        recipients=tuple(draw(st.lists(parties("BY", number=BUYER), max_size=1))),
        details=tuple(draw(details(status, n, about)) for n in range(1, count + 1)),
    )
    return CdarMessage(
        test=draw(NONE | st.booleans()),
        process=draw(st.just("REGULATED")),
        profile=PROFILE,
        id=draw(_SHORT),
        name=draw(NONE | _SHORT),
        issued_at=draw(MOMENT),
        notes=draw(NOTES),
        sender=platform if public else draw(parties("WK", scheme=PLATFORM, number="0001")),
        issuer=draw(parties(issuer)),
        recipients=(draw(parties("BY", number=BUYER)), *draw(st.sampled_from(((), (ppf,))))),
        acknowledgements=(
            Acknowledgement(
                multiple=draw(NONE | st.just(False)),
                type_code=kind,
                issued_at=draw(MOMENT),
                documents=(document,),
            ),
        ),
    )
