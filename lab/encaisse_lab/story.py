"""Tell a run in French: what was read, what may be collected, what each night did, the zeros."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from encaisse_core.cents import euros
from encaisse_core.cli.showing import plural
from encaisse_core.clock import PARIS
from encaisse_core.nightly import Night
from encaisse_lab import tally
from encaisse_lab.cast import Deed
from encaisse_lab.demo import AFTERNOON, Played, Run
from encaisse_lab.firm import ROLL_OVER_DAY
from encaisse_lab.samples import FIRST_EVENING
from encaisse_lab.summary import Summary, zeros

DEEDS: Mapping[Deed, str] = {
    "pays_collector": "paie GCollect",
    "goes_back": "voit son paiement rejeté par sa banque",
    "pays_directly": "paie l'entreprise directement",
    "disputes": "conteste",
    "is_credited": "reçoit un avoir",
}

COUNTS: tuple[tuple[str, str, str], ...] = (
    ("payments", "mouvement d'argent reconnu", "mouvements d'argent reconnus"),
    ("stops", "arrêt ou réduction demandé", "arrêts ou réductions demandés"),
    ("write_backs", "écriture proposée au comptable", "écritures proposées au comptable"),
    ("entries_posted", "écriture validée par lui", "écritures validées par lui"),
    ("letterings", "lettrage", "lettrages"),
    ("vouchers", "reversement comptabilisé", "reversements comptabilisés"),
    ("commissions", "ligne de rétro-commission", "lignes de rétro-commission"),
    ("uncertain", "envoi au sort incertain, vérifié", "envois au sort incertain, vérifiés"),
)
"""What a night counts, said of one and of several."""

FAULTS: Mapping[str, str] = {
    "lost_reply": "réponse perdue",
    "5xx": "erreur du serveur",
    "429": "demande de ralentir",
    "malformed": "réponse illisible",
}
"""What went wrong on the wire, as a person says it."""

CHECKS: tuple[tuple[str, str], ...] = (
    ("double_procedures", "Factures dans deux procédures à la fois"),
    ("wrong_merges", "Factures différentes prises pour la même"),
    ("missed_merges", "Même facture comptée deux fois"),
    ("remote_duplicates", "Écritures en double chez un partenaire"),
    ("remote_missing", "Écritures qui manquent chez un partenaire"),
    ("unstopped", "Procédures non arrêtées"),
    ("messages_after_payment", "Relances après la nuit du paiement"),
)


def tell(told: Run, figures: Summary, wrongs: Sequence[str], console: Console) -> None:
    """Print the whole story; `wrongs` says what the checks found, nothing where all is well."""
    console.rule("Le lundi 2 février 2026 au soir")
    console.print(
        f"[bold]{told.known.company.name}[/] raccorde Factomos, sa comptabilité dans MyUnisoft, "
        "Libeo, un dossier de factures et GCollect. Entreprise, clients et partenaires sont "
        "inventés ; les échanges passent par de vraies requêtes HTTP locales, avec des pannes."
    )
    _read(told, figures, console)
    _bridge(told, console)
    _portfolio(told, console)
    _approved(told, console)
    tell_nights(told, figures, wrongs, console)


def tell_nights(told: Run, figures: Summary, wrongs: Sequence[str], console: Console) -> None:
    """Print the nights and what was found at their end."""
    for number, night in enumerate(told.kept, start=1):
        _night(told, number, night, console)
    _end(told, figures, console)
    for wrong in wrongs:
        console.print(f"[red]{_plain(wrong)}[/]")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, justify="left" if place == 0 else "right", overflow="fold")
    return table


def _read(told: Run, figures: Summary, console: Console) -> None:
    table = _table("Ce qui a été lu", "Source", "Factures")
    for slug, count in figures["pulled"].items():
        table.add_row(slug, str(count))
    table.add_row("fichiers refusés", str(figures["refused_files"]))
    table.add_row("vues par plusieurs sources et réunies", str(figures["seen_twice"]))
    table.add_row("[bold]créances[/]", f"[bold]{told.evening.portfolio.claims}[/]")
    console.print(table)
    refused = tally.refused(told.app, told.company_id)
    if refused:
        console.print("Fichiers refusés, chacun avec sa raison :")
    for name, reason in refused:
        console.print(f"  {_plain(name)} : {_plain(reason)}")


def _bridge(told: Run, console: Console) -> None:
    found = told.evening.bridge
    if found is not None:
        console.print(
            f"Factomos envoie ses écritures à MyUnisoft : {found.carrying} factures de MyUnisoft "
            f"sur {found.records} le disent, une personne le confirme. Les paiements seront "
            "inscrits dans Factomos seulement, et leur copie comptera une fois."
        )


def _portfolio(told: Run, console: Console) -> None:
    portfolio = told.evening.portfolio
    console.print(
        f"[bold green]{portfolio.collectible} recouvrables[/], soit "
        f"{euros(portfolio.collectible_cents)} €. Les autres attendent, et voici pourquoi :"
    )
    table = Table(header_style="bold")
    table.add_column("Règle", no_wrap=True)
    table.add_column("Créances", justify="right")
    table.add_column("Par exemple", overflow="fold")
    for rule, count in sorted(portfolio.reasons.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(rule, str(count), _plain(portfolio.sentences[rule]))
    console.print(table)


def _approved(told: Run, console: Console) -> None:
    table = _table("Propositions approuvées", "Client", "Factures", "Principal", "Honoraires")
    for each in told.evening.proposals:
        table.add_row(
            _plain(each.debtor),
            str(each.invoices),
            f"{euros(each.principal)} €",
            f"{each.fee_rate} %".replace(".", ","),
        )
    console.print(table)
    console.print(
        f"Une personne approuve ces {told.evening.signed} propositions, ouvre la page de GCollect, "
        "lit l'annexe et signe le mandat. Aucun nom de client n'est parti avant."
    )


def _night(told: Run, number: int, night: Night, console: Console) -> None:
    day = FIRST_EVENING + timedelta(days=number)
    console.rule(f"Nuit {number}, {day:%d/%m/%Y} à 04:10")
    if number == 1:
        opened = len(_openings(told))
        console.print(f"Les sources confirment chaque facture : {opened} procédures ouvertes.")
    done = [
        f"{count} {one if count == 1 else several}"
        for name, one, several in COUNTS
        if (count := night.counts[name])
    ]
    console.print(" · ".join(done) or "Rien de nouveau : rien n'est écrit.")
    for failure in night.failures.values():
        console.print(f"[yellow]Non lu cette nuit : {_plain(failure)}[/]")
    for each in told.played:
        if each.at.astimezone(PARIS).date() == day:
            console.print("  " + _sentence(each))
    if number == ROLL_OVER_DAY < told.nights:
        console.print(
            f"  {AFTERNOON:%H:%M} le cabinet clôture 2025 : ce qui reste dû change d'identifiant "
            "dans MyUnisoft"
        )


def _openings(told: Run) -> set[tuple[str, ...]]:
    lines = told.partners.world.gcollect.procedures_ledger()
    first = told.ends[0]
    gcollect = told.partners.world.gcollect
    return {
        tuple(gcollect.procedure_ids(line.invoice_number, line.issue_year))
        for line in lines
        if line.opened_at <= first
    }


def _sentence(each: Played) -> str:
    """Say one act, with the hour, the customer, the sum and the invoice."""
    act = each.act
    hour = f"{each.at.astimezone(PARIS):%H:%M}"
    cents = act.cents + act.interest + act.indemnity
    money = f" {euros(cents)} €" if cents else ""
    part = f" (échéance {act.instalment})" if act.instalment else ""
    again = " une seconde fois" if act.role == "double" and act.payment == 2 else ""
    what = DEEDS[act.deed]
    return f"{hour} {each.sample.debtor.name} {what}{again}{money}{part}, {each.sample.number}"


def _end(told: Run, figures: Summary, console: Console) -> None:
    console.rule("Le bilan")
    played = Counter(figures["played"])
    uncertain = sum(night.counts["uncertain"] for night in told.kept)
    table = _table(f"Après {plural(told.nights, 'nuit')}", "", "")
    table.show_header = False
    rows: list[tuple[str, str]] = [
        ("Procédures ouvertes", str(figures["procedures_opened"])),
        ("Paiements encaissés par GCollect", str(figures["settlements"])),
        ("Procédures closes par un paiement direct", str(figures["stopped_by_direct_payment"])),
        ("Contestations laissées à une personne", str(played["dispute"])),
        *(
            (f"Écritures portées dans {slug}", str(count))
            for slug, count in figures["written_back"].items()
        ),
        *(
            [("Paiements recopiés de Factomos dans MyUnisoft", str(figures["copied"]))]
            if figures["copied"] is not None
            else []
        ),
        ("Règlements lettrés avec leur facture", str(figures["lettered"])),
        ("Lignes de rétro-commission", str(figures["commissions"]["lines"])),
        ("Rétro-commission acquise", f"{figures['commissions']['total'].replace('.', ',')} €"),
        ("Envois au sort incertain, vérifiés avant tout autre essai", str(uncertain)),
        *((f"Panne subie : {FAULTS[name]}", str(n)) for name, n in figures["faults"].items()),
    ]
    for row in rows:
        table.add_row(*row)
    console.print(table)
    checks = _table("Vérifié chez les partenaires et hors ligne", "Contrôle", "Trouvé")
    for name, words in CHECKS:
        count = zeros(figures)[name]
        checks.add_row(words, f"[green]{count}[/]" if not count else f"[bold red]{count}[/]")
    checks.add_row("Journal vérifié depuis la tête de la nuit 1", _said(figures["journal_ok"]))
    checks.add_row("Comptes équilibrés (467, commissions)", _said(figures["ledger_balanced"]))
    console.print(checks)


def _plain(text: str) -> str:
    """Keep what a stranger's file says from being taken for markup or for a terminal's command."""
    return escape("".join(c if c.isprintable() else " " for c in text))


def _said(holds: bool) -> str:
    return "[green]oui[/]" if holds else "[bold red]NON[/]"
