"""Seal the forms of a connector on their way out, and open the answers on their way back.

The connector speaks plain forms and never meets the secret; what it says is sealed here, above the
transport that paces and sends: quotas, hosts and time limits are those of any other request.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes, urlencode

import httpx
from pydantic import SecretStr

from encaisse_api import SealedFormAuth
from encaisse_core.errors import UsageError
from encaisse_core.http import rijndael_interop

FORM = "application/x-www-form-urlencoded"
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]+={0,2}\s*")


class SealedForms(httpx.BaseTransport):
    """Carry plain forms sealed, over another transport."""

    def __init__(
        self,
        name: str,
        auth: SealedFormAuth,
        inner: httpx.BaseTransport,
        *,
        token: SecretStr,
        secret: SecretStr,
    ) -> None:
        """Raise `UsageError` for a secret the cipher cannot be used with."""
        if len(secret.get_secret_value().encode()) != rijndael_interop.SECRET_LENGTH:
            raise UsageError(
                f"La clé secrète de {name} compte {rijndael_interop.SECRET_LENGTH} caractères ; "
                "celle-ci n'a pas cette longueur. Copiez-la de nouveau depuis l'outil."
            )
        self._auth = auth
        self._inner = inner
        self._token = token
        self._secret = secret

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; only a form is sealed, and nothing else carries the token."""
        plain = request.read()
        if not plain:
            return self._inner.handle_request(request)
        answer = self._inner.handle_request(self._sealed(request, plain))
        body = answer.read()
        opened = self._opened(body)
        if opened is None:
            return answer
        kept = [(k, v) for k, v in answer.headers.items() if k not in ("content-length",)]
        return httpx.Response(
            answer.status_code, headers=kept, content=opened, extensions=answer.extensions
        )

    def close(self) -> None:
        """Close what is underneath."""
        self._inner.close()

    def _sealed(self, request: httpx.Request, plain: bytes) -> httpx.Request:
        sealed = rijndael_interop.encipher(self._bytes(), plain)
        form = urlencode(
            {
                self._auth.token_field: self._token.get_secret_value(),
                self._auth.sealed_field: base64.b64encode(sealed).decode("ascii"),
            }
        )
        headers = httpx.Headers(request.headers)
        for name in ("Content-Length", "Transfer-Encoding"):
            headers.pop(name, None)
        headers["Content-Type"] = FORM
        return httpx.Request(
            request.method,
            request.url,
            headers=headers,
            content=form.encode("ascii"),
            extensions=request.extensions,
        )

    def _opened(self, body: bytes) -> bytes | None:
        """Open a sealed answer; None where it is none.

        An error about the token cannot be sealed, since the vendor then knows no secret, and a
        gateway's page never is. Neither looks like base64: JSON begins with a brace, HTML with `<`.
        """
        text = unquote_to_bytes(body) if b"%" in body else body
        if not _BASE64.fullmatch(text):
            return None
        try:
            return rijndael_interop.decipher(self._bytes(), base64.b64decode(text))
        except binascii.Error:
            return None

    def _bytes(self) -> bytes:
        return self._secret.get_secret_value().encode()
