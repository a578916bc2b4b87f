"""What is seen of a daemon from outside, over real HTTP on the loopback, and what never is."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from tests.core.houses import House, line_of
from tests.counts import examples

from encaisse_core.cli.session import Session
from encaisse_core.cli.watching import daemon as daemon_command
from encaisse_core.cli.watching import seen
from encaisse_core.daemon import Daemon
from encaisse_core.errors import DONE, STORE, UsageError
from encaisse_core.store import schema
from encaisse_core.store.engine import stamp
from encaisse_core.watch.heartbeat import Heartbeat, checked, last
from encaisse_core.watch.lines import MASK, Lines, scrubbed
from encaisse_core.watch.served import AT_ONCE, Pulse, address

INVOICES = 3
IBAN = "FR7630006000011234567890189"
INVENTED = ("Client", "987654324", "mot-tres-secret", IBAN, "compta@example.org", "12,34")


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@contextmanager
def watcher(status: int = 200) -> Iterator[tuple[str, list[str]]]:
    """Be an outside watcher; give its address and what was called."""
    called: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            called.append(self.path)
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/ping/x", called
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def metric(body: str, line: str) -> float:
    (found,) = (one for one in body.splitlines() if one.rpartition(" ")[0] == line)
    return float(found.rpartition(" ")[2])


def test_a_lived_night_is_seen_in_counts_and_nobody_in_it(house: House, tmp_path: Path) -> None:
    """Log, health, figures and heartbeat of one run, and what none of them may hold."""
    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened), 12_34, date(2026, 2, 5))
    house.clock.sleep(86_400)
    stream = io.StringIO()
    lines = Lines(stream, "json")
    session = Session({}, folder=house.app.folder, clock=house.clock)
    with watcher() as (url, called), seen(house.app, lines, ("127.0.0.1", 0), url) as outside:
        port = next(
            json.loads(one)["port"] for one in stream.getvalue().splitlines() if "port" in one
        )
        assert get(port, "/healthz")[0] == 200
        daemon = Daemon(
            app=house.app,
            session=session,
            write=lines,
            wait=lambda _: True,
            stop_asked=lambda: False,
            outside=outside,
        )
        logging.getLogger("encaisse.papertool").warning("Client %s illisible", IBAN)
        assert daemon.run_and_end() == DONE
        ready = get(port, "/readyz")
        body = get(port, "/metrics")[1]
        assert get(port, "/else")[0] == 404
    assert called == ["/ping/x/start", "/ping/x"]
    assert ready[0] == 200
    assert json.loads(ready[1]) == {
        "ok": True,
        "store": True,
        "migrated": True,
        "companies": 1,
        "late": 0,
    }
    assert metric(body, 'encaisse_runs_total{outcome="done"}') == 1
    assert metric(body, 'encaisse_effects{kind="record_payment",state="done"}') == 1
    assert metric(body, "encaisse_effects_ready") == 0
    assert metric(body, 'encaisse_phase_seconds_count{phase="pull"}') == 1
    assert metric(body, 'encaisse_companies_night_within{hours="26"}') == 1
    assert metric(body, "encaisse_store_up") == 1
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    runs = {line["run"] for line in told if line["event"] in ("phase", "night")}
    assert len(runs) == 1
    assert {"logger", "where"} <= next(line for line in told if line["event"] == "logged").keys()
    for what in (stream.getvalue(), body):
        assert not [one for one in INVENTED if one in what]
    with house.host.store.begin() as tx:
        said = last(tx)
    assert said is not None
    assert said[1] == {"ok": True, "what": "success", "why": None}


def test_a_daemon_finishes_the_night_one_was_killed_in_and_begins_no_other(house: House) -> None:
    night = schema.night
    stream = io.StringIO()
    daemon = Daemon(
        app=house.app,
        session=Session({}, folder=house.app.folder, clock=house.clock),
        write=lambda line: stream.write(f"{line}\n"),
        wait=lambda _: True,
        stop_asked=lambda: False,
    )
    assert daemon.run_forever() == DONE
    assert house.count("night") == 0
    with house.host.store.begin() as tx:
        tx.execute(
            night.insert().values(
                company_id=house.company,
                night=house.clock.today().isoformat(),
                phase=1,
                state="running",
                started_at=stamp(house.clock.now()),
            )
        )
    assert daemon.run_forever() == DONE
    with house.host.store.begin() as tx:
        assert tx.execute(select(night.c.state)).scalars().all() == ["done"]
    assert [json.loads(one)["event"] for one in stream.getvalue().splitlines()].count(
        "night_cut_short"
    ) == 1


def test_a_store_that_does_not_open_or_a_late_night_is_not_ready(house: House) -> None:
    house.night()
    stream = io.StringIO()
    with seen(house.app, Lines(stream, "json"), ("127.0.0.1", 0), None):
        port = json.loads(stream.getvalue())["port"]
        assert get(port, "/readyz")[0] == 200
        house.clock.sleep(27 * 3600)
        status, body = get(port, "/readyz")
        assert (status, json.loads(body)["late"]) == (503, 1)
        with house.host.store.begin() as tx:
            tx.execute(text("update alembic_version set version_num = '0001'"))
        assert json.loads(get(port, "/readyz")[1])["migrated"] is False
        with house.host.store.begin() as tx:
            tx.execute(text("drop table heartbeat"))
            tx.execute(text("alter table effect rename to elsewhere"))
        status, body = get(port, "/metrics")
        assert status == 200
        assert metric(body, "encaisse_store_up") == 0


def test_health_answers_while_a_transaction_writes(house: House) -> None:
    """A probe takes no lock: it neither waits for the night's writes nor holds them up."""
    stream = io.StringIO()
    with (
        seen(house.app, Lines(stream, "json"), ("127.0.0.1", 0), None),
        house.host.store.begin() as tx,
    ):
        tx.execute(text("update company set name = name"))
        port = json.loads(stream.getvalue())["port"]
        assert get(port, "/metrics")[0] == 200
        assert json.loads(get(port, "/readyz")[1])["store"] is True


