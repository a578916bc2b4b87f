"""Check that a connector is what its manifest says, and that its recordings are all there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import httpx

from encaisse_api import wholeness
from encaisse_api.auth import (
    Auth,
    ClientCredentialsAuth,
    CodeAuth,
    HeaderAuth,
    HeadersAuth,
    SealedFormAuth,
)
from encaisse_api.base import Environment
from encaisse_api.conformance.cassette import WebhookFile
from encaisse_api.conformance.exam import PULLS, READS, Exam, read_model
from encaisse_api.conformance.seat import NotApplicable, fail
from encaisse_api.manifest import Manifest
from encaisse_api.names import BLIND, WRITES
from encaisse_api.roles import ReceivesWebhooks, roles_of

NEEDS_SIDECAR = frozenset(READS) - {"probe", "accounts", "read_invoices", "fetch_document"}
"""Reads whose question is told beside their recording; the others have none, or a list of refs."""

CREDENTIAL_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


def check_roles_are_whole(exam: Exam) -> None:
    """Refuse half a role: a write without its look-up is no write the host may call."""
    _none(wholeness.role_flaws(exam.connector))


def check_signatures(exam: Exam) -> None:
    """Refuse a method whose parameters are not those of its role, and a class without a context."""
    _none(wholeness.signature_flaws(exam.connector))


def check_declared_writes(exam: Exam) -> None:
    """Require a guarantee for each write the class can do, and none for others."""
    _none(wholeness.write_flaws(exam.connector, exam.manifest))


def check_declared_streams(exam: Exam) -> None:
    """Require a mode for each stream the class pulls, and for no other."""
    _none(wholeness.stream_flaws(exam.connector, exam.manifest))


def check_webhooks_are_declared(exam: Exam) -> None:
    """Require a word on how webhooks are signed, or that they are not."""
    _none(wholeness.webhook_flaws(exam.connector, exam.manifest))


def check_the_manifest_holds_together(exam: Exam) -> None:
    """Validate the manifest again: `model_copy` checks nothing of what it is given."""
    _none(wholeness.manifest_flaws(exam.connector, exam.manifest))


def _none(flaws: Iterator[wholeness.Flaw]) -> None:
    for flaw in flaws:
        fail(flaw.english)


def check_hosts_are_declared(exam: Exam) -> None:
    """Require that the manifest names every host the recordings speak to."""
    allowed = set(_hosts(exam.manifest))
    said = exam.context_file().settings
    urls = [s.name for s in exam.manifest.settings if s.kind == "url" and s.name in said]
    allowed.update(httpx.URL(said[name]).host for name in urls)
    for name, recording in exam.every_recording().items():
        strangers = {i.url.host for i in recording} - allowed
        if strangers:
            fail(f"{name} speaks to {', '.join(sorted(strangers))}, which the manifest omits")


def check_the_environment_chooses_the_host(exam: Exam) -> None:
    """Require a vendor's sandbox in `test` and its real host in `live`, from `context.hosts`."""
    said = exam.manifest
    if not said.live_hosts or said.live_hosts == said.test_hosts:
        raise NotApplicable("both environments are at the same hosts, or none is live")
    if len(said.live_hosts) != len(said.test_hosts):
        raise NotApplicable("the hosts of the environments do not go in pairs")
    pairs = {
        **dict(zip(said.test_hosts, said.live_hosts, strict=True)),
        **dict(zip(said.live_hosts, said.test_hosts, strict=True)),
    }
    other: Environment = "test" if exam.context_file().environment == "live" else "live"
    for name in (*exam.pulls, *exam.reads):
        recording = tuple(
            replace(one, url=one.url.copy_with(host=pairs.get(one.url.host, one.url.host)))
            for one in exam.recording(name)
        )
        with exam.seat(recording, environment=other) as seat:
            seat.run(name, exam.arguments(name))
            if seat.replay.unrecorded:
                fail(
                    f"{name} in `{other}` asks {seat.replay.unrecorded[0]}: build addresses on "
                    "`context.hosts`"
                )
            return


def _hosts(manifest: Manifest) -> Iterator[str]:
    yield from (*manifest.test_hosts, *manifest.live_hosts)
    if isinstance(manifest.auth, CodeAuth):
        yield httpx.URL(manifest.auth.authorize_url).host
    if isinstance(manifest.auth, ClientCredentialsAuth | CodeAuth):
        yield httpx.URL(manifest.auth.token_url).host


