"""Decide which addresses may be called at all."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Iterable, Mapping

import httpx

from encaisse_api import Transient
from encaisse_core.errors import UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str], Iterable[str]]

METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254",  # AWS, Azure, Google, OpenStack
        "fd00:ec2::254",  # AWS over IPv6
        "100.100.100.200",  # Alibaba
        "168.63.129.16",  # Azure's own, in a public range
        "192.0.0.192",  # Oracle
    )
)
"""Where clouds hand a machine its credentials; refused even where private addresses are allowed."""

NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv6 addresses that carry an IPv4 one (RFC 6052), and would hide a private one."""


def refusal(url: httpx.URL, hosts: frozenset[str], bases: Iterable[httpx.URL] = ()) -> str | None:
    """Say in French why this address may not be called; None when it may.

    `bases` are addresses of self-hosted tools, checked already: what stands below one may be
    called, by its own protocol and port.
    """
    if not url.userinfo and any(_below(base, url) for base in bases):
        return None
    if url.scheme != "https":
        return f"l'adresse n'est pas en https ({url.scheme or 'sans protocole'})"
    if url.userinfo:
        return "l'adresse contient un nom d'utilisateur"
    if url.port not in (None, 443):
        return f"le port {url.port} n'est pas celui de https"
    if url.host not in hosts:
        return f"l'hôte « {url.host} » n'est pas déclaré par le connecteur pour cet environnement"
    return None


def _below(base: httpx.URL, url: httpx.URL) -> bool:
    same = (base.scheme, base.host, base.port) == (url.scheme, url.host, url.port)
    folder = base.path.rstrip("/") + "/"
    return same and (url.path + "/").startswith(folder) and ".." not in url.path.split("/")


def check_routes(routes: Mapping[str, str]) -> dict[str, httpx.URL]:
    """Read where vendors' hosts are simulated. Raise `UsageError` for anything but loopback."""
    checked: dict[str, httpx.URL] = {}
    for host, base in routes.items():
        url = httpx.URL(base)
        plain = url.scheme in ("http", "https") and not url.userinfo and not url.query
        if not plain or not _loopback(url.host):
            raise UsageError(
                f"La route du simulateur pour {host} mène à « {url.host} » : seule une adresse de "
                "cette machine (127.0.0.1, ::1, localhost) est permise."
            )
        checked[host.lower()] = url
    return checked


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def resolve_by_system(host: str) -> list[str]:
    """Ask the system for a host's addresses."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)]


def guard_base_url(
    base_url: str,
    *,
    private_hosts: Collection[str] = (),
    resolve: Resolve = resolve_by_system,
) -> httpx.URL:
    """Check the address a person gave for a self-hosted tool, and give it back parsed.

    Every address its name leads to must be public and the scheme `https`; of `private_hosts` a
    person has said that they stand in their own network, and there `http` passes too. Clouds'
    metadata addresses never pass. Names can be re-pointed later, so this is asked again at each
    unit of work. Raises `UsageError`, or `Transient` where a name leads nowhere just now.
    """
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL:
        raise UsageError("L'adresse du logiciel est illisible.") from None
    if url.scheme not in ("https", "http") or not url.host or url.userinfo or url.query:
        raise UsageError(
            "L'adresse du logiciel doit être de la forme https://hote ou https://hote/chemin, "
            "sans mot de passe ni paramètres."
        )
    allow_private = url.host in private_hosts
    if url.scheme == "http" and not allow_private:
        raise UsageError(f"L'adresse de {url.host} doit commencer par https://.")
    try:
        texts = list(resolve(url.host))
    except OSError:
        texts = []
    if not texts:
        raise Transient(
            f"Le nom « {url.host} » ne mène à aucune adresse : rien n'a été envoyé. Vérifiez-le "
            "si cela dure."
        )
    for text in texts:
        address = _inner(ipaddress.ip_address(text.partition("%")[0]))
        if address in METADATA or not _callable(address, allow_private):
            raise UsageError(
                f"L'adresse {address} ({url.host}) est interne ou réservée. Si le logiciel est "
                "bien sur votre réseau, autorisez-le expressément ; les adresses de service des "
                "hébergeurs restent interdites."
            )
    return url


def _callable(address: Address, allow_private: bool) -> bool:
    if address.is_multicast or address.is_unspecified or address.is_link_local:
        return False
    return address.is_global or (allow_private and address.is_private)


def _inner(address: Address) -> Address:
    """Take out the IPv4 address an IPv6 one carries."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour
        if carried is not None:
            return carried
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address
