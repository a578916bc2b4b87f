"""Ask the official schema and rules of the life-cycle message, as the pyfrctc wheel carries them.

They are laid beside the tools by `make install` and never imported. The rules run in one process of
their own: two processors of Saxon in one process abort it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

ORACLE = Path(__file__).parents[2] / ".venv" / "oracles" / "pyfrctc"
XSD = ORACLE / "cdar-xsd" / "CrossDomainAcknowledgementAndResponse_100pD22B.xsd"
XSLT = ORACLE / "cdar-schematron" / "BR-FR-CDV-Schematron-CDAR.xslt"

needs_oracle = pytest.mark.skipif(
    not XSLT.exists(), reason=f"{XSLT} is absent: run make install to lay the official rules there"
)

_CHILD = """
import json, sys
from saxonche import PySaxonProcessor
with PySaxonProcessor(license=False) as processor:
    sheet = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=sys.argv[1])
    told = []
    for text in json.load(sys.stdin):
        told.append(sheet.transform_to_string(xdm_node=processor.parse_xml(xml_text=text)))
json.dump(told, sys.stdout)
"""
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(XSD))


def schema_errors(data: bytes) -> list[str]:
    """Give what the D22B schema has against a message."""
    schema = _schema()
    schema.validate(etree.fromstring(data))
    return [f"line {each.line}: {each.message}" for each in schema.error_log]


def broken_rules(messages: Sequence[bytes]) -> list[set[str]]:
    """Give the rules of the schematron each message breaks, all asked of one process.

    Raises where the rules did not run: silence is never taken for consent.
    """
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(XSLT)],
        input=json.dumps(
            [etree.tostring(etree.fromstring(each), encoding=str) for each in messages]
        ),
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    found: list[set[str]] = []
    for told in json.loads(done.stdout):
        report = etree.fromstring(told.encode())
        assert report.find(f"{_SVRL}fired-rule") is not None, "no rule ran"
        found.append({str(each.get("id")) for each in report.iter(f"{_SVRL}failed-assert")})
    return found
