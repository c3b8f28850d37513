"""The form of demand that the switches of the parameter table ask for: its nests, and how price enters utility."""

from __future__ import annotations

from model.parameters import Parameters


def token_nests(p: Parameters) -> tuple[float, float]:
    """sigma1 and sigma2 of demand for tokens: both 0, plain logit, without nests."""
    return p.sigma1 * p.nested_logit, p.sigma2 * p.nested_logit


def chip_nests(p: Parameters) -> tuple[float, float]:
    """The same of demand for chips."""
    return p.chip_sigma1 * p.nested_logit, p.chip_sigma2 * p.nested_logit


def linear_at(p: Parameters) -> float | None:
    """The price of tokens, USD/Mtok, at which utility that is linear in price touches the log form; None: it is log."""
    return None if p.log_price else p.linear_price_reference
