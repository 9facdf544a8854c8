"""The one collection of table definitions; each file of this room declares its tables on it."""

from __future__ import annotations

from sqlalchemy import Dialect, MetaData, Text, TypeDecorator

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_BYTES = "\x1abytes:"


class AnyText(TypeDecorator[str]):
    """Text that may hold file names which are no valid Unicode (Python's surrogate escapes).

    Databases refuse lone surrogates, so such a text is kept as the hexadecimal form of its bytes behind a mark.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        if value is None or value.isascii():
            return value
        try:
            value.encode()
        except UnicodeEncodeError:
            return _BYTES + value.encode("utf-8", "surrogatepass").hex()
        return value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        del dialect
        if value is None or not value.startswith(_BYTES):
            return value
        return bytes.fromhex(value.removeprefix(_BYTES)).decode("utf-8", "surrogatepass")
