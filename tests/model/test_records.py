"""The typed recorder and its schema."""

import math
import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import texts
from model.blocks import Facts
from model.records import Recorder, Tables, schema, tables


def event(**changes: Any) -> dict[str, Any]:
    row = {
        "quarter": "2024Q2",
        "kind": "price move",
        "firm": "DeepSeek",
        "subject": "V2",
        "value": -0.9,
        "note": "",
    }
    return row | changes


def filler(dtype: str) -> Any:
    return {"str": "x", "float": 1.5, "int": 2, "bool": True}[dtype]


def full_row(table: str, **changes: Any) -> dict[str, Any]:
    return {column.column: filler(column.dtype) for column in tables()[table]} | changes


def test_every_table_of_the_specification_is_declared_with_units() -> None:
    assert set(tables()) >= {"quarters", "offers", "chips", "fleets", "firms", "segments", "edges", "events"}
    for column in schema():
        assert column.description.strip()
        assert column.unit or column.dtype != "float", (
            f"{column.table}.{column.column} is a number without a unit"
        )
    names = [(column.table, column.column) for column in schema()]
    assert len(set(names)) == len(names)


def test_empty_tables_have_their_types() -> None:
    expected = {"str": "str", "float": "float64", "int": "int64", "bool": "bool"}
    frames = Recorder().frames()
    for table, columns in tables().items():
        frame = frames[table]
        assert list(frame.columns) == [column.column for column in columns]
        assert len(frame) == 0
        assert [str(dtype) for dtype in frame.dtypes] == [expected[column.dtype] for column in columns]


