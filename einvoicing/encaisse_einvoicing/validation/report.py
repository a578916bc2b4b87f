"""Hold what validation says of one document: a verdict per layer, with what was checked by what."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from encaisse_einvoicing.issues import Issue

Outcome = Literal["valid", "invalid", "not_run", "not_applicable"]
Severity = Literal["fatal", "warning"]
LayerName = Literal["xsd", "rules", "french"]
LAYERS: Final[tuple[LayerName, ...]] = ("xsd", "rules", "french")


class NotRun(Exception):
    """Say why a check did not take place: the only way a layer becomes `not_run`.

    `code` is stable and meant for programs; `message_fr` tells a person what is missing or what
    happened, and what to do.
    """

    def __init__(self, code: str, message_fr: str) -> None:
        """Keep both parts; the text of the exception is the sentence."""
        super().__init__(message_fr)
        self.code: Final = code
        self.message_fr: Final = message_fr


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Artefact(_Frozen):
    """Name one official file: what it is, the version stated in it (None: none is), its sha256.

    A schema is several files: its sum is that of the list of their names and sums.
    """

    name: str
    version: str | None
    sha256: str


class Finding(_Frozen):
    """Report one thing a rule says of the document.

    `rule` is the identifier people know (BR-CO-15), `assertion` the artefact's own where it has
    another (FX-SCH-A-000121). `term` is the business term the rule names first (BT-115), `where` an
    XPath with the usual prefixes (rsm, ram, udt, qdt, cac, cbc), `line` that of the XML.
    """

    rule: str
    severity: Severity
    text: str
    term: str | None = None
    where: str = ""
    line: int | None = None
    assertion: str | None = None


class Layer(_Frozen):
    """Be the verdict of one layer.

    `reason` is a French sentence: always there for `not_run` and `not_applicable`, and beside
    another verdict where it leaves something unsaid. `code` goes with a `not_run`.
    """

    outcome: Outcome
    reason: str | None = None
    code: str | None = None
    findings: tuple[Finding, ...] = ()
    artefacts: tuple[Artefact, ...] = ()

    @property
    def artefact(self) -> Artefact | None:
        """Give the first file that was run, None when none was."""
        return self.artefacts[0] if self.artefacts else None


class Report(_Frozen):
    """Be all that is said of one document.

    `refused` is there when nothing could be read of it: every layer is then `not_run`, and the
    document counts as invalid, because no reader accepts it. `syntax` is "CII", "UBL Invoice" or
    "UBL CreditNote", `profile` is BT-24 as written, `level` the name it goes by, `attachment` the
    XML inside a PDF, and `issues` what the PDF itself has against it.
    """

    file: str
    xsd: Layer
    rules: Layer
    french: Layer
    refused: Issue | None = None
    syntax: str | None = None
    profile: str | None = None
    level: str | None = None
    attachment: str | None = None
    issues: tuple[Issue, ...] = ()

    def layer(self, name: LayerName) -> Layer:
        """Give a layer by its name."""
        return {"xsd": self.xsd, "rules": self.rules, "french": self.french}[name]

    def outcome(self, allowed: frozenset[LayerName] = frozenset()) -> Outcome:
        """Sum the layers up: invalid, else not_run, else valid.

        `allowed` layers may not have run: then they are left out. A refused document is invalid.
        """
        if self.refused is not None:
            return "invalid"
        outcomes = {name: self.layer(name).outcome for name in LAYERS}
        if "invalid" in outcomes.values():
            return "invalid"
        if any(told == "not_run" for name, told in outcomes.items() if name not in allowed):
            return "not_run"
        return "valid"
