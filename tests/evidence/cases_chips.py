"""Hand-made runs for claims on chips, racks and what runs on them."""

from __future__ import annotations

from tests.evidence.handmade import Case, Cases, Lines, World, joined, rows

UNITS, VALUE, ORDERED = "units_delivered", "value_usd", "units_ordered"


def bought(when: str, nvidia: float, column: str = UNITS, ai_only: bool = False) -> Lines:
    """Purchases in China of 100, of which NVIDIA's share is given; the rest is domestic.

    With ``ai_only`` the share is of 100 AI-class chips beside 900 mid-range chips of NVIDIA, which must not
    count; without it half of each maker's chips are mid-range. Chips bought elsewhere never count.
    """
    if ai_only:
        parts = [("NVIDIA", "US", "ai", nvidia), ("Cambricon", "CN", "ai", 100.0 - nvidia)]
        parts.append(("NVIDIA", "US", "mid-range", 900.0))
    else:
        parts = [
            (maker, origin, grade, amount / 2.0)
            for maker, origin, amount in (("NVIDIA", "US", nvidia), ("Cambricon", "CN", 100.0 - nvidia))
            for grade in ("ai", "mid-range")
        ]
    china = [
        rows(when, maker=m, maker_origin=o, buyer_region="China", **{"class": g, column: amount})
        for m, o, g, amount in parts
    ]
    abroad = rows(
        when, maker="NVIDIA", maker_origin="US", buyer_region="North America", **{"class": "ai", column: 1e4}
    )
    return joined([*china, abroad])


def share(when: str, nvidia: float, column: str = UNITS, ai_only: bool = False) -> World:
    return {"chips": bought(when, nvidia, column, ai_only)}


def fall(end: float, column: str = UNITS) -> World:
    """NVIDIA's share from 90 in 2023 to another by 2027Q4."""
    return {"chips": bought("2023", 90.0, column) + bought("2027Q4", end, column)}


def fall_compared(column: str, end: float, **others: float) -> tuple[World, dict[str, World]]:
    return fall(end, column), {world: fall(value, column) for world, value in others.items()}


def against(column: str, sparse: float, rules: float) -> Case:
    """The share ends at 40; without sparse architectures or export rules it ends elsewhere."""
    world, others = fall_compared(column, 40.0, sparse_architectures=sparse, export_rules=rules)
    return Case((sparse - rules) / 100.0, world, others)


def part(column: str, sparse: float) -> Case:
    world, others = fall_compared(column, 40.0, sparse_architectures=sparse)
    return Case((sparse - 40.0) / 50.0, world, others)


def less(end: float, cause: str, without: float) -> Case:
    world, others = fall_compared(UNITS, end, **{cause: without})
    return Case((without - end) / 100.0, world, others)


READINGS = {
    "": (UNITS, False),
    "-value": (VALUE, False),
    "-ai": (UNITS, True),
    "-value-ai": (VALUE, True),
    "-ordered": (ORDERED, False),
    "-ordered-ai": (ORDERED, True),
}

NVIDIA: Cases = {
    "p1-nvidia-2027-in": (Case(0.4, share("2027", 40.0)), Case(0.6, share("2027", 60.0))),
    "p1-cause": (part(ORDERED, 80.0), part(ORDERED, 50.0)),
    "p1-cause-delivered": (part(UNITS, 80.0), part(UNITS, 50.0)),
    "p1-cause-against-rules": (against(ORDERED, 80.0, 50.0), against(ORDERED, 50.0, 80.0)),
    "p1-cause-against-rules-delivered": (against(UNITS, 80.0, 50.0), against(UNITS, 50.0, 80.0)),
    "p1-domestic-learning": (less(40.0, "domestic_learning", 60.0), less(40.0, "domestic_learning", 30.0)),
    "p1-domestic-capacity": (
        less(40.0, "domestic_capacity_growth", 60.0),
        less(40.0, "domestic_capacity_growth", 40.0),
    ),
    "parallel-hardware": (Case(0.6, share("2028Q4", 40.0)), Case(0.4, share("2028Q4", 60.0))),
}
for _name, (_column, _ai) in READINGS.items():
    NVIDIA[f"p1-nvidia-2027{_name}"] = (
        Case(0.4, share("2027Q4", 40.0, _column, _ai)),
        Case(0.6, share("2027Q4", 60.0, _column, _ai)),
    )
    if "ordered" not in _name:
        NVIDIA[f"p1-nvidia-2023{_name}"] = (
            Case(0.87, share("2023", 87.0, _column, _ai)),
            Case(0.95, share("2023", 95.0, _column, _ai)),
        )


