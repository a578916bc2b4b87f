"""Restore yesterday's backup among live partners: nothing lands twice there, nothing is lost."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from encaisse_core import backup
from encaisse_core.app import App, database_of, open_app
from encaisse_core.clock import SeededIds
from encaisse_core.nightly import PHASES
from encaisse_lab import demo
from encaisse_lab import partners as sides
from encaisse_lab.cast import cast
from encaisse_lab.demo import Evening, Run
from encaisse_lab.samples import samples
from encaisse_lab.summary import judged, summary, zeros

QUIET = lambda _: None  # noqa: E731


@dataclass
class Place:
    """Hold a company among its partners, and the folder its store lives in."""

    told: Run
    home: Path
    lives: int = 0

    def night(self, number: int) -> None:
        demo._night(self.told, number, PHASES, None, QUIET)

    def back_up(self, file: Path) -> None:
        host = self.told.app.host
        backup.dump(host.store, host.blobs, file, at=host.clock.now(), version="essai")

    def restore(self, file: Path) -> backup.Restored:
        """Lose the store, and begin again from a backup in another folder, with the key kept."""
        clock, old = self.told.partners.clock, self.home
        self.told.app.close()
        clock.on_advance[:] = [self.told.partners.world.set_now]
        self.lives += 1
        self.home = old.parent / f"home-{self.lives}"
        self.home.mkdir()
        shutil.copy2(old / "kek", self.home / "kek")
        ids = SeededIds(1000 + self.lives, clock)
        done = backup.restore(
            backup.open_archive(file),
            database_of({}, self.home),
            self.home / "documents",
            ids,
            at=clock.now(),
        )
        self.told.app = _app(self.told.partners, self.home, ids)
        return done


def _app(partners: sides.Partners, home: Path, ids: SeededIds) -> App:
    return open_app({}, folder=home, clock=partners.clock, ids=ids, routes=partners.routes)


@contextmanager
def placed(seed: int, nights: int, folder: Path) -> Iterator[Place]:
    known = samples(seed)
    with sides.partners(seed, known, folder / "factures") as partners:
        home = folder / "home-0"
        app = _app(partners, home, SeededIds(seed, partners.clock))
        company = demo._connect(app, partners, None)
        told = Run(seed, nights, known, cast(seed, known), partners, app, company, Evening())
        place = Place(told, home)
        demo._evening(told, QUIET)
        try:
            yield place
        finally:
            told.app.close()


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "backed_up"), [(1, 0), (2, 2)])
def test_two_nights_after_a_backup_are_found_again(
    seed: int, backed_up: int, tmp_path: Path
) -> None:
    nights = backed_up + 5
    with placed(seed, nights, tmp_path) as place:
        for number in range(1, backed_up + 1):
            place.night(number)
        file = tmp_path / "sauvegarde.zip"
        place.back_up(file)
        for number in range(backed_up + 1, backed_up + 3):
            place.night(number)
        place.restore(file)
        for number in range(backed_up + 3, nights + 1):
            place.night(number)
        figures, verdict = summary(place.told), judged(place.told)
        assert (verdict.duplicates, verdict.missing) == ((), ())
        assert zeros(figures) == dict.fromkeys(zeros(figures), 0)
