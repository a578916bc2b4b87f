"""Time our check against the schemas beside lxml's own, both on trees that are parsed already."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from encaisse_lab.bench.sets import File

PACKAGE = "encaisse_einvoicing.validation"


@dataclass(frozen=True, slots=True)
class Checked:
    """Be CPU seconds for `files` documents: by ours, and by lxml's compiled schema alone."""

    files: int
    ours: float
    bare: float

    @property
    def times(self) -> float:
        """Tell how many times as long ours takes."""
        return self.ours / self.bare


def checked(files: Sequence[File], rounds: int) -> Checked | str:
    """Measure, or say in one English sentence why there was nothing to measure."""
    if find_spec(PACKAGE) is None:
        return "the validation package is not there yet"
    schemas = import_module(f"{PACKAGE}.schemas")
    places = import_module(f"{PACKAGE}.places").Places
    profiles = import_module(f"{PACKAGE}.profiles")
    french = import_module(f"{PACKAGE}.french")
    loader = import_module("encaisse_einvoicing.reading.loader")
    refused = import_module("encaisse_einvoicing.issues").Refused
    trees: list[tuple[Any, Any]] = []
    for file in files:
        if file.syntax == "PDF":
            continue
        try:
            reader, root = loader.parse(file.data)
        except refused:
            continue
        written = next(iter(french.texts(root, reader, "profile")), None)
        known = schemas.schema(profiles.profile_of(reader, written).schema)
        if known.compiled.validate(root):  # what is wrong with a broken one is told, at a cost
            trees.append((known, root))
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(rounds):
        started = time.process_time()
        for known, root in trees:
            schemas.check(known, root, places(root))
        between = time.process_time()
        for known, root in trees:
            known.compiled.validate(root)
        bare.append(time.process_time() - between)
        ours.append(between - started)
    if not trees:
        return "no file is valid against its schema"
    return Checked(len(trees), min(ours), min(bare))
