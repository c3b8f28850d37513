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

from model.records import Recorder, schema, tables


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
