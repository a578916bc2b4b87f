"""Run the official rules over documents, in a process of its own: `python -m` reads paths.

Saxon aborts the whole process where two threads use it, so it never runs in the tests' own. Input,
one JSON object on stdin: {stylesheet: {name: path of the document}}. Output, one JSON object on
stdout: {stylesheet: {name: [ids of the fatal rules that fired]}}.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, cast

from lxml import etree

_SVRL: Final = "{http://purl.oclc.org/dsdl/svrl}"
Verdicts = dict[str, dict[str, list[str]]]


def fired(documents: Mapping[Path, Mapping[str, bytes]], folder: Path) -> Verdicts:
    """Give the fatal rules that fire, per stylesheet and document, from one fresh process."""
    asked: dict[str, dict[str, str]] = {}
    for sheet, named in documents.items():
        paths: dict[str, str] = {}
        for number, (name, data) in enumerate(named.items()):
            path = folder / f"{sheet.stem}-{number}.xml"
            path.write_bytes(data)
            paths[name] = str(path)
        asked[str(sheet)] = paths
    done = subprocess.run(
        [sys.executable, "-m", "tests.einvoicing.official_rules"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return cast("Verdicts", json.loads(done.stdout))


def main() -> None:
    """Answer one request."""
    from saxonche import PySaxonProcessor

    asked = cast("dict[str, dict[str, str]]", json.load(sys.stdin))
    found: Verdicts = {}
    with PySaxonProcessor(license=False) as processor:
        for sheet, paths in asked.items():
            compiler = processor.new_xslt30_processor()
            rules = compiler.compile_stylesheet(stylesheet_file=sheet)
            for name, path in paths.items():
                document = processor.parse_xml(xml_text=Path(path).read_text("utf-8"))
                report = rules.transform_to_string(xdm_node=document)
                assert report, f"{name}: no verdict"
                svrl = etree.fromstring(report.encode())
                assert svrl.tag == f"{_SVRL}schematron-output", name
                found.setdefault(sheet, {})[name] = [
                    str(each.get("id"))
                    for each in svrl.iter(f"{_SVRL}failed-assert")
                    if (each.get("flag") or "fatal") in ("fatal", "error")
                ]
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
