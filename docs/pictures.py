"""Draw the README's pictures from real runs: `python docs/pictures.py` (needs tmux, rich, and torchgen on the path).

`plan.svg` is what `torchgen plan` prints; `new.svg` is the screen of a person who answers `torchgen new` with the arrow keys;
`network.svg` is what `torchgen plan --svg` draws.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.text import Text

IMAGES = Path(__file__).parent / "images"
WIDTH, HEIGHT = 92, 44
# The environment's own torchgen, under the name that a reader types.
TORCHGEN = f"{sys.executable} -m torchgen_scaffold"
# What is typed, and how long the program gets to answer (seconds).
NEW = [("digits\n", 1.0), ("Down", 0.3), ("Enter", 1.0), ("Enter", 1.5), ("Enter", 2.5), ("Enter", 4.0)]


def draw(ansi: str, title: str, path: Path) -> None:
    """Coloured terminal text as an SVG file."""
    with Path(os.devnull).open("w") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(ansi.rstrip("\n")))
        console.save_svg(str(path), title=title, unique_id=path.stem)


def tmux(*arguments: str) -> str:
    """One call of tmux, on a server of our own."""
    done = subprocess.run(["tmux", "-L", "pictures", *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def screen(keys: list[tuple[str, float]], start: str, folder: str) -> str:
    """What a terminal shows after `start` was typed and answered with `keys`."""
    tmux("new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), "-c", folder, "env PS1='$ ' bash --norc")
    try:
        tmux("send-keys", f"torchgen() {{ {TORCHGEN} \"$@\"; }}; clear", "Enter")
        time.sleep(0.5)
        tmux("send-keys", start, "Enter")
        time.sleep(2.0)
        for key, wait in keys:
            tmux("send-keys", *([key[:-1], "Enter"] if key.endswith("\n") else [key]))
            time.sleep(wait)
        return tmux("capture-pane", "-e", "-p")
    finally:
        tmux("kill-server")


def main() -> None:
    """Draw every picture again."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        plan = "torchgen plan --data sklearn:digits"
        draw(screen([], plan, folder), plan, IMAGES / "plan.svg")
        draw(screen(NEW, "torchgen new", folder), "torchgen new", IMAGES / "new.svg")
        command = [*TORCHGEN.split(), "plan", "--data", "sklearn:digits", "--svg", str(IMAGES / "network.svg")]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
