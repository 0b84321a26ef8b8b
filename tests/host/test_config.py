"""Configs: every mistake is one line that names file and key; what ships can be loaded; defaults.toml says what the records say."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

import msgspec
import pytest

from kernel.config import Config
from trapline import config as configs
from trapline.config import ConfigError, config_hash, load, names


def written(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_every_shipped_config_loads_and_describes_itself():
    assert set(names()) == {"uni", "dual", "quad", "many", "skewed", "tiny", "checked", "quiet"}
    assert all(configs.description(name) for name in names())


@pytest.mark.parametrize(("name", "cores"), [("uni", 1), ("dual", 2), ("quad", 4), ("many", 16)])
def test_names_promise_their_number_of_cores(name, cores):
    assert load(name).machine.cores == cores


def test_defaults_toml_is_what_the_records_declare():
    assert msgspec.structs.replace(load("defaults"), name="") == Config(name="")


def test_defaults_toml_documents_every_key():
    document = tomllib.loads((resources.files("configs") / "defaults.toml").read_text())
    declared = msgspec.to_builtins(Config())
    assert {table: set(keys) for table, keys in document.items()} == {t: set(k) for t, k in declared.items() if t != "name"}


def test_an_empty_file_is_the_defaults(tmp_path):
    path = tmp_path / "empty.toml"
    path.write_text("")
    assert msgspec.structs.replace(load(str(path)), name="defaults") == load("defaults")


def test_extends_takes_over_what_is_not_said(tmp_path):
    config = load(written(tmp_path, 'extends = "tiny"\n[machine]\ncores = 3'))
    assert (config.machine.cores, config.machine.max_files, config.name) == (3, load("tiny").machine.max_files, "mine")


def test_extends_finds_a_file_beside_the_config(tmp_path):
    (tmp_path / "base.toml").write_text("[machine]\ncores = 7")
    assert load(written(tmp_path, 'extends = "base.toml"')).machine.cores == 7


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[machine]\ncores = 0", "machine.cores: expected 1 to 64, got 0"),
        ("[machine]\ncores = true", "machine.cores: expected 1 to 64, got true"),
        ("[machine]\ncores = 2.5", "machine.cores: expected 1 to 64, got 2.5"),
        ("[machine]\ncores = 'two'", 'machine.cores: expected 1 to 64, got "two"'),
        ("[machine]\ncore = 4", "machine.core: unknown key: did you mean cores?"),
        ("[machines]\ncores = 4", "machines: unknown key: did you mean machine?"),
        ("machine = 4", "machine: expected a table [machine], got 4"),
        ("name = 'x'", "name: unknown key: expected machine, run, explore, user, faults, costs, scheduler, check, events"),
        ("[machine]\nmemory_model = 'weak'", 'machine.memory_model: expected "sc", got "weak"'),
        ("[check]\ninvariants = 1", "check.invariants: expected true or false, got 1"),
        ("[events]\ncategories = 'op'", 'events.categories: expected a list, got "op"'),
        ("[faults]\nprobability = 2", "faults.probability: expected 0.0 to 1.0, got 2"),
        ("[machine]\ncore_speeds = [100]", "machine.core_speeds: expected one value per core (4), got 1"),
        ("[machine]\ncore_speeds = [1, 1, 1, 1]", "machine.core_speeds[0]: expected 10 to 10000, got 1"),
        ("[machine]\nfirst_pid = 100\npid_max = 50", "machine.first_pid: expected less than machine.pid_max (50), got 100"),
        ("extends = 4", 'extends: expected the name of a config, such as "quad", got 4'),
    ],
)
def test_a_mistake_is_one_line_that_names_file_and_key(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value) == f"{path}: {message}"


def test_an_unknown_category_is_named_with_its_place(tmp_path):
    with pytest.raises(ConfigError, match=r'events\.categories\[1\]: expected .*"op".*, got "ops"'):
        load(written(tmp_path, '[events]\ncategories = ["op", "ops"]'))


def test_a_base_that_does_not_exist_is_told_with_the_file_that_names_it(tmp_path):
    path = written(tmp_path, 'extends = "qad"')
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: extends: qad: no such config: expected a TOML file or one of uni, ")


def test_configs_that_extend_each_other_are_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"extends: circular: .*mine\.toml -> .*mine\.toml"):
        load(written(tmp_path, 'extends = "mine.toml"'))


@pytest.mark.parametrize(("name", "message"), [("./nowhere.toml", "cannot read: No such file"), ("nowhere", "no such config: expected")])
def test_a_missing_config_is_named(name, message):
    with pytest.raises(ConfigError, match=message):
        load(name)


def test_text_that_is_no_toml_is_told_with_its_line(tmp_path):
    with pytest.raises(ConfigError, match=r"mine.toml: not TOML: .*line 2"):
        load(written(tmp_path, "[machine]\ncores = = 4\n"))


def test_bytes_that_are_no_text_are_told(tmp_path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not a text file in UTF-8"):
        load(str(tmp_path / "mine.toml"))


def test_the_hash_of_a_config_follows_its_values(tmp_path):
    path = written(tmp_path, "[machine]\ncores = 3")
    before = config_hash(load(path))
    written(tmp_path, "[machine]\ncores = 5")
    assert before != config_hash(load(path))
    assert config_hash(load("quad")) == config_hash(load("quad"))


def test_a_config_object_is_taken_as_it_is():
    config = load("dual")
    assert load(config) is config


def test_faults_are_refused_while_none_can_be_injected(tmp_path):
    """An option that is accepted and ignored would be a lie."""
    path = tmp_path / "mine.toml"
    path.write_text('[faults]\nkinds = ["eintr"]\n')
    with pytest.raises(ConfigError, match=r"mine\.toml: faults\.kinds: this version injects no faults"):
        load(str(path))


def test_a_program_as_init_is_refused_while_there_is_none(tmp_path):
    """As above: the key is reserved, not ignored."""
    path = tmp_path / "mine.toml"
    path.write_text('[machine]\ninit = "/bin/init"\n')
    with pytest.raises(ConfigError, match=r"mine\.toml: machine\.init: pid 1 of this version is the reaper"):
        load(str(path))
