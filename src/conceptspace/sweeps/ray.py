"""An executor on a Ray cluster: many machines that share the sweep's folder.

Ray is an extra, `pip install conceptspace[ray]`, and loaded only when this is used.
"""

import importlib
import socket
import time
from typing import Any

from conceptspace.folder import RunError
from conceptspace.pool import WORKER_ENVIRONMENT
from conceptspace.units import Outcome, TrainSeeds, Unit, read_unit, uses_gpu

NUM_RETRIES = 3
"""How often a unit is begun again elsewhere when its process or its machine is lost."""
BACKLOG = 2
"""Units handed to Ray for each processor, so that none waits for us."""
CONNECT_SECONDS = 10.0
LOOK_SECONDS = 5.0
"""How often the cluster is asked what it has: machines may come and go."""


class RayExecutor:
    """Does units of work as tasks of a Ray cluster. The sweep's folder must be one that every
    machine of it sees under the same path, and `conceptspace` installed on each.

    A task whose worker process or machine is lost is tried again elsewhere; it continues from its
    last checkpoint. A unit on a GPU has a process and a GPU of its own.

    Args:
        address: of the cluster, such as `auto` or `HOST:6379`; by default the one that Ray finds,
            or else one that is started on this machine.
        workers: units at once; as many as the cluster has processors by default.

    Raises:
        RunError: if Ray is not installed or the cluster cannot be reached.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        self._ray = _load_ray()
        self.address = address
        self.workers = workers
        self._running: dict[Any, Unit] = {}
        self._has_gpus = False
        self._places: dict[bool, float] = {}
        self._looked = float("-inf")
        self._was_connected = False
        self._perform: dict[bool, Any] = {}

    def __enter__(self) -> "RayExecutor":
        ray = self._ray
        self._was_connected = ray.is_initialized()
        if not self._was_connected:
            try:
                _check_address(self.address)
                ray.init(
                    address=self.address,
                    runtime_env={"env_vars": WORKER_ENVIRONMENT},
                    log_to_driver=False,
                )
            except (ConnectionError, RuntimeError, ValueError, OSError) as error:
                where = f" at {self.address}" if self.address else ""
                raise RunError(
                    f"cannot reach a Ray cluster{where}: {error}. Start one with `ray start "
                    "--head`, or give its --address"
                ) from error
        # `max_calls` ends the process: compiled and captured steps must not meet those of the next.
        self._perform = {
            False: ray.remote(max_retries=NUM_RETRIES)(perform_remotely),
            True: ray.remote(max_retries=NUM_RETRIES, num_gpus=1, max_calls=1)(perform_remotely),
        }
        return self

    def __exit__(self, *error: object) -> None:
        for task in self._running:
            self._ray.cancel(task, force=True)
        self._running.clear()
        if not self._was_connected:
            self._ray.shutdown()

    def has_room(self, unit: Unit) -> bool:
        """Whether fewer units are handed over than the cluster does soon."""
        on_gpu = uses_gpu(unit)
        if time.monotonic() - self._looked > LOOK_SECONDS:
            self._looked = time.monotonic()
            there = self._ray.cluster_resources()
            self._places = {True: there.get("GPU", 0.0), False: there.get("CPU", 0.0)}
        num = sum(uses_gpu(other) == on_gpu for other in self._running.values())
        if self.workers is not None:
            return len(self._running) < self.workers
        return num < max(1.0, BACKLOG * self._places[on_gpu])

    def submit(self, unit: Unit) -> None:
        """Hand a unit over as a task."""
        num_cpus = unit.execution.threads if isinstance(unit, TrainSeeds) else 1
        perform = self._perform[uses_gpu(unit)]
        named = perform.options(num_cpus=num_cpus, name=f"{unit.kind} {unit.run.name}")
        task = named.remote(unit.model_dump_json())
        self._running[task] = unit

    def finished(self, timeout: float) -> list[tuple[Unit, Outcome]]:
        """The units that have ended since the last call; waits up to `timeout` seconds for one."""
        if not self._running:
            return []
        tasks = list(self._running)
        ready, _ = self._ray.wait(tasks, num_returns=1, timeout=timeout)
        if ready:
            ready, _ = self._ray.wait(tasks, num_returns=len(tasks), timeout=0)
        return [(self._running.pop(task), self._outcome(task)) for task in ready]

    def _outcome(self, task: Any) -> Outcome:
        try:
            return Outcome.from_json(self._ray.get(task))
        except self._ray.exceptions.RayError as error:
            lines = str(error).strip().splitlines()
            tried = f"its process or machine was lost {1 + NUM_RETRIES} times"
            return Outcome(
                problem=f"{tried} ({lines[0] if lines else type(error).__name__})",
                details=str(error),
            )


def perform_remotely(text: str) -> str:
    """Do a unit in a process of the cluster; unit and outcome as JSON text."""
    from conceptspace.worker import perform

    return perform(read_unit(text)).model_dump_json()


def _check_address(address: str | None) -> None:
    """Refuse a machine that does not answer; Ray itself would try for minutes.

    Raises:
        OSError: if it does not.
    """
    host, colon, port = (address or "").partition(":")
    if colon and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()


def _load_ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise RunError(
            f"Ray cannot be loaded ({error}): install it with `pip install 'conceptspace[ray]'`, "
            "or leave --executor ray out to use the processes of this machine"
        ) from error
