"""The command of the crowd."""

from __future__ import annotations

import json
import time

import click


@click.command("crowd")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Graine.")
@click.option(
    "--companies",
    type=click.IntRange(2, 100_000),
    default=10_000,
    show_default=True,
    help="Combien de sociétés, à trois connexions chacune.",
)
@click.option(
    "--paying",
    type=click.IntRange(1, 1_000),
    default=100,
    show_default=True,
    help="Combien d'entre elles sont payées directement pendant la nuit.",
)
@click.option(
    "--hands",
    type=click.IntRange(1, 64),
    default=16,
    show_default=True,
    help="Combien de nuits à la fois.",
)
@click.option(
    "--nights",
    type=click.IntRange(1),
    help="S'arrête quand autant de sociétés ont commencé leur nuit : les autres font la queue.",
)
@click.option("--json", "as_json", is_flag=True, help="Écrit le bilan en JSON.")
def crowd(
    seed: int, companies: int, paying: int, hands: int, nights: int | None, as_json: bool
) -> None:
    """Vit une nuit de dix mille sociétés en temps virtuel, sur des quotas simulés.

    Le veilleur, la boîte d'envoi, les quotas et les notifications sont les vrais ; les partenaires
    comptent eux-mêmes leurs appels. Sortie 6 si la nuit dépasse cinq heures, si un quota est
    dépassé, ou si les arrêts prennent plus d'une minute.
    """
    from encaisse_core.errors import CheckFailed, UsageError
    from encaisse_lab import crowd as crowds

    if paying > companies:
        raise UsageError("--paying dépasse --companies : réduisez-le.")
    started = time.monotonic()

    def tell(words: str) -> None:
        click.echo(f"{time.monotonic() - started:7.1f} s  {words}", err=True)

    lived = crowds.live(seed, companies, paying, hands, tell, nights=nights)
    figures, faults = lived.as_json(), lived.faults()
    if as_json:
        click.echo(json.dumps(figures, ensure_ascii=False, indent=2))
    else:
        click.echo(crowds.sentence(figures))
    if faults:
        raise CheckFailed(f"La nuit ne tient pas (graine {seed}) : {' ; '.join(faults[:3])}")