# ------------------------------------------------------------------------------------------- kinds of chip


def kinds(when: str, listed: float, physical: float) -> Lines:
    """A hundred units of which some are inference-optimised by the list and some by the physical rule."""

    def units(amount: float, **flags: bool) -> Lines:
        return rows(when, buyer_region="China", units_delivered=amount, **flags)

    return joined(
        [
            units(listed, inference_listed=True),
            units(physical, inference_physical=True),
            units(100.0 - listed - physical),
        ]
    )


def mix(start: tuple[float, float], end: tuple[float, float]) -> World:
    return {"chips": kinds("2023Q2", *start) + kinds("2024Q2", *end)}


def mix_caused(
    start: tuple[float, float], end: tuple[float, float], without: tuple[float, float], value: float
) -> Case:
    return Case(value, mix(start, end), {"sparse_architectures": mix(start, without)})


def top(start: float, end: float) -> World:
    def year(when: str, units: float) -> Lines:
        kind = {"maker": "NVIDIA", "maker_origin": "US", "buyer_region": "China"}
        best = rows(when, units_delivered=units, **{"class": "ai"}, **kind)
        return best + rows(when, units_delivered=100.0 - units, **{"class": "mid-range"}, **kind)

    return {"chips": year("2023", start) + year("2024", end)}


def orders(when: str, inference: float, training: float = 0.0) -> Lines:
    """Domestic shares, of 100, of orders for inference and for training."""

    def order(purpose: str, origin: str, units: float) -> Lines:
        return rows(when, purpose=purpose, maker_origin=origin, buyer_region="China", units_ordered=units)

    return joined(
        [
            order("sparse", "CN", inference),
            order("dense", "US", 100.0 - inference),
            order("training", "CN", training),
            order("training", "US", 100.0 - training),
        ]
    )


def training_value(start: float, end: float) -> World:
    def year(when: str, training: float) -> Lines:
        return rows(when, purpose="training", value_usd=training) + rows(
            when, purpose="sparse", value_usd=100.0 - training
        )

    return {"chips": year("2024", start) + year("2027", end)}


def ascend(units: float) -> World:
    def maker(name: str, origin: str, amount: float) -> Lines:
        return rows(
            "2025",
            maker=name,
            maker_origin=origin,
            buyer_region="China",
            units_delivered=amount,
            **{"class": "ai"},
        )

    return {
        "chips": joined(
            [
                maker("Huawei Ascend", "CN", units),
                maker("Cambricon", "CN", 100.0 - units),
                maker("NVIDIA", "US", 500.0),
            ]
        )
    }


