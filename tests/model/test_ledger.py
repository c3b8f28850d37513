"""Double entry, and the identities of money."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.identities import BrokenIdentity
from model.ledger import Flow, Kind, Ledger

FIRMS = ("NVIDIA", "Alibaba", "DeepSeek")
OUTSIDE = ("investors", "enterprises", "utilities")
NAMES = (*FIRMS, *OUTSIDE)

Payment = tuple[str, str, Kind, float]

payments = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(NAMES),
        st.sampled_from(Kind),
        st.floats(min_value=0.0, max_value=1e15, allow_nan=False),
    ).filter(lambda payment: payment[0] != payment[1]),
    max_size=40,
)


def book() -> Ledger:
    return Ledger(FIRMS, OUTSIDE)


@given(st.lists(payments, max_size=5))
def test_money_is_neither_made_nor_lost_in_any_history(history: list[list[Payment]]) -> None:
    ledger = book()
    exact = dict.fromkeys(NAMES, Fraction(0))
    for quarter in history:
        for payer, payee, kind, amount in quarter:
            ledger.pay(payer, payee, kind, amount)
            exact[payer] -= Fraction(amount)
            exact[payee] += Fraction(amount)
        ledger.close()
    turnover = sum(amount for quarter in history for *_, amount in quarter)
    for name in NAMES:
        assert ledger.balance(name) == pytest.approx(float(exact[name]), abs=1e-12 * turnover + 1e-300)
    assert sum(exact.values()) == 0


@given(payments)
def test_what_is_paid_is_received_under_the_same_kind(quarter: list[Payment]) -> None:
    ledger = book()
    for payment in quarter:
        ledger.pay(*payment)
    for kind in Kind:
        paid = math.fsum(ledger.paid(name, kind) for name in NAMES)
        received = math.fsum(ledger.received(name, kind) for name in NAMES)
        assert paid == pytest.approx(received, rel=1e-12)
        assert paid == pytest.approx(math.fsum(a for *_, k, a in quarter if k is kind), rel=1e-12)
    for name in NAMES:
        assert ledger.received(name) == pytest.approx(sum(ledger.received_by_kind(name).values()), rel=1e-12)
        assert ledger.paid(name) == pytest.approx(sum(ledger.paid_by_kind(name).values()), rel=1e-12)


@given(payments)
def test_flows_are_the_payments_summed_by_pair_and_kind(quarter: list[Payment]) -> None:
    ledger = book()
    expected: dict[tuple[str, str, Kind], float] = {}
    for payer, payee, kind, amount in quarter:
        ledger.pay(payer, payee, kind, amount)
        if amount:
            expected[payer, payee, kind] = expected.get((payer, payee, kind), 0.0) + amount
    flows = ledger.flows()
    assert {flow[:3]: flow.amount for flow in flows} == pytest.approx(expected, rel=1e-12)
    assert len(flows) == len(expected)
    assert all(type(flow.kind) is Kind for flow in flows)


@given(payments)
def test_paying_at_once_is_paying_one_by_one(quarter: list[Payment]) -> None:
    single, many = book(), book()
    for payment in quarter:
        single.pay(*payment)
    for kind in Kind:
        chosen = [payment for payment in quarter if payment[2] is kind]
        payers = [many.index(payment[0]) for payment in chosen]
        payees = [many.index(payment[1]) for payment in chosen]
        many.pay_many(payers, payees, kind, [payment[3] for payment in chosen])
    turnover = sum(payment[3] for payment in quarter)
    for name in NAMES:
        assert many.balance(name) == pytest.approx(single.balance(name), abs=1e-12 * turnover + 1e-300)
        assert many.received_by_kind(name) == pytest.approx(single.received_by_kind(name), rel=1e-12)
        assert many.paid_by_kind(name) == pytest.approx(single.paid_by_kind(name), rel=1e-12)
    many.close()


def test_a_matrix_of_money_reaches_its_sellers() -> None:
    ledger = Ledger(["Alibaba", "Huawei"], ["Asia", "Europe", "China"])
    sellers = np.array([ledger.index("Alibaba"), ledger.index("Huawei")])
    buyers = np.array([ledger.index(name) for name in ("Asia", "Europe", "China")])
    ledger.pay_many(buyers[None, :], sellers[:, None], Kind.TOKENS, [[1.0, 2.0, 4.0], [8.0, 0.0, 16.0]])
    assert ledger.received("Alibaba", Kind.TOKENS) == 7.0
    assert ledger.received("Huawei", Kind.TOKENS) == 24.0
    assert [ledger.paid(name) for name in ("Asia", "Europe", "China")] == [9.0, 2.0, 20.0]
    assert Flow("Europe", "Huawei", Kind.TOKENS, 0.0) not in ledger.flows()
    ledger.close()


def test_a_quarter_ends_with_the_cash_and_starts_without_flows() -> None:
    ledger = book()
    ledger.pay("investors", "DeepSeek", Kind.FUNDING, 100.0)
    ledger.pay("DeepSeek", "Alibaba", Kind.COMPUTE, 30.0)
    assert ledger.received("DeepSeek", Kind.FUNDING, Kind.TOKENS) == 100.0
    assert ledger.paid("DeepSeek", Kind.TOKENS) == 0.0
    ledger.close()
    assert ledger.balance("DeepSeek") == 70.0
    assert ledger.received("DeepSeek") == ledger.paid("DeepSeek") == 0.0
    assert ledger.flows() == [] and ledger.received_by_kind("Alibaba") == {}
    ledger.close()
    assert ledger.balance("DeepSeek") == 70.0


def test_a_firm_without_cash_is_seen_and_not_stopped() -> None:
    ledger = book()
    ledger.pay("DeepSeek", "utilities", Kind.POWER, 5.0)
    ledger.close()
    assert ledger.balance("DeepSeek") == -5.0
    ledger.pay("DeepSeek", "utilities", Kind.POWER, 2.0)
    ledger.close()
    assert ledger.balance("DeepSeek") == -7.0


def test_an_entrant_opens_an_account_in_the_middle_of_a_quarter() -> None:
    ledger = book()
    ledger.pay("investors", "NVIDIA", Kind.FUNDING, 3.0)
    ledger.open("Moonshot")
    ledger.pay("NVIDIA", "Moonshot", Kind.CHIPS, 1.0)
    ledger.close()
    assert (ledger.balance("NVIDIA"), ledger.balance("Moonshot")) == (2.0, 1.0)
    assert "Moonshot" in ledger and "Moonshot" in ledger.firms
    with pytest.raises(ValueError, match="Moonshot"):
        ledger.open("Moonshot")


@pytest.mark.parametrize("amount", [-1.0, -1e-300, math.nan, math.inf, -math.inf, np.float64("nan")])
def test_no_payment_is_negative_or_unknown(amount: float) -> None:
    ledger = book()
    with pytest.raises(ValueError, match="Alibaba cannot pay NVIDIA"):
        ledger.pay("Alibaba", "NVIDIA", Kind.CHIPS, amount)
    with pytest.raises(ValueError, match="Alibaba cannot pay NVIDIA"):
        ledger.pay_many([2, 1], [0, 0], Kind.CHIPS, [1.0, amount])
    assert ledger.flows() == [] and ledger.balance("NVIDIA") == 0.0
    ledger.close()


def test_nobody_pays_itself() -> None:
    ledger = book()
    with pytest.raises(ValueError, match="Alibaba cannot pay itself"):
        ledger.pay("Alibaba", "Alibaba", Kind.CAPTIVE, 1.0)
    with pytest.raises(ValueError, match="Alibaba cannot pay itself"):
        ledger.pay_many([0, 1], [1, 1], Kind.CAPTIVE, [1.0, 1.0])
    ledger.pay_many([0, 1], [1, 1], Kind.CAPTIVE, [1.0, 0.0])
    assert ledger.flows() == [Flow("NVIDIA", "Alibaba", Kind.CAPTIVE, 1.0)]


def test_a_stranger_or_an_unknown_kind_is_named() -> None:
    ledger = book()
    with pytest.raises(ValueError, match="'Intel' has no account"):
        ledger.pay("Alibaba", "Intel", Kind.CHIPS, 1.0)
    with pytest.raises(ValueError, match="'Intel' has no account"):
        ledger.balance("Intel")
    with pytest.raises(ValueError, match="'bribes' is no kind of payment: write one of tokens,"):
        ledger.pay("Alibaba", "NVIDIA", "bribes", 1.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'bribes' is no kind of payment"):
        ledger.pay_many([0], [1], "bribes", [1.0])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="6 accounts"):
        ledger.pay_many([0], [6], Kind.CHIPS, [1.0])
    with pytest.raises(ValueError, match="6 accounts"):
        ledger.pay_many([-1], [0], Kind.CHIPS, [1.0])


def test_cash_from_nowhere_stops_the_run_and_names_the_firm_and_the_quarter() -> None:
    ledger = Ledger(FIRMS, OUTSIDE, quarter="2024Q4")
    ledger.pay("investors", "DeepSeek", Kind.FUNDING, 100.0)
    ledger.close()
    ledger.pay("DeepSeek", "Alibaba", Kind.TRAINING, 10.0)
    ledger._balance[ledger.index("DeepSeek")] += 1e-6
    with pytest.raises(
        BrokenIdentity, match="an account's balance moves by its payments at DeepSeek"
    ) as caught:
        ledger.close()
    assert (caught.value.quarter, caught.value.where) == ("2025Q1", "DeepSeek")
    assert caught.value.size == pytest.approx(1e-6)


def test_money_that_only_moves_on_paper_stops_the_run() -> None:
    ledger = book()
    ledger.pay("investors", "DeepSeek", Kind.FUNDING, 100.0)
    ledger._received[ledger.index("DeepSeek") * len(Kind) + list(Kind).index(Kind.TOKENS)] += 1.0
    with pytest.raises(BrokenIdentity, match="received by kind is the sum of its payments at DeepSeek"):
        ledger.close()


def test_a_lost_payment_stops_the_run() -> None:
    ledger = book()
    ledger.pay("investors", "DeepSeek", Kind.FUNDING, 100.0)
    ledger.pay("DeepSeek", "NVIDIA", Kind.CHIPS, 40.0)
    ledger._who[1, 1] = ledger.index("Alibaba")
    with pytest.raises(BrokenIdentity):
        ledger.close()


def test_cash_that_appears_between_quarters_stops_the_run() -> None:
    ledger = book()
    ledger.pay("investors", "DeepSeek", Kind.FUNDING, 100.0)
    ledger.close()
    number = ledger.index("Alibaba")
    ledger._balance[number] = ledger._opening[number] = 1.0
    with pytest.raises(BrokenIdentity, match="money in equals money out over the whole market"):
        ledger.close()


def test_a_broken_identity_crosses_to_another_process_whole() -> None:
    error = BrokenIdentity("tokens sold equal tokens bought", "2024Q1", 2.5, "Qwen")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert (copy.identity, copy.quarter, copy.size, copy.where) == (error.identity, "2024Q1", 2.5, "Qwen")