def test_a_loop_that_stands_still_is_not_healthy() -> None:
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    assert pulse.alive()
    pulse.tick("waiting")
    now[0] = 600
    assert pulse.alive()
    now[0] = 700
    assert not pulse.alive()
    pulse.tick("running")
    now[0] += 7000
    assert pulse.alive()
    assert AT_ONCE > 1


@pytest.mark.parametrize("told", ["0.0.0.0:80", "example.org:80", "127.0.0.1", "127.0.0.1:x", ":1"])
def test_only_this_machine_is_answered(told: str) -> None:
    with pytest.raises(UsageError, match="cette machine"):
        address(told)
    assert address("127.0.0.1:9464") == ("127.0.0.1", 9464)


@pytest.mark.parametrize("status", [301, 404, 500])
def test_a_watcher_that_refuses_fails_nothing_and_is_told(house: House, status: int) -> None:
    said: list[str] = []
    with watcher(status) as (url, called):
        told = Heartbeat(url, house.host.store, house.clock.now, said.append)
        assert told.tell("fail") is False
    assert called == ["/ping/x/fail"], "no redirect is followed"
    assert said == [f"HTTP {status}"]
    assert told.tell("start") is False
    assert said[-1] == "URLError"
    with house.host.store.begin() as tx:
        found = last(tx)
    assert found is not None
    assert found[1]["ok"] is False


@pytest.mark.parametrize(
    "url", ["http://example.org/x", "ftp://example.org", "https://u:p@example.org/x", "x", ""]
)
def test_a_watcher_is_called_safely_or_not_at_all(url: str) -> None:
    with pytest.raises(UsageError, match="https"):
        checked(url)
    assert checked("https://example.org/ping/x/") == "https://example.org/ping/x"


def test_a_wrong_address_is_told_before_the_daemon_starts(tmp_path: Path) -> None:
    session = Session({}, folder=tmp_path / "home")
    result = CliRunner().invoke(daemon_command, ["--listen", "0.0.0.0:1"], obj=session)
    assert result.exit_code == 2
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    "datum",
    [
        "compta@example.org",
        IBAN,
        "FR76 3000 6000 0112 3456 7890 189",
        "123456782",
        "123 456 782",
        "12345678200012",
        "1 234,56 €",
        "99.90 EUR",
        "Bearer abc.def",
        "eyJhbGciOi.eyJzdWIi.sig-1",
        "/x?token=abc",
    ],
)
def test_what_looks_like_a_datum_is_masked(datum: str) -> None:
    shown = scrubbed(f"refusé : {datum} ce soir")
    assert MASK in shown
    assert datum.rpartition("=")[2] not in shown