KINDS: Cases = {
    "inference-rise-listed": (
        Case(0.12, mix((30.0, 10.0), (42.0, 10.0))),
        Case(0.0, mix((30.0, 10.0), (30.0, 40.0))),
    ),
    "inference-rise-physical": (
        Case(0.10, mix((30.0, 10.0), (30.0, 20.0))),
        Case(0.30, mix((30.0, 10.0), (30.0, 40.0))),
    ),
    "inference-level-listed": (
        Case(0.42, mix((30.0, 10.0), (42.0, 10.0))),
        Case(0.30, mix((30.0, 10.0), (30.0, 42.0))),
    ),
    "inference-level-physical": (
        Case(0.42, mix((30.0, 10.0), (30.0, 42.0))),
        Case(0.10, mix((30.0, 10.0), (42.0, 10.0))),
    ),
    "inference-chips-cause": (
        mix_caused((30.0, 10.0), (42.0, 10.0), (33.0, 10.0), 0.75),
        mix_caused((30.0, 10.0), (42.0, 10.0), (39.0, 10.0), 0.25),
    ),
    "inference-chips-cause-physical": (
        mix_caused((30.0, 10.0), (30.0, 30.0), (30.0, 15.0), 0.75),
        mix_caused((30.0, 10.0), (30.0, 30.0), (30.0, 25.0), 0.25),
    ),
    "nvidia-top": (Case(0.2, top(60.0, 40.0)), Case(-0.2, top(40.0, 60.0))),
    "domestic-qualification": (
        Case(0.2, {"chips": orders("2023", 10.0) + orders("2024", 30.0)}),
        Case(-0.05, {"chips": orders("2023", 10.0) + orders("2024", 5.0)}),
    ),
    "domestic-lags-training": (
        Case(0.2, {"chips": orders("2024", 30.0, 10.0)}),
        Case(-0.2, {"chips": orders("2024", 10.0, 30.0)}),
    ),
    "sparse-lowers-barrier": (
        Case(
            0.3,
            {"chips": orders("2027Q4", 60.0)},
            {"sparse_architectures": {"chips": orders("2027Q4", 30.0)}},
        ),
        Case(
            -0.1,
            {"chips": orders("2027Q4", 60.0)},
            {"sparse_architectures": {"chips": orders("2027Q4", 70.0)}},
        ),
    ),
    "training-hardware": (Case(0.2, training_value(60.0, 40.0)), Case(-0.2, training_value(40.0, 60.0))),
    "ascend-only": (Case(0.95, ascend(95.0)), Case(0.6, ascend(60.0))),
}


# ------------------------------------------------------------------------------------------- fleets


def running(
    tokens: tuple[float, float, float], hours: tuple[float, float, float], captive: float = 0.0
) -> World:
    """Inference in China on domestic chips, on NVIDIA's mid-range parts and on NVIDIA's AI class.

    By tokens and by hours; captive hours run on domestic chips.
    """
    makers = (("Huawei Ascend", "CN", "ai"), ("NVIDIA", "US", "mid-range"), ("NVIDIA", "US", "ai"))

    def fleet(maker: tuple[str, str, str], purpose: str, mtok: float, used: float) -> Lines:
        name, origin, grade = maker
        return rows("2026Q4", region="China", maker=name, maker_origin=origin, purpose=purpose,
                    tokens_mtok=mtok, hours_used=used, **{"class": grade})  # fmt: skip

    work = [fleet(m, "sparse", t, h) for m, t, h in zip(makers, tokens, hours, strict=True)]
    return {
        "fleets": joined(
            [*work, fleet(makers[0], "captive", 0.0, captive), fleet(makers[2], "training", 0.0, 1e6)]
        )
    }


def work_on(sparse: float, dense: float, flag: str) -> World:
    """Hours of sparse and dense inference, of 100 each, on inference-optimised chips."""

    def fleet(purpose: str, hours: float, chosen: bool) -> Lines:
        return rows("2024", region="China", purpose=purpose, hours_used=hours, **{flag: chosen})

    return {
        "fleets": joined(
            [
                fleet("sparse", sparse, True),
                fleet("sparse", 100.0 - sparse, False),
                fleet("dense", dense, True),
                fleet("dense", 100.0 - dense, False),
            ]
        )
    }


def cooled(when: str, inference: float, training: float, captive: float = 0.0) -> Lines:
    """Alibaba's liquid-cooled racks of 100 for each of three kinds of work; a lessor's do not count."""
    work = (("sparse", inference), ("training", training), ("captive", captive))
    own = [
        rows(
            when,
            owner="Alibaba",
            owner_origin="CN",
            region="China",
            purpose=p,
            racks=100.0,
            liquid_racks=liquid,
        )
        for p, liquid in work
    ]
    hall = rows(when, owner="Colocation China", owner_origin="CN", region="China", purpose="sparse",
                racks=900.0, liquid_racks=900.0)  # fmt: skip
    return joined([*own, hall])


def cooling(start: tuple[float, float, float], end: tuple[float, float, float]) -> World:
    return {"fleets": cooled("2024Q2", *start) + cooled("2025Q2", *end)}


def ports(end: str, before: float, after: float) -> World:
    """Ethernet among 100 ports of inference racks; training racks do not count."""
    start = "2023" if end == "2024Q3" else "2024"

    def racks(when: str, ethernet: float) -> Lines:
        own = rows(when, region="China", purpose="dense", ports=100.0, ethernet_ports=ethernet)
        return own + rows(
            when, region="China", purpose="training", ports=900.0, ethernet_ports=900.0 - 9.0 * ethernet
        )

    return {"fleets": racks(start, before) + racks(end, after)}


