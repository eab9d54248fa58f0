"""Records: frozen classes of named values, as `dataclass(frozen=True)` makes them, for a fraction of its price.

A dataclass writes and compiles the source of six methods when its class is made. torchgen has sixty such classes, and
that took half of the time of `torchgen plan`. Here the methods are written once; they read the fields of their class
when they are called.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform

_T = TypeVar("_T")
_MISSING: Any = object()


class _Field:
    """What is known of one field: its default, and whether it counts when two records are compared."""

    __slots__ = ("compare", "default", "default_factory")

    def __init__(self, default: Any, default_factory: Callable[[], Any] | None, compare: bool) -> None:
        self.default = default
        self.default_factory = default_factory
        self.compare = compare


def field(
    *, default: Any = _MISSING, default_factory: Callable[[], Any] | None = None, compare: bool = True
) -> Any:
    """A field with a default that is made anew for each record, or one that does not count in comparisons."""
    return _Field(default, default_factory, compare)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[_T]) -> type[_T]:
    """Make a class of annotated names a record; what it defines itself stays."""
    fields: dict[str, _Field] = {}
    for base in reversed(cls.__mro__[1:]):
        fields |= base.__dict__.get("_fields", {})
    for name, kind in cls.__annotations__.items():
        if str(kind).startswith("ClassVar"):
            continue
        given = cls.__dict__.get(name, _MISSING)
        fields[name] = given if isinstance(given, _Field) else _Field(given, None, True)
        if isinstance(given, _Field):
            delattr(cls, name)  # a default is read from the field, never from the class
    cls._fields = fields  # type: ignore[attr-defined]  # read by the methods below
    for name, method in _METHODS.items():
        if cls.__dict__.get(name) is None:  # __hash__ is None where a class has an __eq__ of its own
            setattr(cls, name, method)
    return cls


def replace(changed: _T, /, **values: Any) -> _T:
    """The same record with other values."""
    return type(changed)(**{**vars(changed), **values})


def _init(self: Any, *args: Any, **given: Any) -> None:
    values = self.__dict__
    rest = iter(args)
    for name, known in self._fields.items():
        value = next(rest, _MISSING)
        if value is _MISSING:
            value = given.pop(name, known.default)
        if value is _MISSING and known.default_factory:
            value = known.default_factory()
        if value is _MISSING:
            raise TypeError(f"{type(self).__name__} needs {name}")
        values[name] = value
    if given or next(rest, None) is not None:
        raise TypeError(f"{type(self).__name__} takes {', '.join(self._fields)}, each once")


def _compared(self: Any) -> tuple[Any, ...]:
    return tuple(self.__dict__[name] for name, known in self._fields.items() if known.compare)


def _eq(self: Any, other: object) -> bool:
    return _compared(self) == _compared(other) if type(other) is type(self) else NotImplemented


def _hash(self: Any) -> int:
    return hash(_compared(self))


def _repr(self: Any) -> str:
    return (
        f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"
    )


def _frozen(self: Any, name: str, value: object = None) -> None:
    raise AttributeError(f"{type(self).__name__} is frozen: {name} stays as it is")


_METHODS: dict[str, Callable[..., Any]] = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _frozen,
    "__delattr__": _frozen,
}
