"""Forms sealed under a vendor's old cipher: what leaves, what comes back, and who may use it."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import parse_qs, quote_from_bytes

import grimp
import httpx
import pytest
from cryptography.hazmat.decrepit.ciphers.modes import CFB8
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

import encaisse_core
from encaisse_api import SealedFormAuth
from encaisse_core.errors import UsageError
from encaisse_core.http import rijndael_interop as interop
from encaisse_core.http.sealed_form import SealedForms

SECRET = "sixteen-letters!"
TOKEN = "key-of-nobody"
AUTH = SealedFormAuth(sealed_field="crequest", cipher="rijndael128-cfb8-md5")
FORM = "action=getInvoice&invoice_id=4021"
ADDRESS = "https://app.example.org/api.php"


def client(answer: httpx.Response, sent: list[httpx.Request]) -> httpx.Client:
    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return answer

    sealing = SealedForms(
        "Essai",
        AUTH,
        httpx.MockTransport(handle),
        token=SecretStr(TOKEN),
        secret=SecretStr(SECRET),
    )
    return httpx.Client(transport=sealing)


def asked(answer: httpx.Response) -> tuple[httpx.Response, httpx.Request]:
    sent: list[httpx.Request] = []
    with client(answer, sent) as http:
        told = http.post(ADDRESS, data={"action": "getInvoice", "invoice_id": "4021"})
    (request,) = sent
    return told, request


def test_the_cipher_is_the_published_one_fed_back_eight_bits() -> None:
    # NIST SP 800-38A, F.3.17: CFB8-AES256.Encrypt.
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d")
    sealed = bytes.fromhex("dc1f1a8520a64db55fcc8ac554844e889700")
    assert interop._shifted(key, bytes(range(16)), plain) == sealed
    assert interop._unshifted(key, bytes(range(16)), sealed) == plain


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=200))
def test_sealing_and_opening_agree_with_another_implementation(secret: bytes, plain: bytes) -> None:
    key = interop._key(secret)
    assert len(key) == 32
    other = Cipher(algorithms.AES(key), CFB8(secret)).encryptor().update(plain)
    assert interop.encipher(secret, plain) == other
    assert interop.decipher(secret, other) == plain


def test_a_form_leaves_sealed_beside_the_token_and_nothing_of_it_is_readable() -> None:
    _, request = asked(httpx.Response(200, json={}))
    form = parse_qs(request.content.decode())
    assert set(form) == {"token", "crequest"}
    assert form["token"] == [TOKEN]
    sealed = base64.b64decode(form["crequest"][0], validate=True)
    assert interop.decipher(SECRET.encode(), sealed).decode() == FORM
    assert b"getInvoice" not in request.content
    assert request.headers["content-length"] == str(len(request.content))
    assert SECRET not in str(request.headers) + request.content.decode()


@pytest.mark.parametrize("quoted", [False, True])
def test_a_sealed_answer_is_opened_percent_signs_or_not(quoted: bool) -> None:
    plain = '{"invoice":{"client_company_name":"Société d’essai"}}'.encode() * 40
    body = base64.b64encode(interop.encipher(SECRET.encode(), plain))
    told, _ = asked(
        httpx.Response(200, content=quote_from_bytes(body).encode() if quoted else body)
    )
    assert told.content == plain


@pytest.mark.parametrize(
    "body",
    [
        b'{"error":{"code":-3,"message":"Invalid Token"}}',
        b"<html><h1>Maintenance</h1></html>",
        b"",
        b"abc",  # base64 cut short
        b"%PDF-1.4",
    ],
)
@pytest.mark.parametrize("status", [200, 401, 500])
def test_an_answer_nobody_sealed_comes_through_as_it_is(body: bytes, status: int) -> None:
    told, _ = asked(httpx.Response(status, content=body))
    assert (told.status_code, told.content) == (status, body)


def test_an_answer_under_another_secret_is_no_answer() -> None:
    body = base64.b64encode(interop.encipher(b"another--secret!", b'{"error":{"code":0}}'))
    told, _ = asked(httpx.Response(200, content=body))
    with pytest.raises(ValueError):
        told.json()


def test_a_request_without_a_form_carries_no_credential() -> None:
    sent: list[httpx.Request] = []
    with client(httpx.Response(200, content=b"page"), sent) as http:
        http.get("https://app.example.org/page")
    assert TOKEN not in str(sent[0].url) + str(sent[0].headers) + sent[0].content.decode()


@pytest.mark.parametrize("secret", ["", "short", "one-letter-too-many", "sixteen-léttres!"])
def test_a_secret_of_another_length_is_refused_in_a_sentence(secret: str) -> None:
    with pytest.raises(UsageError) as refused:
        SealedForms(
            "Essai",
            AUTH,
            httpx.MockTransport(lambda _: httpx.Response(200)),
            token=SecretStr(TOKEN),
            secret=SecretStr(secret),
        )
    assert "La clé secrète de Essai compte 16 caractères" in str(refused.value)
    assert not secret or secret not in str(refused.value)


def test_the_old_cipher_serves_one_purpose() -> None:
    graph = grimp.build_graph("encaisse_core", "encaisse_lab", cache_dir=None)
    cipher = "encaisse_core.http.rijndael_interop"
    assert graph.find_modules_that_directly_import(cipher) == {"encaisse_core.http.sealed_form"}
    lent = graph.find_modules_that_directly_import("encaisse_core.http.sealed_form")
    assert lent == {"encaisse_core.http.door", "encaisse_lab.record_factomos"}


def test_nothing_else_of_the_house_makes_a_cipher_without_a_seal() -> None:
    house = Path(encaisse_core.__file__).parent
    using = {
        path.name
        for path in house.rglob("*.py")
        if "ciphers import Cipher" in path.read_text("utf-8")
    }
    assert using == {"rijndael_interop.py"}