def hours(captive: float) -> World:
    def used(purpose: str, amount: float) -> Lines:
        return rows("2026", owner="Tencent", purpose=purpose, hours_used=amount)

    return {"fleets": used("captive", captive) + used("sparse", 100.0 - captive)}


ALL, NONE = (0.0, 0.0, 0.0), (10.0, 10.0, 10.0)

FLEETS: Cases = {
    "p1-inference": (
        Case(0.7, running((30.0, 40.0, 30.0), (0.0, 0.0, 9.0))),
        Case(0.2, running((10.0, 10.0, 80.0), (9.0, 0.0, 0.0))),
    ),
    "p1-inference-hours": (
        Case(0.7, running((0.0, 0.0, 9.0), (30.0, 40.0, 30.0))),
        Case(0.2, running((9.0, 0.0, 0.0), (10.0, 10.0, 80.0))),
    ),
    # 20 and 60 captive hours of 160, then none.
    "p1-inference-captive": (
        Case(0.5625, running((0.0, 0.0, 9.0), (10.0, 20.0, 70.0), captive=60.0)),
        Case(0.3, running((0.0, 0.0, 9.0), (10.0, 20.0, 70.0))),
    ),
    "p1-inference-no-nvidia": (
        Case(0.6, running((60.0, 10.0, 30.0), (0.0, 0.0, 9.0))),
        Case(0.3, running((30.0, 40.0, 30.0), (9.0, 0.0, 0.0))),
    ),
    "p1-inference-no-nvidia-hours": (
        Case(0.6, running((0.0, 0.0, 9.0), (60.0, 10.0, 30.0))),
        Case(0.3, running((9.0, 0.0, 0.0), (30.0, 40.0, 30.0))),
    ),
    "ideal-chips-listed": (
        Case(0.4, work_on(70.0, 30.0, "inference_listed")),
        Case(-0.4, work_on(30.0, 70.0, "inference_listed")),
    ),
    "ideal-chips-physical": (
        Case(0.4, work_on(70.0, 30.0, "inference_physical")),
        Case(0.0, work_on(70.0, 30.0, "inference_listed")),
    ),
    "liquid-2024": (Case(0.2, cooling((30.0, 30.0, 0.0), NONE)), Case(0.4, cooling((60.0, 60.0, 0.0), NONE))),
    "liquid-2025": (Case(0.3, cooling(ALL, (60.0, 30.0, 0.0))), Case(0.1, cooling(ALL, (15.0, 15.0, 0.0)))),
    "liquid-rise": (
        Case(0.10, cooling((30.0, 30.0, 0.0), (45.0, 45.0, 0.0))),
        Case(0.20, cooling((30.0, 30.0, 0.0), (60.0, 60.0, 0.0))),
    ),
    "liquid-cause": (
        Case(0.75, cooling((10.0, 10.0, 0.0), (40.0, 20.0, 0.0))),
        Case(0.25, cooling((10.0, 10.0, 0.0), (20.0, 40.0, 0.0))),
    ),
    "liquid-cause-captive": (
        Case(0.75, cooling((10.0, 10.0, 0.0), (20.0, 20.0, 20.0))),
        Case(0.25, cooling((10.0, 10.0, 0.0), (15.0, 40.0, 5.0))),
    ),
    "liquid-density": (
        Case(0.3, {"fleets": cooled("2024", 50.0, 20.0)}),
        Case(-0.3, {"fleets": cooled("2024", 20.0, 50.0)}),
    ),
    "ethernet-2024": (Case(0.2, ports("2024Q3", 30.0, 50.0)), Case(-0.2, ports("2024Q3", 50.0, 30.0))),
    "ethernet-2027": (Case(0.2, ports("2027Q4", 30.0, 50.0)), Case(0.0, ports("2027Q4", 50.0, 50.0))),
    "tencent-internal": (Case(0.8, hours(80.0)), Case(0.2, hours(20.0))),
}

CASES: Cases = {**NVIDIA, **KINDS, **FLEETS}
