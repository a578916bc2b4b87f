"""Speak French where Click speaks English: help pages and wrong calls.

Click's own translations go through gettext and the machine's locale, so that the same command would
answer in two languages on two machines; here one table answers the same everywhere.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Generator, Iterable
from contextlib import contextmanager

import click

HEADINGS = {"Options": "Options", "Commands": "Commandes", "Arguments": "Arguments"}
HELP_TEXTS = {
    "Show this message and exit.": "Affiche cette aide.",
    "Show the version and exit.": "Affiche la version.",
    "[required]": "[obligatoire]",
    "[default: ": "[par défaut : ",
}

Q = """(?:'(.*?)'|"(.*?)")"""
"""What Python puts between quotes: double ones where the text holds an apostrophe."""

MESSAGES: tuple[tuple[str, str], ...] = (
    (rf"{Q} is not (?:one of )?('.*)\.", "« {0} » n'est pas possible ; choisissez {1}."),
    (rf"{Q} is not a valid integer(?: range)?\.", "« {0} » n'est pas un nombre entier."),
    (rf"{Q} is not a valid float(?: range)?\.", "« {0} » n'est pas un nombre."),
    (rf"{Q} is not a valid boolean\. .*", "« {0} » n'est pas possible ; répondez yes ou no."),
    (rf"{Q} is not a valid UUID\.", "« {0} » n'est pas un identifiant UUID."),
    (r"(.+) is not in the range x>=(.+)\.", "« {0} » est trop petit : {1} au moins."),
    (r"(.+) is not in the range x>(.+)\.", "« {0} » est trop petit : il faut plus que {1}."),
    (r"(.+) is not in the range x<=(.+)\.", "« {0} » est trop grand : {1} au plus."),
    (r"(.+) is not in the range x<(.+)\.", "« {0} » est trop grand : il faut moins que {1}."),
    (r"(.+) is not in the range (.+?)<=?x<=?(.+)\.", "« {0} » n'est pas entre {1} et {2}."),
    (rf"{Q} does not match the formats? (.*)\.", "« {0} » n'est pas une date de la forme {1}."),
    (rf"(?:File|Path|Directory) {Q} does not exist\.", "« {0} » n'existe pas."),
    (rf"(?:File|Path) {Q} is a directory\.", "« {0} » est un dossier, pas un fichier."),
    (rf"(?:Directory|Path) {Q} is a file\.", "« {0} » est un fichier, pas un dossier."),
    (rf"\w+ {Q} is not readable\.", "« {0} » ne peut pas être lu."),
    (rf"\w+ {Q} is not writable\.", "« {0} » ne peut pas être écrit."),
    (rf"\w+ {Q} is not executable\.", "« {0} » ne peut pas être exécuté."),
    (rf"(?:Could not open file )?{Q}: (.*)", "Le fichier « {0} » ne peut pas être ouvert ({1})."),
    (r"Got unexpected extra arguments? \((.*)\)", "Argument en trop : {0}."),
    (rf"Option {Q} requires an argument\.", "L'option {0} attend une valeur."),
    (rf"Option {Q} requires (\d+) arguments\.", "L'option {0} attend {1} valeurs."),
    (rf"Option {Q} does not take a value\.", "L'option {0} ne prend pas de valeur."),
    (rf"Argument {Q} takes (\d+) values\.", "L'argument {0} attend {1} valeurs."),
    (r"(\d+) values are required, but (\d+) .*", "Il faut {0} valeurs, pas {1}."),
    (r"Takes (\d+) values but (\d+) .*", "Il faut {0} valeurs, pas {1}."),
    (rf"No such command {Q}\..*", "Commande inconnue : « {0} »."),
    (r"Missing command\.", "Il manque le nom de la commande."),
)
"""What Click says of a wrong call (its sources, 8.x), and the same in French."""


def sentence(error: click.ClickException) -> str:
    """Say in French what Click found wrong with a call."""
    if isinstance(error, click.NoSuchOption):
        return f"Option inconnue : {error.option_name}.{near(error.option_name, _options(error))}"
    if isinstance(error, click.MissingParameter):
        kind = "l'argument" if isinstance(error.param, click.Argument) else "l'option"
        return f"Il manque {kind} {_label(error)}."
    if isinstance(error, click.BadParameter):
        label = _label(error)
        return f"{label} : {_translated(error.message)}" if label else _translated(error.message)
    return _translated(error.format_message())


def tell(error: click.ClickException) -> None:
    """Say on stderr what was wrong with a call, or how to call where nothing was asked."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.ctx.get_help(), err=True)
    else:
        click.echo(sentence(error), err=True)


def near(word: str, known: Iterable[str]) -> str:
    """Suggest what somebody may have meant; empty where nothing comes near."""
    close = difflib.get_close_matches(word, sorted(set(known)), n=3, cutoff=0.6)
    return f" Vouliez-vous dire {' ou '.join(f'« {name} »' for name in close)} ?" if close else ""


def _options(error: click.NoSuchOption) -> list[str]:
    if error.ctx is None:
        return []
    return [name for param in error.ctx.command.get_params(error.ctx) for name in param.opts]


def _label(error: click.BadParameter) -> str:
    param = error.param
    if isinstance(param, click.Option):
        return max(param.opts, key=len)
    if param is not None:
        return param.make_metavar(error.ctx) if error.ctx else (param.name or "")
    return str(error.param_hint or "")


def _translated(message: str) -> str:
    for pattern, french in MESSAGES:
        match = re.fullmatch(pattern, message)
        if match:
            return french.format(*(group for group in match.groups() if group is not None))
    return message


class FrenchFormatter(click.HelpFormatter):
    """Write help pages with French headings."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is called."""
        super().write_usage(prog, args, "Usage : " if prefix is None else prefix)

    @contextmanager
    def section(self, name: str) -> Generator[None]:
        """Write a section under its French heading."""
        with super().section(HEADINGS.get(name, name)):
            yield

    def write_heading(self, heading: str) -> None:
        """Write a heading, with the space French puts before a colon."""
        self.write(f"{'':>{self.current_indent}}{heading} :\n")

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write a list of options or commands."""
        super().write_dl([(name, _help(text)) for name, text in rows], col_max, col_spacing)


def _help(text: str) -> str:
    for english, french in HELP_TEXTS.items():
        text = text.replace(english, french)
    return text


class FrenchContext(click.Context):
    """Carry a call whose help is in French."""

    formatter_class = FrenchFormatter


class FrenchGroup(click.Group):
    """Group commands, and answer a wrong name with the ones that come near."""

    context_class = FrenchContext

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; raise a French `UsageError` with near names."""
        if self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            raise click.UsageError(
                f"Commande inconnue : « {args[0]} »."
                f"{near(args[0], self.list_commands(ctx))} "
                f"Toutes les commandes : {ctx.command_path} --help.",
                ctx,
            )
        return super().resolve_command(ctx, args)


def in_french(command: click.Command) -> click.Command:
    """Make a command, whoever wrote it, show its help in French."""
    command.context_class = FrenchContext
    command.options_metavar = "[OPTIONS]"
    if isinstance(command, click.Group):
        command.subcommand_metavar = "COMMANDE [ARGUMENTS]..."
        for inner in command.commands.values():
            in_french(inner)
    return command
