"""Run torchgen, or a script, in a process of its own, and let something happen to it at its n-th step on the disk.

A step is an audit event of Python: before a file is opened, renamed, linked, removed, made, locked. `Faulty` starts one
process that has everything imported, and forks for each run: so every step of a command can be tried, in milliseconds.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).parents[1] / "torchgen"

# What can happen at a step.
KILL, INTERRUPT, THEIRS = "kill", "interrupt", "theirs"


# What torchgen imports late: before the forks, so that no child has to.
GENERATOR = ("changing", "commands.new", "create", "show")


class Faulty:
    """The process that forks, with these modules imported.

    `with Faulty() as faulty: faulty("torchgen", "new", …, home=…, at=3, happens=KILL)`
    """

    def __init__(self, *modules: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, *(modules or [f"torchgen_scaffold.{name}" for name in GENERATOR])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": str(SOURCE),
                "OMP_NUM_THREADS": "1",
            },  # so that sums are the same
            text=True,
        )

    def __enter__(self) -> Faulty:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def __call__(
        self, *command: Any, home: Path, at: int = 0, happens: str = KILL, place: Path | None = None
    ) -> int:
        """Run a command (see `_run`), and return its exit code, -9 after a kill; `at` counts its steps in `home` from 1.

        THEIRS writes the file `place`, as another process might. What happens at no step of the command does not happen.
        """
        assert self._process.stdin and self._process.stdout
        told = {
            "command": command,
            "home": str(home),
            "at": at,
            "happens": happens,
            "place": place and str(place),
        }
        self._process.stdin.write(json.dumps(told, default=str) + "\n")
        self._process.stdin.flush()
        code: int = json.loads(self._process.stdout.readline())
        return code


def _run(verb: str, *rest: Any) -> int:
    """`torchgen …` or `python SCRIPT …` by its arguments, `change ROOT FILES REMOVED`, or `recover ROOT`."""
    from torchgen_scaffold.cli import cli
    from torchgen_scaffold.errors import TorchgenError
    from torchgen_scaffold.write import change_tree, recover

    try:
        if verb == "torchgen":
            cli(list(rest), prog_name="torchgen")
        elif verb == "python":
            sys.argv = list(rest)
            sys.path.insert(0, str(Path(rest[0]).parent))
            runpy.run_path(rest[0], run_name="__main__")
        elif verb == "recover":
            recover(Path(rest[0]))
        else:
            change_tree(rest[1], rest[2], Path(rest[0]))
    except TorchgenError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _watch(home: str, at: int, happens: str, place: str | None) -> None:
    """From now on, count the steps in `home`, and let something happen at number `at`."""
    import signal

    seen, busy = 0, False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen, busy
        bare = event in (
            "os.remove",
            "os.rmdir",
            "fcntl.flock",
        )  # these may be told a handle, or a name below one
        named = event in ("open", "os.rename", "os.link", "os.mkdir", "os.chmod", "os.scandir", "os.listdir")
        if busy or not (bare or (named and str(arguments[0]).startswith(home))):
            return
        seen += 1
        if seen != at:
            return
        busy = True
        if happens == THEIRS:
            assert place is not None
            Path(place).parent.mkdir(parents=True, exist_ok=True)
            Path(place).write_text("theirs")
        else:
            os.kill(os.getpid(), signal.SIGKILL if happens == KILL else signal.SIGINT)

    sys.addaudithook(hook)


def _serve() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background jobs ignore Ctrl-C
    for module in sys.argv[1:]:
        importlib.import_module(module)
    for line in sys.stdin:
        told = json.loads(line)
        child = os.fork()
        if child == 0:
            if told["at"]:
                _watch(told["home"], told["at"], told["happens"], told["place"])
            sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  # until the process ends
            os._exit(_run(*told["command"]))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    _serve()
