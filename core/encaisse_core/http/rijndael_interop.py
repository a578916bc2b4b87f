"""Speak one vendor's old cipher, so that its old servers understand us. Interop, not protection.

Factomos's interface of 2015 wraps each request in mcrypt's RIJNDAEL_128 in CFB mode: AES, fed back
eight bits at a time, under the MD5 of a shared secret written as 32 hexadecimal digits, with the
secret itself as initialisation vector (README of github.com/thefloatingstone/factomos, section 1).
That the eight bits, the 32 digits and a secret of 16 bytes are meant follows from mcrypt's own
rules; no recorded exchange confirms it. The vector never changes and nothing is authenticated:
equal beginnings give equal ciphertexts, and an altered byte goes unnoticed. What protects the
exchange is TLS around it. Nothing of ours is ever kept or sent under this: a test lets
`sealed_form.py` alone import it.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

SECRET_LENGTH = 16
"""Bytes of the secret: mcrypt takes no other length for a vector of this cipher."""


def encipher(secret: bytes, plain: bytes) -> bytes:
    """Encipher as `mcrypt_encrypt` does; raises `ValueError` for a secret that is no vector."""
    return _shifted(_key(secret), _vector(secret), plain)


def decipher(secret: bytes, sealed: bytes) -> bytes:
    """Decipher as `mcrypt_decrypt` does; a wrong secret gives bytes without sense, no error."""
    return _unshifted(_key(secret), _vector(secret), sealed)


def _key(secret: bytes) -> bytes:
    return hashlib.md5(secret, usedforsecurity=False).hexdigest().encode("ascii")


def _vector(secret: bytes) -> bytes:
    if len(secret) != SECRET_LENGTH:
        raise ValueError(f"a secret of {len(secret)} bytes, {SECRET_LENGTH} are due")
    return secret


def _shifted(key: bytes, register: bytes, plain: bytes) -> bytes:
    """Encipher in CFB-8 (NIST SP 800-38A, 6.3): each byte waits for the one before it."""
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    sealed = bytearray()
    for byte in plain:
        sealed.append(byte ^ block.update(register)[0])
        register = register[1:] + sealed[-1:]
    return bytes(sealed)


def _unshifted(key: bytes, register: bytes, sealed: bytes) -> bytes:
    """Decipher in CFB-8: every register is known beforehand, so all go through AES at once."""
    stream = register + sealed
    registers = b"".join(stream[at : at + 16] for at in range(len(sealed)))
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    mask = int.from_bytes(block.update(registers)[::16], "big")
    return (mask ^ int.from_bytes(sealed, "big")).to_bytes(len(sealed), "big")
