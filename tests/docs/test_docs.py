"""What the documentation says is there is there, and nothing in the repository tells too much."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from sqlalchemy import CheckConstraint, Table, UniqueConstraint

from encaisse_core.cli.catalogue import COMMANDS, of_other_rooms
from encaisse_core.cli.main import cli
from encaisse_core.cli.watching import daemon
from encaisse_core.rules import RULES, Rule
from encaisse_core.store.schema import metadata

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

SHELL_BLOCK = re.compile(r"^```(?:sh|bash|shell)\n(.*?)^```", re.MULTILINE | re.DOTALL)
ANY_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FILE_NAME = re.compile(r"\.?[\w*-][\w.*/-]*\.(?:py|md|toml|tsv|txt|ya?ml|svg)")
COMMON = frozenset({"--help", "--json", "--company"})
"""Options described once, at the top of the page of commands."""


def repository() -> list[Path]:
    """List what git tracks or would track, so that nobody's build folders are read."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [
        path for name in sorted(set(listed.split("\0")) - {""}) if (path := ROOT / name).exists()
    ]


FILES = repository()
FOLDERS = {parent for path in FILES for parent in path.relative_to(ROOT).parents} - {Path()}
PAGES = sorted(
    path for path in FILES if path.suffix == ".md" and (path.parent == ROOT or DOCS in path.parents)
)
ALL_PAGES = sorted(path for path in FILES if path.suffix == ".md")


def named(path: Path) -> str:
    """Name a page in the list of tests."""
    return str(path.relative_to(ROOT))


# --- paths and links -----------------------------------------------------------------------------


def paths_named(text: str) -> Iterator[str]:
    """Yield what is written in backticks and can only be a path of this repository."""
    tops = {folder.parts[0] for folder in FOLDERS}
    for token in INLINE_CODE.findall(ANY_BLOCK.sub("", text)):
        below_a_room = "/" in token and token.split("/", 1)[0] in tops
        if FILE_NAME.fullmatch(token) or (below_a_room and re.fullmatch(r"[\w.*/-]+", token)):
            yield token


def exists(token: str) -> bool:
    """Tell whether a path, or the end of one, is there; `*` stands for anything."""
    wanted = token.rstrip("/")
    known = [path.relative_to(ROOT) for path in FILES] + list(FOLDERS)
    return any(path.match(wanted) for path in known)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_path_a_page_names_is_there(page: Path) -> None:
    missing = [token for token in paths_named(page.read_text("utf-8")) if not exists(token)]
    assert missing == [], f"{named(page)} names what is not in the repository"


def test_a_path_that_is_not_there_is_noticed() -> None:
    text = "See `core/encaisse_core/nowhere.py`, `core/nowhere/`, `join.py` and `encaisse sync`."
    assert [token for token in paths_named(text) if not exists(token)] == [
        "core/encaisse_core/nowhere.py",
        "core/nowhere/",
    ]


