"""A life-cycle message is read whole, whatever is odd in it is told, and nothing is lost."""

from __future__ import annotations

import random
import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.counts import examples
from tests.einvoicing.cdar_messages import AT, DECLARED, a_message, changed

from encaisse_einvoicing import Refused, read_bytes
from encaisse_einvoicing.cdar import CdarReading, Signal, meanings, read_cdar, write_cdar
from encaisse_einvoicing.cdar.codes import Status, reasons, statuses
from encaisse_einvoicing.cdar.message import Acknowledgement, AttachedFile, CdarMessage, Detail

# In the shape platforms give it: comments, blanks, IndicatorString, addresses of the declarer,
# contested and expected values of one term (MDG-43), several details.
LITIGATION = """<?xml version="1.0" encoding="UTF-8"?>
<rsm:CrossDomainAcknowledgementAndResponse
 xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossDomainAcknowledgementAndResponse:100"
 xmlns:ram="urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"
 xmlns:qdt="urn:un:unece:uncefact:data:standard:QualifiedDataType:100"
 xmlns:udt="urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100">
 <rsm:ExchangedDocumentContext>
  <ram:BusinessProcessSpecifiedDocumentContextParameter><ram:ID>REGULATED</ram:ID> <!-- MDT-2 -->
  </ram:BusinessProcessSpecifiedDocumentContextParameter>
  <ram:GuidelineSpecifiedDocumentContextParameter><ram:ID>urn.cpro.gouv.fr:1p0:CDV:invoice</ram:ID>
  </ram:GuidelineSpecifiedDocumentContextParameter>
 </rsm:ExchangedDocumentContext>
 <rsm:ExchangedDocument>
  <ram:ID>FA-7_207_20261122#380_20260915</ram:ID><ram:Name>Litige</ram:Name>
  <ram:IssueDateTime><udt:DateTimeString format="204">20261122093000</udt:DateTimeString></ram:IssueDateTime>
  <ram:SenderTradeParty><ram:RoleCode>WK</ram:RoleCode></ram:SenderTradeParty>
  <ram:IssuerTradeParty><ram:GlobalID schemeID="0002">987654324</ram:GlobalID><ram:Name>Acheteur SARL</ram:Name><ram:RoleCode>BY</ram:RoleCode>
   <ram:URIUniversalCommunication><ram:URIID schemeID="0225">987654324_STATUTS</ram:URIID></ram:URIUniversalCommunication></ram:IssuerTradeParty>
  <ram:RecipientTradeParty><ram:GlobalID schemeID="0002">123456782</ram:GlobalID><ram:RoleCode>SE</ram:RoleCode>
   <ram:URIUniversalCommunication><ram:URIID schemeID="0225">123456782</ram:URIID></ram:URIUniversalCommunication></ram:RecipientTradeParty>
  <ram:RecipientTradeParty><ram:GlobalID schemeID="0238">0000</ram:GlobalID><ram:RoleCode>DFH</ram:RoleCode></ram:RecipientTradeParty>
 </rsm:ExchangedDocument>
 <rsm:AcknowledgementDocument>
  <ram:MultipleReferencesIndicator><udt:Indicator>false</udt:Indicator></ram:MultipleReferencesIndicator>
  <ram:TypeCode>23</ram:TypeCode>
  <ram:IssueDateTime><udt:DateTimeString format="204">20261122092000</udt:DateTimeString></ram:IssueDateTime>
  <ram:ReferenceReferencedDocument>
   <ram:IssuerAssignedID>FA<!-- comment -->-7</ram:IssuerAssignedID><ram:StatusCode>46</ram:StatusCode><ram:TypeCode>380</ram:TypeCode>
   <ram:ReceiptDateTime><udt:DateTimeString format="203">202609151000</udt:DateTimeString></ram:ReceiptDateTime>
   <ram:FormattedIssueDateTime><qdt:DateTimeString format="102">20260915</qdt:DateTimeString></ram:FormattedIssueDateTime>
   <ram:ProcessConditionCode>207</ram:ProcessConditionCode><ram:ProcessCondition>En_litige</ram:ProcessCondition>
   <ram:IssuerTradeParty><ram:GlobalID schemeID="0002">123456782</ram:GlobalID></ram:IssuerTradeParty>
   <ram:SpecifiedDocumentStatus>
    <ram:ReasonCode>TX_TVA_ERR</ram:ReasonCode><ram:Reason> Taux de 10 % attendu</ram:Reason>
    <ram:RequestedActionCode>NIN</ram:RequestedActionCode><ram:SequenceNumeric>1</ram:SequenceNumeric>
    <ram:SpecifiedDocumentCharacteristic><ram:ID>BT-152</ram:ID><ram:TypeCode>DIV</ram:TypeCode>
     <ram:ValueChangedIndicator><udt:IndicatorString>true</udt:IndicatorString></ram:ValueChangedIndicator>
     <ram:Name>Taux TVA</ram:Name><ram:ValuePercent>20.00</ram:ValuePercent></ram:SpecifiedDocumentCharacteristic>
    <ram:SpecifiedDocumentCharacteristic><ram:ID>BT-152</ram:ID><ram:TypeCode>DVA</ram:TypeCode><ram:ValuePercent>10.00</ram:ValuePercent></ram:SpecifiedDocumentCharacteristic>
   </ram:SpecifiedDocumentStatus>
   <ram:SpecifiedDocumentStatus>
    <ram:ReasonCode>QTE_ERR</ram:ReasonCode><ram:SequenceNumeric>2</ram:SequenceNumeric>
    <ram:IncludedNote><ram:Content>Huit livrés sur dix</ram:Content></ram:IncludedNote>
    <ram:SpecifiedDocumentCharacteristic><ram:TypeCode>MNATTC</ram:TypeCode><ram:ValueAmount currencyID="EUR">24.00</ram:ValueAmount>
     <ram:ValueDateTime><udt:DateTimeString format="102">20261101</udt:DateTimeString></ram:ValueDateTime></ram:SpecifiedDocumentCharacteristic>
   </ram:SpecifiedDocumentStatus>
  </ram:ReferenceReferencedDocument>
 </rsm:AcknowledgementDocument>
</rsm:CrossDomainAcknowledgementAndResponse>
"""  # noqa: E501 - XML is kept one element to a line