@given(
    st.lists(
        st.tuples(
            st.text(max_size=5).filter(lambda text: "\x00" not in text and text.isprintable()),
            st.floats(),
            st.integers(min_value=-(2**62), max_value=2**62),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_what_is_written_row_by_row_or_at_once_is_what_is_read(
    rows: list[tuple[str, float, int, bool]],
) -> None:
    single, many = Recorder(), Recorder()
    written = [full_row("offers", model=t, tokens_mtok=f, generation=i, sparse=b) for t, f, i, b in rows]
    for row in written:
        single.add("offers", **row)
    if rows:
        middle = len(rows) // 2
        for part in (written[:middle], written[middle:]):
            many.extend("offers", {name: [row[name] for row in part] for name in written[0]})
    frame = single.frames()["offers"]
    pd.testing.assert_frame_equal(frame, many.frames()["offers"])
    assert frame["model"].tolist() == [text for text, *_ in rows]
    np.testing.assert_array_equal(frame["tokens_mtok"], [number for _, number, _, _ in rows])
    assert frame["generation"].tolist() == [number for _, _, number, _ in rows]
    assert frame["sparse"].tolist() == [flag for *_, flag in rows]


def test_one_value_stands_for_all_rows() -> None:
    recorder = Recorder()
    recorder.extend("events", event(firm=["Alibaba", "Baidu"], value=np.array([1, 2])))
    frame = recorder.frames()["events"]
    assert frame["quarter"].tolist() == ["2024Q2", "2024Q2"]
    assert frame["firm"].tolist() == ["Alibaba", "Baidu"]
    assert frame["value"].tolist() == [1.0, 2.0]
    assert recorder.rows("events") == 2


def test_a_float_may_be_empty_and_nothing_else() -> None:
    recorder = Recorder()
    recorder.add("events", **event(value=math.nan))
    assert recorder.frames()["events"]["value"].isna().tolist() == [True]
    for changes, column in (
        ({"generation": math.nan}, "generation"),
        ({"generation": 1.5}, "generation"),
        ({"generation": True}, "generation"),
        ({"generation": 1e300}, "generation"),
        ({"sparse": math.nan}, "sparse"),
        ({"sparse": 1}, "sparse"),
        ({"model": math.nan}, "model"),
        ({"model": None}, "model"),
        ({"tokens_mtok": None}, "tokens_mtok"),
        ({"tokens_mtok": "12"}, "tokens_mtok"),
        ({"tokens_mtok": True}, "tokens_mtok"),
    ):
        with pytest.raises(ValueError, match=rf"offers\.{column} cannot be"):
            recorder.add("offers", **full_row("offers", **changes))
        lists = {name: [value] for name, value in full_row("offers", **changes).items()}
        with pytest.raises(ValueError, match=rf"offers\.{column} cannot be"):
            recorder.extend("offers", lists)
    assert recorder.rows("offers") == 0
    assert recorder.since("offers", 0) == {column.column: [] for column in tables()["offers"]}


def test_a_row_with_other_columns_is_refused_and_says_which() -> None:
    recorder = Recorder()
    with pytest.raises(ValueError, match="A row of events lacks note: "):
        recorder.add("events", **{name: value for name, value in event().items() if name != "note"})
    with pytest.raises(ValueError, match="A row of events adds mood: "):
        recorder.add("events", **event(mood="calm"))
    with pytest.raises(ValueError, match="A row of events lacks value and adds size: "):
        recorder.extend("events", {"size" if name == "value" else name: ["x"] for name in event()})
    with pytest.raises(ValueError, match="no table 'event': write one of quarters, offers"):
        recorder.add("event", **event())
    assert recorder.rows("events") == 0


def test_columns_of_different_lengths_are_refused() -> None:
    recorder = Recorder()
    with pytest.raises(ValueError, match="one length"):
        recorder.extend("events", event(firm=["a", "b"], value=[1.0]))
    with pytest.raises(ValueError, match="one length"):
        recorder.extend("events", event())
    with pytest.raises(ValueError, match=r"events\.value"):
        recorder.extend("events", event(firm=["a", "b"], value=np.zeros((2, 2))))
    assert recorder.rows("events") == 0


def test_names_of_enumerations_are_recorded_as_plain_text() -> None:
    class Channel(StrEnum):
        API = "api"

    recorder = Recorder()
    recorder.add("events", **event(kind=Channel.API, firm=np.str_("Alibaba")))
    recorder.extend("events", event(kind=np.array(["api"]), firm=[Channel.API]))
    frame = recorder.frames()["events"]
    assert frame["kind"].tolist() == ["api", "api"]
    assert {type(text) for text in frame["kind"].tolist() + frame["firm"].tolist()} == {str}


def test_tables_can_be_read_while_the_market_runs() -> None:
    recorder = Recorder()
    recorder.add("events", **event())
    early = recorder.frames()["events"]
    recorder.add("events", **event(firm="Baidu"))
    assert early["firm"].tolist() == ["DeepSeek"]
    assert recorder.frames()["events"]["firm"].tolist() == ["DeepSeek", "Baidu"]


def test_the_same_records_are_the_same_bytes_in_parquet(tmp_path: Path) -> None:
    contents = []
    for attempt in range(2):
        recorder = Recorder()
        for firm in ("Zhipu", "Alibaba", "Zhipu", "Éole"):
            recorder.add("events", **event(firm=firm))
        path = tmp_path / f"{attempt}.parquet"
        recorder.frames()["events"].to_parquet(path, compression="zstd", index=False)
        contents.append(path.read_bytes())
        pd.testing.assert_frame_equal(pd.read_parquet(path), recorder.frames()["events"])
    assert contents[0] == contents[1]


def test_a_stepped_run_does_not_import_pandas() -> None:
    program = (
        "import sys\n"
        "from model.records import Recorder\n"
        "recorder = Recorder()\n"
        "recorder.add('events', quarter='2024Q1', kind='k', firm='f', subject='s', value=1.0, note='')\n"
        "print('pandas' in sys.modules)"
    )
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_columns_that_follow_from_facts_are_made_when_somebody_looks_at_them() -> None:
    made: list[int] = []

    def revenue(facts: Facts, _: None) -> Any:
        made.append(len(facts["price_usd_per_mtok"]))
        return facts["price_usd_per_mtok"] * facts["tokens_mtok"]

    recorder, names = Recorder(), [column.column for column in tables()["offers"]]
    rest: dict[str, Any] = {column.column: filler(column.dtype) for column in tables()["offers"]}
    rest |= {column.column: texts.number("x") for column in tables()["offers"] if column.dtype == "str"}
    for name in ("quarter", "revenue_usd"):
        del rest[name]
    for dear in (frozenset[str](), frozenset({"revenue_usd"})):
        made.clear()
        recorder = Recorder()
        recorder.derive("offers", {"revenue_usd": revenue}, None, dear)
        for quarter, price in (("2024Q1", [1.0, 2.0]), ("2024Q2", [3.0])):
            facts = {**rest, "price_usd_per_mtok": np.array(price), "tokens_mtok": lambda: 10.0}
            recorder.put("offers", quarter, len(price), facts)
        found = recorder.tables()
        assert recorder.rows("offers") == 3
        assert made == []
        assert found.column("offers", "revenue_usd", ["2024Q2"]).tolist() == [30.0]
        assert made == ([1] if dear else [3])
        assert found["offers"]["revenue_usd"].tolist() == [10.0, 20.0, 30.0]
        assert list(found["offers"].columns) == names
        assert found["offers"]["quarter"].tolist() == ["2024Q1", "2024Q1", "2024Q2"]


def test_columns_of_some_quarters_are_those_of_the_frame_whatever_the_order_of_its_rows() -> None:
    quarters = ["2024Q2", "2024Q1", "2024Q3", "2024Q1", "2024Q3"]
    recorder = Recorder()
    recorder.extend("events", event(quarter=quarters, value=np.arange(5.0)))
    for found in (recorder.tables(), Tables.of(recorder.frames())):
        assert found.quarters("events") == ["2024Q1", "2024Q2", "2024Q3"]
        for asked in (["2024Q1"], ["2024Q3", "2024Q2"], ["2024Q4"], ["2024Q1", "2024Q4", "2024Q3"], []):
            expected = [float(i) for q in asked for i, of in enumerate(quarters) if of == q]
            assert found.column("events", "value", asked).tolist() == expected
            assert found.rows("events", asked) == len(expected)
            assert [asked[i] for i in found.when("events", asked)] == [
                q for q in asked for of in quarters if of == q
            ]


def test_a_table_that_follows_from_others_is_brought_up_to_date_when_somebody_looks() -> None:
    recorder = Recorder()
    recorder.digest(
        "quarters", lambda found, known: one_more(found, known) if known < found.rows("events") else None
    )
    for count, quarter in enumerate(("2024Q1", "2024Q2"), start=1):
        recorder.add("events", **event(quarter=quarter))
        assert recorder.rows("quarters") == count
        assert recorder.since("quarters", count - 1)["quarter"] == [quarter]


def one_more(found: Tables, known: int) -> dict[str, Any]:
    quarter = texts.text(int(found.column("events", "quarter")[known]))
    return {name: [value] for name, value in full_row("quarters", quarter=quarter).items()}


def test_notes_leave_nothing_behind_in_the_process() -> None:
    recorder = Recorder()
    recorder.log("events", "2024Q1", "exit", "a firm", "", 1.0, "a note that nobody wrote before")
    frame = recorder.frames()["events"]
    assert frame["note"].tolist() == ["a note that nobody wrote before"]
    assert texts.known(["a note that nobody wrote before"]) is None
