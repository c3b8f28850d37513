"""A file on top of another says only what it changes, reaches nothing outside its folder, and cannot go in circles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.parameters import Parameters
from scenarios.scenario import HORIZON, ScenarioError, load, resolve
from scenarios.shocks import Consortium, SetParameter
from scenarios.toml import key, value

SET = '[[shocks]]\nkind = "set"\nquarter = "{}"\nname = "{}"\nvalue = {}\n'


def write(folder: Path, **files: str) -> None:
    """Write files by name without ending; a file that extends nothing needs no title here."""
    for name, text in files.items():
        title = "" if "extends" in text else 'title = "t"\n'
        (folder / f"{name}.toml").write_text(title + text, encoding="utf-8")


def faults(path: Path) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as error:
        resolve(path)
    return error.value.args


def test_a_child_takes_over_what_it_does_not_change(tmp_path: Path) -> None:
    write(
        tmp_path,
        parent='seeds = 4\nnotes = "why"\n[horizon]\nfirst = "2022Q2"\nlast = "2027Q4"\n[parameters]\nsigma1 = 0.3\n'
        "alpha_mean = 2\n" + SET.format("2026Q1", "sigma1", 0.2),
        child='extends = "parent.toml"\ntitle = "c"\n[horizon]\nlast = "2027Q1"\n[parameters]\nalpha_mean = 3\n'
        + SET.format("2025Q1", "sigma1", 0.1),
    )
    child = resolve(tmp_path / "child.toml")
    assert (child.name, child.title, child.notes, child.seeds) == ("child", "c", "why", "4")
    assert child.extends == ("parent.toml",)
    assert child.horizon == {"first": "2022Q2", "record_from": "2023Q1", "last": "2027Q1"}
    assert child.parameters == {"sigma1": 0.3, "alpha_mean": 3.0}
    assert child.setting.shocks == (
        SetParameter("2025Q1", "sigma1", 0.1),
        SetParameter("2026Q1", "sigma1", 0.2),
    )


def test_a_child_may_take_a_change_back(tmp_path: Path) -> None:
    default = Parameters.resolve().sigma1
    write(
        tmp_path,
        parent="[parameters]\nsigma1 = 0.3",
        child=f'extends = "parent.toml"\n[parameters]\nsigma1 = {default}',
    )
    assert resolve(tmp_path / "child.toml").parameters == {}


def test_a_scenario_of_the_library_can_be_extended_by_name(tmp_path: Path) -> None:
    write(tmp_path, mine='extends = "consortium"\n')
    mine = resolve(tmp_path / "mine.toml")
    assert mine.setting.shocks == load("consortium").shocks
    assert mine.title == resolve("consortium").title


@pytest.mark.parametrize(
    ("keys", "left"),
    [
        ('kind = "set"', 1),
        ('kind = "set"\nname = "sigma1"', 2),
        ('kind = "set"\nname = "sigma1"\nvalue = 0.2', 3),
        ('kind = "consortium"\nmembers = ["Huawei", "Tencent"]', 3),
    ],
)
def test_a_child_drops_every_inherited_shock_that_has_all_the_keys(
    tmp_path: Path, keys: str, left: int
) -> None:
    parent = "".join(
        SET.format(quarter, name, amount)
        for quarter, name, amount in (
            ("2025Q1", "sigma1", 0.2),
            ("2025Q2", "sigma1", 0.3),
            ("2025Q1", "sigma2", 0.8),
        )
    )
    parent += '[[shocks]]\nkind = "consortium"\nquarter = "2026Q1"\nmembers = ["Huawei", "Tencent"]\n'
    write(tmp_path, parent=parent, child=f'extends = "parent.toml"\n[[drop]]\n{keys}\n')
    assert len(load(tmp_path / "child.toml").shocks) == left


def test_an_inherited_shock_is_changed_by_dropping_it_and_writing_it_anew(tmp_path: Path) -> None:
    again = '[[shocks]]\nkind = "consortium"\nquarter = "2026Q2"\nmembers = ["Tencent", "Alibaba"]\n'
    write(tmp_path, child=f'extends = "consortium"\n[[drop]]\nkind = "consortium"\n{again}')
    assert load(tmp_path / "child.toml").shocks == (Consortium("2026Q2", "DeepSeek", ("Tencent", "Alibaba")),)


def test_a_drop_that_fits_nothing_says_what_there_is(tmp_path: Path) -> None:
    write(tmp_path, child='extends = "consortium"\n[[drop]]\nkind = "capture"\n')
    assert faults(tmp_path / "child.toml") == (
        "child.toml, line 2: drop 1: no inherited shock has these keys; there are: consortium of 2026Q2",
    )


def test_a_drop_without_a_parent_or_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    write(
        tmp_path,
        alone='[[drop]]\nkind = "set"\n',
        misspelt='extends = "consortium"\n[[drop]]\nkind = "consortium"\nmember = ["Huawei"]\n',
    )
    assert (
        "line 2: there is nothing to drop in a file that extends no other"
        in faults(tmp_path / "alone.toml")[0]
    )
    assert faults(tmp_path / "misspelt.toml")[0].endswith("there is no key 'member'; did you mean members?")


def test_a_circle_is_refused_and_shown(tmp_path: Path) -> None:
    write(
        tmp_path,
        a='\nextends = "b.toml"',
        b='extends = "c.toml"',
        c='extends = "a.toml"',
        self='extends = "self.toml"',
    )
    (fault,) = faults(tmp_path / "a.toml")
    assert fault.startswith(
        "c.toml, line 1: extends = 'a.toml' closes a circle: a.toml -> b.toml -> c.toml -> a.toml"
    )
    assert "self.toml -> self.toml" in faults(tmp_path / "self.toml")[0]


def test_a_file_may_have_the_name_of_the_scenario_of_the_library_that_it_extends(tmp_path: Path) -> None:
    write(tmp_path, consortium='extends = "consortium"')
    assert load(tmp_path / "consortium.toml") == load("consortium")


def test_a_fault_below_names_the_file_below_and_the_one_asked_for(tmp_path: Path) -> None:
    write(tmp_path, parent="[parameters]\nalpha_men = 2", child='extends = "parent.toml"')
    (fault,) = faults(tmp_path / "child.toml")
    assert fault.startswith(
        "parent.toml, line 3: [parameters]: no parameter is named 'alpha_men'; did you mean"
    )
    assert fault.endswith("(child.toml extends it)")


def test_a_horizon_that_cuts_an_inherited_shock_off_is_refused_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, child='extends = "consortium"\n\n[horizon]\nlast = "2025Q4"\n')
    (fault,) = faults(tmp_path / "child.toml")
    assert fault.startswith(
        "child.toml, line 3: the inherited consortium of 2026Q2 is outside the run, 2022Q1 to 2025Q4"
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("consortum", "no scenario is named 'consortum'; did you mean consortium"),
        ("other", "for the file in the same folder write extends = 'other.toml'"),
        ("othr.toml", "there is no file othr.toml in the same folder; did you mean other.toml"),
    ],
)
def test_a_parent_that_does_not_exist_is_answered_with_the_nearest(
    tmp_path: Path, name: str, said: str
) -> None:
    write(tmp_path, other="", child=f'\nextends = "{name}"')
    assert faults(tmp_path / "child.toml")[0].startswith("child.toml, line 2: ")
    assert said in faults(tmp_path / "child.toml")[0]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.toml",
        "..\\secret.toml",
        "sub/secret.toml",
        "/etc/passwd",
        "C:secret.toml",
        "..",
        ".",
        "",
        ".hidden.toml",
        "~/secret.toml",
        "a\u0000.toml",
        "secret.toml\n",
        "file:///etc/passwd",
    ],
)
def test_a_file_can_name_no_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "sub"
    (folder / "sub").mkdir(parents=True)
    write(tmp_path, secret="")
    write(folder / "sub", secret="")
    write(folder, child=f"extends = {value(name)}")
    assert "without a path" in faults(folder / "child.toml")[0]


def test_a_link_out_of_the_folder_is_refused_and_tells_nothing_of_what_it_leads_to(tmp_path: Path) -> None:
    folder = tmp_path / "sub"
    folder.mkdir()
    (tmp_path / "secret.toml").write_text("password = 1\n= broken", encoding="utf-8")
    (folder / "link.toml").symlink_to(tmp_path / "secret.toml")
    (folder / "linked").symlink_to(tmp_path)
    write(folder, child='extends = "link.toml"', inside="", twin='extends = "near.toml"')
    (fault,) = faults(folder / "child.toml")
    assert "link out of the folder" in fault
    assert "password" not in fault
    (folder / "near.toml").symlink_to("inside.toml")
    assert load(folder / "twin.toml").name == "twin"


def test_a_chain_of_many_files_is_followed_to_its_end(tmp_path: Path) -> None:
    files = {f"f{i}": f'extends = "f{i + 1}.toml"\n[parameters]\nsigma1 = {i / 1000}' for i in range(150)}
    write(tmp_path, **files, f150="")
    scenario = resolve(tmp_path / "f3.toml")
    assert scenario.parameters == {"sigma1": 0.003}
    assert len(scenario.extends) == 147


def some_of(**choices: list[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A dictionary with some of the keys, each with one of its values."""
    return st.fixed_dictionaries(
        {}, optional={key: st.sampled_from(values) for key, values in choices.items()}
    )


