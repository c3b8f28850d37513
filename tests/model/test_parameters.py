"""The parameter table declares every number once, with a range, and refuses what cannot be."""

import ast
import copy
import math
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import parameters as declared
from model.parameters import Parameter, ParameterError, Parameters, parse_assignment, scalars, table

ROOT = Path(__file__).parents[2]
CACHES = (
    declared.scalars,
    declared.fact_table,
    declared.described_columns,
    declared.table,
    declared._defaults,
)
CHIPS = """\
chip,maker,class,price_usd,memory_gb,sparse_speed,source,source_date
H20 96GB,NVIDIA,ai,13000,96,0,maker's page,2024-01
910B,Huawei,ai,,64,1,press,2023-10
"""
FACTS = """\
table,key_columns,column,unit,low_factor,high_factor,description
chips,chip,price_usd,USD,0.5,2,price of one chip
chips,chip,memory_gb,GB,1,1,high-bandwidth memory
chips,chip,sparse_speed,0/1,,,whether sparse matrices run faster
shares,cloud/maker,share,share,0.5,3,share of orders
"""
SHARES = """\
cloud,maker,share
Alibaba,NVIDIA,0.8
Alibaba,Huawei,0
"""
SCALARS = """\
name,default,unit,low,high,distribution,description,source,date
alpha_mean,2,1,1.2,4,loguniform,taste for low price,prior,2024-12-31
lead_time,2,quarters,1,6,integer,from order to delivery,makers,2024-06
open_weights,1,0/1,0,1,switch,whether weights may open,the articles,2024-10
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A small parameter table on disk in place of the real one; returns the folder to rewrite files in."""
    files = {
        "model/parameters.csv": SCALARS,
        "evidence/columns.csv": FACTS,
        "evidence/chips.csv": CHIPS,
        "evidence/shares.csv": SHARES,
        "evidence/notes.csv": "text,rank\nno parameter,1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr("importlib.resources.files", lambda package: tmp_path / package)
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    for cache in CACHES:
        cache.cache_clear()


# Resolving


def test_a_run_without_overrides_takes_every_default(small):
    p = Parameters.resolve()
    assert dict(p) == {name: row.default for name, row in table().items()}
    assert (p.alpha_mean, p["alpha_mean"], p.overridden) == (2.0, 2.0, {})


def test_an_override_changes_one_number_and_no_other(small):
    p = Parameters.resolve({"alpha_mean": "3.5"})
    assert p.alpha_mean == p["alpha_mean"] == 3.5
    assert (
        {name for name in p if p[name] != Parameters.resolve()[name]} == {"alpha_mean"} == set(p.overridden)
    )


def test_a_change_adds_to_earlier_overrides_and_leaves_the_original_alone(small):
    first = Parameters.resolve({"alpha_mean": 3.5, "lead_time": 3})
    second = first.changed({"lead_time": "5"})
    assert second == Parameters.resolve({"alpha_mean": 3.5, "lead_time": 5})
    assert first.lead_time == 3
    assert second.changed({"lead_time": 2}).overridden == {"alpha_mean": 3.5}
    with pytest.raises(ParameterError, match="whole number from 1 to 6"):
        first.changed({"lead_time": 9})


def test_an_override_equal_to_the_default_overrides_nothing(small):
    assert Parameters.resolve({"alpha_mean": 2}).overridden == {}
    assert Parameters.resolve({"alpha_mean": 2}) == Parameters.resolve()


def test_an_unknown_name_gets_the_nearest_right_one(small):
    with pytest.raises(ParameterError, match=r"'alpa_mean'; did you mean alpha_mean\?"):
        Parameters.resolve({"alpa_mean": 2})
    with pytest.raises(ParameterError, match=r"did you mean chips\.910B\.memory_gb"):
        Parameters.resolve({"chips.910b.memory_gb": 64})
    with pytest.raises(ParameterError, match="undercut show parameters"):
        Parameters.resolve({"zzzz": 2})
    with pytest.raises(AttributeError, match="did you mean alpha_mean"):
        _ = Parameters.resolve().alpha_men


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("alpha_mean", 0.9, "alpha_mean = 0.9 is impossible: allowed is 1.2 to 4; the default is 2"),
        ("lead_time", "7", "is impossible: allowed is a whole number from 1 to 6 quarters"),
        ("lead_time", 1.5, "is not a whole number"),
        ("open_weights", 0.5, r"is not a whole number: allowed is 0 \(off\) or 1 \(on\)"),
        ("alpha_mean", "high", "alpha_mean = high is not a number: allowed is 1.2 to 4"),
        ("alpha_mean", "", "is not a number"),
        ("alpha_mean", None, "is not a number"),
        ("alpha_mean", [2], "is not a number"),
        ("alpha_mean", True, "is not a number"),
        ("alpha_mean", "nan", "is not finite"),
        ("alpha_mean", math.inf, "is not finite"),
        ("alpha_mean", 10**400, "is not a number"),
        ("chips.H20 96GB.price_usd", 1e6, "allowed is 6500 to 26000 USD"),
    ],
)
def test_an_impossible_value_is_refused_with_its_range_and_unit(small, name, value, message):
    with pytest.raises(ParameterError, match=message):
        Parameters.resolve({name: value})