def read(text: str) -> CdarReading:
    return read_cdar("a.xml", text.encode())


def codes(text: str) -> list[str]:
    return [each.code for each in read(text).issues]


def test_every_datum_of_a_dispute_is_read() -> None:
    reading = read(LITIGATION)
    message = reading.message
    assert message is not None
    assert (reading.issues, reading.unmapped, reading.ok) == ((), (), True)
    assert (message.process, message.id, message.name) == (
        "REGULATED",
        "FA-7_207_20261122#380_20260915",
        "Litige",
    )
    assert message.issued_at == AT
    assert message.issuer is not None
    assert (message.issuer.name, message.issuer.number("0002")) == ("Acheteur SARL", "987654324")
    assert (message.issuer.endpoint, message.issuer.endpoint_scheme) == (
        "987654324_STATUTS",
        "0225",
    )
    assert [each.role for each in message.recipients] == ["SE", "DFH"]
    assert [each.number("0238") for each in message.recipients] == [None, "0000"]
    (said,) = message.acknowledgements
    assert (said.multiple, said.type_code, said.issued_at) == (False, "23", AT.replace(minute=20))
    (document,) = message.documents()
    assert (document.number, document.status_code, document.type_code) == ("FA-7", "46", "380")
    assert document.received_at == AT.replace(month=9, day=15, hour=10, minute=0)
    assert (document.issue_date, document.process_code) == (date(2026, 9, 15), "207")
    first, second = document.details
    assert (first.reason_code, first.reason, first.action_code) == (
        "TX_TVA_ERR",
        "Taux de 10 % attendu",
        "NIN",
    )
    contested, expected = first.characteristics
    assert (contested.id, contested.type_code, contested.changed) == ("BT-152", "DIV", True)
    assert (contested.percent, expected.percent) == (Decimal("20.00"), Decimal("10.00"))
    assert (second.sequence, second.notes[0].text) == (Decimal(2), "Huit livrés sur dix")
    (amount,) = second.characteristics
    assert (amount.amount, amount.currency, amount.day) == (
        Decimal("24.00"),
        "EUR",
        date(2026, 11, 1),
    )


