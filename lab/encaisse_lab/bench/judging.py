"""Hold a figure against the goal set for it, and say how it stands."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Goal:
    """Be one goal: the figure due, at least or at most, and what it measures in two languages."""

    key: str
    due: float
    english: str
    french: str
    percent: bool = False
    at_most: bool = False
    unit: str = "x"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Say how a goal stands; `value` is None, with the reason, where it was not measured."""

    goal: Goal
    value: float | None
    why_not: str = ""

    @property
    def met(self) -> bool:
        """Tell whether the figure reaches the goal."""
        if self.value is None:
            return False
        return self.value <= self.goal.due if self.goal.at_most else self.value >= self.goal.due


def figure(goal: Goal, value: float | None) -> str:
    """Write a measured value as its goal is written."""
    if value is None:
        return "-"
    return f"{value:.1%}" if goal.percent else f"{value:.2f}{goal.unit}"


def due(goal: Goal, at_most: str, at_least: str) -> str:
    """Write what a goal asks for."""
    asked = f"{goal.due:.0%}" if goal.percent else f"{goal.due:g}{goal.unit}"
    return f"{at_most if goal.at_most else at_least} {asked}"


def word(verdict: Verdict, met: str, unmet: str, unmeasured: str) -> str:
    """Choose the word for how a goal stands."""
    if verdict.value is None:
        return unmeasured
    return met if verdict.met else unmet


def machine() -> str:
    """Tell the kind of machine: cores and processor, never its name."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
