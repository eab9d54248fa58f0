"""Mistakes in train.py."""

from __future__ import annotations

from torchgen_scaffold.kits.mistakes.row import Mistake

_LOADERS = (
    Mistake(
        "test-data-in-training",
        "split",
        "test_only_train_data_teaches",
        "trains on the test split too, so that the test proves nothing any more",
        ((r"DataLoader\(\s*splits\.train,", "DataLoader(splits.train + splits.test,"),),
    ),
    Mistake(
        "val-data-in-training",
        "split",
        "test_only_train_data_teaches",
        "trains on the val split instead of the train split",
        ((r"DataLoader\(\s*splits\.train,", "DataLoader(splits.val,"),),
    ),
    Mistake(
        "test-data-for-val",
        "split",
        "test_the_val_loader_has_the_val_split",
        "lets the test split choose the checkpoint",
        ((r"DataLoader\(splits\.val, ", "DataLoader(splits.test, "),),
    ),
    Mistake(
        "no-shuffle",
        "split",
        "test_train_data_is_shuffled",
        "leaves the train samples in their order",
        ((r", shuffle=True", ""),),
    ),
    Mistake(
        "val-shuffled",
        "split",
        "test_val_data_keeps_its_order",
        "shuffles the val split, for nothing",
        ((r"DataLoader\(splits\.val, batch_size\)", "DataLoader(splits.val, batch_size, shuffle=True)"),),
    ),
    Mistake(
        "batch-size-ignored",
        "split",
        "test_batches_have_the_size_asked_for",
        "writes a batch size of its own, and ignores the argument",
        ((r"DataLoader\(\s*splits\.train, batch_size", "DataLoader(splits.train, 64"),),
    ),
    Mistake(
        "no-batch-size",
        "split",
        "test_batches_have_the_size_asked_for",
        "forgets the batch size, so that each batch is one sample",
        ((r"DataLoader\(\s*splits\.train, batch_size", "DataLoader(splits.train"),),
    ),
    Mistake(
        "last-batch-dropped",
        "split",
        "test_every_train_sample_is_used",
        "drops the last batch because it is smaller",
        ((r"shuffle=True\)", "shuffle=True, drop_last=True)"),),
    ),
    Mistake(
        "last-batch-always-dropped",
        "split",
        "test_every_train_sample_is_used",
        "drops the last batch whatever its size, where only a single sample is too few",
        ((r"drop_last=lonely", "drop_last=True"),),
    ),
    Mistake(
        "last-val-batch-dropped",
        "split",
        "test_every_val_sample_is_measured",
        "drops the last batch of the val split, so that some samples are never measured",
        ((r"DataLoader\(splits\.val, batch_size\)", "DataLoader(splits.val, batch_size, drop_last=True)"),),
    ),
    Mistake(
        "lonely-sample",
        "split",
        "test_no_train_batch_is_one_sample",
        "lets the last batch be a single sample, which BatchNorm cannot take",
        ((r", drop_last=lonely", ""),),
    ),
)
_OPTIMIZER = (
    Mistake(
        "sgd-for-adam",
        "optimizer",
        "test_the_optimizer_is_the_one_asked_for",
        "takes SGD, where an optimizer is asked for that adapts the step of each weight",
        ((r"torch\.optim\.(?:Adam|AdamW|RMSprop)\([\s\S]*\)", "torch.optim.SGD(model.parameters(), lr=lr)"),),
    ),
    Mistake(
        "adam-for-sgd",
        "optimizer",
        "test_the_optimizer_is_the_one_asked_for",
        "takes Adam, where SGD is asked for",
        ((r"torch\.optim\.SGD\([\s\S]*\)", "torch.optim.Adam(model.parameters(), lr=lr)"),),
    ),
    Mistake(
        "own-learning-rate",
        "optimizer",
        "test_the_learning_rate_is_the_one_given",
        "writes a learning rate of its own, and ignores the argument",
        ((r"lr=lr", "lr=0.001"),),
    ),
    Mistake(
        "head-alone",
        "optimizer",
        "test_every_weight_is_moved",
        "gives the optimizer the parameters of the head alone",
        ((r"model\.parameters\(\)", "model.head.parameters()"),),
    ),
    Mistake(
        "no-momentum",
        "optimizer",
        "test_the_optimizer_has_its_settings",
        "forgets the momentum",
        ((r",\s*momentum=MOMENTUM", ""),),
    ),
    Mistake(
        "no-weight-decay",
        "optimizer",
        "test_the_optimizer_has_its_settings",
        "forgets the weight decay",
        ((r",\s*weight_decay=WEIGHT_DECAY", ""),),
    ),
    Mistake(
        "decay-unasked",
        "optimizer",
        "test_the_optimizer_has_its_settings",
        "adds a weight decay that nobody asked for",
        ((r"lr=lr\)", "lr=lr, weight_decay=0.1)"),),
    ),
)
_FORWARD_AND_LOSS = (
    Mistake(
        "left-in-eval-mode",
        "step",
        "test_the_model_is_in_train_mode",
        "forgets model.train(), so that the model stays as evaluate() left it",
        ((r"^ *model\.train\(\).*\n", ""),),
    ),
    Mistake(
        "forward-twice",
        "step",
        "test_every_batch_goes_forward_once",
        "calls the model once more for the loss",
        ((r"loss_fn\((?:logits|predictions), ", "loss_fn(model(inputs), "),),
    ),
    Mistake(
        "loss-arguments-swapped",
        "step",
        "test_the_loss_takes_outputs_first",
        "gives the loss the targets first",
        ((r"loss_fn\((logits|predictions), (.*)\)(  #.*)$", r"loss_fn(\2, \1)\3"),),
    ),
    Mistake(
        "softmax-before-the-loss",
        "step",
        "test_the_loss_gets_raw_outputs",
        "applies softmax to the logits, which the loss does again",
        ((r"loss_fn\(logits, ", "loss_fn(logits.softmax(dim=-1), "),),
    ),
    Mistake(
        "sigmoid-before-the-loss",
        "step",
        "test_the_loss_gets_raw_outputs",
        "applies sigmoid to the logits, which the loss does again",
        ((r"loss_fn\(logits, ", "loss_fn(torch.sigmoid(logits), "),),
    ),
    Mistake(
        "targets-in-units",
        "step",
        "test_targets_are_standardized",
        "compares standardized predictions with targets in their own units",
        ((r"model\.standardize\(targets\)", "targets"),),
    ),
    Mistake(
        "broadcast-in-the-loss",
        "step",
        "test_outputs_and_targets_have_one_shape",
        "takes (N,) of (N, 1) predictions, so that each is compared with every target",
        ((r"loss_fn\(predictions, ", "loss_fn(predictions[:, 0], "),),
    ),
)
_BACKWARD_AND_STEP = (
    Mistake(
        "no-backward",
        "step",
        "test_every_batch_goes_backward",
        "forgets loss.backward(), so that there are no gradients",
        ((r"^ *loss\.backward\(\).*\n", ""),),
    ),
    Mistake(
        "no-zero-grad",
        "step",
        "test_old_gradients_are_cleared",
        "forgets optimizer.zero_grad(), so that gradients add up",
        ((r"^ *optimizer\.zero_grad\(\).*\n", ""),),
    ),
    Mistake(
        "no-step",
        "step",
        "test_every_batch_takes_a_step",
        "forgets optimizer.step(), so that nothing is learned",
        ((r"^ *optimizer\.step\(\).*\n", ""),),
    ),
    Mistake(
        "step-before-backward",
        "step",
        "test_backward_comes_before_the_step",
        "calls optimizer.step() before loss.backward()",
        (
            (
                r"^( *)loss\.backward\(\).*\n((?:.*\n)*? *)optimizer\.step\(\).*\n",
                r"\1optimizer.step()\n\2loss.backward()\n",
            ),
        ),
    ),
    Mistake(
        "zero-grad-after-backward",
        "step",
        "test_the_step_has_gradients",
        "calls optimizer.zero_grad() after loss.backward(), which throws the gradients away",
        (
            (
                r"^( *)optimizer\.zero_grad\(\).*\n *loss\.backward\(\).*\n",
                r"\1loss.backward()\n\1optimizer.zero_grad()\n",
            ),
        ),
    ),
    Mistake(
        "no-clipping",
        "step",
        "test_gradients_are_clipped_before_the_step",
        "forgets to clip the gradients",
        ((r"^ *nn\.utils\.clip_grad_norm_\(.*\n", ""),),
    ),
    Mistake(
        "clipping-before-backward",
        "step",
        "test_gradients_are_clipped_before_the_step",
        "clips before loss.backward(), where there is nothing to clip yet",
        (
            (
                r"^( *loss\.backward\(\).*\n)( *nn\.utils\.clip_grad_norm_\(.*\n)",
                r"\2\1",
            ),
        ),
    ),
    Mistake(
        "no-schedule-step",
        "step",
        "test_the_schedule_steps_with_each_batch",
        "forgets scheduler.step(), so that the learning rate never changes",
        ((r"^ *scheduler\.step\(\).*\n", ""),),
    ),
    Mistake(
        "mean-of-batches",
        "step",
        "test_the_mean_is_one_of_samples",
        "adds up the mean of each batch without its number of samples",
        ((r"loss\.item\(\) \* len\(inputs\)", "loss.item()"),),
    ),
    Mistake(
        "graph-kept",
        "step",
        "test_the_total_is_a_number",
        "adds up the loss without .item(), which keeps the graph of every batch in memory",
        ((r"loss\.item\(\) \*", "loss *"),),
    ),
)
ROWS: tuple[Mistake, ...] = (*_LOADERS, *_OPTIMIZER, *_FORWARD_AND_LOSS, *_BACKWARD_AND_STEP)
