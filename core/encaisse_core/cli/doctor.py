"""Examine the installation: each check says what it found, and a doubt is never a success."""

from __future__ import annotations

import click

from encaisse_core.cli import examining, showing
from encaisse_core.cli.session import Session, json_option
from encaisse_core.errors import CHECK_FAILED, DONE, HostError


@click.command("doctor", help="Examine l'installation ; dit ce qui ne va pas et quoi faire.")
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Run every check; exit 6 when one fails. A store that does not open is one of them."""
    session = context.ensure_object(Session)
    found = examining.of_the_installation()
    try:
        with session.open() as app:
            found += examining.of_the_host(app, session.environ)
    except HostError as error:
        found.append(examining.Check("store", False, error.message))
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
    context.exit(DONE if passed else CHECK_FAILED)
