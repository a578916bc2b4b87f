"""The journal: any change to the past is found by whoever kept a head of it."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select, update
from tests.conftest import as_owner

from encaisse_core import journal
from encaisse_core.clock import SeededIds, VirtualClock
from encaisse_core.errors import CheckFailed, StoreError
from encaisse_core.journal.form import FIRST, canonical, event_hash
from encaisse_core.store import Store, open_store, schema
from encaisse_core.vault import Kek, Signer, Vault, signer

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
COMPANY = "cmp_01"
IDS = SeededIds(7, VirtualClock(AT))


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    made = open_store(as_owner(database_url))  # it alters what stands
    with made.begin() as connection:
        for id_, siren in ((COMPANY, "123456782"), ("cmp_02", "987654324")):
            connection.execute(
                schema.company.insert().values(
                    id=id_, siren=siren, name="Exemple", environment="test", created_at="2026"
                )
            )
    yield made
    made.close()


def _signer(connection: Connection) -> Signer:
    return signer(connection, Vault(Kek(bytes(range(32))), IDS), IDS)


def _happen(connection: Connection, count: int = 1, company: str = COMPANY) -> int:
    last = 0
    for number in range(count):
        last = journal.append(
            connection,
            company,
            AT + timedelta(minutes=number),
            "payment_seen",
            f"pay_{number}",
            {"amount": {"amount": "1234.56", "currency": "EUR"}, "note": "réglé « à la main »"},
        )
    return last


def _seal(connection: Connection, company: str = COMPANY) -> journal.Head:
    head = journal.seal(connection, company, AT + timedelta(hours=5), _signer(connection))
    assert head is not None
    return head


def _exported(store: Store, company: str = COMPANY) -> list[str]:
    with store.begin() as connection:
        return list(journal.export(connection, company))


@given(st.text(), st.text(), st.integers(1, 2**53 - 1))
def test_what_a_hash_covers_is_in_the_one_form(text: str, other: str, sequence: int) -> None:
    said = {"at": text, "company": other, "kind": text, "sequence": sequence, "subject": other}
    covered = f"{FIRST}\n{canonical(said)}\n{{}}".encode()
    found = event_hash(
        FIRST,
        company_id=other,
        sequence=sequence,
        at=text,
        kind=text,
        subject=other,
        body="{}",
    )
    assert found == hashlib.sha256(covered).hexdigest()


def test_a_sealed_journal_is_verified(store: Store) -> None:
    with store.begin() as connection:
        assert _happen(connection, 3) == 3
        first = _seal(connection)
        _happen(connection, 2)
        second = _seal(connection)
    verdict = journal.verify(_exported(store), anchor=first.hash)
    assert verdict.ok
    assert (verdict.events, verdict.sealed, verdict.head) == (5, 5, second.hash)
    assert verdict.keys == (first.public_key,)
    assert "événement 3" in verdict.sentence_fr


def test_each_company_has_its_own_chain(store: Store) -> None:
    with store.begin() as connection:
        assert _happen(connection, 2) == 2
        assert _happen(connection, 1, "cmp_02") == 1
        _seal(connection)
        _seal(connection, "cmp_02")
    ours, theirs = _exported(store), _exported(store, "cmp_02")
    assert journal.verify(ours).ok
    assert journal.verify(theirs).ok
    moved = [theirs[0], *ours[1:]]
    assert journal.verify(moved).broken_at == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_every_byte_of_an_export_counts(store: Store, tmp_path: Path) -> None:
    with store.begin() as connection:
        _happen(connection, 2)
        _seal(connection)
        journal.append(connection, COMPANY, AT, "dispute_opened", "clm_1", {"lines": [1, None]})
        anchor = _seal(connection).hash
    whole = ("\n".join(_exported(store)) + "\n").encode()
    path = tmp_path / "journal.jsonl"

    def verdict_of(content: bytes) -> journal.Verdict:
        path.write_bytes(content)
        return journal.verify(journal.read_export(path), anchor)

    assert verdict_of(whole).ok
    seed = 20261123
    random = Random(seed)
    for position in range(len(whole)):
        other = random.choice([byte for byte in range(256) if byte != whole[position]])
        changes = {
            "altered": whole[:position] + bytes([other]) + whole[position + 1 :],
            "case flipped": whole[:position]
            + bytes([whole[position] ^ 0x20])
            + whole[position + 1 :],
            "removed": whole[:position] + whole[position + 1 :],
            "added": whole[:position] + bytes([other]) + whole[position:],
            "a space added": whole[:position] + b" " + whole[position:],
            "cut": whole[:position],
        }
        if position == len(whole) - 1:  # the last line feed ends nothing that is not whole
            del changes["removed"], changes["cut"]
        # every byte is altered; the other changes take turns, which is a third of the time
        others = [what for what in changes if what != "altered"]
        for what in ("altered", others[position % len(others)]):
            content = changes[what]
            assert not verdict_of(content).ok, f"{what} at byte {position}, seed {seed}"


def test_lines_removed_repeated_or_reordered_are_found(store: Store) -> None:
    with store.begin() as connection:
        _happen(connection, 2)
        _seal(connection)
        _happen(connection, 2)
        _seal(connection)
        _happen(connection, 1)
        anchor = _seal(connection).hash
    lines = _exported(store)
    assert len(lines) == 9
    for i, j in itertools.combinations(range(len(lines)), 2):
        swapped = list(lines)
        swapped[i], swapped[j] = lines[j], lines[i]
        assert not journal.verify(swapped).ok, (i, j)
    for i in range(len(lines)):
        assert not journal.verify([*lines[:i], lines[i], *lines[i:]]).ok, i
        if i < len(lines) - 1:
            assert not journal.verify([*lines[:i], *lines[i + 1 :]]).ok, i
    without_last_head = journal.verify(lines[:-1])
    assert without_last_head.ok  # nothing in this copy can show it …
    assert "pas encore scellés" in without_last_head.sentence_fr  # … and the sentence says so
    assert "retiré après la dernière tête" in without_last_head.sentence_fr
    assert not journal.verify(lines[:-1], anchor).ok  # whoever kept that head sees it
    older = [*lines[:5], *lines[6:8]]
    assert journal.verify(older).ok
    assert not journal.verify(older, anchor).ok  # truncated before the anchor: found


def test_events_cut_off_under_a_signed_head_are_missed(store: Store) -> None:
    with store.begin() as connection:
        _happen(connection, 4)
        _seal(connection)
    lines = _exported(store)
    verdict = journal.verify([*lines[:4], lines[5]])
    assert not verdict.ok
    assert verdict.broken_at == 5
    assert "événement 4, qui manque" in verdict.sentence_fr


def test_nothing_checked_is_never_valid(store: Store) -> None:
    assert not journal.verify([]).ok
    assert "vide" in journal.verify([]).sentence_fr
    with store.begin() as connection:
        _happen(connection, 2)
    headless = journal.verify(_exported(store))
    assert not headless.ok
    assert headless.events == 2
    assert "aucune tête signée" in headless.sentence_fr
    assert not journal.verify(_exported(store)[:1]).ok
    assert not journal.verify(["{}"]).ok
    assert not journal.verify(["[" * 100_000]).ok


def test_a_journal_written_anew_with_another_key_fails_the_anchor(store: Store) -> None:
    with store.begin() as connection:
        _happen(connection, 3)
        anchor = _seal(connection).hash
        connection.execute(schema.event.delete())
        connection.execute(schema.journal_head.delete())
        connection.execute(schema.signing_key.delete())
        journal.append(connection, COMPANY, AT, "payment_seen", "pay_0", {"amount": "1.00"})
        _seal(connection)
    forged = _exported(store)
    assert journal.verify(forged).ok
    assert "tête imprimée" in journal.verify(forged).sentence_fr
    assert not journal.verify(forged, anchor).ok
    assert not journal.verify(forged, "0" * 64).ok


TAMPERINGS: list[dict[str, object]] = [
    {"body": '{"amount":{"amount":"9234.56","currency":"EUR"},"note":""}'},
    {"body": '{ "amount": 1}'},
    {"body": "not json\nat all"},
    {"at": "2026-11-22T21:00:00.000000Z"},
    {"kind": "payment_lost"},
    {"subject": "pay_9"},
    {"hash": "f" * 64},
    {"previous": "f" * 64},
]


@pytest.mark.parametrize("change", TAMPERINGS, ids=lambda change: next(iter(change)))
def test_a_row_changed_in_the_store_is_found_and_not_sealed(
    store: Store, change: dict[str, object]
) -> None:
    with store.begin() as connection:
        _happen(connection, 2)
        _seal(connection)
        _happen(connection, 2)
    e = schema.event
    for sequence in (2, 3):
        with store.begin() as connection:
            row = connection.execute(select(e).where(e.c.sequence == sequence)).mappings().one()
            connection.execute(update(e).where(e.c.sequence == sequence).values(**change))
        assert not journal.verify(_exported(store)).ok
        with pytest.raises(CheckFailed), store.begin() as connection:
            _seal(connection)
        with store.begin() as connection:
            connection.execute(update(e).where(e.c.sequence == sequence).values(**dict(row)))
    with store.begin() as connection:
        _seal(connection)
    assert journal.verify(_exported(store)).ok


def test_a_sealed_event_that_is_gone_stops_the_next_seal(store: Store) -> None:
    with store.begin() as connection:
        _happen(connection, 2)
        _seal(connection)
        connection.execute(schema.event.delete().where(schema.event.c.sequence == 2))
    with pytest.raises(CheckFailed), store.begin() as connection:
        _seal(connection)


def test_a_head_is_signed_once(store: Store) -> None:
    with store.begin() as connection:
        assert journal.seal(connection, COMPANY, AT, _signer(connection)) is None
        _happen(connection, 2)
        first = _seal(connection)
        again = journal.seal(connection, COMPANY, AT + timedelta(days=9), _signer(connection))
        assert again == first
        count = select(func.count()).select_from(schema.journal_head)
        assert connection.execute(count).scalar_one() == 1


def test_the_same_events_give_the_same_bytes(tmp_path: Path, store: Store) -> None:
    second = open_store(f"sqlite:///{tmp_path / 'second.sqlite'}")
    with second.begin() as connection, store.begin() as first:
        connection.execute(
            schema.company.insert(),
            [dict(row) for row in first.execute(select(schema.company)).mappings()],
        )
    for each in (store, second):
        ids = SeededIds(3, VirtualClock(AT))
        with each.begin() as connection:
            _happen(connection, 3)
            key = signer(connection, Vault(Kek(bytes(32)), ids), ids)
            journal.seal(connection, COMPANY, AT, key)
    assert _exported(store) == _exported(second)


@pytest.mark.parametrize(
    "body",
    [
        {"amount": 12.5},
        {"amount": Decimal("12.50")},
        {"deep": [{"amount": float("nan")}]},
        {"big": 2**53},
        {"when": AT},
        {1: "key"},
        {"half": "\ud800"},
        {"bytes": b"x"},
    ],
    ids=str,
)
def test_an_event_takes_no_float_and_nothing_without_one_form(
    store: Store, body: dict[str, journal.JSON]
) -> None:
    with store.begin() as connection:
        with pytest.raises(ValueError):
            journal.append(connection, COMPANY, AT, "kind", "subject", body)
        assert _happen(connection) == 1


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(ValueError), store.begin() as connection:
        journal.append(connection, COMPANY, AT.replace(tzinfo=None), "kind", "subject", {})


def test_an_unknown_company_is_said_so(store: Store) -> None:
    with store.begin() as connection:
        for act in (
            lambda: journal.append(connection, "cmp_99", AT, "kind", "subject", {}),
            lambda: list(journal.export(connection, "cmp_99")),
        ):
            with pytest.raises(StoreError, match="cmp_99"):
                act()


def test_many_events_are_appended_in_order_at_once(store: Store) -> None:
    with store.begin() as connection:
        entries = [journal.Entry(AT, "kind", f"s{n}", {"n": n}) for n in range(2500)]
        assert journal.append_all(connection, COMPANY, entries) == 2500
        assert journal.append_all(connection, COMPANY, []) == 2500
        _seal(connection)
    assert journal.verify(_exported(store)).events == 2500


def test_concurrent_writers_make_one_chain(store: Store) -> None:
    def write(number: int) -> None:
        for _ in range(10):
            with store.begin() as connection:
                journal.append(connection, COMPANY, AT, "kind", f"writer {number}", {})
                _seal(connection)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    verdict = journal.verify(_exported(store))
    assert verdict.ok
    assert (verdict.events, verdict.sealed) == (40, 40)


def test_an_erased_personal_value_leaves_the_chain_whole(store: Store) -> None:
    name = "Débiteuse Exemple SARL"
    with store.begin() as connection:
        digest = journal.seal_personal(connection, COMPANY, name, IDS.nonce(32))
        other = journal.seal_personal(connection, COMPANY, name, IDS.nonce(32))
        assert digest != other  # the same name in two events links nobody
        journal.append(connection, COMPANY, AT, "claim_opened", "clm_1", {"debtor": digest})
        anchor = _seal(connection).hash
        assert journal.read_personal(connection, COMPANY, digest) == name
        assert journal.erase_personal(connection, COMPANY, digest, AT)
        assert not journal.erase_personal(connection, COMPANY, digest, AT)
        assert journal.read_personal(connection, COMPANY, digest) is None
        assert journal.read_personal(connection, COMPANY, other) == name
        row = connection.execute(
            select(schema.personal_value).where(schema.personal_value.c.digest == digest)
        ).one()
        assert (row.value, row.salt) == (None, b"")
        _seal(connection)
    lines = _exported(store)
    verdict = journal.verify(lines, anchor)
    assert verdict.ok
    assert verdict.events == 2  # the claim, and the erasure itself
    assert name not in "\n".join(lines)


def test_a_personal_value_changed_in_the_store_is_found(store: Store) -> None:
    with store.begin() as connection:
        digest = journal.seal_personal(connection, COMPANY, "avant", IDS.nonce(32))
        connection.execute(update(schema.personal_value).values(value="après"))
        with pytest.raises(StoreError, match="ne correspond plus"):
            journal.read_personal(connection, COMPANY, digest)
        with pytest.raises(StoreError, match="Aucune valeur"):
            journal.read_personal(connection, "cmp_02", digest)
        with pytest.raises(ValueError):
            journal.seal_personal(connection, COMPANY, "x", b"short")


def test_verification_needs_neither_store_nor_network() -> None:
    script = textwrap.dedent(
        """
        import importlib, sys, types
        for name in ("encaisse_core", "encaisse_core.journal"):
            found = importlib.util.find_spec(name)
            package = types.ModuleType(name)
            package.__path__ = list(found.submodule_search_locations)
            sys.modules[name] = package
        import encaisse_core.journal.verifying
        print(sorted({"sqlalchemy", "httpx", "socket"} & set(sys.modules)))
        """
    )
    ran = subprocess.run(
        [sys.executable, "-c", "import importlib.util\n" + script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"
