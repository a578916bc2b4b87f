"""Offer `convert` on the command line: invoices from one syntax to another, into a folder."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

import click

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
@click.argument(
    "paths", nargs=-1, metavar="FICHIER|DOSSIER|ARCHIVE…", type=click.Path(path_type=Path)
)
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
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        name = shown(str(folder))
        raise click.UsageError(
            f"« {name} » (--into) ne peut pas être un dossier : {of_the_system(error)}."
        ) from None
    kind = cast("Target", target)
    taken: set[Path] = set() if force else set(folder.iterdir())
    sources = {path.resolve() for path in paths}
    chosen = cast("Level | None", level)
    told = [
        _converted(path, name, content, kind, folder, chosen, lossy, taken, sources)
        for path, name, content in with_progress(_by_path(paths))
    ]
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


def _by_path(paths: Iterable[Path]) -> Iterator[tuple[Path, str, bytes | Refused]]:
    for path in paths:
        for name, content in each_file([path]):
            yield path, name, content


def _converted(
    path: Path,
    name: str,
    content: bytes | Refused,
    target: Target,
    folder: Path,
    level: Level | None,
    lossy: bool,
    taken: set[Path],
    sources: set[Path],
) -> Outcome:
    try:
        if isinstance(content, Refused):
            raise content
        made = convert(name, content, target, when=datetime.now(UTC), level=level, lossy=lossy)
        place = _place(name, target, folder, taken)
        _spare(place, sources)
        return Outcome(path, name, made, _write(place, made.data))
    except Refused as refused:
        return Outcome(path, name, refused=refused)
    except OSError as error:
        full = Refused("unwritable", f"L'écriture n'a pas abouti : {of_the_system(error)}.")
        return Outcome(path, name, refused=full)


def _place(name: str, target: Target, folder: Path, taken: set[Path]) -> Path:
    """Name the file after its source; a name already there is refused, never taken over."""
    stem = name.replace("\\", "/").rsplit("/", 1)[-1].rsplit("!", 1)[-1].rsplit(".", 1)[0]
    place = folder / f"{stem or 'facture'}{SUFFIXES[target]}"
    if place in taken:
        raise Refused(
            "file_exists",
            f"« {shown(str(place))} » existe déjà, ou vient d'être écrit pour une autre facture du "
            "même nom : il n'est pas remplacé. Choisissez un autre dossier (--into) pour cette "
            "facture ; --force ne remplace que ce qui existait avant la commande.",
        )
    taken.add(place)
    return place


def _spare(place: Path, sources: set[Path]) -> None:
    """Never write over what is being converted, even when asked: it may be the only original."""
    real = place.resolve()
    if any(real == source or source in real.parents for source in sources) and place.exists():
        raise Refused(
            "source_in_the_way",
            f"« {shown(str(place))} » est parmi les factures à convertir : l'original n'est jamais "
            "remplacé, même avec --force. Choisissez un autre dossier (--into).",
        )


def _write(place: Path, data: bytes) -> Path:
    """Write a file whole or not at all."""
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
