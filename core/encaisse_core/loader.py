"""Find the connectors that are installed, and keep those that would not work apart.

Each distribution is loaded alone, with a plugin manager of its own: pluggy stops at the first
exception and one bad entry point stops its loader, and a connector that is broken must not stop the
nightly run of the others. What is wrong with it becomes one French sentence, which `encaisse
doctor` shows.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from importlib.metadata import entry_points as installed
from types import MappingProxyType
from typing import Any, cast

import pluggy

from encaisse_api import API_VERSION, Connector, hookspecs, wholeness
from encaisse_api.hookspecs import PROJECT

GROUP = "encaisse.connectors"
HOOKS = ("register_connectors", "register_policies", "on_event")

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Name what was not loaded, the distribution it came in, and why."""

    name: str
    distribution: str
    reason_fr: str


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Hold one distribution's ear for events of the journal; its position is kept under `name`."""

    name: str
    distribution: str
    hear: Callable[[Event], None]


class UnknownConnector(KeyError):
    """Say in French that no connector has this slug, and which ones come near."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence

    def __str__(self) -> str:
        # KeyError would show the repr of the sentence.
        return self.sentence


@dataclass(frozen=True, slots=True)
class Loaded:
    """Hold everything that works, and what was set apart."""

    connectors: Mapping[str, type]
    policies: tuple[type, ...] = ()
    subscribers: tuple[Subscriber, ...] = ()
    quarantined: tuple[Quarantined, ...] = ()

    def connector(self, slug: str) -> type:
        """Give the connector of this slug, or raise `UnknownConnector`."""
        if slug in self.connectors:
            return self.connectors[slug]
        for apart in self.quarantined:
            if apart.name == slug:
                raise UnknownConnector(
                    f"Le connecteur « {slug} » est en quarantaine. {apart.reason_fr}"
                )
        raise UnknownConnector(
            f"Aucun connecteur « {slug} » n’est installé. {self._near_matches(slug)}"
        )

    def _near_matches(self, slug: str) -> str:
        known = sorted(self.connectors)
        near = difflib.get_close_matches(slug.lower(), known, n=3, cutoff=0.5)
        if near:
            return f"Vouliez-vous dire {_listed(near)} ?"
        if known:
            return f"Connecteurs installés : {', '.join(known)}."
        return "Aucun connecteur n’est chargé."


class _Refused(Exception):
    """Carry why one distribution is set apart."""


@dataclass(slots=True)
class _Announced:
    """Collect what one entry point announces, before anything of it is taken."""

    entry: EntryPoint
    connectors: dict[str, type] = field(default_factory=dict[str, type])
    policies: list[type] = field(default_factory=list[type])
    subscriber: Subscriber | None = None

    @property
    def distribution(self) -> str:
        """Name the distribution the entry point belongs to."""
        return self.entry.dist.name if self.entry.dist else "distribution inconnue"

    def register_connector(self, connector: object) -> None:
        """Take one class that is whole, or refuse it by name: half a one would fail at night."""
        name = getattr(connector, "__name__", repr(connector))
        if not isinstance(connector, type):
            raise _Refused(f"il enregistre « {name} », qui n’est pas une classe")
        for flaw in wholeness.flaws(connector):
            raise _Refused(flaw.french)
        slug = cast("type[Connector]", connector).manifest.slug
        if slug in self.connectors:
            raise _Refused(f"il enregistre deux connecteurs sous le nom « {slug} »")
        self.connectors[slug] = connector

    def register_policy(self, policy: object) -> None:
        """Take one class of policy."""
        if not isinstance(policy, type):
            raise _Refused(f"il enregistre la règle {policy!r}, qui n’est pas une classe")
        self.policies.append(policy)


def load(entry_points: Iterable[EntryPoint] | None = None) -> Loaded:
    """Load every connector of the entry-point group, each alone, and set the broken ones apart.

    Two distributions that announce one slug are both set apart: a stranger's must not take the
    place of the one a company trusts, in silence, because of its name's order.
    """
    found = installed(group=GROUP) if entry_points is None else entry_points
    good: list[_Announced] = []
    apart: list[Quarantined] = []
    for entry in sorted(set(found), key=lambda e: (e.name, _distribution(e), e.value)):
        try:
            good.append(_announced(entry))
        except _Refused as refused:
            apart.append(_quarantined(entry, str(refused)))
    good, rivals = _without_rivals(good)
    return Loaded(
        connectors=MappingProxyType(
            {slug: connector for one in good for slug, connector in sorted(one.connectors.items())}
        ),
        policies=tuple(policy for one in good for policy in one.policies),
        subscribers=tuple(one.subscriber for one in good if one.subscriber),
        quarantined=tuple(sorted((*apart, *rivals), key=lambda q: (q.name, q.distribution))),
    )


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist else ""


def _quarantined(entry: EntryPoint, why: str) -> Quarantined:
    distribution = _distribution(entry) or "distribution inconnue"
    sentence = f"Le connecteur « {entry.name} » ({distribution}) n’est pas chargé : {why}."
    return Quarantined(entry.name, distribution, sentence)


def _without_rivals(
    announced: list[_Announced],
) -> tuple[list[_Announced], list[Quarantined]]:
    claims: dict[str, list[_Announced]] = {}
    for one in announced:
        for slug in one.connectors:
            claims.setdefault(slug, []).append(one)
    good: list[_Announced] = []
    rivals: list[Quarantined] = []
    for one in announced:
        disputed = [slug for slug in one.connectors if len(claims[slug]) > 1]
        if not disputed:
            good.append(one)
            continue
        others = sorted({o.distribution for o in claims[disputed[0]] if o is not one})
        why = (
            f"« {disputed[0]} » est aussi annoncé par {_listed(others)} ; "
            "désinstallez l’un des deux"
        )
        rivals.append(_quarantined(one.entry, why))
    return good, rivals


def _announced(entry: EntryPoint) -> _Announced:
    """Import one entry point, check what it announces, and let it register."""
    plugin = _imported(entry)
    _check_version(getattr(plugin, "ENCAISSE_API", None))
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    announced = _Announced(entry)
    try:
        hooks = _checked_hooks(manager, plugin)
        manager.register(plugin, name=entry.name)
        manager.check_pending()
        manager.hook.register_connectors(register=announced.register_connector)
        manager.hook.register_policies(register=announced.register_policy)
    except _Refused:
        raise
    except (Exception, SystemExit) as error:
        raise _Refused(f"il échoue en s’enregistrant ({_short(error)})") from error
    if "on_event" in hooks:
        announced.subscriber = _subscriber(announced, manager)
    if not (announced.connectors or announced.policies or announced.subscriber):
        raise _Refused("il n’enregistre rien : il manque `register(…)` dans ses fonctions")
    return announced


def _subscriber(announced: _Announced, manager: pluggy.PluginManager) -> Subscriber:
    def hear(event: Event) -> None:
        manager.hook.on_event(event=event)

    return Subscriber(announced.entry.name, announced.distribution, hear)


def _imported(entry: EntryPoint) -> object:
    try:
        return cast("object", entry.load())
    except ModuleNotFoundError as error:
        raise _Refused(
            f"il a besoin du module « {error.name or error} », qui n’est pas installé"
        ) from error
    except (Exception, SystemExit) as error:
        raise _Refused(
            f"son module « {entry.value} » échoue à l’import ({_short(error)})"
        ) from error


def _check_version(said: object) -> None:
    ours = _parts(API_VERSION)
    theirs = _parts(said)
    if theirs is None or ours is None:
        raise _Refused(
            f"il ne dit pas pour quelle version du contrat il est écrit "
            f'(`ENCAISSE_API = "{API_VERSION}"`)'
        )
    if theirs[0] != ours[0]:
        raise _Refused(
            f"il est écrit pour la version {said} du contrat, incompatible avec la version "
            f"{API_VERSION} installée ; installez la version du connecteur qui convient"
        )
    if theirs[1] > ours[1]:
        raise _Refused(
            f"il est écrit pour la version {said} du contrat, plus récente que la version "
            f"{API_VERSION} installée ; mettez encaisse à jour"
        )


def _parts(version: object) -> tuple[int, int] | None:
    if not isinstance(version, str):  # 0.10 as a number would be read 0.1
        return None
    match = re.fullmatch(r"([0-9]{1,6})\.([0-9]{1,6})(\.[0-9]{1,6})?", version, re.ASCII)
    return (int(match[1]), int(match[2])) if match else None


def _checked_hooks(manager: pluggy.PluginManager, plugin: object) -> set[str]:
    """Name the hooks a plugin has; refuse one that is none of ours or takes other arguments.

    pluggy itself lets a hook through that takes fewer arguments, and never calls a misspelt one.
    """
    hooks: set[str] = set()
    for name in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None:
            continue
        hook = options.get("specname") or name
        if hook not in HOOKS:
            near = difflib.get_close_matches(hook, HOOKS, n=1, cutoff=0.5)
            hint = f", le plus proche est `{near[0]}`" if near else ""
            raise _Refused(f"sa fonction `{hook}` n’est pas un point d’extension connu{hint}")
        wanted = list(inspect.signature(getattr(hookspecs, hook)).parameters)
        taken = list(inspect.signature(getattr(plugin, name)).parameters)
        if taken != wanted:
            raise _Refused(
                f"sa fonction `{hook}({', '.join(taken)})` devrait s’écrire "
                f"`{hook}({', '.join(wanted)})`"
            )
        hooks.add(hook)
    if not hooks:
        unmarked = [name for name in HOOKS if hasattr(plugin, name)]
        hint = f" ; il manque `@hookimpl` devant `{unmarked[0]}`" if unmarked else ""
        raise _Refused(f"il n’annonce rien{hint}")
    return hooks


def _short(error: BaseException) -> str:
    words = " ".join(str(error).split())[:160].rstrip(" .!?…")
    return f"{type(error).__name__} : {words}" if words else type(error).__name__


def _listed(names: list[str]) -> str:
    quoted = [f"« {name} »" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} ou {quoted[-1]}"
