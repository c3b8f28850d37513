"""A scenario is found by name or path and resolves to a setting; a wrong one is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from model.parameters import ParameterError, Parameters
from model.setting import Setting
from scenarios.scenario import ScenarioError, library, load, names
from scenarios.shocks import KINDS, Consortium, SetParameter


def written(folder: Path, text: str) -> Path:
    file = folder / "world.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_baseline_has_no_shocks_and_changes_no_parameter() -> None:
    setting = load("baseline")
    assert setting.shocks == ()
    assert setting.parameters == Parameters.resolve()
    assert setting == Setting("baseline", Parameters.resolve())


def test_the_consortium_of_the_second_article_starts_in_the_second_quarter_of_2026() -> None:
    (shock,) = load("consortium").shocks
    assert shock == Consortium("2026Q2", "DeepSeek", ("Huawei", "Tencent", "Alibaba"))


def test_every_scenario_of_the_library_loads_and_says_what_it_asks() -> None:
    assert names()[0] == "baseline"
    for scenario in library():
        assert load(scenario.name).name == scenario.name
        assert scenario.title
        assert len(scenario.notes.split()) > 30


def test_overrides_win_over_the_file_which_wins_over_the_defaults(tmp_path: Path) -> None:
    file = written(tmp_path, 'title = "t"\n[parameters]\nalpha_mean = 2.5\nsigma1 = 0.3\n')
    setting = load(file, {"sigma1": "0.2"})
    assert setting.name == "world"
    assert setting.parameters.overridden == {"alpha_mean": 2.5, "sigma1": 0.2}


def test_shocks_are_ordered_by_date_and_checked_against_the_parameter_table(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        'title = "t"\n'
        '[[shocks]]\nkind = "set"\nquarter = "2027Q1"\nname = "alpha_mean"\nvalue = 3\n'
        '[[shocks]]\nkind = "set"\nquarter = "2025Q3"\nname = "sigma1"\nvalue = 0.1\n',
    )
    assert load(file).shocks == (
        SetParameter("2025Q3", "sigma1", 0.1),
        SetParameter("2027Q1", "alpha_mean", 3.0),
    )


def test_a_horizon_shortens_a_run(tmp_path: Path) -> None:
    setting = load(written(tmp_path, 'title = "t"\n[horizon]\nlast = "2024Q2"\n'))
    assert (setting.first, setting.record_from, setting.last) == ("2022Q1", "2023Q1", "2024Q2")


def test_a_misspelt_scenario_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(ScenarioError, match="no scenario is named 'basline'; did you mean baseline"):
        load("basline")


def test_an_unknown_override_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(ParameterError, match="did you mean alpha_mean"):
        load("baseline", {"alpha_men": 2})


SHOCK = 'title = "t"\n[[shocks]]\nkind = "consortium"\nquarter = "2026Q2"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('titel = "t"', "world.toml, line 1: there is no key 'titel'; did you mean title"),
        ("", "world.toml: the key 'title' is missing"),
        ("title = 3", "world.toml, line 1: title = 3: expected text in quotes"),
        ("title 1", "world.toml is not TOML: .*line 1"),
        ('title = "t"\n[horizon]\nlst = "2024Q2"', "there is no key 'horizon.lst'; did you mean last"),
        ('title = "t"\n[horizon]\nlast = "2024Q7"', "horizon.last: '2024Q7' is not a quarter"),
        ('title = "t"\n[horizon]\nlast = "2022Q3"', "the horizon runs backwards: .*last = 2022Q3"),
        ('title = "t"\n[parameters]\nalpha_men = 2', r"\[parameters\]: no parameter is named 'alpha_men'"),
        ('title = "t"\n[parameters]\nalpha_mean = 0.1', r"\[parameters\]: alpha_mean = 0.1 is impossible"),
        ('title = "t"\n[[shocks]]\nquarter = "2026Q2"', "shock 1: the key 'kind' is missing: .*consortium"),
        (SHOCK.replace("consortium", "consortum"), "shock 1: .*'consortum'; did you mean consortium"),
        (SHOCK.replace("quarter", "quater"), r"shock 1 \(consortium\): there is no key 'quater'; .*quarter"),
        (SHOCK.replace("2026Q2", "2026Q9"), "'2026Q9' is not a quarter"),
        (SHOCK.replace("2026Q2", "2036Q1"), "2036Q1 is outside the run, 2022Q1 to 2028Q4"),
        (SHOCK + 'target = "DeepSek"', "target = 'DeepSek' makes no models; .*DeepSeek"),
        (SHOCK + 'members = ["Huawei", "Tencnt"]', "'Tencnt' is no cloud; .*Tencent"),
        (SHOCK + 'members = ["Huawei", "Huawei"]', "name each member once"),
        (SHOCK + "stake_each = 0.5", "3 stakes must lie above 0 and add up to at most 1"),
        (SHOCK + 'members = "Huawei"', "members = 'Huawei': expected a list in brackets"),
        (
            'title = "t"\n[[shocks]]\nkind = "set"\nquarter = "2026Q2"\nname = "alpha_mean"\nvalue = 99',
            r"shock 1 \(set\): alpha_mean = 99.0 is impossible",
        ),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence_naming_file_and_key(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(ScenarioError, match=said) as error:
        load(written(tmp_path, text))
    assert "world.toml" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"there is no scenario file nowhere\.toml"):
        load("nowhere.toml")


def test_every_kind_of_shock_documents_itself() -> None:
    for kind, shock in KINDS.items():
        assert shock.__doc__, kind
        assert "quarter" in shock.__dataclass_fields__  # type: ignore[attr-defined]
