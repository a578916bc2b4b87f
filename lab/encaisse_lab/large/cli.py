"""What `encaisse year --invoices` and `encaisse year --outage` do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import click

from encaisse_core.errors import CheckFailed, UsageError
from encaisse_lab.large import outage_steps, told
from encaisse_lab.large import outages as played

Tell = Callable[[str], None]


def large(seed: int, invoices: int, nights: int, *, twice: bool, as_json: bool, tell: Tell) -> None:
    """Live a large year, once or twice, and say what was found."""
    started = time.monotonic()
    if twice:
        found = told.twice(seed, invoices, nights, tell)
        wrong = told.unequal(found)
    else:
        found, wrong = [told.live((seed, invoices, nights, None), tell)], []
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        for each in found:
            click.echo("\n".join([told.sentence(each), *each["faults"]]))
    lasted = time.monotonic() - started
    click.echo(f"{lasted:.1f} s en tout, {lasted / nights:.2f} s par nuit", err=True)
    wrong += [fault for each in found for fault in each["faults"]]
    if wrong:
        raise CheckFailed(f"Un contrôle a échoué. {' ; '.join(wrong[:3])}")


def outages(seed: int, every: int, named: str | None, *, as_json: bool, tell: Tell) -> None:
    """Play the table of outages, a slice of it, or one case."""
    cases = outage_steps.slice_of(seed, every)
    if named is not None:
        cases = [case for case in outage_steps.cases(seed) if str(case) == named]
    if not cases:
        raise UsageError(f"Aucun cas « {named} ». Un cas s'écrit outil/panne/étape/moment.")
    found = played.play(cases, tell)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join([played.sentence(found), *found["faults"]]))
    if found["opened_on_paid"]:
        raise CheckFailed(f"Un contrôle a échoué. {' ; '.join(found['faults'][:3])}")
