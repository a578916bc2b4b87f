"""Offer `convert` on the command line: invoices from one syntax to another, into a folder."""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

import click

from encaisse_einvoicing.cli.paths import PATH
from encaisse_einvoicing.cli.progress import with_progress
from encaisse_einvoicing.complaints import of_the_system
from encaisse_einvoicing.converting import SUFFIXES, TARGETS, Conversion, Target, convert
from encaisse_einvoicing.issues import Refused
from encaisse_einvoicing.reading.contents import each_file, shown
from encaisse_einvoicing.writing.levels import LEVELS, Level

DONE: Final = 0
SOME_REFUSED: Final = 1
USAGE: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """Be what became of one source: the file written, or why there is none."""

    path: Path
    file: str
    made: Conversion | None = None
    written: Path | None = None
    refused: Refused | None = None


@click.command("convert", help="Convertit des factures électroniques : CII, UBL, PDF Factur-X.")
@click.argument("paths", nargs=-1, metavar="FICHIER|DOSSIER|ARCHIVE…", type=PATH)
@click.option("--to", "target", type=click.Choice(TARGETS), required=True, help="Ce qui est écrit.")
@click.option(
    "--into",
    "folder",
    metavar="DOSSIER",
    type=click.Path(path_type=Path),
    required=True,
    help="Dossier où écrire ; il est créé s'il manque.",
)
@click.option(
    "--level",
    type=click.Choice(tuple(LEVELS)),
    help="Niveau du document ; par défaut celui que la facture annonce, sinon en16931.",
)
@click.option("--lossy", is_flag=True, help="Écrit ce qui peut l'être et dit ce qui est perdu.")
@click.option("--force", is_flag=True, help="Remplace un fichier qui existe déjà.")
@click.option(
    "--json", "as_json", is_flag=True, help="Écrit une liste JSON sur la sortie standard."
)
@click.pass_context
def convert_command(
    context: click.Context,
    paths: tuple[Path, ...],
    target: str,
    folder: Path,
    level: str | None,
    lossy: bool,
    force: bool,
    as_json: bool,
) -> None:
    """Convert what is named; exit 0 all converted, 1 some refused, 2 wrong call.

    A refused document leaves no file. Nothing that exists is replaced unless asked.
    """
    if not paths:
        raise click.UsageError("Indiquez au moins un fichier, un dossier ou une archive.")
    kind, wanted = cast("Target", target), cast("Level | None", level)
    if kind == "ubl" and wanted is not None and LEVELS[wanted].ubl is None:
        having = ", ".join(name for name, each in LEVELS.items() if each.ubl is not None)
        raise click.UsageError(
            f"Le niveau {wanted} (--level) n'existe pas en UBL ; niveaux possibles : {having}."
        )
    made = _made(folder)
    desk = _Desk(folder, kind, wanted, lossy, force, [path.resolve() for path in paths])
    told = [desk.take(*each) for each in with_progress(_by_path(paths))]
    for place in made:  # what nothing was written into is not left behind
        with suppress(OSError):
            place.rmdir()
    if as_json:
        text = json.dumps([as_record(each) for each in told], ensure_ascii=False, indent=1)
        click.echo(f"{text}\n".encode(), nl=False)
    else:
        for each in told:
            for line in _lines(each):
                click.echo(line)
    missing = [each for each in told if each.refused and each.refused.code == "not_found"]
    empty = set(paths) - {each.path for each in told}
    for path in sorted(empty):
        name = shown(str(path))
        click.echo(f"« {name} » ne contient aucune facture (XML, PDF, zip, tar).", err=True)
    if len(missing) == len(told):
        context.exit(USAGE)
    whole = not empty and all(each.refused is None for each in told)
    context.exit(DONE if whole else SOME_REFUSED)


