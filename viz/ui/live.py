"""The live page: a world on the move, its panels and its controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import solara

from evidence.claims import claims
from evidence.period import period
from model.groups import GROUPS, grouped
from model.parameters import scalars
from model.shock import Shock
from scenarios.document import MOST_BYTES
from scenarios.scenario import ScenarioError, library
from viz.live import address
from viz.live.frame import OWN, Frame, finite
from viz.live.script import Script, keys_of
from viz.live.simulator import simulator
from viz.option import price, share, size, supply
from viz.option.palette import REGIONS
from viz.ui import account, shot
from viz.ui.house import left
from viz.ui.news import log
from viz.ui.part import Trouble
from viz.ui.stage import Stage, View, changes_live
from viz.ui.take import Take
from viz.ui.widget import Board, Chart, Controls, Feed, Firm, Look, Packed, Player, Shots, Source, Tiles, pack

TILES = (
    ("World price", "price_usd_per_mtok", "usd", "a million tokens"),
    ("Price in China", "price_china_usd_per_mtok", "usd", "a million tokens"),
    ("NVIDIA in China", "nvidia_share_china_units_all", "share", "of accelerators delivered"),
    ("NVIDIA, AI-class", "nvidia_share_china_units_ai", "share", "of AI-class in China"),
    ("Market", "market_revenue_usd", "usd", "in the quarter, world"),
    ("Open models", "open_share_tokens", "share", "of tokens"),
)


@solara.component
def Live() -> None:
    """The page."""
    search = solara.use_router().search or ""
    stage = solara.use_memo(lambda: Stage(simulator()), [])

    def session() -> Any:
        stage.do("open", search)
        return leave

    def leave() -> None:
        view = stage.view.peek()
        left.value = address.query(view.script, view.choice) if view.frames else ""
        stage.close()

    solara.use_effect(session, [])
    view = stage.view.value
    with solara.Div(classes=["uc-frame", "uc-live"]):
        _Side(stage)
        with solara.Div(classes=["uc-main-column"]):
            Player(
                quarters=list(view.names),
                cursor=view.cursor,
                head=len(view.frames) - 1,
                busy=view.busy,
                painted=view.painted,
                stopped=view.stopped,
                query=address.query(view.script, view.choice) if view.frames else "",
                event_command=lambda event: stage.do(event["kind"], event["value"]),
            )
            # Always there, empty or not: what follows would else be taken for its neighbour, and drawn anew.
            with solara.Div(classes=["uc-slot"]):
                if view.error:
                    Trouble(view.error)
            if view.frame is not None:
                _Panels(stage, view)
            elif not view.error:
                solara.Text(
                    "Loading the market and its compiled kernels (a minute the first time, then seconds)…"
                )


@solara.component
def _Side(stage: Stage) -> None:
    """Which world, which shocks, which parameters, and the downloads."""
    view = stage.view.value
    script = view.script
    with solara.Div(classes=["uc-side"]):
        with solara.Div(classes=["uc-panel"]):
            Source(
                scenarios=_scenarios(),
                scenario=script.scenario,
                uploaded=bool(script.upload),
                notes=solara.use_memo(lambda: _notes(script), [script.scenario, script.upload]),
                seed=script.seed,
                most=MOST_BYTES,
                stopped=view.stopped,
                event_choose=lambda event: _choose(stage, event),
            )
        with solara.Div(classes=["uc-panel"]):
            solara.HTML("h2", "Stress it")
            Shots(
                shots=_shots(),
                kinds=_kinds(),
                fired=[_fired(act.shock, view.frames) for act in script.acts if act.fired],
                quarter=view.next_quarter,
                event_fire=lambda event: _fire(stage, event),
            )
        with solara.Div(classes=["uc-panel"]):
            solara.HTML("h2", "Take away")
            if view.frames:
                Take(stage)
        with solara.Div(classes=["uc-panel"]):
            solara.HTML("h2", "Parameters")
            Controls(
                groups=_groups(),
                values=solara.use_memo(lambda: pack(view.changed()), [script, view.next_quarter]),
                stopped=view.stopped,
                event_change=lambda event: stage.do("change", event),
            )


@solara.component
def _Panels(stage: Stage, view: View) -> None:
    """Everything that shows the quarter."""
    frame, choice, seen, ghost = view.frame, view.choice, view.seen, view.seen_ghost
    assert frame is not None
    router = solara.use_router()
    names = view.names
    where = [view.cursor, len(view.ghost) >= len(view.frames), stage.key]

    def focus(event: Mapping[str, Any]) -> None:
        name = str(event.get("firm") or event.get("name") or "")
        if name in frame.firms:
            stage.do("choose", {"firm": name})

    shade = ghost[-1] if ghost and ghost[-1].quarter == frame.quarter else None
    with solara.Div(classes=["uc-panels"]):
        Tiles(tiles=solara.use_memo(lambda: pack(_tiles(frame, shade)), where), quarter=frame.quarter)
        with solara.Div(classes=["uc-grid"]):
            with solara.Div(classes=["uc-wide"]):
                Chart(
                    name="supply",
                    title="Who supplies whom",
                    subtitle=f"{frame.quarter}; lines as wide as the root of the money; click a firm for its accounts",
                    option=solara.use_memo(
                        lambda: pack(supply.option(frame, choice.firm)), [*where, choice.firm]
                    ),
                    stamp=frame.quarter,
                    height=520,
                    event_click=focus,
                )
            about = solara.use_memo(lambda: _account(seen, choice.firm), [*where, choice.firm])
            with solara.Div(
                classes=["uc-wide", "uc-slot"]
            ):  # as above: the charts below must not change places
                if about is not None:
                    Firm(firm=about, event_close=lambda _: stage.do("choose", {"firm": ""}))
            with solara.Div(classes=["uc-wide"]):
                Look(
                    groups={"region": list(REGIONS), "tier": list(price.TIERS)},
                    now={"region": choice.region, "tier": choice.tier},
                    event_choose=lambda event: stage.do("choose", event),
                )
            Chart(
                name="prices",
                title="Prices of models",
                subtitle=f"USD a million tokens to {frame.quarter}, buyers in {choice.region}; a pin is a launch",
                option=solara.use_memo(
                    lambda: pack(price.option(seen, ghost, names, choice.region, choice.tier)),
                    [*where, choice.region, choice.tier],
                ),
                stamp=frame.quarter,
                height=360,
            )
            Chart(
                name="chips",
                title="Chips delivered in China",
                subtitle=f"to {frame.quarter}; boxes are the article's claims",
                option=solara.use_memo(lambda: pack(share.chips(seen, ghost, names)), where),
                stamp=frame.quarter,
                height=360,
            )
            Chart(
                name="clouds",
                title="Clouds' shares",
                subtitle=(
                    f"of the revenue of hosted tokens to {frame.quarter}, buyers in {choice.region}; "
                    f"hosted are {_hosted(frame, choice.region)}"
                ),
                option=solara.use_memo(
                    lambda: pack(share.clouds(seen, names, choice.region)), [*where, choice.region]
                ),
                stamp=frame.quarter,
            )
            Chart(
                name="size",
                title="Size of the market",
                subtitle=f"to {frame.quarter}, USD a quarter",
                option=solara.use_memo(lambda: pack(size.option(seen, ghost, names)), where),
                stamp=frame.quarter,
            )
            Board(
                claims=_claims(),
                settled=solara.use_memo(
                    lambda: pack(view.settled()), [*where, sum(len(each.settled) for each in seen)]
                ),
                quarter=frame.quarter,
                event_open=lambda event: router.push(f"/claims?claim={event['id']}"),
            )
            Feed(
                entries=solara.use_memo(lambda: pack(log(seen)), where),
                quarter=frame.quarter,
                event_focus=focus,
            )


def _tiles(frame: Frame, ghost: Frame | None) -> list[list[str]]:
    """The tiles of a frame, beside the ghost's."""
    rows = []
    for title, column, form, unit in TILES:
        without = f"without: {_number(ghost.headline[column], form)}" if ghost else ""
        rows.append([title, _number(frame.headline[column], form), unit, without])
    return rows


