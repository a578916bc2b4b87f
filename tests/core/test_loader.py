"""Connectors are found where they are installed, and a broken one harms nobody else."""

from __future__ import annotations

import itertools
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from encaisse_api import API_VERSION
from encaisse_core.loader import GROUP, Loaded, UnknownConnector, load

GOOD = """
    from encaisse_api import Manifest, hookimpl

    ENCAISSE_API = "0.1"

    class Connector:
        manifest = Manifest(slug="{slug}", name="X", summary_fr="x", contract="assumed")
        def __init__(self, context):
            self.context = context

        def probe(self): ...

    @hookimpl
    def register_connectors(register):
        register(Connector)
"""

Install = Callable[..., None]
_numbers = itertools.count()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder of installed distributions, searched like site-packages."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """Install one distribution: a module, and the dist-info that announces it."""

    def _install(name: str, source: str, *, group: str = GROUP) -> None:
        module = f"stranger_{name}_{next(_numbers)}"
        (site / f"{module}.py").write_text(textwrap.dedent(source), "utf-8")
        info = site / f"encaisse_{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: encaisse-{name}\nVersion: 1\n"
        )
        (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {module}\n")

    return _install


def loaded_from(site: Path) -> Loaded:
    found = distributions(path=[str(site)])
    return load([entry for dist in found for entry in dist.entry_points if entry.group == GROUP])


def good(slug: str) -> str:
    return GOOD.replace("{slug}", slug)


def having(method: str) -> str:
    """Give the class of the good connector one more method."""
    return good("bad").replace("def probe", f"{method}\n\n        def probe")


def declaring(field: str) -> str:
    """Say one thing more in the manifest of the good connector."""
    imported = good("bad").replace("import Manifest", "import BearerAuth, Manifest, Stream, Write")
    return imported.replace('contract="assumed"', f'contract="assumed", {field}')


def test_an_installed_connector_is_found(site: Path, install: Install) -> None:
    install("acme", good("acme"))
    loaded = loaded_from(site)
    assert list(loaded.connectors) == ["acme"]
    assert loaded.connector("acme").__name__ == "Connector"
    assert loaded.quarantined == ()


def test_the_default_is_what_the_interpreter_has_installed(site: Path, install: Install) -> None:
    install("acme", good("acme"))
    install("other", good("other"), group="somebody.elses")
    slugs = set(load().connectors)
    assert "acme" in slugs
    assert "other" not in slugs


BROKEN = {
    "missing import": ("import nowhere_to_be_found\n", "« nowhere_to_be_found »"),
    "exception at import": (
        "raise RuntimeError('pas de chance')\n",
        "RuntimeError : pas de chance",
    ),
    "exit at import": ("import sys\nsys.exit(3)\n", "échoue à l’import"),
    "syntax error": ("def (:\n", "SyntaxError"),
    "no version": (
        good("bad").replace('ENCAISSE_API = "0.1"', ""),
        f'ENCAISSE_API = "{API_VERSION}"',
    ),
    "nonsense version": (good("bad").replace('"0.1"', '"latest"'), "pour quelle version"),
    "other major": (good("bad").replace('"0.1"', '"2.0"'), "2.0 du contrat, incompatible"),
    "newer minor": (good("bad").replace('"0.1"', '"0.99"'), "0.99 du contrat, plus récente"),
    "misspelt hook": (
        good("bad").replace("def register_connectors", "def register_connector"),
        "le plus proche est `register_connectors`",
    ),
    "hook of nobody": (
        good("bad").replace("def register_connectors(register)", "def on_full_moon(sky)"),
        "`on_full_moon` n’est pas un point d’extension connu",
    ),
    "too few arguments": (
        good("bad").replace("(register):", "():").replace("register(Connector)", "pass"),
        "`register_connectors(register)`",
    ),
    "other arguments": (
        good("bad").replace("(register):", "(registry):").replace("register(Conn", "registry(Conn"),
        "`register_connectors(registry)` devrait s’écrire",
    ),
    "no mark": (good("bad").replace("    @hookimpl\n", ""), "il manque `@hookimpl`"),
    "nothing announced": ("ENCAISSE_API = '0.1'\n", "il n’annonce rien"),
    "no manifest": (good("bad").replace("        manifest = ", "        leaflet = "), "manifeste"),
    "no class": (good("bad").replace("register(Connector)", "register('acme')"), "pas une classe"),
    "exception while registering": (
        good("bad").replace("register(Connector)", "register(Connector); 1 / 0"),
        "ZeroDivisionError",
    ),
    "twice the same slug": (
        good("bad").replace("register(Connector)", "register(Connector); register(Connector)"),
        "deux connecteurs sous le nom « bad »",
    ),
    "version as a number": (good("bad").replace('"0.1"', "0.1"), "pour quelle version"),
    "version in another script": (good("bad").replace('"0.1"', '"٠.١"'), "pour quelle version"),
    "nothing registered": (good("bad").replace("register(Connector)", "pass"), "n’enregistre rien"),
    "sentence with its own stop": ("raise RuntimeError('pas de chance ?')\n", "pas de chance)."),
    "no role": (good("bad").replace("def probe", "def prob"), "ne sait rien faire"),
    "role that is no method": (good("bad").replace("def probe(self): ...", "probe = 1"), "méthode"),
    "no context": (good("bad").replace("(self, context)", "(self)"), "`__init__(self, context)`"),
    "unprotected write": (
        having("def record_payment_blind(self, key, payment): ..."),
        "ce qui protège l’écriture `record_payment_blind`",
    ),
    "write without find": (
        having("def record_payment(self, key, payment): ..."),
        "`record_payment` sans `find_payment`",
    ),
    "find without write": (
        having("def find_payment(self, key, payment): ..."),
        "`find_payment` sans `record_payment`",
    ),
    "pull without its second look": (
        having("def pull_invoices(self, since): ..."),
        "`pull_invoices` sans `read_invoices`",
    ),
    "other parameters": (
        having("def fetch_document(self, reference): ..."),
        "`fetch_document(reference)` devrait s’écrire `fetch_document(ref)`",
    ),
    "undeclared stream": (
        having("def pull_payments(self, since): ..."),
        "déclare les flux —, sa classe lit `payments`",
    ),
    "stream nobody pulls": (
        declaring('streams={"payments": Stream(mode="snapshot")}'),
        "déclare les flux `payments`, sa classe lit —",
    ),
    "write the class lacks": (
        declaring('writes={"letter": Write(guarantee="lookup")}'),
        "déclare l’écriture `letter`, que sa classe n’a pas",
    ),
    "unknown stream": (
        declaring('streams={"invoice": Stream(mode="snapshot")}'),
        "no stream is called invoice",
    ),
    "unknown write": (
        declaring('writes={"letters": Write(guarantee="lookup")}'),
        "no write is called letters",
    ),
    "none on a write that can be looked up": (
        declaring('writes={"letter": Write(guarantee="none")}'),
        "the guarantee `none`",
    ),
    "auth of an undeclared setting": (
        declaring("auth=BearerAuth()"),
        "token must stand in `settings`",
    ),
    "manifest changed behind its back": (
        good("bad").replace(
            'contract="assumed")',
            'contract="assumed").model_copy(update={"live_hosts": ("x.example.org",)})',
        ),
        "se contredit (bad: an assumed contract has no live host)",
    ),
    "webhooks of nobody knows whom": (
        having("def read_webhook(self, delivery): ..."),
        "sans dire comment elles sont signées",
    ),
    "webhooks without a reader": (declaring("unsigned=True"), "que sa classe ne reçoit pas"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_connector_is_set_apart_and_the_rest_works(
    what: str, site: Path, install: Install
) -> None:
    source, sentence = BROKEN[what]
    install("acme", good("acme"))
    install("bad", source)
    install("zebra", good("zebra"))
    loaded = loaded_from(site)
    assert list(loaded.connectors) == ["acme", "zebra"]
    (apart,) = loaded.quarantined
    assert (apart.name, apart.distribution) == ("bad", "encaisse-bad")
    assert apart.reason_fr.startswith("Le connecteur « bad » (encaisse-bad) n’est pas chargé : ")
    assert sentence in apart.reason_fr
    assert re.search(r"[^ .?!:]\.$", apart.reason_fr)
    assert "\n" not in apart.reason_fr


def test_neither_of_two_connectors_takes_the_name_of_the_other(
    site: Path, install: Install
) -> None:
    install("acme", good("factomos"))
    install("zebra", good("factomos"))
    install("other", good("other"))
    loaded = loaded_from(site)
    assert list(loaded.connectors) == ["other"]
    assert [(q.name, "encaisse-zebra" in q.reason_fr) for q in loaded.quarantined] == [
        ("acme", True),
        ("zebra", True),
    ]
    assert "encaisse-acme" in loaded.quarantined[1].reason_fr


def test_what_failed_while_registering_leaves_nothing_behind(site: Path, install: Install) -> None:
    source = good("bad") + textwrap.indent(
        "\n@hookimpl\ndef register_policies(register):\n    register(object)\n    1 / 0\n", "    "
    )
    install("bad", source)
    loaded = loaded_from(site)
    assert (dict(loaded.connectors), loaded.policies) == ({}, ())
    assert len(loaded.quarantined) == 1


def test_the_version_in_force_and_older_minors_are_taken(site: Path, install: Install) -> None:
    major = API_VERSION.split(".")[0]
    install("exact", good("exact").replace('"0.1"', f'"{API_VERSION}"'))
    install("older", good("older").replace('"0.1"', f'"{major}.0"'))
    install("patch", good("patch").replace('"0.1"', f'"{API_VERSION}.7"'))
    assert list(loaded_from(site).connectors) == ["exact", "older", "patch"]


def test_policies_and_subscribers_are_heard(site: Path, install: Install) -> None:
    install(
        "cabinet",
        """
        from encaisse_api import hookimpl

        ENCAISSE_API = "0.1"
        heard = []

        class NoSundays:
            pass

        @hookimpl
        def register_policies(register):
            register(NoSundays)

        @hookimpl
        def on_event(event):
            heard.append(event["kind"])
        """,
    )
    loaded = loaded_from(site)
    (policy,), (subscriber,) = loaded.policies, loaded.subscribers
    subscriber.hear({"kind": "invoice.paid"})
    assert policy.__name__ == "NoSundays"
    assert (subscriber.name, subscriber.distribution) == ("cabinet", "encaisse-cabinet")
    assert sys.modules[policy.__module__].heard == ["invoice.paid"]


def test_an_unknown_connector_is_answered_with_its_neighbours(site: Path, install: Install) -> None:
    for slug in ("factomos", "gcollect"):
        install(slug, good(slug))
    loaded = loaded_from(site)
    with pytest.raises(UnknownConnector) as unknown:
        loaded.connector("factomo")
    assert str(unknown.value) == (
        "Aucun connecteur « factomo » n’est installé. Vouliez-vous dire « factomos » ?"
    )
    with pytest.raises(KeyError, match="Connecteurs installés : factomos, gcollect"):
        loaded.connector("xyz")


def test_a_connector_in_quarantine_is_not_called_unknown(site: Path, install: Install) -> None:
    install("acme", "import nowhere_to_be_found\n")
    with pytest.raises(UnknownConnector, match=r"en quarantaine.*nowhere_to_be_found"):
        loaded_from(site).connector("acme")


def test_without_any_connector_the_answer_says_so() -> None:
    with pytest.raises(UnknownConnector, match="Aucun connecteur n’est chargé"):
        load([]).connector("factomos")
