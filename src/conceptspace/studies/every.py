"""All studies as one job: one sweep over their runs, each concluded once its own are done."""

import contextlib
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from conceptspace.measure.files import write_atomically
from conceptspace.models.execution import Device
from conceptspace.progress import Progress, Silent
from conceptspace.studies.outline import Outlined, named_runs, plan_together
from conceptspace.studies.reproduce import SWEEP, Reproduced, check_out, conclude
from conceptspace.studies.study import Scale
from conceptspace.sweeps.sweep import Ended, RunsFailed, sweep
from conceptspace.units import Executor


@dataclass
class Every:
    """What came of several studies.

    Attributes:
        done: by name, in the order in which they were finished.
        failed: by name, why there is no conclusion.
    """

    done: dict[str, Reproduced] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def reproduce_all(
    outlined: Sequence[Outlined],
    scale: Scale,
    out: Path,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    device: Device | None = None,
    progress: Progress | None = None,
    num_claims: int | None = None,
) -> Every:
    """Do several studies, or what is left of them.

    All runs are one sweep, in the order of the studies, so that no core waits for the last run of a
    study. A study is concluded while the runs of others are trained. What fails, run or conclusion,
    keeps only the studies that need it from an end.

    Args:
        outlined: the studies with their runs, as `outline` gives them.
        scale: `quick` or `paper`.
        out: folder of all studies of this scale.
        workers: processes at once; as many as there are cores by default.
        executor: where the runs are done; on this machine by default.
        device: `cpu` or `cuda`; by default a GPU where there is one.
        progress: is told how it goes.
        num_claims: how many claims each is corrected for; those of all known studies by default.

    Raises:
        WrongFolder: if the folder is in the way or holds another scale's results.
        Interrupted: on Ctrl-C or SIGTERM; the same call continues.
    """
    for each in outlined:
        check_out(out, each.study, scale)
    desk = _Desk(list(outlined), scale, out, progress or Silent(), num_claims)
    plan = plan_together(each.plan for each in outlined)
    if plan is not None:
        try:
            sweep(
                named_runs(plan), out / SWEEP, workers=workers, executor=executor, device=device,
                progress=progress, is_part=True, meanwhile=desk.meanwhile,
            )  # fmt: skip
        except RunsFailed as error:
            desk.progress.stage(str(error))
    while desk.conclude_next():
        pass
    return desk.every


class _Desk:
    """Concludes one study after the other, as soon as their runs have ended.

    Args:
        waiting: the studies, in the order in which they are preferred.
        scale: of their runs.
        out: folder of all studies of this scale.
        progress: is told what came of each.
        num_claims: how many claims each is corrected for.
    """

    def __init__(
        self,
        waiting: list[Outlined],
        scale: Scale,
        out: Path,
        progress: Progress,
        num_claims: int | None,
    ) -> None:
        self.waiting, self.out = waiting, out
        self.scale: Scale = scale
        self.progress, self.num_claims = progress, num_claims
        self.every = Every()
        self.ended: dict[str, str] = {}
        """Why a run failed, by its key; empty if it is done."""

    def meanwhile(self, ended: Sequence[Ended]) -> bool:
        """Note what has ended, and conclude a study that can be."""
        self.ended |= {one.run.key: one.problem for one in ended}
        return self.conclude_next()

    def conclude_next(self) -> bool:
        """Conclude the first study whose runs have ended; False if there is none."""
        ready = [e for e in self.waiting if all(run.key in self.ended for run in e.runs)]
        if not ready:
            return False
        self.waiting.remove(ready[0])
        self._conclude(ready[0])
        return True

    def _conclude(self, each: Outlined) -> None:
        name, errors = each.study.name, self.out / f"{each.study.name}-errors.txt"
        failed = [run.folder for run in each.runs if self.ended[run.key]]
        if failed:
            problem = f"{len(failed)} of its {len(each.runs)} runs failed: {', '.join(failed)}"
            return self._fail(name, problem)
        self.progress.stage(f"{name}: findings, claims and figure")
        try:
            done = conclude(each.study, self.scale, self.out, each.plan, num_claims=self.num_claims)
        except Exception as error:  # whatever it is, the other studies go on
            with contextlib.suppress(OSError):
                write_atomically(errors, traceback.format_exc().encode())
            return self._fail(name, f"{type(error).__name__}: {error}; more is in {errors}")
        errors.unlink(missing_ok=True)
        self.every.done[name] = done
        verdicts = ", ".join(f"{claim['id']} {claim['verdict']}" for claim in done.claims)
        self.progress.stage(f"{name}: {verdicts}")

    def _fail(self, name: str, problem: str) -> None:
        self.every.failed[name] = problem
        self.progress.stage(f"{name}: failed: {problem}")
