"""Measures everything, or the parts that are named, and writes the table: ``make bench``.

Run: python -m benchmarks [PART ...] [--quick] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.parts import PARTS, measure
from benchmarks.table import Part, Row, comma_separated, heads, markdown, text
from benchmarks.turns import streamed

OUT = Path(".benchmarks")
"""Ignored by git."""
LIBRARIES = ("mesa", "numpy", "numba", "pandas", "pyarrow")
BUSY = 0.5
"""The load above which times are those of a busy machine."""


def machine() -> list[str]:
    """What the numbers were measured on."""
    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = (
            line.partition(":")[2].strip()
            for line in cpuinfo.read_text().splitlines()
            if "model name" in line
        )
        processor = next(names, processor)
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"{os.cpu_count()} processors: {processor}",
        f"Python {platform.python_version()}, {libraries}",
        f"load before: {os.getloadavg()[0]:.2f}",
    ]


def main() -> int:
    """Run the parts one after another, each in a process of its own; 1 when one of them failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, prog="python -m benchmarks"
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default all)")
    parser.add_argument("--quick", action="store_true", help="small and few: a look, not a measurement")
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="FOLDER", help=f"of the table (default {OUT})"
    )
    asked = parser.parse_args()
    unknown = [name for name in asked.parts if name not in PARTS]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; write some of {', '.join(PARTS)}")
    chosen = [name for name in PARTS if name in asked.parts or not asked.parts]
    said, made, failed = machine(), [], []
    if os.getloadavg()[0] > BUSY:
        said.append("the machine is busy: trust ratios and processor time")
    print("\n".join(said))
    asked.out.mkdir(parents=True, exist_ok=True)
    for place, name in enumerate(chosen, start=1):
        part = Part(name, "", os.getloadavg()[0])
        made.append(part)
        began = time.monotonic()
        try:
            _run(part, asked.quick, f"[{place}/{len(chosen)}]")
        except RuntimeError as error:
            failed.append(name)
            part.lines.append(f"It failed: {str(error).strip().splitlines()[-1]}")
            print(error, file=sys.stderr)
        print(f"({time.monotonic() - began:.0f} s)", flush=True)
        # After every part, so that an interruption loses one.
        (asked.out / "table.md").write_text(markdown(said, made), encoding="utf-8")
        (asked.out / "table.csv").write_text(comma_separated(made), encoding="utf-8")
    print(f"\n{asked.out / 'table.md'} and table.csv hold the table")
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def _run(part: Part, quick: bool, place: str) -> None:
    lines = streamed(measure, part.name, quick)
    part.about = str(next(lines))
    print(f"\n{place} {part.name}: {part.about}\n")
    headed = False
    for line in lines:
        part.lines.append(line)
        if isinstance(line, Row) and not headed:
            print(heads())
            headed = True
        print(text(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