def anchors(page: Path) -> set[str]:
    """List the headings of a page as links name them."""
    text = ANY_BLOCK.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ +(.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(page: Path) -> list[str]:
    """List links to files or headings that are not there."""
    broken: list[str] = []
    for link in LINK.findall(ANY_BLOCK.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", ALL_PAGES, ids=named)
def test_every_relative_link_resolves(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Here\n[a](page.md#here) [b](#there) [c](gone.md) [d](https://example.org)\n")
    assert broken_links(page) == ["#there", "gone.md"]


# --- commands ------------------------------------------------------------------------------------


def calls(text: str) -> Iterator[list[str]]:
    """Yield each call of `encaisse` or of the daemon in a page's shell blocks, as its words."""
    for block in SHELL_BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            for end in (i for i, w in enumerate(words) if w in ("|", ">", ">>", "&&", ";")):
                words = words[:end]
                break
            while words and re.match(r"[A-Z_]+=", words[0]):
                words = words[1:]
            if words and words[0].rsplit("/", 1)[-1] == "encaisse":
                yield ["encaisse", *words[1:]]
            elif len(words) > 1 and words[1] == "sync_daemon.py":
                yield words[1:]


def refusal(words: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Parse a call without running it; give the exit code."""

    def nothing(self: click.Command, ctx: click.Context) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr(click.Command, "invoke", nothing)
        program = cli if words[0] == "encaisse" else daemon
        with pytest.raises(SystemExit) as ended:
            program.main(args=words[1:], prog_name=words[0])
    code = ended.value.code
    assert isinstance(code, int)
    return code


@pytest.mark.parametrize("page", ALL_PAGES, ids=named)
def test_every_command_shown_is_one_the_program_takes(
    page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words in calls(page.read_text("utf-8")):
        code = refusal(words, monkeypatch)
        assert code == 0, f"{named(page)}: {shlex.join(words)}: {capsys.readouterr().err}"


@pytest.mark.parametrize(
    "line",
    [
        "encaisse claims --collectibles",
        "encaisse claim",
        "encaisse connect",
        "ENCAISSE_HOME=x .venv/bin/encaisse proposals --state asleep | less",
        "python sync_daemon.py --now",
    ],
)
def test_a_command_the_program_does_not_take_is_noticed(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (words,) = calls(f"```sh\n{line}\n```\n")
    assert refusal(words, monkeypatch) == 2


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its full name; one that cannot be loaded fails here."""
    context = click.Context(cli)
    for name in [*COMMANDS, *of_other_rooms()]:
        if name in COMMANDS:
            command = cli.get_command(context, name)
        else:
            command = of_other_rooms()[name].load()
        assert isinstance(command, click.Command), name
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"encaisse {name}", command
        if isinstance(command, click.Group):
            for below, each in command.commands.items():
                yield f"encaisse {name} {below}", each


def sections(page: Path) -> dict[str, str]:
    """Cut a page at its headings."""
    parts = re.split(r"^#+ +(.+)$", page.read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(command: click.Command) -> set[str]:
    """List the long options of a command."""
    return {
        option
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("--")
    }


def test_every_command_has_its_section_with_every_option() -> None:
    page = sections(DOCS / "commands.md")
    known = dict(commands())
    shown = {title for title in page if title.startswith("encaisse ")}
    assert shown == set(known)
    for name, command in [*known.items(), ("The daemon", daemon)]:
        said = set(re.findall(r"--[a-z-]+", " ".join(INLINE_CODE.findall(page[name]))))
        assert said - COMMON <= options(command), f"{name}: options that do not exist"
        assert options(command) - COMMON <= said, f"{name}: options that are not described"


# --- tables and rules ----------------------------------------------------------------------------


def rows(page: Path, columns: int) -> dict[str, list[str]]:
    """Read the table rows of a page whose first cell is one word of code."""
    found: dict[str, list[str]] = {}
    for line in page.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == columns and re.fullmatch(r"`\w+`", cells[0]):
            assert cells[0].strip("`") not in found, f"{cells[0]} stands twice in {named(page)}"
            found[cells[0].strip("`")] = cells[1:]
    return found


def carried(table: Table) -> Iterator[str]:
    """Name what the database refuses on a table, as the page writes it."""

    def unique(names: list[str]) -> str:
        return f"unique ({', '.join(name for name in names if name != 'company_id')})"

    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield unique([column.name for column in constraint.columns])
        elif isinstance(constraint, CheckConstraint):
            yield f"check {str(constraint.name).removeprefix(f'ck_{table.name}_')}"
    for index in table.indexes:
        if index.unique:
            yield unique([column.name for column in index.columns])


def test_every_table_is_described_with_its_key_and_what_carries_it() -> None:
    page = rows(DOCS / "data.md", 4)
    assert set(page) == set(metadata.tables)
    for name, table in metadata.tables.items():
        key, _, guarantee = page[name]
        assert INLINE_CODE.findall(key) == [column.name for column in table.primary_key], name
        missing = [each for each in carried(table) if each not in guarantee]
        assert missing == [], f"{name} is carried by more than the page says"


def written(rule: Rule) -> list[str]:
    """Write a rule as the page of rules does."""
    sentence = rule.sentence_en.removeprefix("Invoice {number}: ")
    return [rule.scope, sentence.replace("|", "\\|"), rule.source.replace("|", "\\|")]


def test_every_rule_is_on_its_page_as_it_stands_in_the_code() -> None:
    page = rows(DOCS / "rules.md", 4)
    assert list(page) == [rule.id for rule in RULES]
    for rule in RULES:
        row = f"| `{rule.id}` | {' | '.join(written(rule))} |"
        assert page[rule.id] == written(rule), f"write in docs/rules.md: {row}"


# --- what must not be said -----------------------------------------------------------------------

FORBIDDEN: dict[str, re.Pattern[str]] = {
    "registry host": re.compile(
        r"p[y]pi\.(?:org|python)|python[h]osted\.|npm[j]s\.|proxy\.g[o]lang|crates\.i[o]/api"
        r"|^\s*-(?:i|-(?:extra-)?index[-]url|-find[-]links)\b",  # a class of one: not said here
        re.MULTILINE,
    ),
    "path of one machine": re.compile(
        r"(?<![\w./~])/(?:work|tmp|root|mnt|opt|srv|Users|home/\w)(?:/[\w.]|\b(?=[\"'`\s)]))"
    ),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "secret": re.compile(
        r"\b(?:AKIA[0-9A-Z]{16}|gh[opusr]_\w{36}|github_pat_\w{40}|glpat-[\w-]{20}"
        r"|xox[abprs]-[\w-]{10}|[sr]k_live_\w{16}|sk-[A-Za-z0-9]{32}|AIza[\w-]{35}"
        r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
    ),
}


def told_too_much(text: str) -> list[str]:
    """Name what a text says and must not, with the words that say it."""
    return [
        f"{what}: {found.group(0)[:12]}…"
        for what, pattern in FORBIDDEN.items()
        for found in pattern.finditer(text)
    ]


def test_no_file_names_a_registry_a_machine_or_a_secret() -> None:
    found: dict[str, list[str]] = {}
    for path in FILES:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            text = path.read_bytes().decode("latin-1")  # a PDF or an archive may carry one as well
        if said := told_too_much(text):
            found[named(path)] = said
    assert found == {}


@pytest.mark.parametrize(
    "words",
    [
        "https://" + "pypi" + ".org/simple",
        "--index" + "-url https://example.org",
        "open('/" + "tmp/x')",
        "see `/" + "work/main`",
        "-----BEGIN " + "PRIVATE KEY-----",
        "AKIA" + "ABCDEFGHIJKLMNOP",
        "gh" + "p_" + "a" * 36,
        "eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + "." + "c" * 12,
    ],
)
def test_what_must_not_be_said_is_noticed(words: str) -> None:
    assert told_too_much(words) != []


def test_each_decision_has_a_number_of_its_own() -> None:
    numbers = [each.name[:4] for each in (DOCS / "decisions").glob("*.md")]
    assert numbers and sorted(set(numbers)) == sorted(numbers)
