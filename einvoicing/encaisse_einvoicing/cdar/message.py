"""Hold one life-cycle message (flow 6, CDAR D22B) as read or to be written.

Field comments name the datum (MDT) or group (MDG) of annex 2 of the DGFiP's external
specifications v3.2. Every field is optional, since a reader is lenient: what a message does not
say stays empty. Moments are as the message writes them, without a zone (French wall-clock time).
"""

from datetime import date, datetime
from decimal import Decimal

from pydantic import Field

from encaisse_einvoicing.model import Attachment, Identifier, Note, Part


class Party(Part):
    """Be one who transmits, declares, receives, or sold (MDG-9 and its neighbours)."""

    ids: tuple[Identifier, ...] = ()
    global_ids: tuple[Identifier, ...] = ()  # MDT-38, MDT-57, MDT-129; 0002 SIREN, 0238 platform
    name: str | None = None  # MDT-39, MDT-58
    role: str | None = None  # MDT-21, MDT-40, MDT-59, MDT-132, MDT-158: UNTDID 3035
    endpoint: str | None = None  # MDT-49, MDT-73
    endpoint_scheme: str | None = None  # 0225 for a French electronic address

    def number(self, scheme: str) -> str | None:
        """Give the first identifier of one register, None without one."""
        for each in self.global_ids:
            if each.scheme == scheme:
                return each.value
        return None


class Characteristic(Part):
    """Give one datum of a status (MDG-43): an amount collected, a value contested."""

    id: str | None = None  # MDT-206, the term it is about (BT-152)
    type_code: str | None = None  # MDT-207
    changed: bool | None = None  # MDT-209
    name: str | None = None  # MDT-211
    description: str | None = None
    location: str | None = None  # MDT-213, a path in the invoice
    value: str | None = None  # MDT-214, an IBAN for instance
    amount: Decimal | None = None  # MDT-215
    currency: str | None = None  # ISO 4217
    day: date | None = None  # MDT-219
    code: str | None = None
    quantity: Decimal | None = None
    unit: str | None = None
    numeric: Decimal | None = None
    percent: Decimal | None = None  # MDT-224, a VAT rate


class Detail(Part):
    """Say why, what is asked, and with which data (MDG-37)."""

    reason_code: str | None = None  # MDT-113
    reason: str | None = None  # MDT-114, one line for each that was given
    process_code: str | None = None  # MDT-115, where it is not the document's own status
    process_label: str | None = None
    action_code: str | None = None  # MDT-121
    action: str | None = None  # MDT-122
    invalid: str | None = None  # MDT-123
    valid: str | None = None
    sequence: Decimal | None = None  # MDT-124-2
    notes: tuple[Note, ...] = ()  # MDT-126
    characteristics: tuple[Characteristic, ...] = ()


class AttachedFile(Part):
    """Carry a file given with a status (MDT-96), as base64."""

    encoded: str | None = Field(default=None, repr=False, exclude=True)
    mime: str | None = None
    filename: str | None = None

    def content(self) -> bytes | None:
        """Decode it now; raise `Refused` when the base64 is broken, None where there is none."""
        return Attachment(filename=self.filename, encoded=self.encoded).content()


class Referenced(Part):
    """Be one invoice a status is about."""

    number: str | None = None  # MDT-87, BT-1 of the invoice
    status_code: str | None = None  # MDT-88, UNTDID 1373
    type_code: str | None = None  # MDT-91, BT-3
    received_at: datetime | None = None  # MDT-95
    attachments: tuple[AttachedFile, ...] = ()  # MDT-96
    issue_date: date | None = None  # MDT-100, BT-2
    process_code: str | None = None  # MDT-105, the status
    process_label: str | None = None  # MDT-106
    issuer: Party | None = None  # MDT-129, MDT-132: the seller
    recipients: tuple[Party, ...] = ()  # MDT-158
    details: tuple[Detail, ...] = ()


class Acknowledgement(Part):
    """Declare a status about one invoice, or several."""

    multiple: bool | None = None  # MDT-74
    type_code: str | None = None  # MDT-77: 23 treatment, 305 transmission
    issued_at: datetime | None = None  # MDT-78
    documents: tuple[Referenced, ...] = ()


class CdarMessage(Part):
    """Be a whole life-cycle message."""

    test: bool | None = None
    process: str | None = None  # MDT-2
    profile: str | None = None  # MDT-3
    id: str | None = None  # MDT-4
    name: str | None = None  # MDT-5
    issued_at: datetime | None = None  # MDT-8
    notes: tuple[Note, ...] = ()
    sender: Party | None = None  # MDG-9: who transmits
    issuer: Party | None = None  # who declares
    recipients: tuple[Party, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()

    def documents(self) -> tuple[Referenced, ...]:
        """Give every invoice the message is about, in its order."""
        return tuple(each for said in self.acknowledgements for each in said.documents)
