"""A scenario is found by name or path and resolves to a setting; a wrong one is refused in one sentence."""

from __future__ import annotations

import os
import pickle
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from model.parameters import ParameterError, Parameters
from model.setting import Setting
from scenarios.scenario import ScenarioError, library, load, names, resolve
from scenarios.shocks import KINDS, Consortium, SetParameter
from studies.ensemble import plan


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
        '[[shocks]]\nkind = "set"\nquarter = "2027Q1"\nname = "sigma2"\nvalue = 0.8\n'
        '[[shocks]]\nkind = "set"\nquarter = "2025Q3"\nname = "sigma1"\nvalue = 0.1\n',
    )
    assert load(file).shocks == (
        SetParameter("2025Q3", "sigma1", 0.1),
        SetParameter("2027Q1", "sigma2", 0.8),
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
SET = '[[shocks]]\nkind = "set"\nquarter = "2026Q2"\nname = "sigma2"\nvalue = 0.8\n'
T = 'title = "t"\n'


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('titel = "t"', 1, "there is no key 'titel'; did you mean title"),
        ("# nothing\n", 0, "the key 'title' is missing"),
        ("\ntitle = 3", 2, "title = 3: expected text in quotes"),
        (T + "alpha_mean = 2", 2, r"there is no key 'alpha_mean'; .*parameters stand under \[parameters\]"),
        (T + "shocks = 3", 2, r"shocks = 3: expected a table \[\[shocks\]\] for each shock"),
        (T + 'seeds = "1-"', 2, "'1-' is neither a number nor a range; write 32, or 1,2,5-8"),
        (T + "seeds = [1, 2]", 2, 'expected how many seeds, as 32, or which, as "1,2,5-8"'),
        (T + '[horizon]\nlst = "2024Q2"', 3, "there is no key 'horizon.lst'; did you mean last"),
        (T + '[horizon]\nlast = "2024Q7"', 3, "horizon.last: '2024Q7' is not a quarter"),
        (T + 'horizon.last = "2022Q3"', 2, "the horizon runs backwards: .*last = 2022Q3"),
        (T + '[horizon]\nlast = "2208Q4"', 2, "748 quarters, expected at most 200"),
        (T + "[horizon]\nlast = 2024-04-01", 3, 'expected a quarter in quotes, as "2026Q2"'),
        (
            T + "[parameters]\n\nalpha_men = 2",
            4,
            r"\[parameters\]: no parameter is named 'alpha_men'; did you",
        ),
        (T + "[parameters]\nalpha_mean = 0.1", 3, r"alpha_mean = 0.1 is impossible: allowed is 1.5 to 4"),
        (T + '[parameters]\n"chips.H100.memory_gb" = 1', 3, "allowed is 72 to 88 GB; the default is 80"),
        (T + '[parameters]\nalpha_mean = "2"', 3, "alpha_mean = '2' is text: write a number without quotes"),
        (T + "[parameters]\nalpha_mean = true", 3, "alpha_mean = True is not a number"),
        (T + "parameters = {sigma1 = 0.1, eta = [1]}", 2, r"parameters.eta = \[1\]: expected a number"),
        (
            T + "[parameters]\nchips.H100.memory_gb = 80",
            3,
            'write the whole name in quotes, as "chips.H100.memory_gb"',
        ),
        (T + '[[shocks]]\nquarter = "2026Q2"', 2, "shock 1: the key 'kind' is missing: .*consortium"),
        (SHOCK.replace("consortium", "consortum"), 3, "shock 1: .*'consortum'; did you mean consortium"),
        (
            SHOCK.replace("quarter", "quater"),
            4,
            r"shock 1 \(consortium\): there is no key 'quater'; .*quarter",
        ),
        (SHOCK.replace('quarter = "2026Q2"', ""), 2, "the key 'quarter' is missing"),
        (SHOCK.replace("2026Q2", "2026Q9"), 4, "'2026Q9' is not a quarter"),
        (SHOCK.replace("2026Q2", "2036Q1"), 4, "2036Q1 is outside the run, 2022Q1 to 2028Q4"),
        (T + SET.replace("2026Q2", "2021Q4"), 4, "2021Q4 is outside the run, 2022Q1 to 2028Q4"),
        (SHOCK + 'target = "DeepSek"', 5, "target = 'DeepSek' makes no models; .*DeepSeek"),
        (SHOCK + 'members = ["Huawei",\n"Tencnt"]', 6, "'Tencnt' is no cloud; .*Tencent"),
        (SHOCK + 'members = ["Huawei", "Huawei"]', 5, "name each member once"),
        (SHOCK + "stake_each = 0.5", 5, "3 stakes must lie above 0 and add up to at most 1"),
        (SHOCK + 'members = "Huawei"', 5, "members = 'Huawei': expected a list in brackets"),
        (T + SET.replace("0.8", "99"), 6, r"shock 1 \(set\): sigma2 = 99.0 is impossible"),
        (T + SET.replace("0.8", '"2"'), 6, r"shock 1 \(set\): value = '2': expected a number"),
        (T + SET.replace("sigma2", "sigm2"), 5, "no parameter is named 'sigm2'; did you mean"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence_naming_file_line_and_key(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    with pytest.raises(ScenarioError, match=said) as error:
        load(written(tmp_path, text))
    assert str(error.value).startswith(f"world.toml, line {line}: " if line else "world.toml: ")
    assert "\n" not in str(error.value)
    assert len(error.value.args) == 1


def test_a_file_that_is_no_toml_is_refused_with_the_line_of_the_parser(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"world\.toml is not TOML: .*line 2"):
        load(written(tmp_path, T + "seeds 1"))


def test_every_fault_of_a_file_is_found_in_the_order_of_lines(tmp_path: Path) -> None:
    text = 'titel = "t"\nextends = "none"\nseeds = 0\n[parameters]\nsigma1 = 9\nsigm2 = 1\n' + SET + SET
    with pytest.raises(ScenarioError) as error:
        resolve(written(tmp_path, text))
    assert sorted(int(fault.split("line ")[1].partition(":")[0]) for fault in error.value.args) == [
        1,
        2,
        3,
        5,
        6,
    ]
    with pytest.raises(ScenarioError) as error:
        resolve(written(tmp_path, text.replace('extends = "none"\n', "")))
    assert [fault.split(": ")[0] for fault in error.value.args] == [
        f"world.toml, line {line}" for line in (1, 2, 4, 5, 11)
    ]


def test_shocks_that_say_different_things_of_one_subject_in_one_quarter_contradict_each_other(
    tmp_path: Path,
) -> None:
    with pytest.raises(
        ScenarioError,
        match=r"line 7: .*contradicts the set of 2026Q2 in line 2: value is 0\.8 in one and 0\.9",
    ):
        load(written(tmp_path, T + SET + SET.replace("0.8", "0.9")))
    with pytest.raises(
        ScenarioError, match=r"line 7: .*contradicts the set of 2026Q2 in line 2: it says the same"
    ):
        load(written(tmp_path, T + SET + SET))
    with pytest.raises(ScenarioError, match=r"line 5: .*stake_each is left out in one and 0\.2 in the other"):
        load(written(tmp_path, SHOCK + SHOCK.removeprefix(T) + "stake_each = 0.2"))


def test_shocks_of_other_quarters_or_subjects_do_not_contradict_each_other(tmp_path: Path) -> None:
    later = SET.replace("2026Q2", "2026Q3").replace("0.8", "0.9")
    other = SET.replace("sigma2", "sigma1").replace("0.8", "0.2")
    assert len(load(written(tmp_path, T + SET + later + other)).shocks) == 3


def test_a_kind_may_say_itself_what_it_contradicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "lift", Lift)
    lift = '[[shocks]]\nkind = "lift"\nquarter = "2026Q2"\n'
    with pytest.raises(ScenarioError, match=r"line 5: shock 2 .*: it lifts what the other imposes"):
        load(written(tmp_path, T + lift + SHOCK.removeprefix(T)))
    assert len(load(written(tmp_path, T + lift.replace("Q2", "Q3") + SHOCK.removeprefix(T))).shocks) == 2


@dataclass(frozen=True)
class Lift:
    """Undoes a consortium."""

    quarter: str

    def apply(self, market: object) -> str:
        return ""

    def contradicts(self, other: object) -> str | None:
        return "it lifts what the other imposes" if isinstance(other, Consortium) else None


def test_a_setting_knows_nothing_of_the_machine(tmp_path: Path) -> None:
    setting = load(written(tmp_path, SHOCK))
    assert str(tmp_path) not in repr(setting)
    assert pickle.loads(pickle.dumps(setting)) == setting


def test_an_error_survives_the_way_back_from_another_process() -> None:
    error = pickle.loads(pickle.dumps(ScenarioError("one", "two")))
    assert (str(error), error.args) == ("one", ("one", "two"))


def test_the_examples_of_the_document_hold(tmp_path: Path) -> None:
    document = Path(__file__).parents[2] / "docs" / "scenarios.md"
    examples = re.findall(r"```toml\n(title = .*?)```", document.read_text(encoding="utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        assert load(written(tmp_path, example)).shocks


def test_the_name_of_a_file_is_text_whatever_its_bytes_are(tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"a\xff\n.toml")
    file.write_text('title = "A world"\n', encoding="utf-8")
    assert load(file).name == "a\\udcff\\n"
    assert plan([file], 1).name.startswith("a-udcff-n-")


def test_a_missing_file_is_named() -> None:
    with pytest.raises(ScenarioError, match=r"there is no scenario file nowhere\.toml"):
        load("nowhere.toml")


def test_every_kind_of_shock_documents_itself() -> None:
    for kind, shock in KINDS.items():
        assert shock.__doc__, kind
        assert "quarter" in shock.__dataclass_fields__  # type: ignore[attr-defined]
