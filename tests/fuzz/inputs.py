"""What users and damaged disks may hand over: files that are nearly right, options that nearly make sense."""

from __future__ import annotations

from hypothesis import strategies as st

from model.parameters import table
from scenarios.document import library_files

LIBRARY = tuple(file.read_bytes() for file in library_files())

ODD = (
    *("nan", "inf", "-inf", "1e999", "-0", "0x10", "1_000", "1,5", "", " ", "=", "on", "off", "true"),
    *("9" * 400, "1e-400", "٣", "½", "\x00", "\x1b[2J", "../../etc/passwd", "%s", "{0}", "a" * 5000),
)

NAMES = st.one_of(
    st.sampled_from(sorted(table())),
    st.sampled_from(["alpha", "ALPHA_MEAN", "chips.H100", "chips.H100.", "..", "seed", "__class__"]),
    st.text(max_size=12),
)
VALUES = st.one_of(
    st.sampled_from(ODD), st.floats().map(repr), st.integers(-(10**12), 10**12).map(str), st.text(max_size=8)
)
SEEDS = st.one_of(
    st.lists(st.one_of(st.integers(-5, 10**20).map(str), st.sampled_from(ODD)), max_size=4).map(",".join),
    st.builds("{}-{}".format, st.integers(-5, 10**12), st.integers(-5, 10**12)),
    st.text(max_size=10),
)
COUNTS = st.one_of(st.integers(-5, 10**12).map(str), st.sampled_from(ODD))
SAMPLES = st.one_of(
    st.lists(st.one_of(st.sampled_from(["lhs", "sobol", "random", "grid", ""]), COUNTS), max_size=4).map(
        ":".join
    ),
    st.text(max_size=12),
)
SCENARIOS = st.one_of(
    st.sampled_from(
        ["baseline", "posterior", "consortium", "base", "..", "/", ".", "-", "a/b.toml", "\x00", "con"]
    ),
    st.text(min_size=1, max_size=10).filter(lambda text: not text.startswith("-")),
)


@st.composite
def options(draw: st.DrawFn) -> list[str]:
    """Arguments of ``undercut run``, of which each may be wrong."""
    said = draw(st.lists(SCENARIOS, max_size=2))
    for _ in range(draw(st.integers(0, 3))):
        said += draw(
            st.one_of(
                st.builds(lambda n, v: [f"--set={n}={v}"], NAMES, VALUES),
                st.builds(lambda n, v: [f"--grid={n}={','.join(v)}"], NAMES, st.lists(VALUES, max_size=3)),
                st.builds(lambda s: [f"--seeds={s}"], SEEDS),
                st.builds(lambda s: [f"--sample={s}"], SAMPLES),
                st.builds(lambda n: [f"--over={','.join(n)}"], st.lists(NAMES, max_size=3)),
                st.builds(lambda n: [f"--draws={n}"], COUNTS),
                st.builds(lambda n: [f"--enterprises={n}"], COUNTS),
                st.builds(lambda n: [f"--keep={n}"], st.one_of(VALUES, COUNTS.map("sample:{}".format))),
                st.builds(lambda n: [f"--without={n}"], st.one_of(NAMES, st.just("export-rules"))),
                st.builds(lambda n: [f"--counterfactual-seeds={n}"], COUNTS),
                st.builds(lambda n: [f"--workers={n}"], COUNTS),
            )
        )
    return [each.replace("\x00", "") if each.startswith("--") else each for each in said]


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Bytes of which some are flipped, cut out, doubled or replaced."""
    left = bytearray(whole)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(left)))
        what = draw(st.sampled_from(["flip", "cut", "end", "put", "again"]))
        if what == "flip" and at < len(left):
            left[at] ^= 1 << draw(st.integers(0, 7))
        elif what == "cut":
            del left[at : at + draw(st.integers(1, 64))]
        elif what == "end":
            del left[at:]
        elif what == "put":
            left[at:at] = draw(st.one_of(st.binary(max_size=16), st.sampled_from(ODD).map(str.encode)))
        elif what == "again":
            left[at:at] = left[at : at + draw(st.integers(1, 64))]
    return bytes(left)


def files() -> st.SearchStrategy[bytes]:
    """Scenario files of the library, a little damaged."""
    return st.sampled_from(LIBRARY).flatmap(damaged)
