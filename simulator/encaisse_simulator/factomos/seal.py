"""The cipher of the older Factomos interface, as its servers speak it [fac-legacy]."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.hazmat.decrepit.ciphers.modes import CFB8
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms


def unseal(secret: str, text: str) -> str | None:
    """Read what a client sealed; None where it is no text under this secret."""
    try:
        sealed = base64.b64decode(text, validate=True)
        plain = _cipher(secret).decryptor().update(sealed)
        return plain.decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def seal(secret: str, plain: bytes) -> bytes:
    """Write an answer: enciphered, then base64. That it is not percent-encoded too is assumed."""
    return base64.b64encode(_cipher(secret).encryptor().update(plain))


def _cipher(secret: str) -> Cipher[CFB8]:
    key = hashlib.md5(secret.encode(), usedforsecurity=False).hexdigest().encode()
    return Cipher(algorithms.AES(key), CFB8(secret.encode()))
