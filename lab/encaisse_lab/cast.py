"""Draw who does what on which day, from the seed and the samples alone.

Night 1 opens the procedures; day 1 is the day after it, seen by night 2. Every role is given to a
customer of its own, so that what one does never hides what another did, and all of them are played
by day 5: the sixth night has seen each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Literal, get_args

from encaisse_lab.samples import Sample, Samples

Role = Literal[
    "full",
    "instalments",
    "double",
    "reversed",
    "direct_full",
    "direct_partial",
    "dispute",
    "credit_note",
    "never_payer",
]
ROLES: tuple[Role, ...] = get_args(Role)

Deed = Literal["pays_collector", "goes_back", "pays_directly", "disputes", "is_credited"]
Method = Literal["card", "paypal", "apple_pay", "google_pay", "bank_transfer"]
METHODS: tuple[Method, ...] = get_args(Method)

EITHER: tuple[Method, ...] = ("card", "bank_transfer")
"""Ways to pay that a bank takes back."""

INDEMNITY = 4_000
"""The lump sum of 40 € (D441-5 C. com.), in cents; some debtors pay it, some do not."""

REASONS = ("goods_quality", "not_delivered", "price", "identity", "other")


@dataclass(frozen=True, slots=True)
class Act:
    """Be one deed of one customer about one invoice.

    `cents` is principal; what is paid beside it stands apart. `payment` numbers the customer's
    payments on that invoice, so that `goes_back` names which one.
    """

    day: int
    hour: int
    role: Role
    true_id: str
    deed: Deed
    cents: int = 0
    interest: int = 0
    indemnity: int = 0
    method: Method = "card"
    instalment: int | None = None
    payment: int = 1
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Cast:
    """Hold the roles by invoice, and the acts in the order they happen."""

    roles: dict[str, Role]
    acts: tuple[Act, ...]


def cast(seed: int, known: Samples) -> Cast:
    """Give every customer in order a role; all nine are played, the rest is drawn."""
    chance = Random(f"cast-{seed}")
    groups: dict[str, list[Sample]] = {}
    for sample in known.collectible:
        groups.setdefault(sample.debtor.name, []).append(sample)
    names = sorted(groups)
    chance.shuffle(names)
    drawn: list[Role] = [*ROLES, *chance.choices(ROLES, k=max(0, len(names) - len(ROLES)))]
    roles: dict[str, Role] = {}
    acts: list[Act] = []
    for name, role in zip(names, drawn, strict=True):
        for sample in _chosen(chance, role, groups[name]):
            roles[sample.true_id] = role
            acts += _played(chance, role, sample)
    acts.sort(key=lambda act: (act.day, act.hour, act.true_id, act.payment))
    return Cast(roles, tuple(acts))


def _chosen(chance: Random, role: Role, group: list[Sample]) -> list[Sample]:
    """Choose what of a customer the role is about: one invoice, or all where it settles.

    Who pays the company directly pays all of it, so that the procedure itself has to end.
    """
    if role in ("never_payer", "direct_full") or (role == "full" and chance.random() < 0.5):
        return group
    return [chance.choice(group)]


def _played(chance: Random, role: Role, sample: Sample) -> Iterator[Act]:
    """Work one role out into dated acts."""
    day, hour = chance.randint(1, 2), chance.randint(9, 18)
    owed = sample.owed

    def act(deed: Deed, cents: int = 0, *, after: int = 0, payment: int = 1) -> Act:
        return Act(day + after, hour, role, sample.true_id, deed, cents, payment=payment)

    match role:
        case "full":
            yield _with_extras(chance, act("pays_collector", owed))
        case "instalments":
            parts = _split(chance, owed, chance.choice((2, 3)))
            for number, cents in enumerate(parts, start=1):
                part = act("pays_collector", cents, after=number - 1, payment=number)
                yield _by(part, chance.choice(METHODS[:4]), number)
        case "double":
            method = chance.choice(METHODS[:4])
            yield _by(act("pays_collector", owed), method)
            yield _by(act("pays_collector", owed, after=chance.randint(1, 2), payment=2), method)
        case "reversed":
            cents = owed if chance.random() < 0.4 else owed * chance.randint(30, 80) // 100
            yield _by(act("pays_collector", cents), chance.choice(EITHER))
            yield act("goes_back", cents, after=chance.randint(2, 3))
        case "direct_full":
            yield act("pays_directly", owed, after=chance.randint(0, 2))
        case "direct_partial":
            cents = owed * chance.randint(20, 70) // 100
            yield act("pays_directly", cents, after=chance.randint(0, 2))
        case "dispute":
            reason = chance.choice(REASONS)
            yield Act(day, hour, role, sample.true_id, "disputes", reason=reason)
        case "credit_note":
            cents = owed if chance.random() < 0.5 else owed * chance.randint(20, 60) // 100
            yield act("is_credited", cents, after=chance.randint(0, 2))
        case "never_payer":
            return


def _with_extras(chance: Random, act: Act) -> Act:
    """Let a customer who pays all of it pay interest and indemnity too, or not."""
    method = chance.choice(METHODS)
    if chance.random() < 0.5:
        return _by(act, method)
    return Act(
        act.day,
        act.hour,
        act.role,
        act.true_id,
        act.deed,
        act.cents,
        interest=chance.randint(50, 300),
        indemnity=INDEMNITY,
        method=method,
    )


def _by(act: Act, method: Method, instalment: int | None = None) -> Act:
    return Act(
        act.day,
        act.hour,
        act.role,
        act.true_id,
        act.deed,
        act.cents,
        method=method,
        instalment=instalment,
        payment=act.payment,
    )


def _split(chance: Random, cents: int, parts: int) -> list[int]:
    """Split a sum into instalments that add up to it."""
    first = [cents // parts - chance.randint(0, 900) for _ in range(parts - 1)]
    return [*first, cents - sum(first)]
