"""Ask the worker process to run sheets: one process, each sheet compiled once, nothing ever hangs.

A worker that dies, hangs or answers nonsense costs the document it was asked about (`NotRun`); the
next one gets a fresh worker. Where there is no engine at all, that is found out once.
"""

import atexit
import json
import os
import re
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Final, cast

from encaisse_einvoicing.reading import memory
from encaisse_einvoicing.validation.artefacts import Sheet
from encaisse_einvoicing.validation.report import NotRun

_HEAD: Final = struct.Struct(">II")
_WORKER: Final = Path(__file__).with_name("worker.py")
LIMIT: Final = 60.0
"""Seconds the sheets may take on one document together; official ones take milliseconds."""
COMPILING: Final = 120.0
"""Seconds one sheet may take to compile, the engine's start included; it takes 1 to 4."""
_DOCUMENT: Final = "document('{name}')"
_CODES: Final = "$encaisse-codes"
_KEPT: Final = re.compile(r"(?:PYTHON\w*|PATH|LD_LIBRARY_PATH|VIRTUAL_ENV|SYSTEMROOT|LANG|LC_\w+)$")
"""What of the environment the worker gets: enough to start, no secret."""
_CODED: Final = re.compile(
    r"\b([A-Z]{4}\d{4}):? +(.*?)(?:\.? (?:In template|In function|at |invoked )|$)"
)
"""An error as XPath and Saxon number them, its sentence, then what concerns the sheet alone."""
_DECLARED: Final = b'<xsl:param name="encaisse-codes"/>'


class Engine:
    """Own one worker process; started when first asked, ended by `close` or with the program.

    `command` starts the worker, for tests and for odd installations. Safe to share between threads;
    after a fork the child gets a worker of its own.
    """

    def __init__(self, *, limit: float = LIMIT, command: Sequence[str] | None = None) -> None:
        """Keep the limits; nothing is started yet."""
        self.limit: Final = limit
        self._command: Final = command
        self._lock: Final = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._compiled: set[str] = set()
        self._absent: NotRun | None = None
        self.engine: str | None = None

    @property
    def pid(self) -> int | None:
        """Give the process id of the worker, None when none runs."""
        process = self._process
        return None if process is None or process.poll() is not None else process.pid

    def runs(self, document: bytes) -> Callable[[Sheet], bytes]:
        """Give what applies sheets to one document, within `limit` for all of them together.

        The document is UTF-8 without a DOCTYPE; each call gives the SVRL, or raises `NotRun`.
        """
        left = [self.limit]

        def run(sheet: Sheet) -> bytes:
            doing = f"appliquer {sheet.source.name}"
            with self._lock:
                self._prepare(sheet)
                if not left[0]:
                    raise NotRun(
                        "engine_too_slow",
                        f"Les {self.limit:g} s permises par document sont écoulées : impossible "
                        f"d'{doing}, rien n'est prouvé pour ce document.",
                    )
                asked: dict[str, object] = {
                    "do": "run",
                    "sheet": sheet.artefact.sha256,
                    "seconds": self.limit,
                }
                started = time.monotonic()
                try:
                    return self._ask(asked, document, left[0], doing)
                finally:
                    left[0] = max(0.0, left[0] - (time.monotonic() - started))

        return run

    def _prepare(self, sheet: Sheet) -> None:
        """Have a worker that knows the sheet; the time this takes is not the document's."""
        if self._absent is not None:
            raise self._absent
        if self._owner != os.getpid():
            self._forget()
        if self._process is None:
            self._start()
        key = sheet.artefact.sha256
        if key not in self._compiled:
            codes, stylesheet = sheet.codes, with_codes(sheet)
            asked: dict[str, object] = {"do": "compile", "sheet": key, "codes": len(codes)}
            self._ask(asked, stylesheet + codes, COMPILING, f"préparer {sheet.source.name}")
            self._compiled.add(key)

    def close(self) -> None:
        """End the worker, if any, and wait for it: nothing is left behind."""
        with self._lock:
            self._stop()

    def _start(self) -> None:
        command = self._command
        if command is None:
            if not sys.executable:
                raise NotRun(
                    "no_python", "Le moteur de règles ne trouve pas l'interpréteur Python."
                )
            # -P: nothing beside the worker's file can take the place of a module it imports.
            command = (sys.executable, "-P", str(_WORKER))
        self._compiled.clear()
        try:
            with memory.as_it_stands():
                process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    cwd=os.sep,
                    env={name: value for name, value in os.environ.items() if _KEPT.match(name)},
                )
        except OSError as error:
            raise NotRun(
                "engine_failed", f"Le moteur de règles ne démarre pas : {error}."
            ) from None
        self._process, self._owner = process, os.getpid()
        told, _ = self._exchange(None, b"", COMPILING, "démarrer")
        if told.get("ready") is not True:
            self._stop()
            self._absent = NotRun(
                "engine_missing",
                "Le moteur de règles saxonche n'est pas installé : installez-le par "
                "« pip install 'encaisse-einvoicing[schematron]' », puis recommencez. "
                f"({str(told.get('why', ''))[:200]})",
            )
            raise self._absent
        self.engine = str(told.get("engine"))

    def _ask(self, asked: dict[str, object], blob: bytes, limit: float, doing: str) -> bytes:
        told, answer = self._exchange(asked, blob, limit, doing)
        if told.get("ok") is not True:
            why = short(str(told.get("why", "")))
            raise NotRun(
                "engine_error",
                f"Le moteur de règles n'a pas pu {doing} ({why}) : rien n'est prouvé.",
            )
        return answer

    def _exchange(
        self, asked: dict[str, object] | None, blob: bytes, limit: float, doing: str
    ) -> tuple[dict[str, object], bytes]:
        """Write a frame and read one, within `limit`; a worker that fails is ended."""
        process = self._process
        assert process is not None
        assert process.stdin is not None and process.stdout is not None
        late = threading.Event()

        def end() -> None:
            late.set()
            process.kill()

        watch = threading.Timer(limit, end)
        watch.daemon = True
        watch.start()
        try:
            if asked is not None:
                body = json.dumps(asked).encode("utf-8")
                process.stdin.write(_HEAD.pack(len(body), len(blob)) + body)
                process.stdin.write(blob)
                process.stdin.flush()
            answer = _frame(process.stdout)
        except (OSError, ValueError):  # a pipe that broke, JSON that is none
            answer = None
        except BaseException:  # a person who interrupts: the answer would be read as the next one
            self._stop()
            raise
        finally:
            watch.cancel()
        if answer is not None and not late.is_set():
            return answer
        self._stop()
        if late.is_set():
            raise NotRun(
                "engine_too_slow",
                f"Le moteur de règles n'a pas fini de {doing} en {limit:.3g} s : il a été arrêté, "
                "rien n'est prouvé pour ce document.",
            )
        code = process.returncode
        raise NotRun(
            "engine_died",
            f"Le moteur de règles s'est arrêté (code {code}) au lieu de {doing} : "
            "rien n'est prouvé pour ce document.",
        )

    def _stop(self) -> None:
        process, self._process = self._process, None
        self._compiled.clear()
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was buffered for a dead worker
                    continue

    def _forget(self) -> None:
        """Leave the worker of the process this one was forked from alone."""
        self._process = None
        self._compiled.clear()


