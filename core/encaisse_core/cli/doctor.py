"""Examine the installation: each check says what it found, and a doubt is never a success."""

from __future__ import annotations

from pathlib import Path

import click

from encaisse_core.cli import bundling, examining, files, showing
from encaisse_core.cli.session import Session, json_option
from encaisse_core.errors import CHECK_FAILED, DONE, HostError


@click.command("doctor", help="Examine l'installation ; dit ce qui ne va pas et quoi faire.")
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    metavar="FICHIER.zip",
    help="Écrit aussi un dossier de diagnostic, sans donnée de personne.",
)
@json_option
@click.pass_context
def doctor(context: click.Context, bundle: Path | None, as_json: bool) -> None:
    """Run every check; exit 6 when one fails. A store that does not open is one of them."""
    session = context.ensure_object(Session)
    if bundle is not None:
        files.check(bundle)
    found = examining.of_the_installation()
    try:
        with session.open() as app:
            found += examining.of_the_host(app, session.environ)
            if bundle is not None:
                bundling.write(bundle, app, session.environ, found)
    except HostError as error:
        found.append(examining.Check("store", False, error.message))
        if bundle is not None:
            bundling.write(bundle, None, session.environ, found)
    passed = all(check.ok for check in found)
    if as_json:
        showing.as_json(
            {
                "ok": passed,
                "checks": [{"check": c.name, "ok": c.ok, "sentence": c.sentence} for c in found],
            }
        )
    else:
        for check in found:
            showing.say(f"{'bien ' if check.ok else 'À VOIR'}  {check.sentence}")
        if bundle is not None:
            showing.say(f"Diagnostic sans donnée de personne : {bundle}.")
    context.exit(DONE if passed else CHECK_FAILED)