def _choose(stage: Stage, event: Mapping[str, Any]) -> None:
    """Begin another scenario, seed or file."""
    script = stage.view.value.script
    if "seed" in event:
        stage.do("begin", lambda: script.with_seed(str(event["seed"])))
    elif "scenario" in event:
        stage.do("begin", lambda: script.in_scenario(str(event["scenario"])))
    else:
        stage.do("begin", lambda: script.with_file(str(event["file"]), event.get("text")))


def _fire(stage: Stage, event: Mapping[str, Any]) -> None:
    stage.do(
        "fire",
        event["keys"] if "keys" in event else lambda: shot.keys(str(event["kind"]), str(event["text"])),
    )


def _number(value: float, form: str) -> str:
    if finite(value) is None:
        return "–"
    return f"{100 * value:.0f} %" if form == "share" else supply.usd(value)


def _hosted(frame: Frame, region: str) -> str:
    """How much of a region's token revenue is hosted, in words."""
    sales = frame.sales.get(region, {})
    whole = sum(sales.values())
    return f"{100 * (1 - sales.get(OWN, 0.0) / whole):.0f} % of all" if whole > 0.0 else "none"


def _account(frames: tuple[Frame, ...], firm: str) -> Packed | None:
    about = account.account(frames, firm)
    return None if about is None else pack(about)


