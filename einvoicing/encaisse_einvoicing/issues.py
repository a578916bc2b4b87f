"""Say what was wrong with a document: issues beside an invoice, refusals instead of one."""

from typing import Final

from pydantic import BaseModel, ConfigDict

RAW_KEPT: Final = 200
"""Characters of an unreadable value kept in an issue; longer ones end in an ellipsis."""


class Issue(BaseModel):
    """Report one thing a person should know about a document that was read, or not.

    `code` is stable and meant for programs, `message` is the French sentence a person reads,
    `where` is the file, or the term with its path and line. `term` is the EN 16931 business
    term (BT-9) when there is one, `raw` the text as written when it gave no value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    message: str
    where: str
    term: str | None = None
    raw: str | None = None


class Refused(Exception):
    """Refuse a whole document: nothing of it was read.

    The only error this package raises for what it is given. `where` is the file or the
    attachment; `message_fr` says what happened and what to do.
    """

    def __init__(self, code: str, message_fr: str, where: str = "") -> None:
        """Keep the three parts; the text of the exception is the sentence."""
        super().__init__(message_fr)
        self.code: Final = code
        self.message_fr: Final = message_fr
        self.where: Final = where

    def as_issue(self, where: str = "") -> Issue:
        """Tell the refusal as an issue, placed at `where` unless it knows better."""
        return Issue(code=self.code, message=self.message_fr, where=self.where or where)


def shortened(text: str) -> str:
    """Cut a raw value to what a message can hold, visibly."""
    return text if len(text) <= RAW_KEPT else f"{text[:RAW_KEPT]}…"
