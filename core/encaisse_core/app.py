"""Put the host together from its folder and its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import platformdirs

from encaisse_core import vault as vaults
from encaisse_core.blobs import Blobs
from encaisse_core.clock import Clock, Ids, SystemClock, SystemIds, VirtualClock
from encaisse_core.errors import StoreError, UsageError
from encaisse_core.host import Connectors, Host
from encaisse_core.http import Door
from encaisse_core.loader import Loaded, load
from encaisse_core.store import Store, open_store

FOLDER = "ENCAISSE_HOME"
DATABASE = "ENCAISSE_DATABASE_URL"
ROUTES = "ENCAISSE_ROUTES"
DOCUMENTS = "documents"
PRIVATE = "ENCAISSE_PRIVATE_HOSTS"
"""Self-hosted tools in the network of who runs us; no other may stand at an inner address."""


@dataclass(frozen=True)
class App:
    """Hold the host and what only the house's own doors need: its vault and its signer."""

    host: Host
    folder: Path
    vault: vaults.Vault
    signer: vaults.Signer
    loaded: Loaded
    door: Door

    def of(self, company_id: str) -> App:
        """Give it as one company's."""
        return replace(self, host=self.host.of(company_id))

    def close(self) -> None:
        """Give back every connection."""
        self.door.close()
        self.host.store.close()


def folder_of(environ: Mapping[str, str]) -> Path:
    """Find the user's data folder: `ENCAISSE_HOME`, else the platform's own place."""
    told = environ.get(FOLDER)
    return Path(told) if told else Path(platformdirs.user_data_dir("encaisse", appauthor=False))


def database_of(environ: Mapping[str, str], folder: Path) -> str:
    """Give the database's address: `ENCAISSE_DATABASE_URL`, else SQLite in the data folder."""
    return environ.get(DATABASE) or f"sqlite:///{folder / 'encaisse.db'}"


def routes_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Read `ENCAISSE_ROUTES` (`host=http://127.0.0.1:port`, comma-separated): tests only."""
    routes: dict[str, str] = {}
    for part in filter(None, environ.get(ROUTES, "").split(",")):
        host, sign, url = part.partition("=")
        if not sign or not host or not url:
            raise UsageError(f"{ROUTES} attend hôte=http://127.0.0.1:port, pas « {part} ».")
        routes[host.strip()] = url.strip()
    return routes


def open_app(
    environ: Mapping[str, str],
    *,
    folder: Path | None = None,
    clock: Clock | None = None,
    ids: Ids | None = None,
    transport: httpx.BaseTransport | None = None,
    routes: Mapping[str, str] | None = None,
    connectors: Connectors | None = None,
    max_wait: timedelta = timedelta(seconds=20),
    store: Store | None = None,
    loaded: Loaded | None = None,
) -> App:
    """Open the data folder, the database, the vault and the door to the partners.

    A `store` that is open already and connectors that are `loaded` already are taken as they are:
    whoever starts the host a thousand times in one process need not learn both a thousand times.
    """
    clock = clock or SystemClock()
    ids = ids or SystemIds(clock)
    folder = folder or folder_of(environ)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        from encaisse_einvoicing.complaints import of_the_system

        raise StoreError(
            f"Le dossier de données {folder} ne peut pas être créé : {of_the_system(error)}. "
            f"Choisissez-en un autre avec {FOLDER}."
        ) from error
    store = store or open_store(database_of(environ, folder))
    if isinstance(clock, VirtualClock):
        store.set_virtual_now(clock.now())
        clock.on_advance.append(store.set_virtual_now)
    vault = vaults.load_vault(folder, ids, environ)
    with store.begin() as tx:
        signer = vaults.signer(tx, vault, ids)
    loaded = loaded or load()
    door = Door(
        store=store,
        vault=vault,
        clock=clock,
        ids=ids,
        routes=dict(routes if routes is not None else routes_of(environ)),
        transport=transport,
        max_wait=max_wait,
        private_hosts=[h.strip() for h in environ.get(PRIVATE, "").split(",") if h.strip()],
    )
    host = Host(
        store=store,
        clock=clock,
        ids=ids,
        connectors=connectors or loaded,
        door=door,
        blobs=Blobs(folder / DOCUMENTS),
    )
    return App(host=host, folder=folder, vault=vault, signer=signer, loaded=loaded, door=door)