def check_no_credential_was_recorded(exam: Exam) -> None:
    """Refuse a recording with a credential in it: it would be published."""
    key = _own_headers(exam.manifest.auth)
    for name, recording in exam.every_recording().items():
        sealed = _sealed_fields(exam.manifest.auth)
        for interaction in recording:
            form = parse_qs(interaction.request_body.decode("utf-8", "replace"))
            if found := sealed & set(form):
                fail(
                    f"{name} holds the sealed field {', '.join(sorted(found))}: record plain forms"
                )
            headers = {h for h, _ in (*interaction.request_headers, *interaction.headers)}
            if found := headers & (CREDENTIAL_HEADERS | key):
                fail(f"{name} holds the header {', '.join(sorted(found))}: filter it, record again")


def _sealed_fields(auth: Auth) -> set[str]:
    """Name the fields the host writes: in a recording they would hold a token, or hide the rest."""
    return {auth.token_field, auth.sealed_field} if isinstance(auth, SealedFormAuth) else set()


def _own_headers(auth: Auth) -> set[str]:
    if isinstance(auth, HeaderAuth):
        return {auth.header.lower()}
    if isinstance(auth, HeadersAuth):
        return {secret.header.lower() for secret in auth.headers}
    return set()


def check_secrets_stay_with_the_host(exam: Exam) -> None:
    """Refuse a connector that is given, or asks for, a setting its manifest calls secret."""
    secret = {setting.name for setting in exam.manifest.settings if setting.secret}
    given = secret & set(exam.context_file().settings)
    if given:
        fail(f"context.json gives {', '.join(sorted(given))}, which is secret")
    for name in (*exam.pulls, *exam.reads):
        try:
            recording, arguments = exam.recording(name), exam.arguments(name)
        except NotApplicable:
            continue
        with exam.seat(recording) as seat:
            seat.run(name, arguments)
            if asked := secret & seat.settings.asked:
                fail(f"{name} asks for {', '.join(sorted(asked))}: secrets stay with the host")


def check_recordings_are_complete(exam: Exam) -> None:
    """Require every file the class's roles need, and refuse those that name no method."""
    present = {path.name for path in exam.cassettes.iterdir() if path.is_file()}
    needed = {"context.json"} | set(_needed(exam))
    if needed - present:
        fail(f"{exam.cassettes.name} lacks {', '.join(sorted(needed - present))}")
    if strange := {name for name in present if not _known(name)}:
        fail(f"{', '.join(sorted(strange))} name no method of the contract")
    _read_webhooks(exam.cassettes, needed)


def _needed(exam: Exam) -> Iterator[str]:
    for write in exam.writes:
        yield f"{write}.json"
    for read in exam.reads:
        if read in NEEDS_SIDECAR:
            yield f"{read}.json"
    if ReceivesWebhooks.__name__ in roles_of(exam.connector):
        yield "webhook.json"
    if exam.offline:
        yield from (f"{pull}_damaged.json" for pull in exam.pulls)
        return
    yield from (f"{name}.yaml" for name in (*exam.pulls, *exam.reads, *exam.writes))
    for twin in exam.twins:
        yield f"{twin}_absent.yaml"
        yield f"{twin}_present.yaml"


def _known(name: str) -> bool:
    if not name.endswith((".yaml", ".json")):
        return True
    stem = name.rsplit(".", 1)[0]
    methods = {*PULLS, *READS, *WRITES, BLIND}
    twins = {f"{twin}_{when}" for twin in WRITES.values() for when in ("absent", "present")}
    extra = {"context", "webhook"} | {f"{pull}_damaged" for pull in PULLS}
    return stem in methods | twins | (extra if name.endswith(".json") else set())


def _read_webhooks(folder: Path, needed: set[str]) -> None:
    if "webhook.json" in needed:
        read_model(WebhookFile, folder / "webhook.json")


def check_the_manifest_cites_its_source(exam: Exam) -> None:
    """Require a page for a documented contract, and a reason for an assumed one."""
    if not exam.manifest.pages:
        fail("`pages` is empty: cite the vendor's page, or what the assumption rests on")
    if exam.manifest.contract == "documented" and not exam.offline:
        for page in exam.manifest.pages:
            if not re.match(r"https?://", page):
                fail(f"{page!r} is no address: a documented contract cites pages to open")
