"""From TOML to a typed `Config`, with one clear line for every mistake.

A config is found by name among the machines that ship in the package `configs` ("quad"), or is a file ("./mine.toml"). It holds only
what differs from `defaults.toml`, or from the config named by `extends = "quad"`. What may stand in it is exactly what
kernel/config.py declares: the tree below is walked beside the records' own type information, so that a key, a range or a choice
is stated in one place.

A mistake is a `ConfigError` whose text is one line that names file and key: `mine.toml: machine.cores: expected 1 to 64, got 0`.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from msgspec import inspect as types

from kernel.config import EVENT_CATEGORIES, Config

Tree = dict[str, Any]
_SHAPE = types.type_info(Config)
_PYTHON_TYPES: dict[type, type] = {types.IntType: int, types.FloatType: float, types.StrType: str, types.BoolType: bool}
_FIRST_TABLE = 1  # fields of Config before it are not tables: `name`


class ConfigError(Exception):
    """A config that cannot be used. The text is one line: file, key, what was expected and what was found."""


class UnknownConfigError(ConfigError):
    """No shipped config has that name."""


def names() -> list[str]:
    """The machines that ship with the package, `defaults` left out, in the order of their number of cores and then of name."""
    found = [entry.name.removesuffix(".toml") for entry in resources.files("configs").iterdir() if entry.name.endswith(".toml")]
    return sorted((name for name in found if name != "defaults"), key=lambda name: (load(name).machine.cores, name))


def description(name: str) -> str:
    """The comment that a shipped config opens with."""
    lines = (resources.files("configs") / f"{name}.toml").read_text(encoding="utf-8").splitlines()
    return lines[0].lstrip("# ").strip() if lines and lines[0].startswith("#") else ""


def load(config: str | Config) -> Config:
    """The config with that name, or in that file. A `Config` is returned as it is. Raises ConfigError."""
    if isinstance(config, Config):
        return config
    return _load_file(config) if _is_file(config) else _load_shipped(config)


def event_categories() -> tuple[str, ...]:
    """What `--events` and `[events] categories` may name."""
    return EVENT_CATEGORIES


def config_hash(config: Config) -> str:
    """Sixteen hex digits over every value: what the log's first record says about the machine."""
    return hashlib.sha256(msgspec.json.encode(config)).hexdigest()[:16]


def _is_file(config: str) -> bool:
    return "/" in config or "\\" in config or config.endswith(".toml")


@functools.cache
def _load_shipped(name: str) -> Config:
    return _build(name, _merged(name, Path(), ()), f"{name}.toml")


def _load_file(path: str) -> Config:
    return _build(Path(path).name.removesuffix(".toml"), _merged(path, Path(), ()), path)


def _merged(config: str, folder: Path, seen: tuple[str, ...]) -> Tree:
    """The tree of `config` laid over the one that it extends. Every tree is checked under its own name before it is merged."""
    label, text, here = _read(config, folder)
    if label in seen:
        raise ConfigError(f"{label}: extends: circular: {' -> '.join((*seen, label))}")
    tree = _parse(text, label)
    base = tree.pop("extends", None)
    if base is not None and not isinstance(base, str):
        raise ConfigError(f'{label}: extends: expected the name of a config, such as "quad", got {base!r}')
    _check_table(tree, _SHAPE, label, "")
    if base is None:
        return tree
    try:
        return _overlay(_merged(base, here, (*seen, label)), tree)
    except UnknownConfigError as error:
        raise ConfigError(f"{label}: extends: {error}") from None


def _read(config: str, folder: Path) -> tuple[str, str, Path]:
    """Label for messages, text, and the folder that a relative `extends` starts from."""
    if not _is_file(config):
        try:
            return f"{config}.toml", (resources.files("configs") / f"{config}.toml").read_text(encoding="utf-8"), Path()
        except (OSError, ValueError):
            raise UnknownConfigError(f"{config}: no such config: expected a TOML file or one of {', '.join(names())}") from None
    path = folder / config
    try:
        return str(path), path.read_text(encoding="utf-8"), path.parent
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not a text file in UTF-8") from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot read: {getattr(error, 'strerror', None) or error}") from None


