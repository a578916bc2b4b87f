"""Handle the raw dictionaries between the walk and the model, with their types."""

from encaisse_einvoicing.reading.plan import Raw, Scalar


def text(raw: Raw, key: str) -> str | None:
    """Give a text value, None when absent or of another kind."""
    value = raw.get(key)
    return value if isinstance(value, str) else None


def group(raw: Raw, key: str) -> Raw:
    """Give a group, an empty one when absent."""
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def groups(raw: Raw, key: str) -> list[Raw]:
    """Give the groups of a repeated field, none when absent."""
    value = raw.get(key)
    return value if isinstance(value, list) else []


def scalar(raw: Raw, key: str) -> Scalar | None:
    """Give a single value of any type."""
    value = raw.get(key)
    return None if isinstance(value, (dict, list)) else value


def move(source: Raw, key: str, target: Raw, field: str) -> None:
    """Move a value to another field, unless that one is already taken."""
    value = source.pop(key, None)
    if value is not None:
        target.setdefault(field, value)