@pytest.mark.parametrize(
    ("value", "number"), [(True, 1), (False, 0), ("on", 1), ("No", 0), ("0", 0), (1.0, 1)]
)
def test_a_switch_is_thrown_by_word_or_number(small, value, number):
    assert Parameters.resolve({"open_weights": value}).open_weights == number


@pytest.mark.parametrize("text", ["alpha_mean", "=2", "alpha_mean=", ""])
def test_what_is_no_assignment_is_refused(text):
    with pytest.raises(ParameterError, match="write name=value"):
        parse_assignment(text)


def test_an_assignment_splits_at_its_first_sign_of_equality():
    assert parse_assignment(" chips.H20 96GB.price_usd = 9e3 ") == ("chips.H20 96GB.price_usd", "9e3")


# Values as objects


def test_values_cannot_be_changed_in_place(small):
    p = Parameters.resolve()
    with pytest.raises(AttributeError, match=r"write Parameters\.resolve"):
        p.alpha_mean = 3.0
    with pytest.raises(AttributeError):
        del p.alpha_mean
    p.overridden["alpha_mean"] = 3.0
    p.facts("chips")[0]["price_usd"] = 1.0
    assert p == Parameters.resolve()
    assert p.facts("chips")[0]["price_usd"] == 13000


def test_values_survive_pickling_and_copying_and_are_equal_by_value(small):
    p = Parameters.resolve({"alpha_mean": 3, "chips.H20 96GB.price_usd": 9000})
    for twin in (pickle.loads(pickle.dumps(p)), copy.deepcopy(p), Parameters.resolve(p.overridden)):
        assert twin == p
        assert hash(twin) == hash(p)
        assert twin.facts("chips")[0] == p.facts("chips")[0]
    assert p != Parameters.resolve()
    assert len({p, Parameters.resolve(), Parameters.resolve(p.overridden)}) == 2


# Facts


def test_every_filled_cell_of_a_described_column_is_a_parameter(small):
    cells = set(table()) - set(scalars())
    assert cells == {
        "chips.H20 96GB.price_usd",
        "chips.H20 96GB.memory_gb",
        "chips.910B.memory_gb",
        "chips.H20 96GB.sparse_speed",
        "chips.910B.sparse_speed",
        "shares.Alibaba.NVIDIA.share",
        "shares.Alibaba.Huawei.share",
    }
    price = table()["chips.H20 96GB.price_usd"]
    assert (price.default, price.low, price.high, price.unit) == (13000, 6500, 26000, "USD")
    assert (price.source, price.date, price.distribution) == ("maker's page", "2024-01", "loguniform")


def test_the_range_of_a_fact_keeps_within_its_unit(small):
    assert table()["shares.Alibaba.NVIDIA.share"].high == 1.0
    assert table()["chips.910B.sparse_speed"].distribution == "switch"
    assert table()["chips.910B.memory_gb"].distribution == "fixed"


def test_a_fact_that_is_zero_may_become_as_large_as_its_neighbours(small):
    assert (table()["shares.Alibaba.Huawei.share"].low, table()["shares.Alibaba.Huawei.share"].high) == (
        0.0,
        0.8,
    )


def test_facts_carry_numbers_text_and_gaps(small):
    first, second = Parameters.resolve().facts("chips")
    assert (first["chip"], first["price_usd"], first["class"]) == ("H20 96GB", 13000.0, "ai")
    assert second["price_usd"] != second["price_usd"]  # not a number


def test_a_table_without_described_numbers_is_text(small):
    assert Parameters.resolve().facts("notes") == [{"text": "no parameter", "rank": "1"}]


def test_an_overridden_fact_shows_in_its_row_alone(small):
    before, after = (Parameters.resolve(o).facts("chips") for o in ({}, {"chips.H20 96GB.price_usd": 9000}))
    assert after[0] == before[0] | {"price_usd": 9000.0}
    assert after[1]["memory_gb"] == before[1]["memory_gb"]