def test_a_dispute_is_explained_with_its_reasons_wishes_and_amounts() -> None:
    message = read(LITIGATION).message
    assert message is not None
    (meaning,) = meanings(message)
    assert (meaning.number, meaning.status, meaning.label) == ("FA-7", "207", "En litige")
    assert meaning.signal is Signal.DISPUTED
    assert meaning.points == (
        "Motif : TX_TVA_ERR, un taux de TVA est faux, « Taux de 10 % attendu ».",
        "Action demandée : émettre une facture rectificative.",
        "Donnée contestée (BT-152 Taux TVA) : 20,00 %.",
        "Donnée attendue (BT-152) : 10,00 %.",
        "Motif : QTE_ERR, une quantité facturée n'est pas la bonne.",
        "Montant non approuvé, TTC : 24,00\u00a0€, le 01/11/2026.",
        "Note : « Huit livrés sur dix ».",
    )


@pytest.mark.parametrize(
    ("before", "after", "code", "kept"),
    [
        (">20261122093000<", ">20261322093000<", "date_invalid", "20261322093000"),
        (">20261122093000<", ">2026112209300<", "date_invalid", "2026112209300"),
        ('format="204">20261122093000', 'format="102">20261122', "date_format", "20261122"),
        (">20260915<", ">20260931<", "date_invalid", "20260931"),
        (">24.00<", ">24,00<", "amount_invalid", "24,00"),
        (">10.00<", ">dix<", "amount_invalid", "dix"),
        (">true<", ">oui<", "flag_invalid", "oui"),
        (">QTE_ERR<", ">QTE_FAUSSE<", "BR-FR-CDV-CL-09", "QTE_FAUSSE"),
        (">QTE_ERR<", ">JUSTIF_ABS<", "BR-FR-CDV-CL-09", "JUSTIF_ABS"),
        (">NIN<", ">NON<", "BR-FR-CDV-CL-10", "NON"),
        (">MNATTC<", ">MXX<", "BR-FR-CDV-CL-11", "MXX"),
        (">46<", ">47bis<", "BR-FR-CDV-CL-05", "47bis"),
        (">207<", ">777<", "BR-FR-CDV-CL-06", "777"),
        (">BY<", ">ZZ<", "BR-FR-CDV-CL-03", "ZZ"),
    ],
)
def test_what_is_odd_is_told_with_its_text_and_the_rest_is_read(
    before: str, after: str, code: str, kept: str
) -> None:
    assert before in LITIGATION
    reading = read(LITIGATION.replace(before, after))
    assert code in [each.code for each in reading.issues]
    assert kept in [each.raw for each in reading.issues]
    assert reading.ok
    assert reading.message is not None
    assert reading.message.documents()[0].details[0].reason_code == "TX_TVA_ERR"


def test_an_unknown_code_is_kept_as_it_is_and_left_to_a_person() -> None:
    message = read(LITIGATION.replace(">207<", ">777<").replace(">QTE_ERR<", ">NEUF<")).message
    assert message is not None
    assert message.documents()[0].process_code == "777"
    assert message.documents()[0].details[1].reason_code == "NEUF"
    (meaning,) = meanings(message)
    assert (meaning.signal, meaning.label) == (Signal.PERSON, "En_litige")
    assert "777" in meaning.sentence
    assert "Motif : NEUF." in meaning.points


