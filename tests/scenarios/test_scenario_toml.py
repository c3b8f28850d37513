"""A resolved scenario written as TOML is the same world; whatever a file holds, it is refused in a sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model import calendar
from model.parameters import Parameter, scalars, table
from scenarios.scenario import HORIZON, Scenario, ScenarioError, names, resolve
from scenarios.shocks import KINDS, Capture, Confine, Consortium, SetParameter
from scenarios.toml import key, to_toml, value

FIRST, LAST = calendar.index(HORIZON["first"]), calendar.index(HORIZON["last"])
FACTS = ("chips.H100.memory_gb", "chips.Ascend 910B.memory_gb")


def settable(name: str) -> bool:
    """Whether a shock may set a parameter to its default: not those that only the founding reads."""
    try:
        SetParameter("2026Q1", name, table()[name].default).check()
    except ValueError:
        return False
    return True


SETTABLE = [name for name in scalars() if settable(name)]


def values_of(parameter: Parameter) -> st.SearchStrategy[float]:
    if parameter.distribution in ("integer", "switch"):
        return st.integers(int(parameter.low), int(parameter.high)).map(float)
    return st.floats(parameter.low, parameter.high)


@st.composite
def overrides(draw: st.DrawFn) -> dict[str, float]:
    chosen = draw(st.lists(st.sampled_from([*scalars(), *FACTS]), max_size=4, unique=True))
    return {name: draw(values_of(table()[name])) for name in chosen}


@st.composite
def shocks(draw: st.DrawFn) -> list[Any]:
    """Shocks of different quarters, so that none contradicts another."""
    quarters = draw(st.lists(st.integers(FIRST, LAST).map(calendar.name), max_size=4, unique=True))
    made: list[Any] = []
    for quarter in quarters:
        name, date = draw(st.sampled_from(SETTABLE)), st.just(quarter)
        kinds = (
            st.builds(Consortium, date),
            st.builds(Consortium, date, stake_each=st.floats(0.01, 0.3)),
            st.builds(Capture, date, st.just("DeepSeek"), st.just("Alibaba"), st.floats(0.51, 1.0)),
            st.builds(Confine, date),
            st.builds(SetParameter, date, st.just(name), values_of(table()[name])),
        )
        made.append(draw(st.one_of(kinds)))
    return made


@given(
    title=st.text(min_size=1, max_size=30),
    notes=st.text(max_size=60),
    parameters=overrides(),
    happened=shocks(),
    seeds=st.sampled_from(["", "seeds = 3\n", 'seeds = "1,4-6"\n']),
)
def test_a_resolved_scenario_written_out_reloads_to_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    title: str,
    notes: str,
    parameters: dict[str, float],
    happened: list[Any],
    seeds: str,
) -> None:
    folder = tmp_path_factory.mktemp("round")
    kinds = {shock: kind for kind, shock in KINDS.items()}
    text = f"title = {value(title)}\nnotes = {value(notes)}\n{seeds}[parameters]\n"
    text += "".join(f"{key(name)} = {value(amount)}\n" for name, amount in parameters.items())
    for shock in happened:
        text += f"[[shocks]]\nkind = {value(kinds[type(shock)])}\n"
        arguments = {name: each for name, each in vars(shock).items() if each is not None}
        text += "".join(f"{name} = {value(each)}\n" for name, each in arguments.items())
    (folder / "world.toml").write_text(text, encoding="utf-8", newline="")
    scenario = resolve(folder / "world.toml")
    assert scenario.title == title
    assert scenario.notes == notes.strip()
    assert set(scenario.setting.shocks) == set(happened)
    assert again(scenario, folder / "again" / "world.toml") == scenario


def again(scenario: Scenario, path: Path) -> Scenario:
    path.parent.mkdir()
    path.write_text(to_toml(scenario), encoding="utf-8", newline="")
    return resolve(path)


@pytest.mark.parametrize("name", names())
def test_every_scenario_of_the_library_written_out_is_the_same_world(name: str, tmp_path: Path) -> None:
    scenario = resolve(name)
    reloaded = again(scenario, tmp_path / "alone" / f"{name}.toml")
    assert reloaded.setting == scenario.setting
    assert (reloaded.title, reloaded.notes, reloaded.seeds) == (
        scenario.title,
        scenario.notes,
        scenario.seeds,
    )
    assert reloaded.extends == ()


def refused_in_sentences(path: Path) -> None:
    """Resolve a file, which must end well or in sentences that name it."""
    try:
        resolve(path)
    except ScenarioError as error:
        assert error.args
        for fault in error.args:
            assert path.name in fault
            assert fault.isprintable()


@given(content=st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_junk_is_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("junk") / "world.toml"
    path.write_bytes(content)
    refused_in_sentences(path)


WORDS = st.one_of(
    st.sampled_from(
        ["title", "extends", "horizon", "last", "kind", "quarter", "name", "value", "members", "drop"]
    ),
    st.sampled_from(
        ["shocks", "parameters", "alpha_mean", "seeds", "consortium", "set", "2026Q2", "2040Q1", "chips"]
    ),
    st.text(max_size=6),
)
ANYTHING = st.recursive(
    st.one_of(
        WORDS,
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.integers(-3, 3),
        st.floats().filter(lambda x: x == x),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=4)),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {"title": st.just("t")},
    optional={
        "\x1b[2J": ANYTHING,
        "extends": st.one_of(st.sampled_from(["consortium", "baseline", "none", "world.toml"]), ANYTHING),
        "seeds": st.one_of(st.sampled_from(["1-4", 0, -1, True]), ANYTHING),
        "horizon": st.dictionaries(
            st.sampled_from(["first", "last", "record_from", "lst"]), ANYTHING, max_size=3
        ),
        "parameters": st.dictionaries(st.sampled_from(["alpha_mean", "open_weights", "\x1b[2J"]), ANYTHING),
        **{
            part: st.lists(
                st.fixed_dictionaries(
                    {"kind": st.sampled_from([*KINDS, "st", 3])},
                    optional=dict.fromkeys(
                        ("quarter", "target", "members", "name", "value", "stake", "x"), ANYTHING
                    ),
                ),
                max_size=3,
            )
            for part in ("shocks", "drop")
        },
    },
)


@example(content={"extends": [], "title": {"title": [], "none": {}}})
@given(content=st.one_of(NEARLY, st.dictionaries(WORDS, ANYTHING, max_size=5)))
def test_toml_of_any_shape_is_refused_in_sentences_or_is_a_scenario(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]
) -> None:
    path = tmp_path_factory.mktemp("shape") / "world.toml"
    text = "".join(f"{key(name)} = {value(each)}\n" for name, each in content.items())
    tomllib.loads(text)
    path.write_text(text, encoding="utf-8", newline="")
    refused_in_sentences(path)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 5000,
        "a = " + "9" * 5000,
        "title = 't'\nseeds = 0x" + "f" * 5000,
        "a." * 5000 + "b = 1",
        "a = 1979-05-27",
        "title = 't'\n[parameters]\nalpha_mean = inf",
        "title = 't'\nnotes = '''" + "x" * 200_001 + "'''",
        "\ufefftitle = 3",
    ],
    ids=range(8),
)
def test_what_no_scenario_can_hold_is_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "world.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"world\.toml"):
        resolve(path)
    refused_in_sentences(path)


def test_a_file_from_windows_keeps_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "world.toml"
    path.write_bytes(b'\xef\xbb\xbftitle = "t"\r\n\r\nnotes = """a\r\nb"""\r\nseed = 3\r\n')
    with pytest.raises(
        ScenarioError, match=r"world\.toml, line 5: there is no key 'seed'; did you mean seeds"
    ):
        resolve(path)
