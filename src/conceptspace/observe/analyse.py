"""The same measurements from checkpoints that are there already, one in memory at a time."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from conceptspace.adapters.protocol import Adapter
from conceptspace.concepts.settings import SettingsError
from conceptspace.concepts.space import ConceptSpace
from conceptspace.dynamics.findings import findings
from conceptspace.folder import RunError
from conceptspace.load import load_run
from conceptspace.measure.settings import evenly_in_the_root
from conceptspace.observe.checkpoints import PATTERN, find_checkpoints, first_line
from conceptspace.observe.recorder import Recorder, whole_number
from conceptspace.observe.subject import Read, SampleModel
from conceptspace.probes.reading import Probe

Checkpoints = Path | str | Iterable[tuple[int, Any]]


def analyse(
    checkpoints: Checkpoints,
    out: Path | str,
    *,
    space: ConceptSpace,
    load: Callable[[Any], Any],
    probe: Probe | Read,
    sample: SampleModel | None = None,
    adapt: Callable[[Any], Adapter] | None = None,
    pattern: str = PATTERN,
    first: int | None = None,
    look_again: int = 0,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
    **settings: Any,
) -> list[Path]:
    """Measure checkpoints, conclude, and write the report.

    One checkpoint is in memory at a time. What is measured already is neither loaded nor measured
    again: stopped at any moment, the same call continues and ends with the same bits.

    Args:
        checkpoints: a folder, see `find_checkpoints`; or (step, checkpoint) pairs, where a
            checkpoint is whatever `load` takes. An iterator is gone through once, in its order.
        out: the run directory. Other seeds of the same training may go there too.
        space: the concepts.
        load: from a checkpoint to a model; or to a mapping from a word, such as `raw` and `ema`, to
            a model each: every word then has a run directory of its own below `out`.
        probe: as for `Recorder`.
        sample: likewise.
        adapt: likewise.
        pattern: of the names in the folder.
        first: measure only so many at first, spread over training; all by default.
        look_again: then so many more, one after the other, where the held-out classes turn or move
            most between two that are measured.
        seed: the seed of the training.
        progress: told how many are measured, of how many.
        settings: of the `Recorder`: split, elicitation, world, inversion, measurement, ...

    Returns:
        The run directories, one or one for each word.

    Raises:
        SettingsError: if the arguments do not fit together.
        RunError: if there is no checkpoint, or the folder holds something else.
    """
    if first is not None and first < 3:
        raise SettingsError(f"first must be at least 3, for a path, not {first}")
    if look_again < 0 or (look_again and first is None):
        raise SettingsError(
            "look_again must be 0 or more, and needs first: where all are measured, there is "
            "nothing to look at again"
        )

    def recorder(folder: Path) -> Recorder:
        given = {"sample": sample, "adapt": adapt, "probe": probe, "seed": seed, **settings}
        return Recorder(space, folder, every=1, **given)

    measuring = _Measuring(Path(out), load, recorder)
    if first is None:
        pairs, num = _pairs(checkpoints, pattern)
        for done, (step, checkpoint) in enumerate(pairs, start=1):
            measuring(step, checkpoint)
            if progress:
                progress(done, num or done)
    else:
        known = dict(_pairs(checkpoints, pattern)[0])
        steps, num = sorted(known), min(len(known), first + look_again)
        chosen = _spread(steps, first)
        for done in range(num):
            step = chosen[done] if done < len(chosen) else _next(measuring, steps)
            if step is None:
                break
            measuring(step, known[step])
            if progress:
                progress(done + 1, num)
    if not any(one.steps for one in measuring.recorders.values()):
        raise RunError("checkpoints: there is none, so nothing was measured")
    for one in measuring.recorders.values():
        one.report()
    return [one.out for one in measuring.recorders.values()]


class _Measuring:
    """Loads a checkpoint and measures it, unless all that it holds is measured."""

    def __init__(self, out: Path, load, make: Callable[[Path], Recorder]) -> None:
        self.out, self.load, self.make = out, load, make
        # Which words there are is known once a checkpoint was loaded, now or before.
        there = sorted(path.parent for path in out.glob("*/experiment.json"))
        self.recorders = {folder.name: make(folder) for folder in there}
        if not there:
            self.recorders = {"": make(out)}

    def __call__(self, step: int, checkpoint: Any) -> None:
        step = whole_number(step, "checkpoints: a step")
        if all(one.is_measured(step) for one in self.recorders.values()):
            return
        models = _by_word(self._loaded(step, checkpoint))
        if set(models) != set(self.recorders):
            self.recorders = {
                word: self.make(self.out / word if word else self.out) for word in models
            }
        for word, one in models.items():
            self.recorders[word](step, one)

    def _loaded(self, step: int, checkpoint: Any) -> Any:
        try:
            return self.load(checkpoint)
        except RunError:
            raise
        except Exception as error:
            where = f" ({checkpoint})" if isinstance(checkpoint, str | Path) else ""
            raise RunError(
                f"load failed at step {step}{where}: {type(error).__name__}: {first_line(error)}. "
                "What is measured is kept; cs.read_weights reads a file of weights, and says where "
                "it is damaged"
            ) from error


def _by_word(loaded: Any) -> Mapping[str, Any]:
    """The models that were loaded, each with its word; one alone has none.

    Raises:
        SettingsError: if a dictionary holds weights in place of models, or a word is no name for a
            folder.
    """
    if not isinstance(loaded, Mapping):
        return {"": loaded}
    if any(isinstance(value, Tensor) for value in loaded.values()):
        raise SettingsError(
            "load returned a dictionary of tensors: make a model of them, or hand over an object "
            "that holds them; a dictionary is taken for several models, such as raw and ema"
        )
    for word in loaded:
        if not isinstance(word, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", word):
            raise SettingsError(
                f"load returned a dictionary with {word!r}: each model's word names a folder, so "
                "give it letters, digits, '.', '_' and '-' alone"
            )
    return loaded


def _pairs(checkpoints: Checkpoints, pattern: str) -> tuple[Iterator[tuple[int, Any]], int | None]:
    """The checkpoints, and how many there are if that is known."""
    if isinstance(checkpoints, Path | str):
        found = find_checkpoints(checkpoints, pattern)
        return iter(found), len(found)
    num = len(checkpoints) if hasattr(checkpoints, "__len__") else None  # type: ignore[arg-type]
    return map(_pair, checkpoints), num


def _pair(entry: Any) -> tuple[int, Any]:
    if not isinstance(entry, tuple | list) or len(entry) != 2:
        raise SettingsError(
            f"checkpoints must be a folder or (step, checkpoint) pairs, not {entry!r:.60}"
        )
    step, checkpoint = entry
    return step, checkpoint


def _spread(steps: list[int], num: int) -> list[int]:
    """So many of the steps, the first and the last among them, evenly in the root of the step."""
    wanted = evenly_in_the_root(steps[0], steps[-1], min(num, len(steps)))
    chosen: list[int] = []
    for step in wanted:
        free = [other for other in steps if other not in chosen]
        chosen.append(min(free, key=lambda other: abs(other - step)))
    more = [step for step in steps if step not in chosen]
    return sorted(chosen + more[: min(num, len(steps)) - len(chosen)])


def _next(measuring: _Measuring, steps: list[int]) -> int | None:
    """The unmeasured checkpoint in the middle of the gap that matters most; None without any.

    Gaps into which the interval of a held-out class's turn reaches come first, then those over
    which a held-out class moved far.
    """
    (one, *_) = measuring.recorders.values()
    run = load_run(one.out)
    found = findings(run.trajectory, run.experiment.findings)
    gaps = []
    for low, high in itertools.pairwise(found["steps"]):
        inside = [step for step in steps if low < step < high]
        if inside:
            gaps.append((_holds_a_turn(found, low, high), _moved(found, low, high), inside))
    if not gaps:
        return None
    _, _, inside = max(gaps, key=lambda gap: gap[:2])
    return inside[len(inside) // 2]


def _held_out(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    blocks = found["classes"].values()
    return [block for block in blocks if block["held_out"]] or list(blocks)


def _holds_a_turn(found: Mapping[str, Any], low: int, high: int) -> bool:
    turns = [turn for block in _held_out(found) for turn in block.get("turns", ())]
    return any(turn["interval"][0] < high and turn["interval"][1] > low for turn in turns)


def _moved(found: Mapping[str, Any], low: int, high: int) -> float:
    """How far held-out classes moved, at most, between two measured steps."""
    at = [found["steps"].index(step) for step in (low, high)]
    paths = [np.asarray(block["coordinate"]["mean"], dtype=float) for block in _held_out(found)]
    return max(float(np.linalg.norm(path[at[1]] - path[at[0]])) for path in paths)