def test_a_dispute_without_a_reason_and_an_amount_without_its_rate_are_told() -> None:
    bare = re.sub(
        r"<ram:SpecifiedDocumentStatus>.*</ram:SpecifiedDocumentStatus>", "", LITIGATION, flags=re.S
    )
    assert codes(bare) == ["BR-FR-CDV-15"]
    collection = write_cdar(a_message(statuses()["212"])).decode()
    assert codes(collection) == []
    without = re.sub(r"<ram:ValuePercent>.*</ram:ValuePercent>", "", collection)
    assert codes(without) == ["BR-FR-CDV-14"]
    assert codes(collection.replace(' currencyID="EUR"', "")) == ["G6.27"]


def test_what_has_no_field_is_listed() -> None:
    more = LITIGATION.replace(
        "<ram:TypeCode>23<", "<ram:ID>7</ram:ID><ram:TypeCode listID='1001'>23<"
    ).replace("</ram:IncludedNote>", "</ram:IncludedNote><x:y xmlns:x='urn:x'>z</x:y>")
    root = "/rsm:CrossDomainAcknowledgementAndResponse/rsm:AcknowledgementDocument"
    assert read(more).unmapped == (
        f"{root}/ram:ID",
        f"{root}/ram:TypeCode/@listID",
        f"{root}/ram:ReferenceReferencedDocument/ram:SpecifiedDocumentStatus/{{urn:x}}y",
    )


def test_several_invoices_in_one_message_are_all_read_and_said_to_be_against_the_rules() -> None:
    one = a_message(statuses()["205"])
    (said,) = one.acknowledgements
    (document,) = said.documents
    text = write_cdar(one).decode()
    block = re.search(
        r" *<ram:ReferenceReferencedDocument>.*</ram:ReferenceReferencedDocument>\n", text, re.S
    )
    assert block is not None
    other = block[0].replace("FA-2026-0042", "FA-2").replace(">205<", ">210<")
    whole = re.search(
        r" *<rsm:AcknowledgementDocument>.*</rsm:AcknowledgementDocument>\n", text, re.S
    )
    assert whole is not None
    both = text.replace(whole[0], whole[0].replace(block[0], block[0] + other) + whole[0])
    reading = read_cdar("a.xml", both.encode())
    assert reading.message is not None and reading.ok
    assert isinstance(reading.message.acknowledgements[1], Acknowledgement)
    assert [each.number for each in reading.message.documents()] == [
        "FA-2026-0042",
        "FA-2",
        "FA-2026-0042",
    ]
    assert [each.signal for each in meanings(reading.message)] == [
        Signal.ACKNOWLEDGED,
        Signal.STOPPED,
        Signal.ACKNOWLEDGED,
    ]
    assert document in reading.message.documents()
    assert {each.code for each in reading.issues} >= {"P1.14", "BR-FR-CDV-15"}


@pytest.mark.parametrize("status", DECLARED, ids=lambda each: each.code)
def test_each_status_has_its_signal_and_a_test_message_has_none(status: Status) -> None:
    message = a_message(status)
    (meaning,) = meanings(message)
    assert (meaning.signal, meaning.label) == (status.signal, status.label)
    assert meaning.sentence == status.meaning
    (tried,) = meanings(message.model_copy(update={"test": True}))
    assert tried.signal is Signal.NONE
    assert "essai" in tried.sentence


def test_a_collection_in_two_currencies_has_no_sum() -> None:
    message = a_message(statuses()["212"])
    (men,) = message.documents()[0].details[0].characteristics
    both = (men, men.model_copy(update={"currency": "USD"}))
    (meaning,) = meanings(changed(message, details=(Detail(characteristics=both),)))
    assert meaning.collected is None


def test_what_the_administration_answers_about_our_collection_is_explained() -> None:
    message = changed(
        a_message(statuses()["212"]),
        process_code="601",
        details=(Detail(reason_code="REJ_ENCAISSEMENT", sequence=Decimal(1)),),
    )
    (meaning,) = meanings(message)
    assert meaning.signal is Signal.PERSON
    assert reasons()["REJ_ENCAISSEMENT"].label in meaning.points[0]


