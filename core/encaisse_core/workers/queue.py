"""The adapter to procrastinate: one job is one company's night, run by the daemon's own unit.

    night     a company's night of one date; two of one company never at once (`lock`)
    plan      every minute, once for all workers: ask for tonight's nights when they are due
    tend      every ten seconds: give back the jobs of workers that fell silent, tell the end

A killed worker's jobs stay `doing` for ever unless somebody gives them back, and with them the lock
of their company; so `tend` has no lock of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import procrastinate
from procrastinate.exceptions import AlreadyEnqueued, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from sqlalchemy import make_url

from encaisse_core.daemon import OUTCOMES, STOPPED, Daemon
from encaisse_core.errors import DONE, ITEMS_REFUSED
from encaisse_core.store.preparing import QUEUE
from encaisse_core.watch.heartbeat import What
from encaisse_core.workers import calendar
from encaisse_core.workers.calendar import Round

NIGHTS, CARE = "nights", "care"

SIGN_OF_LIFE = 10.0
SILENT = 30.0
"""Seconds between a worker's signs of life, and after which it counts as dead. A worker that was
only slow loses its job to another: leases and fences see that nothing is done twice."""

KEPT_HOURS = 24 * 30
"""How long a night that failed stays on the list."""


class Stopped(Exception):
    """Say that a night was told to end before it was over: somebody else takes it."""


class Failed(Exception):
    """Say that a night failed; why is in the log. It is run again tomorrow."""


class WhenStopped(BaseRetryStrategy):
    """Give a night back at once when its worker was told to end, and never otherwise."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """Decide."""
        return RetryDecision() if isinstance(exception, Stopped) else None


def connector(url: str) -> procrastinate.PsycopgConnector:
    """Reach the jobs in the store's own database; two connections are enough for one worker."""
    plain = make_url(url).set(drivername="postgresql")
    told = plain.query.get("options", "")
    options = f"{told if isinstance(told, str) else ' '.join(told)} -c search_path={QUEUE}"
    return procrastinate.PsycopgConnector(
        conninfo=plain.render_as_string(hide_password=False),
        kwargs={"options": options.strip()},
        min_size=1,
        max_size=4,
    )


@dataclass
class Queue:
    """Hold the jobs and who runs them; `codes` are the exit codes of the nights run here."""

    watch: Daemon
    jobs: procrastinate.App
    codes: list[int] = field(default_factory=list[int])

    def night(self, company_id: str, night: str, again: bool = False) -> None:
        """Run one company's night, unless it was run meanwhile or its date is over."""
        host = self.watch.app.host
        if night != host.clock.today().isoformat():
            self.watch.log("night_missed", level="warning", company=company_id, night=night)
            return
        if not again and company_id not in calendar.open_nights(host, night):
            return
        self.watch.beat("running")
        code = self.watch.night(company_id)
        self.watch.beat("waiting")
        if code == STOPPED:
            raise Stopped
        self.codes.append(code)
        if code not in (DONE, ITEMS_REFUSED):
            raise Failed

    async def plan(self, timestamp: int) -> None:
        """Ask for the nights of a date that is due."""
        host = self.watch.app.host
        tonight = await asyncio.to_thread(calendar.due, host, self.watch.at)
        if tonight is not None:
            night = tonight.isoformat()
            await self.ask(night)
            await asyncio.to_thread(calendar.note, host, Round(night, told=False))
            await self._tell("start")

    async def ask(self, night: str, *, again: bool = False) -> None:
        """Ask for the night of each company whose is not done; with `again`, of each company."""
        host = self.watch.app.host
        wanted = await asyncio.to_thread(calendar.open_nights, host, "" if again else night)
        for company_id in wanted:
            job = self.jobs.configure_task(
                "night", allow_unknown=False, lock=company_id, queueing_lock=f"night:{company_id}"
            )
            try:
                await job.defer_async(company_id=company_id, night=night, again=again)
            except AlreadyEnqueued:
                continue  # somebody asked a moment ago, and nobody has begun yet
        self.watch.log("nights_asked_for", night=night, companies=len(wanted))

    async def tend(self, timestamp: int) -> None:
        """Give back what silent workers hold; tell outside once the round is over."""
        await self.give_back()
        host = self.watch.app.host
        round_ = await asyncio.to_thread(calendar.last, host)
        if round_ is None or round_.told or await self.waiting():
            return
        await asyncio.to_thread(calendar.note, host, Round(round_.night, told=True))
        left = await asyncio.to_thread(calendar.open_nights, host, round_.night)
        self.watch.outside.figures.count(
            "encaisse_runs_total", outcome="failed" if left else OUTCOMES[DONE]
        )
        await self._tell("fail" if left else "success")
        self.watch.log("nights_over", night=round_.night, not_done=len(left))
        await asyncio.to_thread(calendar.forget_the_silent, host)
        await self.jobs.job_manager.delete_old_jobs(KEPT_HOURS, include_failed=True)

    async def give_back(self) -> int:
        """Let others take the jobs of workers that fell silent; give how many there were."""
        manager, given = self.jobs.job_manager, 0
        for job in await manager.get_stalled_jobs(seconds_since_heartbeat=SILENT):
            try:
                await manager.retry_job(job)
            except UniqueViolation:  # the same night waits already: that one is enough
                await manager.finish_job(job, Status.ABORTED, delete_job=True)
            given += 1
            self.watch.log("taken_over", level="warning", job=job.task_name)
        return given

    async def waiting(self) -> int:
        """Count the nights that are asked for or being run."""
        found: list[Mapping[str, Any]] = list(
            await self.jobs.job_manager.list_queues_async(queue=NIGHTS)
        )
        return sum(int(each["todo"]) + int(each["doing"]) for each in found)

    async def _tell(self, what: What) -> None:
        if self.watch.outside.heartbeat is not None:
            await asyncio.to_thread(self.watch.outside.heartbeat.tell, what)


def queue(watch: Daemon, url: str) -> Queue:
    """Declare the jobs and when they are due."""
    jobs = procrastinate.App(connector=connector(url), periodic_defaults={"max_delay": SILENT})
    made = Queue(watch, jobs)
    jobs.task(name="night", queue=NIGHTS, retry=WhenStopped())(made.night)
    plan = jobs.task(name="plan", queue=CARE, queueing_lock="plan", priority=10)(made.plan)
    tend = jobs.task(name="tend", queue=CARE, queueing_lock="tend", priority=10)(made.tend)
    jobs.periodic(cron="* * * * *")(plan)
    jobs.periodic(cron="* * * * * */10")(tend)
    return made
