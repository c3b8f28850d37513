"""Shocks with impossible arguments are refused in a sentence that says what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.scenario import ScenarioError, load
from scenarios.shocks import (
    KINDS,
    Breakthrough,
    Breakup,
    CapacityLoss,
    ChipDiscount,
    ChipQuota,
    Copies,
    DemandSwing,
    Foundation,
    FundingCut,
    HostingAtCost,
    Openness,
    PowerPrice,
    PriceFloor,
    PriceMatch,
    SetParameter,
    SoftwareStall,
    Sovereignty,
    WeightsBan,
)

Q = "2026Q1"

REFUSED = [
    (Breakthrough(Q, "DeepSek", 1.0), "makes no models; write one of"),
    (Breakthrough(Q, "DeepSeek", 0.0), "gain = 0: write log10 of the factor, above 0"),
    (Breakthrough(Q, "DeepSeek", 9.0), "at most 3"),
    (Breakup(Q, "NVIDIA"), "makes no models"),
    (CapacityLoss(Q, 1.5), "share = 1.5: write a share above 0 and at most 1"),
    (CapacityLoss(Q, 0.5, ("Alibaba",)), "'Alibaba' makes no chips; write one of NVIDIA"),
    (CapacityLoss(Q, 0.5, ()), "name at least one"),
    (ChipDiscount(Q, 1.0), "chips are not free"),
    (ChipDiscount(Q, 0.2, "Nvidia"), "makes no chips"),
    (ChipDiscount(Q, 0.2, region="Asia"), "there is no region 'Asia'; write one of China"),
    (ChipQuota(Q, 0.0), "leave the shock out for none"),
    (ChipQuota(Q, 0.5, "France"), "makes no rules here; write one of United States, China"),
    (Copies(Q, ("China",)), "China has clouds of its own"),
    (Copies(Q, ("Europe",)), "there is no region 'Europe'"),
    (DemandSwing(Q, 0.0), "factor = 0: write a factor from 0.01 to 100"),
    (DemandSwing(Q, 2.0, quarters=0), "quarters = 0: write 1 for at once"),
    (DemandSwing(Q, 2.0, regions=("China", "China")), "each once"),
    (Foundation(Q, "Huawei"), "makes no models"),
    (FundingCut(Q, 0.0), "share = 0"),
    (FundingCut(Q, 0.5, ("AWS",)), "makes no models"),
    (HostingAtCost(Q, ("NVIDIA",)), "'NVIDIA' is no cloud; write one of Alibaba"),
    (HostingAtCost(Q, ()), "name at least one"),
    (Openness(Q, "DeepSeek", "closed", existing=True), "published weights cannot be closed"),
    (PowerPrice(Q, -1.0), "write a factor from"),
    (PriceFloor(Q, 0.0), "usd_per_mtok = 0: a minimum price is above 0"),
    (PriceFloor(Q, 0.3, "Mars"), "there is no region 'Mars'"),
    (PriceMatch(Q, ("Alibaba",)), "Alibaba is Chinese and cannot match itself"),
    (PriceMatch(Q, gap=-0.1), "gap = -0.1"),
    (SetParameter(Q, "alpha_mean", 3.0), r"built into the world at the start.*write it under \[parameters\]"),
    (SetParameter(Q, "enterprises", 500.0), r"write it under \[parameters\]"),
    (SetParameter(Q, "chips.H100.memory_gb", 85.0), r"write it under \[parameters\]"),
    (SetParameter(Q, "sigma1", 7.0), "sigma1 = 7.0 is impossible"),
    (SoftwareStall(Q, ("Nvidia",)), "makes no chips"),
    (Sovereignty(Q, (("China", "Asia"),)), "there is no region 'Asia'"),
    (Sovereignty(Q, (("China",), ("China",))), "each once"),
    (WeightsBan(Q, "Germany"), "makes no rules here"),
]


@pytest.mark.parametrize(("shock", "said"), REFUSED)
def test_an_impossible_argument_is_refused_in_one_sentence(shock, said):
    with pytest.raises(ValueError, match=said) as error:
        shock.check()
    assert "\n" not in str(error.value)


def test_every_kind_that_can_be_wrong_is_tried_here_or_with_its_own_tests():
    without_check = {name for name, kind in KINDS.items() if not hasattr(kind, "check")}
    tried = {type(shock) for shock, _ in REFUSED}
    elsewhere = {"consortium", "capture", "confine"}
    assert {name for name, kind in KINDS.items() if kind not in tried} == without_check | elsewhere


@pytest.mark.parametrize(
    "text",
    [
        'kind = "chip_quota"\nshare = 0.5\nby = "weight"',
        'kind = "hosting_at_cost"\ncost = "nothing"',
        'kind = "openness"\ntarget = "Zhipu"\nweights = "ajar"',
        'kind = "sovereignty"\nblocs = ["China"]',
        'kind = "demand_swing"\nfactor = 2\nquarters = 1.5',
    ],
)
def test_a_file_with_a_word_that_a_kind_does_not_know_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "world.toml"
    file.write_text(f'title = "t"\n[[shocks]]\nquarter = "{Q}"\n{text}\n', encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"world\.toml"):
        load(file)


def test_every_kind_says_in_its_first_line_what_happens():
    for name, kind in KINDS.items():
        first = (kind.__doc__ or "").partition("\n")[0]
        assert first.endswith((".", ":")) or "." in first, name
        assert len(first) > 40, name
