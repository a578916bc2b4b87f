"""Work until told to end: take nights from the queue, show signs of life, give back the rest."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from procrastinate.exceptions import ConnectorException

from encaisse_core.daemon import BEAT, STOPPED, WORKER, Daemon
from encaisse_core.errors import DONE, StoreError
from encaisse_core.workers import calendar, queue
from encaisse_core.workers.queue import CARE, NIGHTS, Queue

LOOK_AGAIN = 0.5
"""Seconds between two looks whether a round that was asked for now is over."""


def work(watch: Daemon, url: str, *, once: bool, stop: Callable[[int], None]) -> int:
    """Run nights from the queue in the database at `url`; give the exit code of the worst.

    `once` asks for every company's night now and ends when none is left, whoever ran it. `stop` is
    called when a signal asks us to end. Raises `StoreError` where the queue cannot be reached.
    """
    name = f"{WORKER}{socket.gethostname()}:{os.getpid()}"
    made = queue.queue(replace(watch, name=name), url)
    try:
        asyncio.run(_run(made, once, stop))
    except ConnectorException as error:
        raise StoreError(
            "La file des nuits ne répond pas. Vérifiez ENCAISSE_DATABASE_URL, et que la base a été "
            "préparée : encaisse database prepare."
        ) from error
    finally:
        with suppress(StoreError):
            calendar.leave(watch.app.host, name)
    if watch.stop_asked():
        watch.log("stopped")
        return STOPPED if once else DONE
    return max(made.codes, default=DONE)


async def _run(made: Queue, once: bool, stop: Callable[[int], None]) -> None:
    async with made.jobs.open_async():
        working = asyncio.create_task(
            made.jobs.run_worker_async(
                queues=[NIGHTS, CARE],
                name="encaisse",
                delete_jobs="successful",
                install_signal_handlers=False,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=queue.SIGN_OF_LIFE,
                stalled_worker_timeout=queue.SILENT,
            )
        )

        def end(number: int) -> None:
            stop(number)
            working.cancel()  # it ends the job under way first

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, end, number)
        beside = [asyncio.create_task(_beat(made))]
        if once:
            await made.ask(made.watch.app.host.clock.today().isoformat(), again=True)
            beside.append(asyncio.create_task(_until_over(made, working)))
        try:
            await working
        except asyncio.CancelledError:
            pass
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)


async def _beat(made: Queue) -> None:
    while True:
        if made.watch.outside.pulse.state != "running":
            await asyncio.to_thread(made.watch.beat, "waiting")
        await asyncio.sleep(BEAT.total_seconds())


async def _until_over(made: Queue, working: asyncio.Task[None]) -> None:
    while await made.waiting():
        await asyncio.sleep(LOOK_AGAIN)
    working.cancel()
