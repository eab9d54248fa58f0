"""Processes that are waited for, and that another thread can end: the scripts of a project, run one after the other."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

# Long enough for one epoch of a large network on a slow machine; a hang must end all the same.
LONGEST_SECONDS = 3600


class Children:
    """The processes that run now. Any thread may run one, and any may end them all.

    They stay in torchgen's own group of processes, so that what a terminal or a CI system sends to it reaches them too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._ended = False

    def run(
        self, command: Sequence[str], directory: Path, environment: Mapping[str, str]
    ) -> tuple[bool, str]:
        """Run a command to its end: whether it worked, and what it said on both streams.

        Raises KeyboardInterrupt where it was ended, or would have begun after that; OSError where it cannot start.
        """
        # Into a file, not a pipe: a pipe is open for as long as a data loader's worker that outlives its script.
        with tempfile.TemporaryFile() as said:
            with self._lock:
                if self._ended:
                    raise KeyboardInterrupt
                process = subprocess.Popen(
                    command,
                    cwd=directory,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                )
                self._running.add(process)
            try:
                ok = process.wait(LONGEST_SECONDS) == 0
            except subprocess.TimeoutExpired:
                return False, f"still running after {LONGEST_SECONDS} seconds"
            finally:
                process.kill()  # does nothing to one that is over
                process.wait()
                with self._lock:
                    self._running.discard(process)
            if self._ended:
                raise KeyboardInterrupt
            said.seek(0)
            return ok, said.read().decode("utf-8", "replace")

    def end(self) -> None:
        """Kill those that run; none begins after this."""
        with self._lock:
            self._ended = True
            for process in self._running:
                process.kill()
