from __future__ import annotations

from pathlib import Path

import pytest

from chaise_cli import config

URL = "https://rail.example"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Nothing set but the folder of the settings; the file in it."""
    for name in config.NAMES:
        monkeypatch.delenv(f"CHAISE_{name.upper()}", raising=False)
    return tmp_path / "config.toml"


@pytest.mark.parametrize(
    "written", [f'rail.sim.url = "{URL}"', f'[rail.sim]\nurl = "{URL}"', f'[rail]\nsim.url = "{URL}"']
)
def test_where_the_sim_is_stands_in_a_table_of_the_rails(bare: Path, written: str) -> None:
    bare.write_text(written)
    found = config.read(bare.parent)
    assert found.rail_sim_url == (URL, str(bare))
    assert found.home == (str(bare.parent), "--home")


def test_a_variable_goes_before_the_file(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare.write_text(f'rail.sim.url = "{URL}"')
    monkeypatch.setenv("CHAISE_RAIL_SIM_URL", "http://127.0.0.1:1")
    assert config.read(bare.parent).rail_sim_url == ("http://127.0.0.1:1", "CHAISE_RAIL_SIM_URL")


@pytest.mark.parametrize(
    "written", ['rail_sim_url = "x"', 'rail.url = "x"', 'rail.sim.key = "x"', "[home]\nat = 1", "a = 1"]
)
def test_what_is_no_setting_is_refused(bare: Path, written: str) -> None:
    bare.write_text(written)
    with pytest.raises(config.BadConfig):
        config.read(bare.parent)
