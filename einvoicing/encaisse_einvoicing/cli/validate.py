"""Offer `validate` on the command line: files, folders and archives of invoices to verdicts."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, cast

import click

from encaisse_einvoicing.cli.paths import PATH
from encaisse_einvoicing.cli.progress import with_progress
from encaisse_einvoicing.cli.verdicts import summed_up, told
from encaisse_einvoicing.reading.contents import shown
from encaisse_einvoicing.validation.check import validate_paths
from encaisse_einvoicing.validation.report import LAYERS, Layer, LayerName, Outcome, Report

DONE: Final = 0
SOME_INVALID: Final = 1
USAGE: Final = 2
SOME_NOT_RUN: Final = 6


@click.command(
    "validate",
    help="Valide des factures électroniques : XSD, règles EN 16931 ou Factur-X, règles françaises.",
)
@click.argument("paths", nargs=-1, metavar="FICHIER|DOSSIER|ARCHIVE…", type=PATH)
@click.option(
    "--json", "as_json", is_flag=True, help="Écrit une liste JSON sur la sortie standard."
)
@click.option(
    "--rules",
    "rules_dir",
    metavar="DOSSIER",
    type=click.Path(path_type=Path),
    help="Dossier où se trouvent les règles CEN pour la CII (EN16931-CII-validation.xslt).",
)
@click.option(
    "--allow-not-run",
    "allowed",
    multiple=True,
    metavar="COUCHE",
    type=click.Choice(LAYERS),
    help="Admet que cette couche (xsd, rules, french) n'ait pas été vérifiée.",
)
@click.pass_context
def validate(
    context: click.Context,
    paths: tuple[Path, ...],
    as_json: bool,
    rules_dir: Path | None,
    allowed: tuple[str, ...],
) -> None:
    """Validate what is named, one file after the other, and print each verdict as it falls.

    Exit 0: all valid; 1: some invalid or unreadable; 6: none invalid, some not checked; 2: wrong
    call. A path that is not there is a wrong call unless others are validated.
    """
    if not paths:
        raise click.UsageError("Indiquez au moins un fichier, un dossier ou une archive.")
    if rules_dir is not None and not rules_dir.is_dir():
        raise click.UsageError(f"« {shown(str(rules_dir))} » (--rules) n'est pas un dossier.")
    let = frozenset(cast("tuple[LayerName, ...]", allowed))
    met: dict[Outcome, int] = {"valid": 0, "invalid": 0, "not_run": 0}
    missing = unread = 0
    there: set[Path] = set()
    reports = _by_path(paths, rules_dir)
    if as_json or not sys.stdout.isatty():  # on a terminal the verdicts are the progress
        reports = with_progress(reports)
    for path, report in reports:
        outcome = report.outcome(let)
        if as_json:
            _write("[\n" if not there else ",\n")
            _write(json.dumps(as_record(report, outcome), ensure_ascii=False))
        there.add(path)
        met[outcome] += 1
        unread += report.refused is not None
        if report.refused is not None and report.refused.code == "not_found":
            missing += 1
            click.echo(report.refused.message, err=True)
        elif not as_json:
            for line in told(report, outcome):
                click.echo(line)
    if as_json:
        _write("\n]\n" if there else "[]\n")
    elif missing < sum(met.values()):
        click.echo(summed_up(met, unread))
    for path in sorted(set(paths) - there):
        name = shown(str(path))
        click.echo(f"« {name} » ne contient aucune facture (XML, PDF, zip, tar).", err=True)
    if missing == sum(met.values()):
        context.exit(USAGE)
    if met["invalid"] or set(paths) - there:
        context.exit(SOME_INVALID)
    context.exit(SOME_NOT_RUN if met["not_run"] else DONE)


def _by_path(paths: Iterable[Path], rules_dir: Path | None) -> Iterator[tuple[Path, Report]]:
    for path in paths:
        for each in validate_paths([path], rules_dir=rules_dir):
            yield path, each


def _write(text: str) -> None:
    """Write UTF-8 whatever the terminal's encoding, so that no name can break it."""
    click.echo(text.encode(), nl=False)


def as_record(report: Report, outcome: Outcome) -> dict[str, object]:
    """Lay one report out for JSON: the file, its verdict, each layer, and why nothing was read."""
    refused = report.refused
    return {
        "file": report.file,
        "outcome": outcome,
        "syntax": report.syntax,
        "profile": report.profile,
        "level": report.level,
        "attachment": report.attachment,
        **{name: _layer(report.layer(name)) for name in LAYERS},
        "refused": None
        if refused is None
        else {"code": refused.code, "message": refused.message, "where": refused.where},
        "issues": [
            {"code": issue.code, "message": issue.message, "where": issue.where}
            for issue in report.issues
        ],
    }


def _layer(layer: Layer) -> dict[str, object]:
    artefact = layer.artefact
    return {
        "outcome": layer.outcome,
        "reason": layer.reason,
        "code": layer.code,
        "findings": [each.model_dump() for each in layer.findings],
        "artefact": None if artefact is None else artefact.model_dump(),
        "artefacts": [each.model_dump() for each in layer.artefacts],
    }