LAYERS = st.tuples(
    some_of(title=["a", "b"], notes=["c", "d"], seeds=[3, 5, "1,3-4", "7-7"]),
    some_of(first=["2022Q1", "2022Q3"], record_from=["2022Q4", "2023Q1"], last=["2024Q1", "2026Q1"]),
    some_of(alpha_mean=[2, 3.5], sigma1=[0, 0.25], open_weights=[0, True], **{"chips.H100.memory_gb": [75]}),
)


@given(layers=st.lists(LAYERS, min_size=1, max_size=4))
def test_a_chain_composes_as_dictionaries_do(
    tmp_path_factory: pytest.TempPathFactory, layers: list[tuple[dict[str, Any], ...]]
) -> None:
    folder = tmp_path_factory.mktemp("chain")
    keys: dict[str, Any] = {"title": "t"}
    horizon: dict[str, Any] = dict(HORIZON)
    parameters: dict[str, Any] = {}
    for i, (own, dates, values) in enumerate(layers):
        keys, horizon, parameters = keys | own, horizon | dates, parameters | values
        first = {"extends": f"f{i - 1}.toml"} if i else {"title": "t"}
        tables = (("", first | own), ("[horizon]\n", dates), ("[parameters]\n", values))
        text = "".join(
            header + "".join(f"{key(k)} = {value(v)}\n" for k, v in t.items()) for header, t in tables
        )
        (folder / f"f{i}.toml").write_text(text, encoding="utf-8")
    found = resolve(folder / f"f{len(layers) - 1}.toml")
    assert found.parameters == Parameters.resolve(parameters).overridden
    assert found.horizon == horizon
    assert (found.title, found.notes) == (keys["title"], keys.get("notes", ""))
    assert found.seeds == (str(keys["seeds"]) if "seeds" in keys else None)
    assert found.extends == tuple(f"f{i}.toml" for i in reversed(range(len(layers) - 1)))
