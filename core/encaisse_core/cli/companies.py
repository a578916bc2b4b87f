"""List the companies."""

from __future__ import annotations

import click

from encaisse_core.cli import showing
from encaisse_core.cli.session import Session, companies_of, json_option


@click.command("companies", help="Liste les sociétés enregistrées.")
@json_option
@click.pass_obj
def companies(session: Session, as_json: bool) -> None:
    """List the companies."""
    with session.open() as app:
        found = companies_of(app)
    if as_json:
        showing.as_json({"companies": [company.shown() for company in found]})
        return
    showing.table(
        ("SIREN", "Nom", "Environnement"),
        [(c.siren, c.name, c.environment) for c in found],
        empty="Aucune société. Commencez par : encaisse connect.",
    )
