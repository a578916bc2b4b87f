"""The command that proves: `encaisse proof`."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from encaisse_lab.progress import progress

if TYPE_CHECKING:  # the host costs half a second: imported when a command runs
    from encaisse_lab.proof_kept import Part


@click.command("proof")
@click.option("--slice", "short", is_flag=True, help="Une part bornée de chaque partie.")
@click.option(
    "--part",
    "parts",
    multiple=True,
    type=click.Choice(("demo", "year", "large", "fuzz", "explore", "strikes", "processes")),
    help="Ne joue que cette partie (répétable).",
)
@click.option(
    "--kept",
    type=click.Path(path_type=Path, file_okay=False),
    help="Dossier où garder chaque morceau ; ce qui y tient déjà n'est pas rejoué.",
)
@click.option("--join", "join", is_flag=True, help="Ne joue rien : joint ce qui est gardé.")
@click.option("--mixed", is_flag=True, help="Joint des morceaux de versions différentes.")
@click.option("--write", type=click.Path(path_type=Path), help="Écrit le relevé (Markdown).")
@click.option("--json", "as_json", is_flag=True, help="Écrit le relevé en JSON.")
def proof(
    short: bool,
    parts: tuple[Part, ...],
    kept: Path | None,
    join: bool,
    mixed: bool,
    write: Path | None,
    as_json: bool,
) -> None:
    """Prouve la démonstration, l'année, la lecture de documents abîmés et « une seule fois ».

    Une preuve de plusieurs heures se fait en morceaux : avec --kept chacun est gardé dès qu'il est
    fini, avec la version du code, et une preuve interrompue reprend où elle était. Ce qui n'a pas
    été joué ne tient pas. Sortie 6 si une preuve ne tient pas.
    """
    from encaisse_core.clock import SystemClock
    from encaisse_core.errors import CheckFailed, UsageError
    from encaisse_lab import proof as proofs
    from encaisse_lab import proof_kept, proof_page

    if (join or parts) and kept is None:
        raise UsageError("Une preuve en morceaux a besoin d'un dossier : --kept DOSSIER.")
    if join and parts:
        raise UsageError("--join ne joue rien : lancez les parties d'abord, puis --join.")
    started, today = time.monotonic(), SystemClock().today()
    tell = progress(started)
    plan = proofs.SLICE if short else proofs.FULL
    there = [] if kept is None else proof_kept.kept(kept)
    made = {(piece["part"], piece["name"]): piece for piece in there}
    now = proof_kept.commit()
    for part in () if join else parts or proof_kept.PARTS:
        wanted = [
            name
            for name in proofs.names(plan, part)
            if not proof_kept.stands(there, part, name, now)
        ]
        for name, figures, wrong in proofs.make(plan, part, wanted, tell):
            piece = proof_kept.Piece(
                part=part,
                name=name,
                commit=now,
                on=today.isoformat(),
                repeat=f"encaisse proof{' --slice' if short else ''} --part {part} --kept FOLDER",
                figures=figures,
                faults=wrong,
            )
            made[part, name] = piece
            if kept is not None:
                proof_kept.keep(kept, piece)
    pieces = proofs.of_plan(plan, made.values())
    if join or write is not None:
        proof_kept.of_one_commit(pieces, mixed=mixed)
    if write is not None:
        write.write_text(proof_page.page(plan, pieces, today), encoding="utf-8")
    if as_json:
        click.echo(json.dumps(proofs.as_json(plan, pieces), ensure_ascii=False, indent=2))
    else:
        click.echo(proofs.spoken(plan, pieces))
    click.echo(f"{time.monotonic() - started:.1f} s en tout", err=True)
    asked = [piece for piece in pieces if not parts or piece["part"] in parts]
    wrong = [fault for piece in asked for fault in piece["faults"]]
    if not parts:
        wrong = proofs.faults(plan, pieces)
    if wrong:
        raise CheckFailed("Une preuve ne tient pas : " + "; ".join(wrong[:3]))
