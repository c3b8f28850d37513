"""What disks, copies and strangers do to bytes, and to the files of a store."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import strategies as st

from scenarios.folder import SEAL, sealed, to_json

BYTES = ("flip", "truncate", "zero", "empty", "foreign", "append", "put", "cut", "again")
FILES = ("delete", "swap", "folder", "link", "copy", "stranger", "version")
ODD = b"""PAR1PAR1 {} [] {"format":true} ../../x = nan -inf 1e999 %s{0} <script> \x00\x00\x00 \xff\xfe \xd9\xa3 \x1b[2J"""
FOREIGN = (*ODD.split(b" "), b"", b"9" * 400, b"a" * 5000, b"[" * 5000)
NAMES = ("x.parquet", "note.txt", ".hidden", "quarters-0.parquet.tmp", "manifest.json", "commit.json")


@dataclass(frozen=True)
class Damage:
    """What happens: ``file`` and ``place`` are shares of what there is, so that it fits whatever is hit."""

    way: str
    file: float
    place: float
    bit: int
    content: bytes

    def __call__(self, raw: bytes) -> bytes:
        """Bytes after it."""
        at = int(self.place * len(raw))
        some = raw[at : at + 8 * self.bit + 1]
        match self.way:
            case "flip" if raw:
                return raw[:at] + bytes([raw[at] ^ 1 << self.bit]) + raw[at + 1 :]
            case "truncate":
                return raw[:at]
            case "zero":
                return raw[:at] + bytes(len(raw) - at)
            case "empty":
                return b""
            case "foreign":
                return self.content
            case "append":
                return raw + self.content
            case "put":
                return raw[:at] + self.content + raw[at:]
            case "cut":
                return raw[:at] + raw[at + len(some) :]
            case "again":
                return raw[:at] + some + raw[at:]
        return raw

    def hit(self, store: Path) -> str:
        """Do it to a file of a store, and say what was done to which."""
        files = sorted(file for file in store.rglob("*") if file.is_file() and "lock" not in file.name)
        if not files:
            return "nothing"
        file, other = files[int(self.file * len(files))], files[int(self.place * len(files))]
        raw = file.read_bytes()
        match self.way:
            case "delete":
                file.unlink()
            case "swap":
                file.write_bytes(other.read_bytes())
                other.write_bytes(raw)
            case "folder":
                file.unlink()
                file.mkdir()
            case "link":
                file.unlink()
                file.symlink_to(other)
            case "copy":
                file.with_name(f"copy-{file.name}").write_bytes(raw)
            case "stranger":
                (file.parent / NAMES[int(self.place * len(NAMES))]).write_bytes(self.content)
            case "version":
                with contextlib.suppress(ValueError, OSError):  # where it came to harm before
                    self.age(file)
            case _:
                file.write_bytes(self(raw))
        return f"{self.way} of {file.relative_to(store)}"

    def age(self, file: Path) -> None:
        """Make a file one of another version: with a column less, a key less or more, or of another format."""
        if file.suffix == ".parquet":
            table = pq.read_table(file)
            pq.write_table(table.drop_columns(table.column_names[int(self.place * table.num_columns)]), file)
        elif file.parent.name != "code":  # what stands there is what it says
            content = json.loads(file.read_bytes())
            if isinstance(content, dict) and content:
                key = sorted(content)[int(self.place * len(content))] if self.bit % 2 else None
                changed = {k: v for k, v in content.items() if k not in (key, SEAL)} | {"format": self.bit}
                file.write_text(to_json(sealed(changed) if SEAL in content else changed), encoding="utf-8")


share = st.floats(0, 1, exclude_max=True)
contents = st.one_of(st.sampled_from(FOREIGN), st.binary(max_size=40))


def damages(*ways: str) -> st.SearchStrategy[list[Damage]]:
    """One to three kinds of damage, of which half are a bit that flips."""
    some = st.sampled_from((*ways, *["flip"] * len(ways)))
    return st.lists(
        st.builds(Damage, some, share, share, st.integers(0, 7), contents), min_size=1, max_size=3
    )


def damaged(whole: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes that came to harm."""

    def after(raw: bytes, all_of: list[Damage]) -> bytes:
        for each in all_of:
            raw = each(raw)
        return raw

    return st.builds(after, whole, damages(*BYTES))
