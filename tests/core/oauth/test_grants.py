"""Grants: secrets kept apart, and no door opened for a closed grant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from encaisse_api import (
    Denied,
)
from encaisse_core import grants
from encaisse_core.errors import UsageError
from encaisse_core.store import schema

if TYPE_CHECKING:
    from tests.core.oauth.conftest import World

AT = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
HOST = "api.example.org"
CLIENT = {"client_id": "ident-123", "client_secret": "secret-tres-cache"}


def test_secrets_are_read_back_and_never_shown(world: World) -> None:
    with world.store.begin() as connection:
        secrets = grants.read_secrets(connection, world.vault, world.grant_id)
        raw = connection.execute(select(schema.credential)).all()
    assert {k: v.get_secret_value() for k, v in secrets.items()} == CLIENT
    assert "secret-tres-cache" not in repr(secrets) + str(secrets) + repr(raw)


def test_a_credential_row_moved_to_another_grant_does_not_decrypt(world: World) -> None:
    other = world.other_grant()
    c = schema.credential
    with world.store.begin() as connection:
        row = connection.execute(
            select(c.c.wrapped_key, c.c.nonce, c.c.ciphertext).where(
                c.c.grant_id == world.grant_id, c.c.field == "client_id"
            )
        ).one()
        connection.execute(
            c.update()
            .where(c.c.grant_id == other, c.c.field == "client_id")
            .values(**dict(row._mapping))
        )
        with pytest.raises(Exception, match="ne se déchiffre pas"):
            grants.read_secrets(connection, world.vault, other)
        grants.read_secrets(connection, world.vault, world.grant_id)


@pytest.mark.parametrize("value", ["", "  ", "abc\ndef", "abc\x00", "a\u200bb"])
def test_a_misshapen_secret_is_refused_and_nothing_is_kept(world: World, value: str) -> None:
    with pytest.raises(UsageError) as refused, world.store.begin() as connection:
        grants.create_grant(
            connection,
            world.vault,
            world.ids,
            at=AT,
            organisation_id="org_1",
            connector="exemple",
            environment="test",
            secrets={"token": value},
        )
    assert "abc" not in refused.value.message
    with world.store.begin() as connection:
        count = select(func.count()).select_from(schema.access_grant)
        assert connection.execute(count).scalar_one() == 1


def test_a_pasted_line_end_around_a_secret_is_taken_away(world: World) -> None:
    with world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, {"token": " abc\r\n"})
        secrets = grants.read_secrets(connection, world.vault, world.grant_id)
    assert secrets["token"].get_secret_value() == "abc"


def test_a_setting_cannot_pose_as_the_token_set(world: World) -> None:
    with pytest.raises(UsageError), world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, {grants.TOKENS: "x"})


def test_a_grant_of_another_connector_or_environment_is_not_lent(world: World) -> None:
    other = world.manifest.model_copy(update={"slug": "autre"})
    with pytest.raises(UsageError, match="celui de exemple"):
        world.door().lend(manifest=other, grant_id=world.grant_id, account=None, environment="test")
    with pytest.raises(UsageError, match="n'existe pas"):
        world.door().lend(
            manifest=world.manifest, grant_id="grt_0", account=None, environment="test"
        )
    with pytest.raises(UsageError, match="demande un accès"):
        world.door().lend(manifest=world.manifest, grant_id=None, account=None, environment="test")


def test_a_missing_or_impossible_secret_is_said_before_any_call(world: World) -> None:
    with world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, {"client_id": "clé"})
    with pytest.raises(UsageError, match="client_id") as refused:
        world.client()
    assert "clé" not in refused.value.message.replace("qu'une clé", "")
    with world.store.begin() as connection:
        connection.execute(schema.credential.delete())
    with pytest.raises(UsageError, match="client_id, client_secret"):
        world.client()


def test_a_denied_grant_is_not_lent_until_reconnected(world: World) -> None:
    with world.store.begin() as connection:
        assert grants.mark_denied(connection, world.grant_id, "Droit retiré.")
    with pytest.raises(Denied, match=r"Exemple est fermé\. Droit retiré"):
        world.client()
    with world.store.begin() as connection:
        grants.replace_secrets(connection, world.vault, world.grant_id, CLIENT)
    assert world.client().get(f"https://{HOST}/v1/x").status_code == 200
