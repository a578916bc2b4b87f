"""Run compiled Schematron sheets in a process of its own: requests on stdin, answers on stdout.

The engine is native code that may hang or abort on a document, so it lives apart from the program
that asks. The file is run by its path and imports nothing of the package, to start at once. A frame
is two 4-byte big-endian lengths, then a JSON object, then bytes:

- first, unasked: `{"ready": true, "engine": "…"}`, or `{"ready": false, "why": "…"}` and the end;
- `{"do": "compile", "sheet": id, "codes": n}` with the stylesheet, whose last `n` bytes are the
  code lists it looks values up in: answered `{"ok": true}`;
- `{"do": "run", "sheet": id, "seconds": s}` with UTF-8 XML: answered `{"ok": true}` with the SVRL.

`{"ok": false, "why": "…"}` says that the engine stopped, on the engine's words. Nothing is read or
fetched by a sheet or a document: no protocol is allowed, everything comes through the pipe.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import struct
import sys
from typing import Any, BinaryIO

HEAD = struct.Struct(">II")
MEMORY = 6 * 1024**3
"""Bytes of address space; eight sheets and a 20 MB document stay far below."""
CODES = "encaisse-codes"
"""The stylesheet parameter that carries the code lists."""
LOCKS = (
    ("http://saxon.sf.net/feature/allowedProtocols", "none"),
    (
        "http://saxon.sf.net/feature/parserFeature?uri="
        "http://apache.org/xml/features/disallow-doctype-decl",
        "true",
    ),
)
"""What the engine is forbidden, each on its own against a DOCTYPE that reads files.

"none" is no protocol; the empty value the engine's documentation names for it locks nothing in
12.10 (tried: the file was read).
"""
GRACE = 2
"""Seconds after which a run nobody waits for any more ends by itself, beyond its own limit."""

try:
    import resource
except ImportError:  # not on Windows
    resource = None  # type: ignore[assignment]


def main() -> int:
    """Serve until stdin ends; exit 0 then, 3 where there is no engine."""
    source, sink = _private_pipes()
    _close_doors()
    try:
        saxonche: Any = importlib.import_module("saxonche")
    except ImportError as error:
        _write(sink, {"ready": False, "why": str(error)})
        return 3
    processor = saxonche.PySaxonProcessor(license=False)
    for feature, value in LOCKS:
        processor.set_configuration_property(feature, value)
    _write(sink, {"ready": True, "engine": str(processor.version)})
    sheets: dict[str, Any] = {}
    while (frame := _read(source)) is not None:
        asked, blob = frame
        try:
            if asked["do"] == "compile":
                sheets[asked["sheet"]] = _compile(processor, blob, asked["codes"])
                _write(sink, {"ok": True})
            else:
                _alarm(asked["seconds"] + GRACE)
                answer = _run(processor, sheets[asked["sheet"]], blob.decode("utf-8"))
                _alarm(0)
                _write(sink, {"ok": True}, answer.encode("utf-8"))
        except Exception as error:  # what the engine raises has no common type; it is told
            _alarm(0)
            _write(sink, {"ok": False, "why": f"{error}"[:2000]})
    return 0


def _compile(processor: Any, blob: bytes, codes: int) -> Any:
    """Compile a sheet, and give it its code lists where it has some."""
    split = len(blob) - codes
    compiler = processor.new_xslt30_processor()
    executable = compiler.compile_stylesheet(stylesheet_text=blob[:split].decode("utf-8"))
    if executable is None:
        raise ValueError("the stylesheet does not compile")
    if codes:
        lists = processor.parse_xml(xml_text=blob[split:].decode("utf-8"))
        executable.set_parameter(CODES, lists)
    return executable


def _run(processor: Any, executable: Any, text: str) -> str:
    """Apply a sheet to one document; an empty answer is an error, never an answer."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("a DOCTYPE came through, which never reaches the engine")
    answer = executable.transform_to_string(xdm_node=processor.parse_xml(xml_text=text))
    if not answer:
        raise ValueError("the sheet gave no answer")
    return str(answer)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the pipes for frames: whatever native code prints goes nowhere."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return os.fdopen(source, "rb"), os.fdopen(sink, "wb")


def _close_doors() -> None:
    """Forbid what rules never need: files written, core dumps, memory without an end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one who asks decides, and closes the pipe
    if resource is None:
        return
    for what, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, MEMORY),
    ):
        _, hard = resource.getrlimit(what)
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))


def _alarm(seconds: float) -> None:
    """Let the system end this process at that time, whatever native code is doing; 0 forgets it."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _read(source: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame; None at the end of the pipe, also in the middle of a frame."""
    head = source.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    told, most = HEAD.unpack(head)
    body, blob = source.read(told), source.read(most)
    return None if len(blob) < most or len(body) < told else (json.loads(body), blob)


def _write(sink: BinaryIO, told: dict[str, Any], blob: bytes = b"") -> None:
    body = json.dumps(told).encode("utf-8")
    sink.write(HEAD.pack(len(body), len(blob)) + body + blob)
    sink.flush()


if __name__ == "__main__":
    sys.exit(main())