def test_an_unknown_table_of_facts_is_refused(small):
    with pytest.raises(ParameterError, match="'chip'; did you mean chips"):
        Parameters.resolve().facts("chip")


# A table that contradicts itself does not load


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        (
            "model/parameters.csv",
            "alpha_mean,2,1,1.2",
            "alpha_mean,1,1,1.2",
            "alpha_mean = 1.0 is impossible",
        ),
        ("model/parameters.csv", "loguniform", "lognormal", "unknown distribution 'lognormal'"),
        ("model/parameters.csv", "alpha_mean,2,1,1.2", "alpha_mean,2,1,0", "needs low above 0"),
        (
            "model/parameters.csv",
            "alpha_mean,2",
            "alpha_mean,two",
            "line 2: alpha_mean: default, low and high",
        ),
        ("model/parameters.csv", "lead_time", "alpha_mean", "line 3: alpha_mean is declared twice"),
        ("model/parameters.csv", "lead_time", "facts", "cannot be the name"),
        ("model/parameters.csv", "lead_time", "lead time", "cannot be the name"),
        ("model/parameters.csv", "taste for low price", "taste, for low price", "line 2 has more cells"),
        ("model/parameters.csv", "unit,low", "units,low", "has no column unit"),
        ("model/parameters.csv", "0/1,0,1,switch", "0/1,0,2,switch", "a switch ranges from 0 to 1"),
        ("evidence/chips.csv", "13000", "dear", r"chips\.csv, price_usd: 'dear' is not a number"),
        ("evidence/chips.csv", "910B", "H20 96GB", r"H20 96GB\.memory_gb is declared twice"),
        ("evidence/chips.csv", "memory_gb", "memory", r"chips\.csv has no column memory_gb"),
    ],
)
def test_a_wrong_table_says_where_it_is_wrong(small, file, old, new, message):
    text = (small / file).read_text(encoding="utf-8")
    assert old in text
    (small / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    forget()
    with pytest.raises(ParameterError, match=message):
        Parameters.resolve()


# The table of the project

NUMBERS = [row for row in table().values() if row.low < row.high]


@given(st.data())
def test_any_value_in_range_is_taken_and_any_other_refused(data):
    row = data.draw(st.sampled_from(NUMBERS))
    whole = row.distribution in ("integer", "switch")
    inside = st.integers(int(row.low), int(row.high)) if whole else st.floats(row.low, row.high)
    value = data.draw(inside)
    resolved = Parameters.resolve({row.name: value})
    assert resolved[row.name] == value
    assert pickle.loads(pickle.dumps(resolved)) == resolved
    outside = data.draw(
        st.floats(max_value=row.low, exclude_max=True) | st.floats(min_value=row.high, exclude_min=True)
    )
    with pytest.raises(ParameterError, match=re.escape(row.allowed)):
        Parameters.resolve({row.name: outside})


def test_every_parameter_says_what_it_is_in_what_unit_and_where_it_comes_from():
    for row in scalars().values():
        assert row.unit, f"{row.name} has no unit; write 1 where it has none"
        assert len(row.description) > 10, row.name
        assert row.source, row.name
        assert re.match(r"20\d\d", row.date), f"{row.name} has no date"
    for row in table().values():
        assert row.description, row.name
        assert row.unit, row.name
        assert row.source, row.name


def test_no_default_rests_on_what_happened_after_2024():
    # Calibration may look at nothing later; forecasts of the articles are claims, not inputs.
    late = [row.name for row in scalars().values() if row.date[:4] > "2024"]
    assert late == []


def test_the_hosts_of_one_model_are_closer_substitutes_than_models():
    assert scalars()["sigma2"].low >= scalars()["sigma1"].high
    assert scalars()["alpha_mean"].low > 1


# Declared and used: read from the code itself


class Uses(ast.NodeVisitor):
    """What a module reads from parameters: names, keys, tables of facts; and its other strings."""

    ALWAYS = ("parameters", "params")

    def __init__(self) -> None:
        self.scopes: list[set[str]] = [set()]
        self.names: dict[str, int] = {}
        self.keys: dict[str, int] = {}
        self.facts: dict[str, int] = {}
        self.strings: set[str] = set()

    def is_parameters(self, node: ast.expr) -> bool:
        """Whether an expression is a set of resolved parameters, by its name or by its assignment."""
        if isinstance(node, ast.Name):
            return node.id in self.ALWAYS or any(node.id in scope for scope in self.scopes)
        if isinstance(node, ast.Attribute):
            return node.attr in self.ALWAYS
        if isinstance(node, ast.Call):
            return ast.unparse(node.func).endswith("Parameters.resolve")
        return False

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        annotated = {a.arg for a in arguments if a.annotation and is_annotation(a.annotation)}
        self.scopes.append(annotated)
        self.generic_visit(node)
        self.scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]  # noqa: N815

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            self.scopes[-1].update(
                t.id for t, v in pairs if isinstance(t, ast.Name) and self.is_parameters(v)
            )
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name) and is_annotation(node.annotation):
            self.scopes[-1].add(node.target.id)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if (
            self.is_parameters(node.value)
            and not hasattr(Parameters, node.attr)
            and node.attr not in vars(declared)
        ):
            self.names.setdefault(node.attr, node.lineno)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if self.is_parameters(node.value):
            self._key(node.slice)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        function = node.func
        if isinstance(function, ast.Name) and function.id == "getattr" and self.is_parameters(node.args[0]):
            self._key(node.args[1])
        if (
            isinstance(function, ast.Attribute)
            and function.attr == "facts"
            and self.is_parameters(function.value)
            and isinstance(node.args[0], ast.Constant)
        ):
            self.facts.setdefault(str(node.args[0].value), node.lineno)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.strings.add(node.value)

    def _key(self, node: ast.expr) -> None:
        """Note a key as a pattern: what is filled in at run time may be anything."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.keys.setdefault(re.escape(node.value), node.lineno)
        elif isinstance(node, ast.JoinedStr):
            parts = [re.escape(str(v.value)) if isinstance(v, ast.Constant) else ".+" for v in node.values]
            self.keys.setdefault("".join(parts), node.lineno)


def is_annotation(node: ast.expr) -> bool:
    return re.search(r"\bParameters\b", ast.unparse(node)) is not None


def uses_of(source: str) -> Uses:
    uses = Uses()
    uses.visit(ast.parse(source))
    return uses


def sources() -> Iterator[tuple[str, Uses]]:
    for folder in ("model", "agents", "scenarios", "evidence", "studies", "viz", "undercut", "benchmarks"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if file.name != "parameters.py":
                yield file.relative_to(ROOT).as_posix(), uses_of(file.read_text(encoding="utf-8"))


def test_every_parameter_is_used():
    names, patterns = set[str](), set[str]()
    for _, uses in sources():
        names |= uses.names.keys() | uses.strings
        patterns |= uses.keys.keys()
    unused = [
        name for name in scalars() if name not in names and not any(re.fullmatch(p, name) for p in patterns)
    ]
    assert unused == [], "declared but never read: use them or take them out"


def test_every_number_that_code_asks_for_is_declared():
    missing = []
    for file, uses in sources():
        missing += [
            f"{file} line {line}: {name}" for name, line in uses.names.items() if name not in scalars()
        ]
        missing += [
            f"{file} line {line}: [{pattern}]"
            for pattern, line in uses.keys.items()
            if not any(re.fullmatch(pattern, name) for name in table())
        ]
        missing += [
            f"{file} line {line}: facts({name!r})"
            for name, line in uses.facts.items()
            if not (ROOT / "evidence" / f"{name}.csv").exists()
        ]
    assert missing == []


@pytest.mark.parametrize(
    "source",
    [
        "parameters.speed",
        "def f(x: Parameters):\n    return x.speed",
        "def f(x: 'Parameters | None'):\n    return x.speed",
        "def f(self):\n    market, q = self.model, self.model.parameters\n    return q.speed",
        "q = Parameters.resolve({})\nq.speed",
        "setting.parameters.speed",
        "def f():\n    q = parameters\n    def g():\n        return q.speed",
    ],
)
def test_a_reading_of_a_parameter_is_seen_under_any_local_name(source):
    assert set(uses_of(source).names) == {"speed"}


def test_what_is_no_parameter_is_not_taken_for_one():
    source = (
        "def f(p: Array, parameters: Parameters):\n    p.shape, parameters.facts('chips'), parameters.keys()"
    )
    uses = uses_of(source)
    assert (uses.names, set(uses.facts)) == ({}, {"chips"})
    assert set(uses_of("parameters[f'{kind}_share']").keys) == {".+_share"}


def test_a_parameter_is_a_row_that_checks_itself():
    row = {"unit": "USD", "distribution": "uniform", "description": "", "source": "", "date": ""}
    with pytest.raises(ParameterError, match="must be finite"):
        Parameter(name="x", default=1.0, low=0.0, high=math.inf, **row)
    with pytest.raises(ParameterError, match=r"x = 3\.0 is impossible: allowed is 0 to 2 USD"):
        Parameter(name="x", default=3.0, low=0.0, high=2.0, **row)
