"""How a partner knows us, as data: the host presents the credentials, a connector never sees one.

Each scheme names settings of the manifest, declared there with `secret=True`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from encaisse_api.base import Frozen, Host, Slug

HttpsUrl = Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+\.[a-z]{2,}(/|$)")]


class NoAuth(Frozen):
    """Say that no credential is presented: files on this machine, or an API open to everybody.

    Says nothing about hosts: an open API still declares its own. A key in the address is no
    `NoAuth`: addresses are logged, so ask the vendor for a header.
    """

    scheme: Literal["none"] = "none"

    def secrets(self) -> tuple[str, ...]:
        """Name the settings whose secrets are presented."""
        return ()


class BearerAuth(Frozen):
    """Send a fixed token as `Authorization: Bearer …`."""

    scheme: Literal["bearer"] = "bearer"
    setting: Slug = "token"

    def secrets(self) -> tuple[str, ...]:
        """Name the settings whose secrets are presented."""
        return (self.setting,)


class BasicAuth(Frozen):
    """Send a user and a password as `Authorization: Basic …` (RFC 7617).

    `password` None is for vendors that take a key as the user and nothing after it.
    """

    scheme: Literal["basic"] = "basic"
    user: Slug = "user"
    password: Slug | None = "password"

    def secrets(self) -> tuple[str, ...]:
        """Name the settings whose secrets are presented."""
        return (self.user,) if self.password is None else (self.user, self.password)


class HeaderAuth(Frozen):
    """Send a key in a header of the vendor's own, after `prefix` (`Token `, `apikey=`)."""

    scheme: Literal["header"] = "header"
    header: str
    setting: Slug = "api_key"
    prefix: str = ""

    def secrets(self) -> tuple[str, ...]:
        """Name the settings whose secrets are presented."""
        return (self.setting,)


class SecretHeader(Frozen):
    """Name one header, and the secret setting that stands in it after `prefix`."""

    header: str
    setting: Slug
    prefix: str = ""


class HeadersAuth(Frozen):
    """Send several secrets, each in a header of its own: one of the partner, one of the customer.

    `hosts` narrows where they go, for a vendor that keeps files on a host which must not be told
    them; empty means every host of the manifest.
    """

    scheme: Literal["headers"] = "headers"
    headers: Annotated[tuple[SecretHeader, ...], Field(min_length=1)]
    hosts: tuple[Host, ...] = ()

    def secrets(self) -> tuple[str, ...]:
        """Name the settings whose secrets are presented."""
        return tuple(one.setting for one in self.headers)


class ClientCredentialsAuth(Frozen):
    """Get tokens by OAuth2 client credentials (RFC 6749 §4.4); the host does it all."""

    scheme: Literal["client_credentials"] = "client_credentials"
    token_url: HttpsUrl
    scope: str = ""

    def secrets(self) -> tuple[str, ...]:
        """Name the settings whose secrets are presented."""
        return ("client_id", "client_secret")


class CodeAuth(Frozen):
    """Get tokens by authorization code with PKCE and rotated refresh tokens."""

    scheme: Literal["code"] = "code"
    authorize_url: HttpsUrl
    token_url: HttpsUrl
    scope: str = ""

    def secrets(self) -> tuple[str, ...]:
        """Name the settings whose secrets are presented."""
        return ("client_id", "client_secret")


class SealedFormAuth(Frozen):
    """Send each form sealed under a secret, beside a token in the clear; open what comes back.

    For a vendor's protocol from before everybody had TLS. The connector posts plain forms
    (`application/x-www-form-urlencoded`) and reads plain answers; the host writes the form into
    `sealed_field`, the token into `token_field`, and opens the answer. `cipher` is the vendor's
    own, spoken for the sake of its old servers and used for nothing else.
    """

    scheme: Literal["sealed_form"] = "sealed_form"
    token: Slug = "token"
    secret: Slug = "secret"
    token_field: str = "token"
    sealed_field: str
    cipher: Literal["rijndael128-cfb8-md5"]

    def secrets(self) -> tuple[str, ...]:
        """Name the settings whose secrets are presented."""
        return (self.token, self.secret)


Auth = Annotated[
    NoAuth
    | BearerAuth
    | BasicAuth
    | HeaderAuth
    | HeadersAuth
    | ClientCredentialsAuth
    | CodeAuth
    | SealedFormAuth,
    Field(discriminator="scheme"),
]
