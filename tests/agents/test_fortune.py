"""Chance in demand: luck and business keep their spread, forget slowly, and can be turned off."""

import numpy as np
import pytest

from agents.fortune import Business, Luck
from model.chance import Chance
from model.parameters import Parameters

VENDORS = ["OpenAI", "DeepSeek", "Mistral"]


def history(kind: type, quarters: int, **overrides: float) -> np.ndarray:
    p = Parameters.resolve(overrides)
    stream = Chance(5).stream("demand")
    fortune = Luck(VENDORS, p, stream) if kind is Luck else Business(p, stream)
    seen = []
    for _ in range(quarters):
        fortune.draw()
        if isinstance(fortune, Luck):
            seen.append(fortune.xi.tolist())
        else:
            seen.append([np.log(fortune.tokens).tolist(), np.log(fortune.captive).tolist()])
    return np.array(seen)


@pytest.mark.parametrize(("kind", "name"), [(Luck, "luck"), (Business, "business")])
def test_chance_keeps_its_spread_and_its_memory(kind, name):
    persistence, spread = 0.7, 0.2
    seen = history(kind, 4000, **{f"{name}_persistence": persistence, f"{name}_spread": spread})[100:]
    assert seen.std() == pytest.approx(spread, rel=0.05)
    assert np.corrcoef(seen[:-1].ravel(), seen[1:].ravel())[0, 1] == pytest.approx(persistence, abs=0.03)
    assert abs(seen.mean()) < 0.02


@pytest.mark.parametrize(("kind", "name"), [(Luck, "luck"), (Business, "business")])
def test_chance_without_spread_is_none(kind, name):
    assert (history(kind, 20, **{f"{name}_spread": 0.0}) == 0.0).all()


def test_luck_belongs_to_a_vendor_in_a_region():
    last = history(Luck, 10)[-1]
    assert len(np.unique(last)) == last.size