@settings(max_examples=examples(60), deadline=None)
@given(
    secret=st.text(st.characters(codec="utf-8", exclude_characters="•"), min_size=4, max_size=40)
)
def test_a_known_secret_is_masked_wherever_it_stands(secret: str) -> None:
    stream = io.StringIO()
    Lines(stream, "json", secrets=lambda: [secret])(
        json.dumps({"event": "x", "a": f"<{secret}>", "b": [{"c": secret + secret}]})
    )
    said = json.loads(stream.getvalue())
    assert said["a"].strip("<>") != secret
    assert secret not in said["b"][0]["c"]


def test_text_and_json_say_the_same() -> None:
    stream = io.StringIO()
    Lines(stream, "text")(
        json.dumps({"at": "2026-02-02T03:10:00.5Z", "level": "warning", "event": "phase", "n": 1})
    )
    assert stream.getvalue() == "2026-02-02 03:10:00 WARNING phase n=1\n"


def test_a_bundle_says_how_it_is_and_nobody(house: House, tmp_path: Path) -> None:
    """Whatever a lived store holds of people, not one value of it is in any member."""
    from encaisse_core.cli import bundling, examining

    opened = house.open_everything()
    house.paper.collect("p1", opened[0], line_of(house, opened), 12_34, date(2026, 2, 5))
    house.night()
    incidents = house.app.folder / "incidents"
    incidents.mkdir()
    (incidents / "inc_1.txt").write_text("encaisse 0.1\nValueError\n  x.py:1 f\n")
    environ = {"ENCAISSE_DATABASE_URL": "postgresql+psycopg://u:mot-tres-secret@h/b"}
    found = examining.of_the_host(house.app, environ)
    file = tmp_path / "d.zip"
    bundling.write(file, house.app, environ, found)
    with zipfile.ZipFile(file) as held:
        members = {name: held.read(name).decode() for name in held.namelist()}
    assert json.loads(members["counts.json"])["effect"]
    assert json.loads(members["nights.json"])[0]["state"] == "done"
    assert json.loads(members["journal.json"])[0]["head"]
    assert json.loads(members["incidents.json"])[0]["id"] == "inc_1"
    everything = "\n".join(members.values())
    personal: set[str] = set(INVENTED)
    with house.host.store.begin() as tx:
        for column in (
            "siren from company",
            "name from company",
            "id from company",
            "siren from debtor",
            "name from debtor",
            "number from claim",
            "id from claim",
            "sentence from task",
            "remote_id from procedure",
            "value from personal_value",
        ):
            personal |= {str(v) for v in tx.execute(text(f"select {column}")).scalars() if v}
    assert len(personal) > 10
    words = [one for one in personal if re.search(rf"(?<!\w){re.escape(one)}(?!\w)", everything)]
    assert words == []


def test_spans_stand_under_their_night_and_name_nobody(house: House) -> None:
    """night > company > phase > request, whatever a failure says of a customer."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    from encaisse_core.watch import traces
    from encaisse_core.watch.outside import Outside

    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    spans, requests = traces.spans(provider)
    log = logging.getLogger("encaisse.http")
    log.addHandler(requests)
    log.setLevel(logging.INFO)

    def pull(host: Any, night: Any) -> None:
        told = {"method": "GET", "partner": "papertool", "status": "200", "ms": 12}
        log.info("request", extra={"http": told})
        raise ValueError(f"Client {IBAN}")

    daemon = Daemon(
        app=house.app,
        session=Session({}, folder=house.app.folder, clock=house.clock),
        write=lambda _: None,
        wait=lambda _: True,
        stop_asked=lambda: False,
        outside=Outside(spans=spans),
    )
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("encaisse_core.daemon.PHASES", (("pull", pull),))
            assert daemon.run_once() == STORE
    finally:
        log.removeHandler(requests)
        log.setLevel(logging.NOTSET)
    found = {span.name: span for span in kept.get_finished_spans()}
    assert set(found) == {"night", "company", "phase pull", "HTTP GET"}
    for inner, outer in (
        ("HTTP GET", "phase pull"),
        ("phase pull", "company"),
        ("company", "night"),
    ):
        parent = found[inner].parent
        assert parent is not None
        assert parent.span_id == found[outer].context.span_id
    request = found["HTTP GET"]
    assert request.end_time is not None
    assert request.start_time is not None
    assert request.end_time - request.start_time == 12_000_000
    assert not [one for one in INVENTED if one in kept.get_finished_spans()[1].to_json()]
    everything = "".join(span.to_json() for span in kept.get_finished_spans())
    assert not [one for one in INVENTED if one in everything]
    assert "ValueError" in everything