def _notes(script: Script) -> str:
    try:
        return script.base().notes
    except ScenarioError:
        return ""


def _fired(shock: Shock, frames: Sequence[Frame]) -> str:
    """A shock that was fired, and what the market's log says that it did."""
    keys = keys_of(shock)
    rest = ", ".join(
        f"{key} {_words(value)}" for key, value in keys.items() if key not in ("kind", "quarter")
    )
    did = [
        event.note
        for frame in frames
        if frame.quarter == shock.quarter
        for event in frame.events
        if (event.kind, event.subject) == ("shock", type(shock).__name__)
    ]
    named = f"{keys['quarter']}: {keys['kind']}" + (f" ({rest})" if rest else "")
    return ": ".join([named, *did[-1:]])


def _words(value: object) -> str:
    """The value of a key of a shock."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return " and ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


@cache
def _scenarios() -> Packed:
    return pack([{"name": each.name, "title": f"{each.name}: {each.title}"} for each in library()])


@cache
def _shots() -> Packed:
    return pack(shot.shots())


@cache
def _kinds() -> Packed:
    return pack(shot.kinds())


@cache
def _groups() -> Packed:
    """The parameter table as the controls want it."""
    known = scalars()
    return pack(
        [
            {
                "name": title,
                "parameters": [
                    {
                        "name": name,
                        "default": known[name].default,
                        "low": known[name].low,
                        "high": known[name].high,
                        "unit": "" if known[name].unit in ("1", "0/1") else known[name].unit,
                        "range": known[name].allowed,
                        "log": known[name].distribution == "loguniform",
                        "whole": known[name].distribution == "integer",
                        "switch": known[name].distribution == "switch",
                        "fixed": known[name].low == known[name].high,
                        "live": changes_live(name),
                        "description": known[name].description,
                        "source": known[name].source,
                        "date": known[name].date,
                    }
                    for name in names
                ],
            }
            for title, names in grouped(list(known), GROUPS).items()
        ]
    )


@cache
def _claims() -> Packed:
    """The headline claims as the board wants them."""
    return pack(
        [
            {
                "id": claim.id,
                "statement": claim.statement,
                "claimed": claim.figure,
                "unit": claim.unit if claim.unit != "1" else "",
                "period": claim.period,
                "due": max(period(claim.period).needed),
                "batch": bool(claim.worlds),
                "search": f"{claim.id} {claim.statement} {claim.kind} {claim.period}".lower(),
            }
            for claim in claims()
            if claim.headline
        ]
    )