def test_an_attached_file_is_kept_encoded_and_decoded_on_demand() -> None:
    held = AttachedFile(encoded="UGnDqGNl", mime="text/plain", filename="p.txt")
    message = changed(a_message(statuses()["209"]), attachments=(held,))
    reading = read_cdar("a.xml", write_cdar(message))
    assert reading.message == message
    (found,) = reading.message.documents()[0].attachments
    assert found.content() == "Pièce".encode()
    with pytest.raises(Refused, match=r"p\.txt"):
        AttachedFile(encoded="?", filename="p.txt").content()


# --- what is no message --------------------------------------------------------------------------


def test_another_document_says_what_it_is_and_what_reads_it(cii: str, ubl: str) -> None:
    for text in (cii, ubl):
        (issue,) = read(text).issues
        assert (issue.code, issue.where) == ("other_document", "a.xml")
        assert "encaisse read" in issue.message
    (issue,) = read_cdar("a.pdf", b"%PDF-1.7\n").issues
    assert (issue.code, "encaisse read" in issue.message) == ("other_document", True)
    (issue,) = read("<a xmlns='urn:b'/>").issues
    assert issue.code == "unknown_root" and "« a »" in issue.message


def test_a_message_given_as_an_invoice_says_which_command_reads_it() -> None:
    reading = read_bytes("a.xml", LITIGATION.encode())
    (issue,) = reading.issues
    assert issue.code == "other_document"
    assert "encaisse cdar" in issue.message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"<a", "xml_malformed"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "xml_doctype"),
        (LITIGATION.replace("UTF-8", "UTF-7").encode(), "xml_encoding"),
        (LITIGATION.encode("latin-1"), "xml_encoding"),
        (b"\x00\x01\x02", "xml_malformed"),
    ],
)
def test_what_cannot_be_parsed_is_one_refusal(data: bytes, code: str) -> None:
    reading = read_cdar("a.xml", data)
    assert reading.message is None and not reading.ok
    (issue,) = reading.issues
    assert issue.code == code
    assert "vendeur" not in issue.message  # the buyer or a platform sent it, not the seller
    assert issue.message.endswith(".")


def test_an_empty_message_is_not_ok_and_says_all_that_is_missing() -> None:
    head = LITIGATION[
        LITIGATION.index("<rsm:") : LITIGATION.index(" <rsm:ExchangedDocumentContext>")
    ]
    reading = read(f"{head}</rsm:CrossDomainAcknowledgementAndResponse>")
    assert reading.message == CdarMessage()
    assert not reading.ok
    assert {"BR-FR-CDV-03", "BR-FR-CDV-10"} <= {each.code for each in reading.issues}


def test_issues_are_capped_and_say_so() -> None:
    block = re.search(
        r"<ram:SpecifiedDocumentStatus>.*?</ram:SpecifiedDocumentStatus>", LITIGATION, re.S
    )
    assert block is not None
    many = LITIGATION.replace(block[0], block[0].replace("TX_TVA_ERR", "XXX") * 600)
    found = codes(many)
    assert len(found) == 501
    assert found[-1] == "too_many_issues"


@settings(max_examples=examples(60), deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_damage_to_a_message_raises(chance: random.Random) -> None:
    """Cut, double, blank or swap pieces: there is a message, or one refusal, and no crash."""
    tags = re.findall(r"<[^>]*>|[^<]+", LITIGATION)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(tags))
        done = chance.choice(("drop", "double", "blank", "swap"))
        if done == "drop":
            del tags[at]
        elif done == "double":
            tags.insert(at, tags[at])
        elif done == "blank":
            tags[at] = (
                re.sub(r"[0-9A-Z]", "?", tags[at]) if not tags[at].startswith("<") else "<x/>"
            )
        else:
            other = chance.randrange(len(tags))
            tags[at], tags[other] = tags[other], tags[at]
    reading = read("".join(tags))
    if reading.message is None:
        assert len(reading.issues) == 1
    else:
        meanings(reading.message)
    for issue in reading.issues:
        assert issue.code and issue.message.endswith((".", "?")) and issue.where
