"""Prepare a connector's exam: what it can do, its recordings, its context, its arguments."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar, cast, get_type_hints

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from encaisse_api.base import Environment
from encaisse_api.collection import ProcedureState
from encaisse_api.conformance.cassette import ContextFile, Interaction, Sidecar, read_cassette
from encaisse_api.conformance.confined import Strayed, confined
from encaisse_api.conformance.replay import Replay
from encaisse_api.conformance.seat import LentSettings, NotApplicable, Seat, fail
from encaisse_api.context import Context
from encaisse_api.manifest import Manifest
from encaisse_api.names import WRITES
from encaisse_api.roles import ROLES, roles_of, writes_of
from encaisse_api.settling import CollectedPayment, CollectorPayout
from encaisse_api.source import SourceInvoice, SourcePayment
from encaisse_api.writing import LifecycleStatus

Interactions = tuple[Interaction, ...]
File = TypeVar("File", bound=BaseModel)

PULLS: Mapping[str, type] = {
    "pull_invoices": SourceInvoice,
    "pull_payments": SourcePayment,
    "pull_statuses": LifecycleStatus,
    "pull_progress": ProcedureState,
    "pull_payments_collected": CollectedPayment,
    "pull_payouts": CollectorPayout,
}
"""Each pull and what its pages hold; its stream is its name without `pull_`."""

READS = (
    "probe",
    "accounts",
    "read_invoices",
    "fetch_document",
    "reminders",
    "quote",
    "read_mandate",
    "follow_up",
    "attestation",
    "check_debtor",
    "financing_offers",
)
"""Reads of one answer."""


def read_model(kind: type[File], path: Path) -> File:
    """Read a JSON file of the folder, or say what it should hold."""
    try:
        return kind.model_validate_json(path.read_text("utf-8"))
    except ValidationError as error:
        fail(f"{path.name} is not as `encaisse_api.conformance` describes it: {error}")


def protocol_of(method: str) -> type:
    """Name the role a method belongs to."""
    return next(role for role in ROLES if method in vars(role))


@dataclass(frozen=True)
class Exam:
    """Examine one connector class on one folder of recordings."""

    connector: type
    cassettes: Path

    @property
    def manifest(self) -> Manifest:
        """Give the manifest of the class."""
        manifest = getattr(self.connector, "manifest", None)
        if not isinstance(manifest, Manifest):
            fail(f"{self.connector.__name__} has no manifest")
        return manifest

    @property
    def offline(self) -> bool:
        """Tell whether the connector speaks to no host at all."""
        return self.manifest.local

    @property
    def pulls(self) -> tuple[str, ...]:
        """Name the pulls the class has."""
        return tuple(name for name in PULLS if self._has(name))

    @property
    def reads(self) -> tuple[str, ...]:
        """Name the single reads the class has."""
        return tuple(name for name in READS if self._has(name))

    @property
    def writes(self) -> tuple[str, ...]:
        """Name the writes the class has."""
        return writes_of(self.connector)

    @property
    def twins(self) -> tuple[str, ...]:
        """Name the look-ups the class has."""
        return tuple(WRITES[write] for write in self.writes if write in WRITES)

    def _has(self, method: str) -> bool:
        return protocol_of(method).__name__ in roles_of(self.connector)

    def recording(self, name: str) -> Interactions:
        """Read `<name>.yaml`; nothing for a connector without HTTP."""
        if self.offline:
            return ()
        path = self.cassettes / f"{name}.yaml"
        if not path.is_file():
            raise NotApplicable(f"{path.name} is missing, which fails an exam of its own")
        return read_cassette(path)

    def every_recording(self) -> dict[str, Interactions]:
        """Read every YAML file of the folder."""
        return {path.name: read_cassette(path) for path in sorted(self.cassettes.glob("*.yaml"))}

    def context_file(self) -> ContextFile:
        """Read `context.json`."""
        path = self.cassettes / "context.json"
        if not path.is_file():
            fail(f"{path} is missing: it says when and against what the folder was recorded")
        return read_model(ContextFile, path)

    @contextmanager
    def seat(
        self,
        recording: Interactions,
        *,
        stuck: Interaction | None = None,
        settings: Mapping[str, str] | None = None,
        environment: Environment | None = None,
    ) -> Generator[Seat]:
        """Build the connector on a replay of these answers."""
        said = self.context_file()
        where = environment or said.environment
        now = datetime.fromisoformat(said.now)
        lent = LentSettings(self._resolved({**said.settings, **(settings or {})}))
        replay = Replay(recording, stuck=stuck)
        with httpx.Client(transport=replay) as http:
            context = Context(
                http=http,
                settings=lent,
                account=said.account,
                today=date.fromisoformat(said.today),
                now=now,
                log=logging.getLogger("encaisse.conformance"),
                deadline=now + timedelta(minutes=10),
                environment=where,
                hosts=self.manifest.hosts(where),
                siren=said.siren,
            )
            yield Seat(self.connector, self._built(context), replay, lent)

    def _built(self, context: Context) -> object:
        try:
            with confined(self.connector):
                return self.connector(context)
        except Strayed as strayed:
            fail(f"{self.connector.__name__}.__init__ {strayed}")

    def _resolved(self, settings: dict[str, str]) -> dict[str, str]:
        paths = {setting.name for setting in self.manifest.settings if setting.kind == "path"}
        return {
            name: str((self.cassettes / value).resolve()) if name in paths else value
            for name, value in settings.items()
        }

    def sidecar(self, *names: str) -> Sidecar | None:
        """Read the first of these sidecars that exists."""
        for name in names:
            path = self.cassettes / f"{name}.json"
            if path.is_file():
                return read_model(Sidecar, path)
        return None

    def arguments(self, method: str, *sidecars: str) -> dict[str, object]:
        """Give the arguments a method was recorded with, validated by the contract's own types."""
        hints = get_type_hints(getattr(protocol_of(method), method))
        hints.pop("return")
        sidecar = self.sidecar(*(sidecars or (method,)))
        if sidecar is None:
            return self._derived(method, tuple(hints))
        given: dict[str, object] = dict(sidecar.arguments)
        if "key" in hints:
            given["key"] = sidecar.key
        if method in PULLS:
            given.setdefault("since", None)
        missing = [name for name in hints if name not in given]
        if missing:
            fail(f"{(sidecars or (method,))[-1]}.json lacks {', '.join(missing)}")
        try:
            return {
                name: TypeAdapter[Any](hint).validate_json(json.dumps(given[name]))
                for name, hint in hints.items()
            }
        except ValidationError as error:
            fail(f"{(sidecars or (method,))[-1]}.json holds no arguments of {method}: {error}")

    def _derived(self, method: str, names: tuple[str, ...]) -> dict[str, object]:
        if method in PULLS:
            return {"since": None}
        if not names:
            return {}
        if method == "read_invoices" and "pull_invoices" in self.pulls:
            return {"refs": self._mentioned(method, lambda invoice: invoice.ref)[:20]}
        if method == "fetch_document" and "pull_invoices" in self.pulls:
            refs = self._mentioned(method, lambda invoice: invoice.document_ref)
            if refs:
                return {"ref": refs[0]}
            raise NotApplicable("no pulled invoice names a document: add fetch_document.json")
        raise NotApplicable(f"{method}.json is missing, which fails an exam of its own")

    def _mentioned(self, method: str, ref: Callable[[SourceInvoice], str | None]) -> list[str]:
        """Derive refs from what the pull gives and the method's own recording asks for."""
        with self.seat(self.recording("pull_invoices")) as seat:
            items = seat.pull("pull_invoices", {"since": None}).items
        refs = [ref(cast("SourceInvoice", item)) for item in items]
        known = list(dict.fromkeys(one for one in refs if one))
        if self.offline:
            return known
        asked = "\n".join(
            f"{i.url} {i.request_body.decode('utf-8', 'replace')}" for i in self.recording(method)
        )
        places = {one: re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", asked) for one in known}
        found = {one: place.start() for one, place in places.items() if place}
        return sorted(found, key=found.__getitem__)
