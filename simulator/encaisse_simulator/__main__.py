"""Run the partners for a person: `python -m encaisse_simulator --port 8099 --seed 1`."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

from encaisse_simulator.example import fill
from encaisse_simulator.server import serve
from encaisse_simulator.world import World

START = "2026-11-24T08:00:00+00:00"


def main(arguments: Sequence[str] | None = None, *, until: threading.Event | None = None) -> None:
    """Serve an example world until interrupted, or until `until` is set."""
    options = _options(arguments)
    world = World(options.seed, options.now.astimezone(UTC))
    access = fill(world)
    with serve(world, port=options.port, with_control=True) as server:
        base = server.base_url
        lines = (
            f"Factomos: {base}/invoices (X-Sim-Host: {world.factomos.host})",
            f"  Authorization: Bearer {access.factomos_token}",
            f"Libeo: {base}/v1/invoices (X-Sim-Host: {world.libeo.host})",
            f"  X-Api-Key: {access.libeo_api_key}",
            f"GCollect: {base}/v1 (X-Sim-Host: {world.gcollect.host})",
            f"  client {access.gcollect_client_id}, secret {access.gcollect_client_secret}",
            f"  signing page: {base}/sign/<token>, the signing_url of each mandate",
            f"MyUnisoft: {base}/api/v1 (X-Sim-Host: {world.myunisoft.host})",
            f"  X-Third-Party-Secret: {access.myunisoft_secret}",
            f"  Authorization: Bearer {access.myunisoft_token}",
            f'Clock: {options.now.isoformat()}, moved by POST {base}/_sim/advance {{"hours": 72}}',
            f"State: GET {base}/_sim/state; a debtor pays: POST {base}/_sim/debtor_pays "
            '{"invoice_number": "F-0101", "cents": 5000}',
        )
        print("\n".join(lines), flush=True)
        try:
            (until or threading.Event()).wait()
        except KeyboardInterrupt:
            print("Arrêt.", flush=True)


def _options(arguments: Sequence[str] | None) -> _Options:
    parser = argparse.ArgumentParser(prog="python -m encaisse_simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--now",
        type=datetime.fromisoformat,
        default=datetime.fromisoformat(START),
        help=f"where the clock starts, with its offset (default {START})",
    )
    options = parser.parse_args(arguments, namespace=_Options())
    if options.now.tzinfo is None:
        parser.error("--now needs an offset, such as +01:00")
    return options


class _Options(argparse.Namespace):
    port: int
    seed: int
    now: datetime


if __name__ == "__main__":
    main()
