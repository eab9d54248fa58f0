"""Mistakes in dataset.py: the tensors, and the split."""

from __future__ import annotations

from torchgen_scaffold.kits.mistakes.row import Mistake

_SHUFFLE = (
    r"torch\.randperm\((len\(labels\)|samples|count), generator=torch\.Generator\(\)\.manual_seed\(seed\)\)"
)
_CLASSES = r"torch\.tensor\(\s*(targets|\[CLASSES.*names\]), dtype=torch\.long\s*\)"

TENSORS = (
    Mistake(
        "numpy-arrays",
        "tensors",
        "test_what_comes_back_is_tensors",
        "returns numpy arrays",
        (
            (
                r"torch\.(?:tensor|from_numpy)\("
                r"(inputs|array|numbers\[known\])(?:, dtype=torch\.float32|\.astype\(np\.float32\))\)",
                r'\1.astype("float32")',
            ),
        ),
    ),
    Mistake(
        "inputs-float64",
        "tensors",
        "test_the_inputs_have_their_dtype",
        "leaves the inputs as numpy has them, float64",
        ((r"\((inputs|array)(?:, dtype=torch\.float32|\.astype\(np\.float32\))\)", r"(\1.astype(float))"),),
    ),
    Mistake(
        "pixels-float64",
        "tensors",
        "test_the_inputs_have_their_dtype",
        "makes the pixels float64",
        ((r"torch\.from_numpy\(pixels\)", "torch.from_numpy(pixels).double()"),),
    ),
    Mistake(
        "features-in-a-row",
        "tensors",
        "test_the_inputs_have_their_shape",
        "leaves each sample as a row of numbers, without INPUT_SHAPE",
        ((r"(inputs \(N, \d+, (?:.|\n)*?dtype=torch\.float32\))\.reshape\(-1, \*INPUT_SHAPE\)", r"\1"),),
    ),
    Mistake(
        "inputs-axis-too-many",
        "tensors",
        "test_the_inputs_have_their_shape",
        "gives each sample an axis too many",
        ((r"\.reshape\(-1, \*INPUT_SHAPE\)", ".reshape(-1, 1, *INPUT_SHAPE)"),),
    ),
    Mistake(
        "channels-last",
        "tensors",
        "test_the_inputs_have_their_shape",
        "leaves the channels last, as an image file has them",
        ((r"rows\.permute\(2, 0, 1\)", "rows"),),
    ),
    Mistake(
        "class-targets-float",
        "tensors",
        "test_the_targets_have_their_dtype",
        "makes class indices float32",
        ((r"dtype=torch\.long", "dtype=torch.float32"),),
    ),
    Mistake(
        "targets-not-float32",
        "tensors",
        "test_the_targets_have_their_dtype",
        "leaves the targets in the dtype that numpy or Python gives them",
        ((r"(targets|numbers\[known\]|names\]), dtype=torch\.float32", r"\1"),),
    ),
    Mistake(
        "one-hot-targets",
        "tensors",
        "test_the_targets_are_no_one_hot_rows",
        "makes one-hot rows of the classes, as other libraries want them",
        ((_CLASSES, r"torch.nn.functional.one_hot(torch.tensor(\1, dtype=torch.long)).float()"),),
    ),
    Mistake(
        "class-targets-in-a-column",
        "tensors",
        "test_the_targets_have_no_axis_too_many",
        "gives class indices an axis of their own: (N, 1)",
        ((_CLASSES, r"torch.tensor(\1, dtype=torch.long).reshape(-1, 1)"),),
    ),
    Mistake(
        "targets-without-their-axis",
        "tensors",
        "test_the_targets_have_the_outputs_shape",
        "gives targets (N,) where outputs are (N, 1), so that they are broadcast",
        ((r"\.reshape\(-1, 1\)", ""),),
    ),
    Mistake(
        "flattened-targets",
        "tensors",
        "test_the_targets_have_the_outputs_shape",
        "flattens the targets to (N,) where outputs are (N, 1)",
        (
            (
                r"(targets \(N, 1\)(?:.|\n)*?numbers\[known\], dtype=torch\.float32\))",
                r"\1.flatten()",
            ),
        ),
    ),
    Mistake(
        "pixels-up-to-255",
        "tensors",
        "test_pixels_go_from_0_to_1",
        "forgets to divide the pixels by 255",
        ((r" / 255", ""),),
    ),
    Mistake(
        "rows-without-a-target",
        "tensors",
        "test_rows_and_targets_belong_together",
        "returns all rows, and the targets of some",
        ((r"return rows\[known\], ", "return rows, "),),
    ),
    Mistake(
        "reshaped-pixels",
        "tensors",
        "test_the_inputs_keep_their_values",
        "reshapes to channels first, instead of moving the axis",
        (
            (
                r"(as \(3, (?:.|\n)*?)rows\.permute\(2, 0, 1\)",
                r"\1rows.reshape(channels, height, width)",
            ),
        ),
    ),
    Mistake(
        "normalised-with-all-data",
        "tensors",
        "test_the_inputs_keep_their_values",
        "normalises with the statistics of all data, the test split's included",
        (
            (
                r"\((inputs|array)(, dtype=torch\.float32|\.astype\(np\.float32\))\)",
                r"(((\1 - \1.mean()) / \1.std())\2)",
            ),
        ),
    ),
    Mistake(
        "classes-from-1",
        "tensors",
        "test_the_targets_keep_their_values",
        "counts the classes from 1",
        ((r"(dtype=torch\.long\s*\))", r"\1 + 1"),),
    ),
    Mistake(
        "standardized-by-hand",
        "tensors",
        "test_the_targets_keep_their_values",
        "standardizes the targets, which the model does again",
        (
            (
                r"\((targets|numbers\[known\]), dtype=torch\.float32",
                r"((\1 - \1.mean()) / \1.std(), dtype=torch.float32",
            ),
        ),
    ),
)

