"""Ways to train one network on the same data: each a file with one function, `train(task, clock)`.

All of them take the network, the loss, the data and its statistics from a generated project, and train with Adam, without
clipping and without validation. What differs is the loop alone. `python -m benchmarks.contenders NAME PROJECT` runs one.
"""

# {file here: the distribution that it needs, besides torch}
CONTENDERS: dict[str, str | None] = {
    "canonical": None,
    "tight": None,
    "torchgen": None,
    "lightning": "pytorch-lightning",
    "ignite": "pytorch-ignite",
    "accelerate": "accelerate",
}
