"""The vault: a secret opens in its own place, under keys the house holds, and nowhere else."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from encaisse_core.clock import SeededIds, SystemClock, SystemIds, VirtualClock
from encaisse_core.errors import StoreError, UsageError
from encaisse_core.store import Store, open_store, schema
from encaisse_core.vault import (
    Kek,
    Place,
    Sealed,
    Vault,
    load_vault,
    signer,
)

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
IDS = SeededIds(1, VirtualClock(AT))
PLACE = Place("org_1", "gcollect", "grt_1", "client_secret")
SECRET = b"s3cr3t-de-test-0123456789"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    made = open_store(database_url)
    with made.begin() as connection:
        connection.execute(
            schema.organisation.insert().values(
                id="org_1", name="Exemple", kind="company", created_at="2026"
            )
        )
    yield made
    made.close()


def _vault(*, key: int = 1, previous: tuple[int, ...] = ()) -> Vault:
    return Vault(Kek(bytes([key]) * 32), IDS, previous=[Kek(bytes([k]) * 32) for k in previous])


def _with(sealed: Sealed, name: str, value: bytes) -> Sealed:
    parts = {"wrapped_key": sealed.wrapped_key, "nonce": sealed.nonce}
    return Sealed(sealed.kek_id, **{"ciphertext": sealed.ciphertext, **parts, name: value})


def test_what_was_sealed_opens_again() -> None:
    vault = _vault()
    sealed = vault.seal(SECRET, PLACE)
    assert vault.open(sealed, PLACE) == SECRET
    assert SECRET not in sealed.ciphertext + sealed.wrapped_key


def test_two_seals_of_one_value_have_nothing_in_common() -> None:
    first, second = _vault().seal(SECRET, PLACE), _vault().seal(SECRET, PLACE)
    assert first.nonce != second.nonce
    assert first.ciphertext != second.ciphertext
    assert first.wrapped_key != second.wrapped_key


@pytest.mark.parametrize("part", ["owner", "connector", "row", "field"])
def test_a_secret_moved_elsewhere_does_not_decrypt(part: str) -> None:
    vault = _vault()
    sealed = vault.seal(SECRET, PLACE)
    elsewhere = replace(PLACE, **{part: "autre"})
    with pytest.raises(StoreError, match=r"ne se déchiffre pas.*Reconnectez"):
        vault.open(sealed, elsewhere)


def test_places_that_read_alike_are_not_alike() -> None:
    vault = _vault()
    sealed = vault.seal(SECRET, Place("a|b", "c", "d", "e"))
    with pytest.raises(StoreError):
        vault.open(sealed, Place("a", "b|c", "d", "e"))


def test_every_altered_byte_of_an_envelope_is_refused() -> None:
    vault = _vault()
    sealed = vault.seal(SECRET, PLACE)
    for name in ("wrapped_key", "nonce", "ciphertext"):
        value: bytes = getattr(sealed, name)
        for position in range(len(value)):
            changed = bytearray(value)
            changed[position] ^= 1
            with pytest.raises(StoreError):
                vault.open(_with(sealed, name, bytes(changed)), PLACE)
        with pytest.raises(StoreError):
            vault.open(_with(sealed, name, b""), PLACE)


def test_what_an_earlier_key_sealed_opens_as_long_as_that_key_is_given() -> None:
    old = _vault(key=1).seal(SECRET, PLACE)
    both = _vault(key=2, previous=(1,))
    assert both.open(old, PLACE) == SECRET
    assert both.seal(SECRET, PLACE).kek_id == both.kek_id != old.kek_id
    with pytest.raises(StoreError, match=f"{old.kek_id}.*absente"):
        _vault(key=2).open(old, PLACE)


def test_the_key_comes_from_the_environment(tmp_path: Path) -> None:
    one, two = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    sealed = load_vault(tmp_path, IDS, {"ENCAISSE_KEK": one}).seal(SECRET, PLACE)
    rotating = load_vault(
        tmp_path, IDS, {"ENCAISSE_KEK": two, "ENCAISSE_KEK_PREVIOUS": f" {one} ,"}
    )
    assert rotating.open(sealed, PLACE) == SECRET
    assert not (tmp_path / "kek").exists()


@pytest.mark.parametrize("text", ["court", "!" * 44, base64.b64encode(bytes(31)).decode()])
def test_a_key_of_another_shape_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_vault(tmp_path, IDS, {"ENCAISSE_KEK": text})
    assert text not in refused.value.message
    assert "ENCAISSE_KEK" in refused.value.message


def test_the_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    ids = SystemIds(SystemClock())
    folder = tmp_path / "data"
    sealed = load_vault(folder, ids, {}).seal(SECRET, PLACE)
    assert (folder / "kek").stat().st_mode & 0o777 == 0o600
    assert load_vault(folder, ids, {}).open(sealed, PLACE) == SECRET
    assert sorted(path.name for path in folder.iterdir()) == ["kek"]
    assert (folder / "kek").stat().st_mode & 0o777 == 0o600


def test_of_two_first_uses_one_key_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = SystemIds(SystemClock())
    first = load_vault(tmp_path, ids, {})
    answers = iter([False])  # the second process looked before the first had written
    monkeypatch.setattr(Path, "exists", lambda self: next(answers))
    assert load_vault(tmp_path, ids, {}).kek_id == first.kek_id


def test_a_key_file_others_can_read_is_refused(tmp_path: Path) -> None:
    load_vault(tmp_path, IDS, {})
    (tmp_path / "kek").chmod(0o644)
    with pytest.raises(StoreError, match="chmod 600"):
        load_vault(tmp_path, IDS, {})


def test_an_emptied_key_file_is_not_replaced_in_silence(tmp_path: Path) -> None:
    (tmp_path / "kek").touch(mode=0o600)
    with pytest.raises(StoreError, match="sauvegarde"):
        load_vault(tmp_path, IDS, {})


def test_the_signing_key_is_made_once_and_guarded(store: Store) -> None:
    with store.begin() as connection:
        first = signer(connection, _vault(), IDS)
        again = signer(connection, _vault(), IDS)
        assert first.public_key == again.public_key
        assert first.sign(b"bytes") == again.sign(b"bytes")
        row = connection.execute(select(schema.signing_key)).one()
        assert first.public_key == row.public_key
        connection.execute(update(schema.signing_key).values(public_key="0" * 64))
        with pytest.raises(StoreError, match="clé publique"):
            signer(connection, _vault(), IDS)


def test_keys_are_not_written_in_tracebacks() -> None:
    kek = Kek(b"K" * 32)
    vault = Vault(kek, IDS)
    try:
        vault.open(vault.seal(SECRET, PLACE), replace(PLACE, field="autre"))
    except StoreError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert "KKKK" not in shown + repr(kek) + repr(vault)
    assert SECRET.decode() not in shown
