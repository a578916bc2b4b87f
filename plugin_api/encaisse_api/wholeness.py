"""Tell whether a connector's class is what it says it is, without running any of it.

The exam asks this of an author, the host of every connector it loads: half a role would be called
in the middle of a night. Each flaw is told in English to the author and in French to the person who
installed the connector.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from encaisse_api.manifest import Manifest
from encaisse_api.names import BLIND
from encaisse_api.roles import ROLES, ReceivesWebhooks, roles_of, writes_of

SENTENCES: Mapping[str, tuple[str, str]] = {
    "no_manifest": (
        "{name} has no manifest (`manifest: ClassVar[Manifest]`)",
        "sa classe « {name} » n’a pas de manifeste (`manifest: Manifest`)",
    ),
    "manifest": (
        "the manifest of {name} is refused by its own constructor: {why}",
        "le manifeste de « {name} » se contredit ({why})",
    ),
    "no_role": (
        "{name} has no role: its methods must bear the names of `encaisse_api.roles`",
        "sa classe « {name} » ne sait rien faire : aucune méthode ne porte le nom d’un rôle",
    ),
    "half_role": (
        "{has} without {missing}: {role} needs all of them",
        "il a {has} sans {missing} : le rôle {role} les demande ensemble",
    ),
    "no_method": (
        "{name} must be a method",
        "« {name} » devrait être une méthode",
    ),
    "signature": (
        "{found} should be {wanted}",
        "sa méthode `{found}` devrait s’écrire `{wanted}`",
    ),
    "context": (
        "{name}.__init__ must take one argument, the context",
        "sa classe « {name} » ne se construit pas avec un contexte (`__init__(self, context)`)",
    ),
    "unprotected": (
        "no guarantee is declared for {names}",
        "son manifeste ne dit pas ce qui protège l’écriture {names}",
    ),
    "write_lacking": (
        "the manifest declares {names}, which the class lacks",
        "son manifeste déclare l’écriture {names}, que sa classe n’a pas",
    ),
    "guarantee": (
        f"{{name}}: the guarantee `none` is for {BLIND} and for nothing else",
        f"la garantie `none` n’est permise que pour {BLIND}, et rien d’autre : {{name}}",
    ),
    "streams": (
        "streams declared: {declared}; pulled: {pulled}",
        "son manifeste déclare les flux {declared}, sa classe lit {pulled}",
    ),
    "unsigned": (
        "webhooks are received, and the manifest says neither how they are signed (`webhook`) nor "
        "that they are not (`unsigned=True`)",
        "il reçoit des notifications sans dire comment elles sont signées (`webhook`), ni qu’elles "
        "ne le sont pas (`unsigned=True`)",
    ),
    "no_webhooks": (
        "the manifest speaks of webhooks, and the class receives none",
        "son manifeste parle de notifications, que sa classe ne reçoit pas",
    ),
}
"""What can be wrong, in English and in French."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """Hold one thing that is wrong with a class."""

    kind: str
    said: Mapping[str, str]

    @property
    def english(self) -> str:
        """Tell it to the author."""
        return SENTENCES[self.kind][0].format_map(self.said)

    @property
    def french(self) -> str:
        """Tell it to who installed the connector, without a full stop."""
        return SENTENCES[self.kind][1].format_map(self.said)


def flaws(connector: type) -> Iterator[Flaw]:
    """List what is wrong with a connector's class, the gravest first."""
    manifest = getattr(connector, "manifest", None)
    if not isinstance(manifest, Manifest):
        yield Flaw("no_manifest", {"name": connector.__name__})
        return
    yield from manifest_flaws(connector, manifest)
    yield from role_flaws(connector)
    yield from signature_flaws(connector)
    yield from write_flaws(connector, manifest)
    yield from stream_flaws(connector, manifest)
    yield from webhook_flaws(connector, manifest)


def manifest_flaws(connector: type, manifest: Manifest) -> Iterator[Flaw]:
    """Validate the manifest again: `model_copy` checks nothing."""
    try:
        Manifest.model_validate(manifest.model_dump(warnings=False))
    except ValidationError as error:
        why = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
        yield Flaw("manifest", {"name": connector.__name__, "why": why})


def role_flaws(connector: type) -> Iterator[Flaw]:
    """Refuse half a role: a write without its look-up is no write the host may call."""
    for role in ROLES:
        wanted = methods_of(role)
        missing = [name for name in wanted if not hasattr(connector, name)]
        if missing and len(missing) < len(wanted):
            has = [name for name in wanted if name not in missing]
            said = {"has": listed(has), "missing": listed(missing), "role": role.__name__}
            yield Flaw("half_role", said)
    if not any(hasattr(connector, name) for role in ROLES for name in methods_of(role)):
        yield Flaw("no_role", {"name": connector.__name__})


def signature_flaws(connector: type) -> Iterator[Flaw]:
    """Refuse a method whose parameters are not those of its role, and a class without a context."""
    for role in ROLES:
        if role.__name__ not in roles_of(connector):
            continue
        for name in methods_of(role):
            method = inspect.getattr_static(connector, name)
            if not inspect.isfunction(method):
                yield Flaw("no_method", {"name": name})
                continue
            wanted, found = _parameters(getattr(role, name)), _parameters(method)
            if wanted != found:
                spelt = {"found": f"{name}({found})", "wanted": f"{name}({wanted})"}
                yield Flaw("signature", spelt)
    try:
        inspect.signature(connector).bind(object())
    except (TypeError, ValueError):
        yield Flaw("context", {"name": connector.__name__})


def write_flaws(connector: type, manifest: Manifest) -> Iterator[Flaw]:
    """Require a guarantee for each write the class can do, and none for others."""
    able, declared = set(writes_of(connector)), set(manifest.writes)
    if able - declared:
        yield Flaw("unprotected", {"names": listed(able - declared)})
    if declared - able:
        yield Flaw("write_lacking", {"names": listed(declared - able)})
    for name, write in manifest.writes.items():
        if (write.guarantee == "none") != (name == BLIND):
            yield Flaw("guarantee", {"name": name})


def stream_flaws(connector: type, manifest: Manifest) -> Iterator[Flaw]:
    """Require a mode for each stream the class pulls, and for no other."""
    pulled = {
        name.removeprefix("pull_")
        for role in ROLES
        if role.__name__ in roles_of(connector)
        for name in methods_of(role)
        if name.startswith("pull_")
    }
    if pulled != set(manifest.streams):
        said = {"declared": listed(manifest.streams), "pulled": listed(pulled)}
        yield Flaw("streams", said)


def webhook_flaws(connector: type, manifest: Manifest) -> Iterator[Flaw]:
    """Require a word on signatures from who receives webhooks, and from nobody else."""
    receives = issubclass(connector, ReceivesWebhooks)
    speaks = manifest.webhook is not None or manifest.unsigned
    if receives and not speaks:
        yield Flaw("unsigned", {})
    if speaks and not receives:
        yield Flaw("no_webhooks", {})


def methods_of(role: type) -> list[str]:
    """Name the methods of a role."""
    return [name for name in vars(role) if not name.startswith("_")]


def listed(names: Iterable[str]) -> str:
    """Spell names in a sentence; a dash where there is none."""
    return ", ".join(f"`{name}`" for name in sorted(names)) or "—"


def _parameters(method: Callable[..., object]) -> str:
    found = inspect.signature(method).parameters.values()
    return ", ".join(
        str(each.replace(annotation=each.empty, default=each.empty))
        for each in found
        if each.name != "self"
    )