def _parse(text: str, label: str) -> Tree:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{label}: not TOML: {error}") from None


def _overlay(base: Tree, tree: Tree) -> Tree:
    merged = dict(base)
    for key, value in tree.items():
        merged[key] = _overlay(merged[key], value) if isinstance(value, dict) and isinstance(merged.get(key), dict) else value
    return merged


def _check_table(tree: Tree, shape: Any, label: str, path: str) -> None:
    """Every key of `tree` must be a field of `shape` and have its type and range."""
    fields = {field.name: field.type for field in shape.fields[_FIRST_TABLE if shape is _SHAPE else 0 :]}
    for key, value in tree.items():
        here = f"{path}{key}"
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1)
            hint = f"did you mean {close[0]}?" if close else f"expected {', '.join(fields)}"
            raise ConfigError(f"{label}: {here}: unknown key: {hint}")
        field = fields[key]
        if isinstance(field, types.StructType):
            if not isinstance(value, dict):
                raise ConfigError(f"{label}: {here}: expected a table [{here}], got {_shown(value)}")
            _check_table(value, field, label, f"{here}.")
        else:
            _check_value(value, field, label, here)


def _check_value(value: Any, field: Any, label: str, here: str) -> None:
    if isinstance(field, types.VarTupleType):
        if not isinstance(value, list):
            raise ConfigError(f"{label}: {here}: expected a list, got {_shown(value)}")
        for index, item in enumerate(value):
            _check_value(item, field.item_type, label, f"{here}[{index}]")
        return
    try:
        msgspec.convert(value, _annotation(field))
    except msgspec.ValidationError:
        raise ConfigError(f"{label}: {here}: expected {_expectation(field)}, got {_shown(value)}") from None


def _annotation(field: Any) -> Any:
    """The Python type that a node of msgspec's type tree stands for, for those that configs use."""
    if isinstance(field, types.LiteralType):
        return Literal[tuple(field.values)]
    python: Any = _PYTHON_TYPES[type(field)]
    low, high = getattr(field, "ge", None), getattr(field, "le", None)
    return python if low is None and high is None else Annotated[python, Meta(ge=low, le=high)]


def _expectation(field: Any) -> str:
    if isinstance(field, types.LiteralType):
        return " or ".join(f'"{value}"' for value in field.values)
    if isinstance(field, types.BoolType):
        return "true or false"
    if isinstance(field, types.StrType):
        return "a string"
    return f"{field.ge} to {field.le}"


def _shown(value: Any) -> str:
    """A TOML value as a user wrote it, kept short."""
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _build(name: str, tree: Tree, label: str) -> Config:
    """The record, over defaults.toml, once relations between keys hold too."""
    defaults = _parse((resources.files("configs") / "defaults.toml").read_text(encoding="utf-8"), "defaults.toml")
    config = msgspec.convert({**_overlay(defaults, tree), "name": name}, Config)
    machine = config.machine
    if machine.core_speeds and len(machine.core_speeds) != machine.cores:
        raise ConfigError(f"{label}: machine.core_speeds: expected one value per core ({machine.cores}), got {len(machine.core_speeds)}")
    if machine.init:
        shown = _shown(machine.init)
        raise ConfigError(f"{label}: machine.init: pid 1 of this version is the reaper inside the kernel: leave the key out, got {shown}")
    if config.faults.kinds:
        shown = _shown(list(config.faults.kinds))
        raise ConfigError(f"{label}: faults.kinds: this version injects no faults: leave the key out, got {shown}")
    if machine.first_pid >= machine.pid_max:
        raise ConfigError(f"{label}: machine.first_pid: expected less than machine.pid_max ({machine.pid_max}), got {machine.first_pid}")
    return config
