"""Keep secrets: each value under its own key, each key under the house's key.

AES-256-GCM envelopes: a data key encrypts one value and is itself encrypted ("wrapped") by the
key-encryption key (KEK). Both are bound to their place (owner, connector, row, field) as associated
data, so a row copied to another grant does not decrypt. Changing the KEK re-wraps the data keys
and leaves the values alone; meanwhile the old KEK and the new one both open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Connection, Row, select

from encaisse_core.clock import Ids
from encaisse_core.errors import StoreError, UsageError
from encaisse_core.store import schema
from encaisse_core.store.upsert import bulk_upsert

KEY_BYTES = 32
NONCE_BYTES = 12
"""GCM's own nonce size (NIST SP 800-38D §8.2.2 for random ones). Each data key encrypts once."""

KEK_FILE = "kek"


@dataclass(frozen=True, slots=True)
class Place:
    """Name where a secret belongs; it decrypts nowhere else."""

    owner: str  # organisation or company
    connector: str
    row: str  # the grant, or another row's id
    field: str

    def bound(self, *more: str) -> bytes:
        """Give the associated data; JSON, so that no two places write alike."""
        parts = ["encaisse/1", self.owner, self.connector, self.row, self.field, *more]
        return json.dumps(parts).encode()


@dataclass(frozen=True, slots=True)
class Sealed:
    """Hold an envelope as the store keeps it. `wrapped_key` starts with its own nonce."""

    kek_id: str
    wrapped_key: bytes
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True)
class Kek:
    """Hold a key-encryption key; its id is derived from it and tells nothing of it."""

    key: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """Give the id kept beside every key this one wrapped."""
        return "kek_" + hashlib.sha256(b"encaisse/kek-id" + self.key).hexdigest()[:16]


class Vault:
    """Seal and open secrets under the current KEK, and open those under earlier ones."""

    def __init__(self, current: Kek, ids: Ids, *, previous: Sequence[Kek] = ()) -> None:
        self._current = current
        self._keks = {kek.id: kek for kek in (*previous, current)}
        self._ids = ids

    @property
    def kek_id(self) -> str:
        """Name the KEK new envelopes use."""
        return self._current.id

    def knows(self, kek_id: str) -> bool:
        """Tell whether what this KEK wrapped can be opened here."""
        return kek_id in self._keks

    def seal(self, plaintext: bytes, place: Place) -> Sealed:
        """Encrypt one value under a new data key, for this place only."""
        data_key, nonce = self._ids.nonce(KEY_BYTES), self._ids.nonce(NONCE_BYTES)
        ciphertext = AESGCM(data_key).encrypt(nonce, plaintext, place.bound())
        return Sealed(self.kek_id, self._wrap(data_key, place), nonce, ciphertext)

    def open(self, sealed: Sealed, place: Place) -> bytes:
        """Decrypt one value. Raise `StoreError` when it was changed, moved, or its KEK is lost."""
        try:
            data_key = self._unwrap(sealed, place)
            return AESGCM(data_key).decrypt(sealed.nonce, sealed.ciphertext, place.bound())
        except (InvalidTag, ValueError):
            raise StoreError(
                f"Le secret « {place.field} » ({place.connector}, {place.row}) ne se déchiffre "
                "pas : il a été modifié, ou déplacé depuis un autre accès. Reconnectez cet accès."
            ) from None

    def _wrap(self, data_key: bytes, place: Place) -> bytes:
        nonce = self._ids.nonce(NONCE_BYTES)
        wrapped = AESGCM(self._current.key).encrypt(nonce, data_key, place.bound(self.kek_id))
        return nonce + wrapped

    def _unwrap(self, sealed: Sealed, place: Place) -> bytes:
        kek = self._keks.get(sealed.kek_id)
        if kek is None:
            raise StoreError(
                f"La clé {sealed.kek_id} qui protège le secret « {place.field} » "
                f"({place.connector}) est absente. Remettez-la dans ENCAISSE_KEK_PREVIOUS ou dans "
                f"le fichier « {KEK_FILE} » du dossier de données, ou reconnectez l'accès."
            )
        nonce, wrapped = sealed.wrapped_key[:NONCE_BYTES], sealed.wrapped_key[NONCE_BYTES:]
        return AESGCM(kek.key).decrypt(nonce, wrapped, place.bound(kek.id))


