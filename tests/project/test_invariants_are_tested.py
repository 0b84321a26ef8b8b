"""Each invariant has a name, and a test that breaks it and sees that name."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
YIELDED = re.compile(r'Violation\(\s*"(\w+)"')  # where a check yields it
PROMISED = re.compile(r"#.*Invariant: (\w+) - ")  # at the field that it governs


def _found(pattern: re.Pattern[str], *folders: str) -> dict[str, str]:
    """What stands in the pattern's place, with the first file where it does."""
    found: dict[str, str] = {}
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for name in pattern.findall(path.read_text()):
                found.setdefault(name, str(path.relative_to(ROOT)))
    return found


def test_each_invariant_that_a_check_yields_is_named_by_a_test() -> None:
    """A check that never failed may be one that cannot fail."""
    own = Path(__file__).name
    tests = "\n".join(path.read_text() for path in sorted((ROOT / "tests").rglob("test_*.py")) if path.name != own)
    missing = {name: place for name, place in _found(YIELDED, "kernel", "actors").items() if f'"{name}"' not in tests}
    assert not missing, f"no test breaks these: {missing}"


def test_each_invariant_that_stands_at_a_field_is_checked() -> None:
    """The comment promises a name that check() uses."""
    checked = _found(YIELDED, "kernel", "actors")
    missing = {name: place for name, place in _found(PROMISED, "kernel", "actors").items() if name not in checked}
    assert not missing, f"nothing checks these: {missing}"