def _made(folder: Path) -> list[Path]:
    """Make a folder and those above it that are missing; give what was made, innermost first."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        name = shown(str(folder))
        raise click.UsageError(
            f"« {name} » (--into) ne peut pas être un dossier : {of_the_system(error)}."
        ) from None
    return missing


def _by_path(paths: Iterable[Path]) -> Iterator[tuple[Path, str, bytes | Refused]]:
    for path in paths:
        for name, content in each_file([path]):
            yield path, name, content


@dataclass(frozen=True, slots=True)
class _Desk:
    """Convert one document after the other into a folder."""

    folder: Path
    target: Target
    level: Level | None
    lossy: bool
    force: bool
    sources: Sequence[Path]
    written: set[Path] = field(default_factory=set[Path])

    def take(self, path: Path, name: str, content: bytes | Refused) -> Outcome:
        """Convert one document found under `path`; what goes wrong costs only this one."""
        try:
            if isinstance(content, Refused):
                raise content
            now = datetime.now(UTC)
            made = convert(name, content, self.target, when=now, level=self.level, lossy=self.lossy)
            return Outcome(path, name, made, _write(self._place(path, name), made.data))
        except Refused as refused:
            return Outcome(path, name, refused=refused)
        except OSError as error:
            full = Refused("unwritable", f"L'écriture n'a pas abouti : {of_the_system(error)}.")
            return Outcome(path, name, refused=full)

    def _place(self, path: Path, name: str) -> Path:
        """Name the file after its source, in the same sub-folders as there.

        Refused where something stands: an original always, a file of this call always, another
        one unless `force`.
        """
        inside = name.removeprefix(shown(str(path))).replace("\\", "/").replace("!", "/")
        parts = [part for part in inside.split("/") if part not in ("", ".", "..")]
        *folders, last = parts or [shown(path.name)]
        stem = last.rsplit(".", 1)[0] or "facture"
        place = self.folder.joinpath(*folders, f"{stem}{SUFFIXES[self.target]}")
        if place in self.written:
            raise Refused(
                "file_written",
                f"« {shown(str(place))} » vient d'être écrit pour une autre facture du même nom : "
                "convertissez celle-ci à part, dans un autre dossier (--into).",
            )
        if place.exists():
            self._spare(place)
        self.written.add(place)
        return place

    def _spare(self, place: Path) -> None:
        real = place.resolve()
        if any(real == source or source in real.parents for source in self.sources):
            raise Refused(
                "source_in_the_way",
                f"« {shown(str(place))} » est parmi les factures à convertir : l'original n'est "
                "jamais remplacé, même avec --force. Choisissez un autre dossier (--into).",
            )
        if not self.force:
            raise Refused(
                "file_exists",
                f"« {shown(str(place))} » existe déjà : il n'est pas remplacé. Choisissez un autre "
                "dossier (--into), ou remplacez-le avec --force.",
            )


def _write(place: Path, data: bytes) -> Path:
    """Write a file whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_name(f".{place.name}.encours")
    try:
        unfinished.write_bytes(data)
        os.replace(unfinished, place)  # noqa: PTH105 - one step, over what --force replaces
    finally:
        unfinished.unlink(missing_ok=True)
    return place


def as_record(each: Outcome) -> dict[str, object]:
    """Lay one conversion out for JSON."""
    made = each.made
    issues = () if made is None else made.issues
    if each.refused is not None:
        issues = (each.refused.as_issue(each.file),)
    return {
        "file": each.file,
        "ok": each.refused is None,
        "written": None if each.written is None else shown(str(each.written)),
        "syntax": None if made is None else made.syntax,
        "level": None if made is None else made.level,
        "left_out": [] if made is None else [gap.model_dump() for gap in made.left_out],
        "lost": [] if made is None else list(made.lost),
        "issues": [
            {"code": issue.code, "message": issue.message, "where": issue.where} for issue in issues
        ],
    }


def _lines(each: Outcome) -> Iterator[str]:
    if each.made is None or each.written is None:
        yield f"✗ {each.file} : {each.refused.message_fr if each.refused else ''}"
        return
    made = each.made
    yield f"✓ {each.file} → {shown(str(each.written))} ({made.syntax}, {made.level})"
    for gap in made.left_out:
        yield f"    non écrit : {gap}"
    for lost in made.lost:
        yield f"    perdu : {lost}"
    for issue in made.issues:
        yield f"    {issue.message}"