SPLIT = (
    Mistake(
        "parts-are-lists",
        "split",
        "test_each_part_is_a_tensor",
        "returns lists of numbers",
        ((r"return (\[.*\])$", r"return [part.tolist() for part in \1]"),),
    ),
    Mistake(
        "trains-on-the-test-split",
        "split",
        "test_no_sample_is_in_two_splits",
        "gives train all samples, those of val and test included",
        ((r"order\[(?:2 \* held :|: -2 \* held)\]", "order"),),
    ),
    Mistake(
        "trains-on-the-test-split-too",
        "split",
        "test_no_sample_is_in_two_splits",
        "gives train what val and test have",
        ((r"(part\[(?:order|groups)\]) == index", r"\1 >= index"),),
    ),
    Mistake(
        "loses-a-sample",
        "split",
        "test_every_sample_is_used",
        "loses the last sample by a slice that ends too early",
        ((r"order\[(2 \* held :|: -2 \* held)\]", r"order[\1][:-1]"),),
    ),
    Mistake(
        "loses-the-last-ones",
        "split",
        "test_every_sample_is_used",
        "gives the last ones to no split",
        ((r"^( *)(part\[(members|order)\[:held\]\] = 1)", r"\1part[\3[-1:]] = 3\n\1\2"),),
    ),
    Mistake(
        "holds-out-too-much",
        "split",
        "test_each_split_has_its_share",
        "holds out 30 percent twice",
        ((r"15 // 100", "30 // 100"),),
    ),
    Mistake(
        "cut-in-order",
        "split",
        "test_the_samples_are_shuffled",
        "cuts without shuffling",
        ((_SHUFFLE, r"torch.arange(\1)"),),
    ),
    Mistake(
        "ignores-the-seed",
        "split",
        "test_the_seed_decides_the_split",
        "shuffles with a seed of its own",
        ((r"manual_seed\(seed\)", "manual_seed(0)"),),
    ),
    Mistake(
        "another-split-each-time",
        "split",
        "test_one_seed_gives_one_split",
        "shuffles without the seed, so that eval.py cuts otherwise",
        ((_SHUFFLE, r"torch.randperm(\1)"),),
    ),
    Mistake(
        "global-seed",
        "split",
        "test_the_global_seed_stays",
        "seeds torch itself, and with it the model's first weights",
        (
            (
                r"^( *)order = torch\.randperm\((len\(labels\)|samples), .*\n",
                r"\1torch.manual_seed(seed)\n\1order = torch.randperm(\2)\n",
            ),
        ),
    ),
    Mistake(
        "not-class-by-class",
        "split",
        "test_each_class_has_its_share",
        "cuts all samples at once, so that a rare class may miss",
        (
            (
                r"for label in torch\.unique\(labels\):\n +members = order\[labels\[order\] == label\]\n",
                "for members in [order]:\n",
            ),
        ),
    ),
    Mistake(
        "tears-groups-apart",
        "split",
        "test_a_group_stays_together",
        "shuffles rows instead of groups",
        (
            (
                r"groups = torch\.from_numpy\(pd\.factorize\(rows\[GROUP\]\)\[0\]\)",
                "groups = torch.arange(len(rows))",
            ),
        ),
    ),
    Mistake(
        "not-sorted-by-time",
        "split",
        "test_nothing_learns_from_its_future",
        "takes the rows as they stand in the file",
        ((r"torch\.from_numpy\(np\.argsort\(.*\)\)$", "torch.arange(len(rows))"),),
    ),
    Mistake(
        "newest-first",
        "split",
        "test_nothing_learns_from_its_future",
        "sorts the newest rows first, and trains on them",
        ((r'kind="stable"\)', 'kind="stable")[::-1].copy()'),),
    ),
)

ROWS: tuple[Mistake, ...] = (*TENSORS, *SPLIT)
