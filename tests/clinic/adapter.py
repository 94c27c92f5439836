"""What `nw.diagnose` says about the clinic's runs, in the clinic's words."""

from __future__ import annotations

from loop import Listener, train  # of the clinic's own folder

import netwise as nw

NAMES = {
    "weights_stand_still": "optimizer_not_connected",
    "inputs_not_normalised": "input_not_normalized",
    "stale_gradients": "missing_zero_grad",
    "not_shuffled": "data_not_shuffled",
    "labels_suspect": "label_error",
    "one_class": "label_error",
    "leak": "data_leak",
    "nothing_held_out": "no_validation_set",
    "target_in_inputs": "data_leak",
    "inputs_alike": "label_error",
    "answers_majority": "class_imbalance",
    "behind_baseline": "underfitting",
    "class_imbalance": "class_imbalance",
    "output_misfits_loss": "wrong_output_activation",
    "loss_misfits_task": "wrong_loss",
    "target_not_scaled": "target_not_scaled",
    "start_symmetric": "init_symmetry",
    "start_too_large": "init_too_large",
    "start_too_small": "init_too_small",
    "stuck_output": "wrong_loss",
    "degradation": "wrong_layers",
    "copied_start_fades": "init_too_small",
    "brakes_too_strong": "over_regularised",
    "no_nonlinearity": "missing_nonlinearity",
    "saturation": "saturation",
    "dead_relu": "dead_relu",
    "one_output_for_classes": "wrong_output_units",
    "one_rate_for_rare_features": "wrong_optimizer",
    "batch_too_small": "batch_size",
    "activation_flattens": "wrong_hidden_activation",
    "exploding_gradient": "exploding_gradient",
    "vanishing_gradient": "vanishing_gradient",
    "rate_too_high": "lr_too_high",
    "rate_too_low": "lr_too_low",
    "overfitting": "overfitting",
    "underfitting": "underfitting_capacity",
    "not_learning": "not_learning",
    "too_short": "too_few_epochs",
    "too_few_steps": "too_few_epochs",
    "steps_all_one_way": "lr_too_low",
    "loss_still_falls": "slow_convergence",
    "layer_too_narrow": "underfitting_capacity",
    "plateau": "plateau",
    "one_answer": "prediction_collapse",
    "outputs_collapse": "prediction_collapse",
    "embeddings_collapse": "prediction_collapse",
    "best_was_earlier": "no_best_checkpoint",
    "oscillation": "loss_oscillation",
    "spike": "loss_spike",
    "weights_run_away": "weight_growth",
    "effective_rate_gone": "lr_too_low",
    # Exact facts of an observed loop.
    "graph_cut": "graph_cut",
    "nothing_trainable": "frozen_parameters",
    "frozen_layers": "frozen_parameters",
    "weights_outside_module": "optimizer_not_connected",
    "gradients_cleared_before_step": "optimizer_not_connected",
    "gradient_zero": "zero_gradient",
    "accumulation_not_divided": "loss_scale",
    "clipped_before_unscale": "lr_too_low",
    "shapes_broadcast": "target_shape_broadcast",
    "softmax_over_batch": "wrong_output_activation",
    "targets_masked": "label_error",
    "step_fails": "other",
    "samples_mix": "wrong_layers",
    "axes_scrambled": "wrong_layers",
    "axes_exchanged": "wrong_layers",
    "places_pooled": "wrong_layers",
    "labels_change": "label_error",
    "pairs_reversed": "label_error",
    "classes_unseen": "data_not_shuffled",
    "class_weights_flipped": "class_imbalance",
    "pairs_misplaced": "label_error",
    "targets_in_any_order": "label_error",
    "targets_wrap": "label_error",
    "row_number_among_inputs": "train_test_mismatch",
    "targets_turned": "label_error",
    "targets_of_unlike_units": "target_not_scaled",
    "order_unseen": "wrong_layers",
    "read_from_padding": "wrong_layers",
    "samples_standardised_alone": "input_not_normalized",
    "one_answer_for_batch": "wrong_layers",
    "padding_in_loss": "label_error",
    "padding_mask_inverted": "wrong_layers",
    "padding_is_a_word": "wrong_layers",
    "hidden_state_random": "wrong_layers",
    "hidden_state_carried": "wrong_layers",
    "backward_misfits": "zero_gradient",
    "layer_repeated": "wrong_layers",
    "softmax_of_one_unit": "wrong_output_activation",
    "dead_at_start": "dead_relu",
    "constant_output": "prediction_collapse",
    "train_eval_differ": "wrong_metric",
    "bn_with_one_sample": "batch_size",
    "bottleneck": "underfitting_capacity",
    "targets_misfit_loss": "wrong_loss",
    "loss_rewards_errors": "wrong_loss",
    "loss_constant": "graph_cut",
    "loss_ignores_targets": "wrong_loss",
    "part_without_gradient": "wrong_hidden_activation",
    "unstable_loss": "numerically_unstable_loss",
    "score_misread": "wrong_metric",
    "not_finite": "nan_inf",
    "evaluation_mode_in_training": "wrong_layers",
    "training_mode_in_evaluation": "wrong_metric",
    "loss_arguments_swapped": "wrong_loss",
    "networks_agree": "wrong_loss",
    "loss_unbounded": "wrong_loss",
    "errors_scaled_away": "wrong_loss",
    "one_part_rules": "over_regularised",
    "generator_collapse": "prediction_collapse",
    "loss_without_step": "optimizer_not_connected",
    "inner_steps_idle": "optimizer_not_connected",
    "derivative_without_graph": "graph_cut",
    "copy_stands_still": "optimizer_not_connected",
    "untrained_is_evaluated": "train_test_mismatch",
    "average_lags": "train_test_mismatch",
    "state_not_loaded": "other",
    "random_numbers_repeat": "other",
    "optimizer_made_anew": "wrong_optimizer",
    "weights_drawn_anew": "other",
    "rate_swings": "lr_schedule",
    "rate_faded": "lr_schedule",
    "warm_up_too_long": "lr_schedule",
    "clipped_away": "lr_too_low",
    "running_statistics_misfit": "batch_size",
    "evaluation_prepared_otherwise": "train_test_mismatch",
    "evaluation_asks_otherwise": "train_test_mismatch",
    "evaluation_drawn_anew": "train_test_mismatch",
    "inputs_beyond_training": "train_test_mismatch",
    "idle_features": "other",
    "norm_momentum": "batch_size",
    "missing_as_number": "input_not_normalized",
    "same_batch_again": "data_not_shuffled",
    "state_detached_each_step": "graph_cut",
    "recurrence_unused": "wrong_layers",
    "summand_repeated": "wrong_loss",
    "input_unused": "wrong_layers",
    "joined_with_itself": "wrong_layers",
    "dropout_of_outputs": "wrong_layers",
    "sequences_of_one_place": "wrong_layers",
    "target_not_detached": "wrong_loss",
}


class Watching(Listener):
    """The clinic's loop, recorded by `nw.watch`."""

    def start(self, case):
        optimizer = case.optimizers[0]
        self.watch = nw.watch(case.model, optimizer=optimizer, loss=case.loss).__enter__()

    def backward_done(self, case, step, x, y, output, loss):
        self.watch.step(loss, y)

    def epoch_done(self, case, epoch, step, train_loss, valid_loss, train_score, valid_score):
        self.watch.epoch(
            train_loss=train_loss,
            train_accuracy=train_score,
            valid_loss=valid_loss,
            valid_accuracy=valid_score,
        )

    def finish(self, case):
        self.watch.__exit__(None, None, None)


def diagnose(case):
    listener = Watching()
    train(case, listener)
    report = nw.diagnose(listener.watch.history())
    return [NAMES[finding.rule] for finding in report.found]
