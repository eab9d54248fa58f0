"""Mistakes in eval.py: evaluation, the checkpoint, and the device."""

from __future__ import annotations

from torchgen_scaffold.kits.mistakes.row import Mistake

EVALUATE = (
    Mistake(
        "no-eval-mode",
        "evaluate",
        "test_the_model_is_in_eval_mode",
        "forgets model.eval(), so that Dropout and BatchNorm go on as in training",
        ((r"^ *model\.eval\(\).*\n", ""),),
    ),
    Mistake(
        "no-no-grad",
        "evaluate",
        "test_no_gradients_are_kept",
        "forgets torch.no_grad()",
        (
            (
                r"^    with torch\.no_grad\(\):.*\n        for (.*)\n            (.*)\n",
                r"    for \1\n        \2\n",
            ),
        ),
    ),
    Mistake(
        "inputs-stay-on-the-cpu",
        "evaluate",
        "test_the_batch_goes_to_the_device",
        "forgets to move the inputs to the model's device",
        ((r"model\(inputs\.to\(device\)\)", "model(inputs)"),),
    ),
    Mistake(
        "argmax-over-the-samples",
        "evaluate",
        "test_the_class_is_the_largest_output",
        "takes argmax along the samples",
        ((r"argmax\(dim=1\)", "argmax(dim=0)"),),
    ),
    Mistake(
        "max-instead-of-argmax",
        "evaluate",
        "test_the_class_is_the_largest_output",
        "compares the largest logit with the class, instead of its place",
        ((r"logits\.argmax\(dim=1\)", "logits.max(dim=1).values"),),
    ),
    Mistake(
        "threshold-of-probabilities",
        "evaluate",
        "test_a_logit_above_0_is_a_yes",
        "compares logits with 0.5, which is the limit of probabilities",
        ((r"\(logits > 0\)", "(logits > 0.5)"),),
    ),
    Mistake(
        "a-score-is-missing",
        "evaluate",
        "test_each_score_is_there",
        "gives a score another name",
        ((r'"(?:accuracy|rmse)": ', '"score": '),),
    ),
    Mistake(
        "last-batch-only",
        "evaluate",
        "test_every_batch_counts",
        "scores the last batch alone",
        (
            (r"torch\.cat\(\[outputs for outputs, _ in batches\]\)", "batches[-1][0]"),
            (r"torch\.cat\(\[targets for _, targets in batches\]\)", "batches[-1][1]"),
        ),
    ),
    Mistake(
        "mean-of-batch-means",
        "evaluate",
        "test_every_sample_weighs_the_same",
        "takes the mean of the batches' losses",
        (
            (
                r"loss_fn\(\w+, (model\.standardize\()?targets(\))?\)\.item\(\)",
                r"sum(loss_fn(o, \1t\2).item() for o, t in batches) / len(batches)",
            ),
        ),
    ),
    Mistake(
        "loss-in-units",
        "evaluate",
        "test_the_loss_compares_standardized_numbers",
        "forgets to standardize the targets for the loss",
        ((r"model\.standardize\(targets\)", "targets"),),
    ),
    Mistake(
        "outputs-not-in-units",
        "evaluate",
        "test_errors_are_in_the_targets_units",
        "compares standardized outputs with targets in their units",
        ((r"model\.in_units\((\w+)\)", r"\1"),),
    ),
    Mistake(
        "standardized-errors",
        "evaluate",
        "test_errors_are_in_the_targets_units",
        "measures the errors in standardized units",
        ((r"model\.in_units\((\w+)\) - targets", r"\1 - model.standardize(targets)"),),
    ),
    Mistake(
        "accuracy-is-a-count",
        "evaluate",
        "test_the_scores_are_right",
        "counts what is right, and does not divide it by the samples",
        ((r"\(predicted == targets\)\.float\(\)\.mean\(\)", "(predicted == targets).float().sum()"),),
    ),
    Mistake(
        "no-root",
        "evaluate",
        "test_the_scores_are_right",
        "forgets the root in the root mean squared error",
        ((r"\.sqrt\(\)", ""),),
    ),
)

CHECKPOINT = (
    Mistake(
        "saves-the-module",
        "checkpoint",
        "test_the_checkpoint_holds_no_module",
        "saves the whole model instead of its state_dict",
        ((r'"model": model\.state_dict\(\)', '"model": model'),),
    ),
    Mistake(
        "saves-under-another-name",
        "checkpoint",
        "test_the_checkpoint_holds_the_weights",
        "saves the weights under a name that nobody reads",
        ((r'"model": model', '"weights": model'),),
    ),
    Mistake(
        "saves-no-seed",
        "checkpoint",
        "test_the_checkpoint_holds_the_seed",
        "forgets to save the seed",
        ((r', "seed": seed', ""),),
    ),
    Mistake(
        "no-load-state-dict",
        "checkpoint",
        "test_the_saved_weights_come_back",
        "forgets load_state_dict, and returns a new model",
        ((r"^ *model\.load_state_dict\(.*\n", ""),),
    ),
    Mistake(
        "loads-no-seed",
        "checkpoint",
        "test_the_saved_seed_comes_back",
        "returns a seed of its own",
        ((r'checkpoint\["seed"\]', "0"),),
    ),
    Mistake(
        "loads-any-pickle",
        "checkpoint",
        "test_a_strange_file_runs_no_code",
        "loads without weights_only=True",
        ((r", weights_only=True", ", weights_only=False"),),
    ),
    Mistake(
        "no-map-location",
        "checkpoint",
        "test_the_file_is_loaded_for_this_machine",
        "loads without map_location",
        ((r", map_location=device", ""),),
    ),
    Mistake(
        "loaded-model-stays-on-the-cpu",
        "checkpoint",
        "test_the_loaded_model_is_on_the_device",
        "leaves the loaded model on the CPU",
        ((r"Model\(\)\.to\(device\)", "Model()"),),
    ),
)

DEVICE = (
    Mistake(
        "a-name-instead-of-a-device",
        "device",
        "test_a_device_comes_back",
        "returns the device's name",
        ((r'torch\.device\(("cpu" if name == "auto" else name)\)', r"\1"),),
    ),
    Mistake(
        "always-the-cpu",
        "device",
        "test_auto_takes_the_accelerator",
        'takes the CPU for "auto", whatever is there',
        ((r"^ *if name == .*\n.*\n", ""),),
    ),
    Mistake(
        "hard-coded-cuda",
        "device",
        "test_an_accelerator_need_not_be_cuda",
        "takes every accelerator for a CUDA one",
        ((r"torch\.accelerator\.current_accelerator\(\) or .*", 'torch.device("cuda")'),),
    ),
    Mistake(
        "auto-as-a-name",
        "device",
        "test_auto_is_the_cpu_without_an_accelerator",
        'passes "auto" on to torch.device',
        ((r'"cpu" if name == "auto" else name', "name"),),
    ),
    Mistake(
        "ignores-the-name",
        "device",
        "test_a_name_is_that_device",
        "takes the accelerator even where another device was asked for",
        ((r'if name == "auto" and ', "if "),),
    ),
    Mistake(
        "only-auto-and-cpu",
        "device",
        "test_a_name_is_that_device",
        "takes the CPU for every name",
        ((r'torch\.device\("cpu" if name == "auto" else name\)', 'torch.device("cpu")'),),
    ),
)

ROWS: tuple[Mistake, ...] = (*EVALUATE, *CHECKPOINT, *DEVICE)
