"""Trials one after the other, beside what each command writes when nothing happens."""

from __future__ import annotations

import random
import shutil
import time
from pathlib import Path

from tests.faults.kinds import FAULTS, SCENARIO, rows
from tests.faults.trial import Loss, Trial
from tests.scenarios.stores import contents

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""A folder on which nothing waits to be durable, so that some hundreds of trials take minutes."""


class Series:
    """Trials in a folder, whose name is part of the trial: it has spaces and letters that are not ASCII."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.scenario = folder / "tiny.toml"
        self.scenario.write_text(SCENARIO)
        self.whole: dict[tuple[str, ...], Trial] = {}

    def loss(self, fault: str, seed: int) -> str:
        """What one trial has cost, in words; empty for nothing."""
        act, command, _ = FAULTS[fault]
        model = self._undisturbed(command)
        trial = Trial(
            self.folder / f"{fault} {seed}", model.arguments, model.whole, model.seconds, random.Random(seed)
        )
        trial.rows = model.rows
        try:
            act(trial)
        except Loss as loss:
            return str(loss)
        finally:
            trial.end()
        shutil.rmtree(trial.folder)
        return ""

    def _undisturbed(self, command: tuple[str, ...]) -> Trial:
        if command not in self.whole:
            arguments = [each.format(scenario=self.scenario) for each in command]
            trial = Trial(self.folder / f"whole {len(self.whole)}", arguments, {}, 0.0, random.Random(0))
            trial.start().check(())
            shutil.rmtree(trial.store)
            began = time.monotonic()
            trial.start().check(())  # the second time, when the server of processes has started
            trial.seconds = time.monotonic() - began
            trial.whole, trial.rows = contents(trial.store), rows(trial.store)
            self.whole[command] = trial
        return self.whole[command]