def with_codes(sheet: Sheet) -> bytes:
    """Make a sheet take its code lists as a parameter where it would open a file for them.

    The sheets of Factur-X look codes up by `document('…_codedb.xml')`. The same nodes come in by a
    global parameter instead, so that the engine may be forbidden every file and every address. A
    sheet that would open anything else is not run.
    """
    text = sheet.stylesheet
    if sheet.source.codes is not None:
        name = sheet.source.codes.rpartition("/")[2]
        text = text.replace(_DOCUMENT.format(name=name).encode(), _CODES.encode())
        before, output, after = text.partition(b"<xsl:output")
        text = before + _DECLARED + output + after
        if not output:
            raise NotRun("artefact_unreadable", f"« {sheet.source.name} » n'a pas la forme connue.")
    return text


def short(why: str) -> str:
    """Keep of the engine's words the code of the error and its first sentence."""
    folded = " ".join(why.split())
    coded = _CODED.search(folded)
    return (folded if coded is None else f"{coded[1]} : {coded[2]}")[:300]


def _frame(source: IO[bytes]) -> tuple[dict[str, object], bytes] | None:
    head = source.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    told, most = _HEAD.unpack(head)
    body, blob = source.read(told), source.read(most)
    if len(body) < told or len(blob) < most:
        return None
    answer: object = json.loads(body)
    if not isinstance(answer, dict):
        raise ValueError("an answer that is no object")
    return cast("dict[str, object]", answer), blob


@cache
def shared() -> Engine:
    """Give the one engine of this process; it ends with the program."""
    engine = Engine()
    atexit.register(engine.close)
    return engine