# --- where KEKs come from ------------------------------------------------------------------------


def load_vault(folder: Path, ids: Ids, environ: Mapping[str, str]) -> Vault:
    """Open the vault with the KEK of `ENCAISSE_KEK`, or of the file `kek` in the data folder.

    The variable holds 32 bytes in base64; `ENCAISSE_KEK_PREVIOUS` may hold earlier ones, separated
    by commas. The file holds one key a line, the current one first; it is made on first use and
    only its owner may read it. Raises `UsageError` for a key of another shape and `StoreError` for
    a file others can read.
    """
    named = environ.get("ENCAISSE_KEK", "").strip()
    if named:
        earlier = [part for part in environ.get("ENCAISSE_KEK_PREVIOUS", "").split(",") if part]
        return Vault(
            _kek(named, "ENCAISSE_KEK"),
            ids,
            previous=[_kek(part, "ENCAISSE_KEK_PREVIOUS") for part in earlier],
        )
    path = folder / KEK_FILE
    if not path.exists():
        _write_first(path, [Kek(ids.nonce(KEY_BYTES))])
    current, *previous = _read(path)
    return Vault(current, ids, previous=previous)


def _kek(text: str, source: str) -> Kek:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError(
            f"{source} doit contenir {KEY_BYTES} octets en base64 (44 caractères). "
            "La valeur lue n'a pas cette forme ; rien n'a été déchiffré."
        )
    return Kek(key)


def _read(path: Path) -> list[Kek]:
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise StoreError(
            f"Le fichier de clés {path} est lisible par d'autres que vous. Limitez ses droits "
            f"(chmod 600 {path}), puis relancez."
        )
    lines = [line for line in path.read_text(encoding="ascii", errors="replace").split() if line]
    if not lines:
        raise StoreError(
            f"Le fichier de clés {path} est vide : restaurez-le d'une sauvegarde. Sans lui, les "
            "accès enregistrés ne se déchiffrent pas et devront être reconnectés."
        )
    return [_kek(line, str(path)) for line in lines]


def _write_first(path: Path, keks: Sequence[Kek]) -> None:
    """Make the file whole or not at all; of two processes, the first one's key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = _write_beside(path, keks)
    try:
        os.link(written, path)  # unlike a rename, fails where the file exists by now
    except FileExistsError:
        pass
    finally:
        written.unlink()


def _write_beside(path: Path, keks: Sequence[Kek]) -> Path:
    beside = path.with_name(f".{path.name}-{keks[0].id}")
    handle = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.writelines(base64.b64encode(kek.key).decode() + "\n" for kek in keks)
        file.flush()
        os.fsync(file.fileno())
    return beside


# --- what the store keeps ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Signer:
    """Sign the journal's heads with Ed25519 (RFC 8032): same bytes, same signature."""

    public_key: str
    _key: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> str:
        """Give the signature in hexadecimal."""
        return self._key.sign(message).hex()


def signer(connection: Connection, vault: Vault, ids: Ids) -> Signer:
    """Give the journal's signing key, made on first use and kept under the vault."""
    k = schema.signing_key
    newest = select(k).order_by(k.c.id.desc()).limit(1)
    row = connection.execute(newest).first()
    if row is None:
        seed = ids.nonce(KEY_BYTES)
        sealed = vault.seal(seed, _signing_place(1))
        made = {
            "id": 1,
            "kek_id": sealed.kek_id,
            "wrapped_key": sealed.wrapped_key,
            "nonce": sealed.nonce,
            "ciphertext": sealed.ciphertext,
            "public_key": _public(Ed25519PrivateKey.from_private_bytes(seed)),
        }
        bulk_upsert(connection, k, [made], key=["id"], keep=list(made))  # another may be first
        row = connection.execute(newest).one()
    key = Ed25519PrivateKey.from_private_bytes(vault.open(_sealed(row), _signing_place(row.id)))
    if _public(key) != row.public_key:
        raise StoreError(
            "La clé de signature du journal ne correspond pas à sa clé publique : la base a été "
            "modifiée. Restaurez une sauvegarde."
        )
    return Signer(row.public_key, key)


def _signing_place(row: int) -> Place:
    return Place("host", "journal", str(row), "signing_key")


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _sealed(row: Row[tuple[object, ...]]) -> Sealed:
    return Sealed(row.kek_id, row.wrapped_key, row.nonce, row.ciphertext)
