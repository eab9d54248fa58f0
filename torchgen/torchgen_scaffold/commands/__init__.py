"""The commands. Adding one is adding a module that holds a `command`, and its line here.

A module is imported when its command is run, so that no command waits for what only another one needs.
The line is what `torchgen --help` says of it: the first of the command's own help.
"""

from __future__ import annotations

COMMANDS = {
    "new": "Write a project; at a terminal, ask for what the flags left out.",
    "plan": "Show every layer's shape, parameters and arithmetic; write nothing.",
    "options": "List every preset, layer, task, loss, optimizer, schedule and data source.",
    "check": "Compare a project with what its torchgen.toml gives; differences as a diff.",
    "update": "Bring a project to this version or to changed answers, keeping your edits.",
    "templates": "List or copy torchgen's templates, to change them for --templates DIR.",
    "verify": "Prove a generated project: its tests, one epoch, eval, predict.",
    "schema": "Print a JSON Schema of torchgen.toml, for editors that complete and check it.",
    "kit": "Write a teaching kit: a starter with gaps, its solution, and a grader.",
    "matrix": "Write and prove many projects: a TOML file whose lists multiply out.",
}
