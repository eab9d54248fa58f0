"""torchgen's own train.py, as it is: started by its `main`, with a clock around its `train_epoch`.

Validation and checkpoints, which the others do not have, are outside of that function and not timed.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from benchmarks.contenders.work import Clock, Task


def train(task: Task, clock: Clock) -> None:
    """What `python train.py` does in the project's folder, without the clipping that the others do not do."""
    script: Any = importlib.import_module("train")
    train_epoch = script.train_epoch

    def timed(*arguments: Any, **named: Any) -> float:
        clock.start()
        loss = float(train_epoch(*arguments, **named))
        clock.stop(loss)
        return loss

    script.train_epoch = timed
    flags = {
        "--epochs": task.epochs,
        "--clip-norm": 0,
        "--batch-size": task.batch_size,
        "--device": task.device,
        "--output-dir": task.project / "outputs",
    }
    sys.argv = ["train.py", *(str(part) for pair in flags.items() for part in pair)]
    script.main()
