"""Offer `cdar` on the command line: what life-cycle messages mean for the claims they are about."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from encaisse_einvoicing.cdar.codes import labels
from encaisse_einvoicing.cdar.explain import meanings
from encaisse_einvoicing.cdar.message import CdarMessage
from encaisse_einvoicing.cdar.reading import CdarReading, read_cdar
from encaisse_einvoicing.cli.paths import PATH
from encaisse_einvoicing.cli.read import DONE, SOME_REFUSED, USAGE
from encaisse_einvoicing.complaints import of_the_system
from encaisse_einvoicing.issues import Issue
from encaisse_einvoicing.reading.documents import shown
from encaisse_einvoicing.reading.loader import MAX_BYTES

NOT_FOUND: Final = "not_found"


@click.command("cdar", help="Lit des messages de cycle de vie (CDAR) et dit ce qu'ils impliquent.")
@click.argument("paths", nargs=-1, metavar="FICHIER…", type=PATH)
@click.option(
    "--json", "as_json", is_flag=True, help="Écrit une liste JSON sur la sortie standard."
)
@click.pass_context
def cdar(context: click.Context, paths: tuple[Path, ...], as_json: bool) -> None:
    """Read what is named and explain it; exit 0 all read, 1 some refused, 2 wrong call."""
    if not paths:
        raise click.UsageError("Indiquez au moins un fichier.")
    found = [(shown(str(path)), _read(path)) for path in paths]
    if as_json:
        text = json.dumps([as_record(*each) for each in found], ensure_ascii=False, indent=1)
        click.echo(f"{text}\n".encode(), nl=False)
    else:
        for name, reading in found:
            for line in told(name, reading):
                click.echo(line)
        well = sum(reading.ok for _, reading in found)
        plural = "s" if well > 1 else ""
        files = f"{len(found)} fichier{'s' if len(found) > 1 else ''}"
        click.echo(f"{well} message{plural} lu{plural} sur {files}.")
    missing = [reading for _, reading in found if _is_missing(reading)]
    for reading in missing:
        click.echo(reading.issues[0].message, err=True)
    if len(missing) == len(found):
        context.exit(USAGE)
    context.exit(DONE if all(reading.ok for _, reading in found) else SOME_REFUSED)


def _read(path: Path) -> CdarReading:
    """Read one file, up to what the loader takes; what the system says is a refusal too."""
    name = shown(str(path))
    try:
        if not path.exists():
            return _refused(NOT_FOUND, f"« {name} » n'existe pas : vérifiez le chemin.", name)
        if not path.is_file():
            return _refused("not_a_file", f"« {name} » n'est pas un fichier ordinaire.", name)
        with path.open("rb") as file:
            return read_cdar(name, file.read(MAX_BYTES + 1))
    except OSError as error:
        why = of_the_system(error)
        return _refused("unreadable", f"« {name} » ne s'ouvre pas : {why}.", name)


def _refused(code: str, message: str, where: str) -> CdarReading:
    return CdarReading(None, (Issue(code=code, message=message, where=where),))


def _is_missing(reading: CdarReading) -> bool:
    return reading.message is None and reading.issues[0].code == NOT_FOUND


def as_record(name: str, reading: CdarReading) -> dict[str, object]:
    """Lay one reading out for JSON: money as decimal strings, days as ISO, null where absent."""
    message = reading.message
    return {
        "file": name,
        "ok": reading.ok,
        "message": None if message is None else message.model_dump(mode="json"),
        "meanings": []
        if message is None
        else [each.model_dump(mode="json") for each in meanings(message)],
        "issues": [
            {"code": issue.code, "message": issue.message, "where": issue.where}
            for issue in reading.issues
        ],
        "unmapped": list(reading.unmapped),
    }


def told(name: str, reading: CdarReading) -> Iterator[str]:
    """Lay one reading out for a person."""
    yield f"{name} :"
    if reading.message is not None:
        yield from _head(reading.message)
        for document, each in zip(
            reading.message.documents(), meanings(reading.message), strict=True
        ):
            day = f" du {document.issue_date:%d/%m/%Y}" if document.issue_date else ""
            yield (
                f"  Facture {shown(each.number or '?')}{day} : {shown(each.status or '?')} "
                f"{shown(each.label or '')}".rstrip()
            )
            yield f"    {each.sentence}"
            for point in each.points:
                yield f"    - {point}"
    if reading.issues:
        yield "  À vérifier :" if reading.ok else "  Refusé, ou incomplet :"
        for issue in reading.issues:
            yield f"    {issue.message} [{', '.join(filter(None, (issue.code, issue.where)))}]"
    if reading.unmapped:
        yield f"  Non lu : {', '.join(reading.unmapped)}"


def _head(message: CdarMessage) -> Iterator[str]:
    issuer = message.issuer
    if issuer is None:
        return
    role = labels("role").get(issuer.role or "", shown(issuer.role or "rôle inconnu"))
    number = issuer.global_ids[0].value if issuer.global_ids else None
    who = " ".join(shown(part) for part in (issuer.name, number) if part)
    when = f", le {message.issued_at:%d/%m/%Y à %H:%M}" if message.issued_at else ""
    yield f"  Déclaré par {who or '?'} ({role}){when}."
