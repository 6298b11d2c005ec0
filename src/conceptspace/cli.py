"""The command line: parsing, progress and exit status. What is done is done elsewhere.

Exit status: 0 done, 1 failed, 2 bad usage, 3 `--strict` and a claim did not hold, 130 stopped.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tyro

from conceptspace.concepts.settings import SettingsError
from conceptspace.data.labelled import DataError
from conceptspace.experiment import Experiment
from conceptspace.options import (
    BAD_USAGE,
    DONE,
    FAILED,
    STOPPED,
    AnalyseOptions,
    BenchmarkOptions,
    DescribeOptions,
    DoctorOptions,
    ReportOptions,
    ReproduceOptions,
    RunOptions,
    SampleOptions,
    SignalOptions,
    SitesOptions,
    StatusOptions,
    SweepOptions,
    TheoryOptions,
    UsageError,
)
from conceptspace.recipes import FAMILIES, RECIPES, is_known, names, num_seeds, recipe

COMMANDS: dict[str, type] = {
    "run": RunOptions,
    "sweep": SweepOptions,
    "reproduce": ReproduceOptions,
    "status": StatusOptions,
    "report": ReportOptions,
    "analyse": AnalyseOptions,
    "sample": SampleOptions,
    "signal": SignalOptions,
    "sites": SitesOptions,
    "describe": DescribeOptions,
    "theory": TheoryOptions,
    "doctor": DoctorOptions,
    "benchmark": BenchmarkOptions,
}
TAKE_A_RECIPE = ("run", "signal")

USAGE = """usage: conceptspace COMMAND ...

{commands}

Recipes for `run` and `signal`: {recipes}; or the path of an experiment.json.
Families of recipes, given as FAMILY:SETTING, or whole to `sweep`: {families}.
`conceptspace COMMAND --help` explains the options of a command,
`conceptspace run RECIPE --help` every setting of a recipe.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _dispatch(given)
    except (UsageError, SettingsError) as error:
        _complain(str(error))
        return BAD_USAGE
    except SystemExit as exit_:  # tyro has printed its own message
        return exit_.code if isinstance(exit_.code, int) else BAD_USAGE
    except KeyboardInterrupt:
        _complain("stopped")
        return STOPPED
    except Exception as error:
        return _explain(error)


def _dispatch(given: list[str]) -> int:
    if not given or given[0] in ("-h", "--help"):
        print(_usage())
        return DONE if given else BAD_USAGE
    if given[0] == "--version":
        from conceptspace import __version__

        print(f"conceptspace {__version__}")
        return DONE
    command, rest = given[0], given[1:]
    if command not in COMMANDS:
        raise UsageError(f"there is no command {command!r}{_closest(command, COMMANDS)}")
    options = _parse(command, rest)
    from conceptspace import commands

    return getattr(commands, command)(options)


def _parse(command: str, rest: list[str]) -> Any:
    """The options of a command; a recipe's settings are the defaults of its flags."""
    kind, default = COMMANDS[command], None
    if command in TAKE_A_RECIPE:
        if not rest or rest[0].startswith("-"):
            if rest and rest[0] in ("-h", "--help"):
                print(f"usage: conceptspace {command} RECIPE ...\n\n{kind.__doc__}\n")
                print(f"recipes: {', '.join(names())}; or the path of an experiment.json")
                print("`docs/recipes.md` has the settings; so has the message for FAMILY alone.")
                print(f"`conceptspace {command} RECIPE --help` lists every option.")
                raise SystemExit(DONE)
            raise UsageError(
                f"`{command}` needs a recipe ({', '.join(names())}) or the path of an "
                f"experiment.json first, as in `conceptspace {command} quick`"
            )
        chosen = rest.pop(0)
        default = kind(experiment=_experiment(chosen))
        if command == "run" and is_known(chosen):
            default.seeds = num_seeds(chosen)
        elif command == "run" and Path(chosen).is_dir():
            default.out = Path(chosen)  # a run that is there continues where it is
        command = f"{command} {chosen}"
    return tyro.cli(
        kind,
        prog=f"conceptspace {command}",
        args=rest,
        default=default,
        description=kind.__doc__,
        config=(tyro.conf.AvoidSubcommands,),
    )


def _experiment(name: str) -> Experiment:
    path = Path(name)
    if is_known(name) or (path.suffix != ".json" and not path.is_dir()):
        try:
            return recipe(name)
        except LookupError as error:
            hint = "; an experiment of your own is given as the path of its .json file"
            raise UsageError(f"{error}{'' if is_known(name) else hint}") from error
    if path.is_dir():
        path = path / "experiment.json"
    try:
        return Experiment.from_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except SettingsError as error:
        raise UsageError(f"{path}: {error}") from error


def _closest(name: str, known: Any) -> str:
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint} (known: {', '.join(known)})"


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {kind.__doc__}" for name, kind in COMMANDS.items()]
    recipes, families = ", ".join(RECIPES), ", ".join(FAMILIES)
    return USAGE.format(commands="\n".join(lines), recipes=recipes, families=families)


def _explain(error: Exception) -> int:
    """One clear message for what can go wrong in use; a traceback for what is a bug of ours."""
    from conceptspace.folder import Interrupted, RunError, WrongFolder
    from conceptspace.measure.files import DamagedFile, FolderInUse

    if isinstance(error, Interrupted):
        _complain(str(error))
        return STOPPED
    if isinstance(error, WrongFolder):
        _complain(str(error))
        return BAD_USAGE
    if isinstance(error, RunError | DamagedFile | FolderInUse | DataError):
        _complain(str(error))
        return FAILED
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        _complain(f"{where}{error.strerror or error}")
        return FAILED
    raise error


def _complain(message: str) -> None:
    print(f"conceptspace: {message}", file=sys.stderr)
