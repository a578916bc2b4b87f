"""Whatever Click finds wrong with a call is said in French, with any option a command may have."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from tests.core.cli.shells import Shell

from encaisse_einvoicing.cli.french import sentence

Calls = dict[str, tuple[Callable[[Path], click.Command], list[str], str]]


def option(kind: click.ParamType | None = None, **more: object) -> Callable[[Path], click.Command]:
    """Make a command with one option."""
    return lambda _: click.Command("essai", params=[click.Option(["--n"], type=kind, **more)])  # type: ignore[arg-type]


def path(**asked: bool) -> Callable[[Path], click.Command]:
    """Make a command with one option that takes a path."""
    return option(click.Path(**asked))  # type: ignore[arg-type]


def arguments(nargs: int) -> Callable[[Path], click.Command]:
    """Make a command with one argument."""
    return lambda _: click.Command("essai", params=[click.Argument(["n"], nargs=nargs)])


def group(_: Path) -> click.Command:
    return click.Group("essai", commands={"lire": click.Command("lire")}, no_args_is_help=False)


SAID: Calls = {
    "{value!r} is not {choice}.": (option(click.Choice(["a"])), ["--n", "l'x"], "« l'x » n'est"),
    "{value!r} is not one of {choices}.": (
        option(click.Choice(["a", "b"])),
        ["--n", "x"],
        "« x » n'est pas possible ; choisissez 'a', 'b'.",
    ),
    "{value!r} does not match the format {format}.": (
        option(click.DateTime(["%Y"])),
        ["--n", "x"],
        "n'est pas une date de la forme '%Y'.",
    ),
    "{value!r} does not match the formats {formats}.": (
        option(click.DateTime()),
        ["--n", "x"],
        "n'est pas une date",
    ),
    "{value!r} is not a valid {number_type}.": (
        option(click.INT),
        ["--n", "x"],
        "« x » n'est pas un nombre entier.",
    ),
    "{value} is not in the range {range}.": (
        option(click.IntRange(0)),
        ["--n", "-1"],
        "« -1 » est trop petit : 0 au moins.",
    ),
    "{value!r} is not a valid boolean. Recognized values: {states}": (
        option(click.BOOL),
        ["--n", "x"],
        "« x » n'est pas possible",
    ),
    "{value!r} is not a valid UUID.": (option(click.UUID), ["--n", "x"], "identifiant UUID"),
    "{name} {filename!r} does not exist.": (path(exists=True), ["--n", "rien"], "n'existe pas"),
    "{name} {filename!r} is a file.": (path(file_okay=False), ["--n", "FILE"], "est un fichier"),
    "{name} {filename!r} is a directory.": (path(dir_okay=False), ["--n", "."], "est un dossier"),
    "{len_type} values are required, but {len_value} were given.": (
        option(click.Tuple([str, str]), default=("a", "b", "c")),
        [],
        "Il faut 2 valeurs, pas 3.",
    ),
    "{len_type} values are required, but {len_value} was given.": (
        option(click.Tuple([str, str]), default=("a",)),
        [],
        "Il faut 2 valeurs, pas 1.",
    ),
    "Takes {nargs} values but 1 was given.": (
        option(click.STRING, nargs=2, default=("a",)),
        [],
        "Il faut 2 valeurs, pas 1.",
    ),
    "Takes {nargs} values but {len} were given.": (
        option(click.STRING, nargs=2, default=("a", "b", "c")),
        [],
        "Il faut 2 valeurs, pas 3.",
    ),
    "Argument {name!r} takes {nargs} values.": (arguments(2), ["a"], "attend 2 valeurs"),
    "Got unexpected extra argument ({args})": (option(), ["a"], "Argument en trop : a."),
    "Got unexpected extra arguments ({args})": (option(), ["a", "b"], "en trop : a b."),
    "Option {name!r} requires an argument.": (option(), ["--n"], "L'option --n attend une valeur."),
    "Option {name!r} requires {nargs} arguments.": (
        option(nargs=2),
        ["--n", "a"],
        "L'option --n attend 2 valeurs.",
    ),
    "Option {name!r} does not take a value.": (
        option(is_flag=True),
        ["--n=1"],
        "L'option --n ne prend pas de valeur.",
    ),
    "Missing option": (option(required=True), [], "Il manque l'option --n."),
    "Missing argument": (arguments(1), [], "Il manque l'argument N."),
    "No such option {name!r}.": (option(), ["--m"], "Option inconnue : --m."),
    "No such command {name!r}.": (group, ["lier"], "Commande inconnue : « lier »."),
    "Missing command.": (group, [], "Il manque le nom de la commande."),
    "Could not open file {filename!r}: {message}": (
        option(click.File("w", lazy=False)),
        ["--n", "rien/du/tout"],
        "« rien/du/tout »",
    ),
}
"""Each message of Click, a call that gets it, and what we say."""

ONLY_AS_ANOTHER_USER = {
    "{name} {filename!r} is not readable.": "ne peut pas être lu",
    "{name} {filename!r} is not writable.": "ne peut pas être écrit",
    "{name} {filename!r} is not executable.": "ne peut pas être exécuté",
}
"""What depends on rights, which the user of a test machine may have all of."""

NEVER = {
    # parts of the messages above, or their frame, which we replace
    "file",
    "directory",
    "path",
    "Error: {message}",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "Missing parameter",
    "Missing {param_type}",
    "Missing parameter: {param_name}",
    "Choose from:\n\t{choices}",
    "Try '{command} {option}' for help.",
    "Did you mean {possibility}?",
    "(Did you mean one of: {possibilities}?)",
    "unknown error",
    "Aborted!",
    # help pages
    "deprecated",
    "Options",
    "Positional arguments",
    "Commands",
    "env var: {var}",
    "default: {default}",
    "(dynamic)",
    "required",
    "Choice({choices})",
    "{text} ({info})",
    # mistakes of whoever writes a command, or commands we do not have
    "DeprecationWarning: The command {name!r} is deprecated.{extra_message}",
    "DeprecationWarning: The {param_type} {name!r} is deprecated.{extra_message}",
    "Value must be an iterable.",
    "Name '{name}' defined twice",
    "Boolean option {decl!r} cannot use the same flag for true/false.",
    "Could not determine name for option with declarations {decls!r}",
    "No options defined but a name was passed ({name}). Did you mean to declare an argument "
    "instead? Did you mean to pass '--{name}'?",
    "Arguments take exactly one parameter declaration, got {length}: {decls}.",
    "Invalid start character for option ({option})",
}
"""Messages nobody gets from a wrong call."""


def messages() -> set[str]:
    """Read in the sources of the installed Click all it may say of a call."""
    found: set[str] = set()
    for name in ("types", "core", "parser", "exceptions"):
        source = Path(click.__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                count = {"_": 1, "ngettext": 2}.get(node.func.id, 0)
                texts = [a.value for a in node.args[:count] if isinstance(a, ast.Constant)]
                found |= {text for text in texts if isinstance(text, str)}
    return found


def wrong(command: click.Command, args: list[str]) -> str:
    """Call a command that must refuse; give what we say of it."""
    with pytest.raises(click.ClickException) as caught:
        command.main(args, standalone_mode=False)
    return sentence(caught.value)


def test_every_message_of_the_installed_click_is_known() -> None:
    unknown = messages() - set(SAID) - set(ONLY_AS_ANOTHER_USER) - NEVER
    assert not unknown, "say these in french.py, or why nobody gets them"


@pytest.mark.parametrize("message", SAID)
def test_every_message_is_said_in_french(
    message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").touch()
    made, args, expected = SAID[message]
    said = wrong(made(tmp_path), args)
    assert expected in said
    assert not re.search(r"\b(is|are|was|not|does|valid|required|given|takes)\b", said), said


@pytest.mark.parametrize("message", ONLY_AS_ANOTHER_USER)
def test_what_may_not_be_read_or_written_is_said_in_french(message: str) -> None:
    for name in ("File", "Directory", "Path"):
        refused = click.BadParameter(message.format(name=name, filename="notes.txt"))
        assert sentence(refused) == f"« notes.txt » {ONLY_AS_ANOTHER_USER[message]}."


@pytest.mark.parametrize(
    ("kind", "typed", "expected"),
    [
        (click.IntRange(0, min_open=True), "0", "trop petit : il faut plus que 0."),
        (click.IntRange(max=9), "10", "trop grand : 9 au plus."),
        (click.IntRange(max=9, max_open=True), "9", "trop grand : il faut moins que 9."),
        (click.IntRange(1, 60), "61", "« 61 » n'est pas entre 1 et 60."),
        (click.IntRange(1, 60), "x", "« x » n'est pas un nombre entier."),
        (click.FloatRange(0, 1), "1.5", "« 1.5 » n'est pas entre 0 et 1."),
        (click.FloatRange(0, 1), "x", "« x » n'est pas un nombre."),
        (click.FLOAT, "x", "« x » n'est pas un nombre."),
    ],
)
def test_a_number_out_of_range_is_told_its_range(
    kind: click.ParamType, typed: str, expected: str
) -> None:
    assert expected in wrong(option(kind)(Path()), ["--n", typed])


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("demo", "--seed", "-1"), "--seed : « -1 » est trop petit : 0 au moins."),
        (("demo", "--nights", "0"), "--nights : « 0 » n'est pas entre 1 et 60."),
        (("demo", "--break", "l'arrêt"), "« l'arrêt » n'est pas possible"),
    ],
)
def test_the_demo_refuses_in_french(shell: Shell, args: tuple[str, ...], expected: str) -> None:
    result = shell(*args)
    assert result.exit_code == 2
    assert expected in result.stderr
