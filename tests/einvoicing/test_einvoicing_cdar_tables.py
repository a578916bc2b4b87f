"""The code tables say what the official rules say, and nothing is left without a French label."""

from __future__ import annotations

import re

import pytest
from lxml import etree
from pydantic import BaseModel
from tests.einvoicing.cdar_oracle import XSLT, needs_oracle

from encaisse_einvoicing.cdar.codes import (
    REFUSED_B2G,
    Signal,
    labels,
    reasons,
    reasons_of,
    statuses,
)
from encaisse_einvoicing.cdar.message import CdarMessage
from encaisse_einvoicing.cdar.table import message_table, parse_table
from encaisse_einvoicing.terms import Group, TableBroken

DISPUTES, STOPS = {"206", "207", "208"}, {"210", "213", "220"}


def official(rule: str) -> str:
    """Give the test of one official rule."""
    tree = etree.parse(XSLT)
    (found,) = tree.iterfind(
        f".//{{http://purl.oclc.org/dsdl/svrl}}failed-assert"
        f"[{{http://www.w3.org/1999/XSL/Transform}}attribute='{rule}']"
    )
    return str(found.get("test"))


def listed(function: str) -> set[str]:
    """Give the codes of one official list."""
    xsl = "{http://www.w3.org/1999/XSL/Transform}"
    tree = etree.parse(XSLT)
    (found,) = tree.iterfind(f".//{xsl}function[@name='custom:{function}']/{xsl}variable")
    return set(str(found.get("select")).strip("'").split())


@needs_oracle
@pytest.mark.parametrize("status", ["200", "206", "207", "208", "210", "213", "221", "501"])
def test_the_reasons_of_each_status_are_those_of_the_rules(status: str) -> None:
    told = set(re.findall(r"\(\.\) = '(\w+)'", official(f"BR-FR-CDV-CL-09_MDT-113_{status}")))
    assert reasons_of(status) == told


@needs_oracle
def test_the_public_sector_has_the_reasons_of_its_own_rule() -> None:
    told = set(re.findall(r"\(\.\) = '(\w+)'", official("BR-FR-CDV-CL-09_MDT-113_210B2G")))
    assert told == reasons_of(REFUSED_B2G)
    assert told > reasons_of("210")


@needs_oracle
def test_the_lists_are_those_of_the_rules() -> None:
    assert {each.code for each in reasons().values() if each.listed} == listed(
        "is-valid-status-reason-code"
    )
    assert set(labels("action")) == listed("is-valid-invoice-action-code")
    assert set(statuses()) == listed("is-valid-invoice-status-code")
    assert {*labels("invoice"), *labels("credit")} == listed("is-valid-document-type-code")
    for name, rule in (
        ("role", "BR-FR-CDV-CL-04_MDT-59"),
        ("characteristic", "BR-FR-CDV-CL-11_MDT-207"),
        ("process", "BR-FR-CDV-CL-01_MDT-2"),
    ):
        assert set(labels(name)) == set(re.findall(r"= ?'([A-Z]\w+)'", official(rule))), name
    for kind in ("305", "23"):
        rule = official(f"BR-FR-CDV-CL-05_MDT-88_{kind}")
        assert set(labels(f"stage{kind}")) == set(re.findall(r"StatusCode = '(\w+)'", rule))


@needs_oracle
def test_the_statuses_that_want_a_reason_are_those_of_the_rules() -> None:
    told = set(re.findall(r"= '(\d+)'", official("BR-FR-CDV-15_MDT-113")))
    assert {each.code for each in statuses().values() if each.needs_reason} == told


def test_each_status_gives_the_signal_collection_needs() -> None:
    def given(signal: Signal) -> set[str]:
        return {each.code for each in statuses().values() if each.signal is signal}

    assert given(Signal.DISPUTED) == DISPUTES
    assert given(Signal.STOPPED) == STOPS
    assert given(Signal.ACKNOWLEDGED) == {"204", "205"}
    assert given(Signal.PAYMENT_SENT) == {"211"}
    assert given(Signal.COLLECTED) == {"212"}
    assert given(Signal.CREDITOR_CHANGED) == {"225", "226"}
    assert given(Signal.ACCOUNT_CHANGED) == {"227"}
    assert given(Signal.UNDELIVERED) == {"221", "501"}
    assert {each.code for each in statuses().values() if each.mandatory and each.of_an_invoice} == {
        "200",
        "210",
        "212",
        "213",
    }
    for each in statuses().values():
        assert each.stage is None or each.stage in labels(f"stage{each.type_code}"), each.code
        assert each.meaning.endswith("."), each.code


def test_every_datum_of_the_table_has_its_field_in_the_message_and_the_other_way_round() -> None:
    def check(group: Group, model: type[BaseModel], above: str) -> None:
        names = {member.field for member in group.members}
        assert names == set(model.model_fields), above
        for member in group.members:
            if isinstance(member, Group):
                found = re.findall(
                    r"encaisse_einvoicing[\w.]*\.(\w+)",
                    str(model.model_fields[member.field].annotation),
                )
                below = [m for m in _models() if m.__name__ in found]
                assert len(below) == 1, f"{above}{member.field}"
                check(member, below[0], f"{above}{member.field}.")

    check(message_table(), CdarMessage, "")


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("MDT-4\tid\tid\tidentifiant", "five"),
        ("MDT-4\tid\tid\t\tram:ID", "five"),
        ("MDT-4\tnowhere.id\tid\tidentifiant\tram:ID", "nowhere"),
        ("MDT-4\tid\tword\tidentifiant\tram:ID", "word"),
    ],
)
def test_a_broken_line_of_the_table_is_named(line: str, wrong: str) -> None:
    with pytest.raises(TableBroken, match=rf"line 2: .*{wrong}"):
        parse_table(f"# head\n{line}")


def _models() -> list[type[BaseModel]]:
    from encaisse_einvoicing import model
    from encaisse_einvoicing.cdar import message

    return [
        message.Party,
        message.Characteristic,
        message.Detail,
        message.Referenced,
        message.Acknowledgement,
        message.AttachedFile,
        model.Identifier,
        model.Note,
    ]
