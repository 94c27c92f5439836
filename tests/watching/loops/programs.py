"""All loops, with the findings that are expected of their sick versions. Of a healthy version none
is expected."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from watching.loops import (
    capacity_and_time as c,
    evaluation as e,
    execution as x,
    forms_of_targets as f,
    games as j,
    gradients as g,
    habits as y,
    losses as o,
    made_targets as m,
    parameters as p,
    parts_of_losses as q,
    parts_that_do_nothing as a,
    plain_tensors as w,
    precision as h,
    public_problems as b,
    published_kinds as k,
    reported_networks as n,
    reported_programs as r,
    scores_and_rewards as z,
    sequences as s,
    several_networks as v,
    targets as t,
    unseen_kinds as d,
    unusual_rows as u,
)


@dataclass(frozen=True)
class Loop:
    """One loop.

    Args:
        run: the program; its argument is whether it is sick. It returns the losses of its steps.
        sick: names of rules of which one or more must be found in the sick version, and no others
            beside them at the top of the report; empty where there is no sick version.
        falls: the last losses of the healthy version over its first are below this.
        name: for the test's id. Default: of the function.
    """

    run: Callable[[bool], list[float]]
    sick: tuple[str, ...] = ()
    falls: float = 0.6
    name: str = field(default="")

    def __post_init__(self) -> None:
        function = self.run.func if isinstance(self.run, partial) else self.run
        options = self.run.keywords.values() if isinstance(self.run, partial) else ()
        words = [function.__module__.rpartition(".")[2], function.__name__, *map(str, options)]
        object.__setattr__(self, "name", "-".join(word.replace(" ", "_") for word in words))

    @property
    def explicit(self) -> bool:
        """Whether the program can also be run with calls of `watch` and `w.step`."""
        function = self.run.func if isinstance(self.run, partial) else self.run
        return "watch" in inspect.signature(function).parameters


NEVER = 9.0  # of programs whose losses need not fall

CUT = ("graph_cut",)
NO_OPTIMIZER = ("weights_stand_still",)
NOT_DIVIDED = ("accumulation_not_divided",)
CLEARED = ("gradients_cleared_before_step",)
STALE = ("stale_gradients",)
SHAPES = ("shapes_broadcast",)
RATE = ("rate_faded",)
FROZEN = ("nothing_trainable",)
OUTPUT = ("output_misfits_loss",)

NOT_FINITE = ("not_finite", "unstable_loss")
MASKED = ("targets_masked", "not_finite")
UNSCALED = ("clipped_before_unscale",)

GRADIENTS = (
    Loop(g.accumulation, NOT_DIVIDED),
    Loop(partial(g.accumulation_with_rest, rest="stepped"), NOT_DIVIDED),
    Loop(partial(g.accumulation_with_rest, rest="dropped"), NOT_DIVIDED),
    Loop(partial(g.accumulation_with_rest, rest="carried"), NOT_DIVIDED),
    Loop(g.accumulated_sums, NOT_DIVIDED),
    Loop(g.clipping_by_norm, ("clipped_away",)),
    Loop(g.clipping_by_value),
    Loop(g.clearing, STALE),
    Loop(g.count_that_begins_anew, ("weights_stand_still",)),
    Loop(g.perturbed_inputs, falls=1.2),
    Loop(g.clearing_to_zero, STALE),
    Loop(g.clearing_by_the_model, CLEARED),
    Loop(g.clearing_before_the_step, CLEARED),
    Loop(g.gradient_noise),
    Loop(g.two_losses_a_step),
    Loop(g.lbfgs, STALE),
    Loop(g.sharpness_aware),
    Loop(g.lookahead),
    Loop(g.broadcast_target, SHAPES),
    Loop(g.broadcast_by_hand, SHAPES),
)
PRECISION = (
    Loop(h.autocast, OUTPUT),
    Loop(partial(h.gradient_scaler, clip="norm"), UNSCALED),
    Loop(partial(h.gradient_scaler, clip="value"), UNSCALED),
    Loop(partial(h.gradient_scaler, clip="")),
    Loop(h.scaler_that_searches),
    Loop(h.scaler_with_accumulation, NOT_DIVIDED),
    Loop(h.half_weights, ("rate_too_low", "not_learning")),
)
PARAMETERS = (
    Loop(p.frozen_backbone, FROZEN),
    Loop(p.low_rank_adapter, ("start_symmetric", "gradient_zero")),
    Loop(p.zero_branches, ("start_symmetric", "gradient_zero")),
    Loop(p.tied_weights, NO_OPTIMIZER),
    Loop(p.missing_layer, NO_OPTIMIZER),
    Loop(p.replaced_head, NO_OPTIMIZER),
    Loop(p.optimizer_of_a_copy, NO_OPTIMIZER),
    Loop(p.layers_in_a_list, ("weights_outside_module",)),
    *(Loop(partial(p.graph_cut, how=how), CUT) for how in ("detach", "data", "numpy", "no_grad")),
    Loop(partial(p.graph_cut, how="new tensor"), CUT),
    Loop(p.by_hand, STALE),
    Loop(p.by_hand_with_grad),
    Loop(p.two_optimizers, NO_OPTIMIZER),
    Loop(p.rates_by_group),
    Loop(p.frozen_then_thawed, NO_OPTIMIZER),
)
TARGETS = (
    Loop(t.double_softmax, OUTPUT),
    Loop(t.sigmoid_before_logits, OUTPUT),
    Loop(t.several_labels, OUTPUT),
    Loop(t.several_losses),
    Loop(partial(t.several_losses, kind=0.01)),
    Loop(partial(t.several_losses, size=0.0)),
    Loop(t.learned_weights_of_losses, ("weights_outside_module",)),
    Loop(t.penalised),
    Loop(partial(t.ignored_classes, ignored=-100), MASKED),
    Loop(partial(t.ignored_classes, ignored=255), MASKED),
    Loop(t.segmentation, MASKED),
    Loop(t.foreground, OUTPUT),
    Loop(t.smoothed_and_weighted),
    Loop(t.mixed_samples),
    Loop(t.distillation),
    Loop(t.focal),
    Loop(t.squared_error_of_numbers),
)
SEVERAL_NETWORKS = (
    Loop(partial(v.gan, detached=True), CUT),
    Loop(partial(v.gan, detached=False), (*CUT, *CLEARED)),
    Loop(v.wasserstein_gan, falls=0.7),
    Loop(v.actor_critic, CUT),
    Loop(v.info_nce),
    Loop(v.clip),
    Loop(v.triplets),
    Loop(v.variational_autoencoder),
    Loop(v.autoencoder, CUT),
    Loop(v.mean_teacher),
)
SEQUENCES = (
    Loop(partial(s.language_model, attention=False), OUTPUT),
    Loop(partial(s.language_model, attention=True), OUTPUT),
    Loop(partial(s.beginnings, fault="axes"), ("constant_output",)),
    Loop(s.flattened_language_model, CUT),
    Loop(s.carried_state),
    Loop(s.packed_sequences, NO_OPTIMIZER),
    Loop(s.sparse_embedding, NO_OPTIMIZER),
    Loop(s.lazy_layers),
    Loop(partial(s.turned_axes, wrong="view"), ("samples_mix",)),
    Loop(partial(s.turned_axes, wrong="none"), ("samples_mix",)),
)
EXECUTION = (
    Loop(partial(x.checkpointing, reentrant=False), CUT),
    Loop(partial(x.checkpointing, reentrant=True), CUT),
    Loop(partial(x.compiled, backend="eager"), NO_OPTIMIZER),
    Loop(x.called_with_weights),
    Loop(x.inner_steps),
    Loop(x.gradients_by_sample),
    Loop(x.averaged, ("rate_too_low", "not_learning")),
    Loop(x.stochastic_averaging),
    Loop(x.resumed, (*NO_OPTIMIZER, "loss_without_step")),
    Loop(x.step_inside_backward),
)
EVALUATION = (
    Loop(e.schedule_by_epoch, RATE),
    Loop(e.schedule_by_step, RATE),
    Loop(e.one_cycle),
    Loop(partial(e.validation, fault="eval"), ("evaluation_mode_in_training",)),
    Loop(partial(e.validation, fault="train"), ("training_mode_in_evaluation",)),
    Loop(partial(e.validation, fault="prepared"), ("evaluation_prepared_otherwise",)),
    Loop(e.validation_within_the_epoch, ("evaluation_mode_in_training",)),
    Loop(e.dropout_at_inference),
    Loop(e.early_stopping),
)
REPORTED = (
    Loop(n.broadcast, SHAPES),
    Loop(n.norm_momentum, ("norm_momentum",)),
    Loop(n.softmax_over_batch, ("softmax_over_batch",)),
    Loop(n.root_of_zero, NOT_FINITE),
    Loop(n.schedule_each_batch, RATE),
    Loop(n.adapter_frozen, FROZEN),
    Loop(n.cleared_before_step, CLEARED),
    Loop(n.head_in_no_optimizer, NO_OPTIMIZER),
    Loop(partial(n.accumulated, told=True)),
    Loop(partial(n.accumulated, told=False)),
    Loop(n.clipped),
    Loop(n.noisy_language, falls=0.8),
    Loop(n.balanced_gan),
    *(Loop(partial(o.healthy, kind=kind), falls=1.5) for kind in o.HEALTHY),
    Loop(o.hinge_of_zeros, ("targets_misfit_loss",), falls=1.0),
    Loop(o.entropy_of_numbers, ("targets_misfit_loss",), falls=1.0),
    Loop(partial(o.upwards, maximize=False), ("loss_rewards_errors",), falls=1.2),
    Loop(partial(o.upwards, maximize=True), ("loss_rewards_errors",), falls=1.2),
    Loop(o.absolute_of_classes, ("loss_misfits_task",), falls=1.0),
    *(
        Loop(partial(o.out_of_reach, last=last), OUTPUT, falls=1.0)
        for last in ("sigmoid", "rectified", "tanh")
    ),
    *(
        Loop(loop, OUTPUT, falls=1.0)
        for loop in (o.limited_logits, o.rectified_logit, o.several_true)
    ),
    Loop(o.written_softmax, ("unstable_loss",), falls=1.0),
    Loop(o.second_derivative, ("part_without_gradient",), falls=1.0),
    *(
        Loop(partial(o.scored, kind=kind), ("score_misread",), falls=1.0)
        for kind in ("classes", "numbers", "answers")
    ),
    Loop(o.label_scores, falls=1.0),
    Loop(r.recurrent, falls=0.85),
    Loop(r.detached, CUT),
    Loop(r.widened, SHAPES),
    Loop(r.prepared_otherwise, ("evaluation_prepared_otherwise",)),
    Loop(r.sorted_rows, ("not_shuffled",)),
    Loop(r.in_neither_optimizer, NO_OPTIMIZER),
    Loop(r.log_softmax_and_nll, OUTPUT),
    Loop(r.accumulated_for_long),
    Loop(r.zero_start_with_probabilities, falls=0.9),
    Loop(r.decoupled_decay, falls=0.9),
    *(Loop(partial(r.logarithm_of_outputs, kind=kind), OUTPUT) for kind in ("sum", "rectified")),
    Loop(partial(r.logarithm_of_outputs, kind="clipped"), OUTPUT),
    Loop(partial(r.logarithm_of_outputs, kind="bare"), (*OUTPUT, *NOT_FINITE, "loss_misfits_task")),
    Loop(partial(r.softmax_for_labels, squared=True), OUTPUT),
    Loop(partial(r.softmax_for_labels, squared=False), OUTPUT),
)
FORMS = (
    *(Loop(form) for form in (f.ignored, f.ignored_255, f.booleans, f.bytes_as_classes)),
    *(Loop(form) for form in (f.one_hot, f.many_labels, f.squeezed, f.gaussian, f.quantiles)),
    *(Loop(form) for form in (f.pixels, f.mask, f.one_of_two_heads, f.half_precision)),
    *(
        Loop(partial(f.unusual_targets, form=form))
        for form in ("tuple", "dictionary", "sparse", "two optimizers", "empty")
    ),
)
UNUSUAL = (
    *(
        Loop(partial(u.unusual_target, optimizer=name), ("effective_rate_gone",))
        for name in ("Adam", "AMSGrad", "Adagrad")
    ),
    Loop(u.unusual_input, ("spike",)),
    Loop(o.own_answers, ("loss_ignores_targets",)),
    Loop(u.momentum, ("rate_too_high",)),
    Loop(u.over_the_valley, ("rate_too_high",)),
)
UNSEEN = (
    Loop(d.rounded_activations, ("gradient_zero",)),
    Loop(d.backward_of_ones_own, ("backward_misfits",)),
    Loop(d.rectifier_before_sigmoid, OUTPUT),
    Loop(d.one_sample_again_and_again, ("inputs_alike",)),
    Loop(partial(d.text_to_continue, fault="no mask"), ("target_in_inputs",)),
    Loop(partial(d.text_to_continue, fault="not shifted"), ("target_in_inputs",)),
    Loop(d.symbols_given_back),
    Loop(d.weights_of_classes, ("one_answer",)),
)
PLAIN = (
    Loop(w.two_layers, ("start_symmetric",)),
    Loop(w.factors_of_a_matrix, STALE),
    Loop(w.forward_called_directly, OUTPUT),
    Loop(w.loss_of_a_number, CUT),
    Loop(w.divergence_of_probabilities, OUTPUT),
    Loop(w.mostly_noise, falls=1.1),
    *(
        Loop(partial(j.game, kind=kind, fault="sign"), ("networks_agree",))
        for kind in ("logits", "hinge")
    ),
    Loop(partial(j.game, kind="squared")),
    Loop(partial(j.game, fault="no step"), ("loss_without_step",)),
    Loop(partial(j.game, fault="same weights"), ("loss_without_step", "weights_stand_still")),
    Loop(partial(j.game, fault="weak judge"), ("generator_collapse",)),
    Loop(j.classifier_of_features),
    *(
        Loop(partial(q.codes, fault=fault), ("one_part_rules",))
        for fault in ("factor", "sum", "elements")
    ),
    Loop(q.pairs, ("not_learning",)),
    Loop(partial(q.codes, fault="detached"), ("part_without_gradient",)),
    Loop(partial(q.two_heads, fault="item"), ("part_without_gradient",), falls=0.8),
    Loop(partial(q.two_heads, fault="no_grad"), ("part_without_gradient",), falls=0.8),
    Loop(q.shifted),
    Loop(partial(y.optimizer_in_the_loop, kind="Adam"), ("optimizer_made_anew",)),
    Loop(partial(y.optimizer_in_the_loop, kind="SGD")),
    *(
        Loop(partial(y.targets_first, kind=kind), ("loss_arguments_swapped",), falls=0.9)
        for kind in ("binary", "logits", "classes")
    ),
    Loop(partial(y.targets_first, kind="errors"), falls=0.9),
    Loop(partial(y.schedule_of_epochs, kind="cosine"), ("rate_swings",)),
    Loop(partial(y.schedule_of_epochs, kind="restarts")),
    Loop(y.background, ("one_class",)),
    Loop(y.divided_inputs, ("inputs_not_normalised",)),
    Loop(partial(w.updated_by_hand, fault="short"), ("rate_too_low",)),
    Loop(partial(w.updated_by_hand, fault="long"), ("rate_too_high",)),
    Loop(partial(w.updated_by_hand, fault="up"), ("loss_rewards_errors",)),
    Loop(partial(w.updated_by_hand, fault="left out"), ("weights_stand_still",)),
    Loop(partial(w.updated_by_hand, fault="kept"), STALE),
)

SCORES = (
    Loop(partial(z.overlap, fault="logits"), OUTPUT),
    Loop(partial(z.overlap, fault="masks"), ("targets_misfit_loss",)),
    Loop(partial(z.overlap, fault="sign"), ("loss_rewards_errors",)),
    Loop(z.policy_gradient, ("loss_rewards_errors",)),
    Loop(partial(z.policy_gradient, kind="single"), ("loss_rewards_errors",), falls=0.8),
    Loop(partial(z.policy_gradient, kind="negated")),
    Loop(partial(z.policy_gradient, kind="positive"), ("loss_rewards_errors",), falls=0.9),
    Loop(z.risks),
    Loop(partial(z.risks, kind="positive"), falls=NEVER),
    Loop(partial(z.alignment, output="logits"), OUTPUT),
    Loop(partial(z.alignment, output="shares"), OUTPUT),
    Loop(partial(z.rate_without_guess, rate=5.0), ("rate_too_high",)),
    Loop(partial(z.rate_without_guess, rate=1e-8), ("rate_too_low",)),
    Loop(z.tasks, CUT),
    Loop(z.accumulated, CLEARED),
    Loop(z.clipped_ratio, ("loss_rewards_errors",)),
    Loop(z.two_modules, NO_OPTIMIZER),
    Loop(partial(z.two_modules, other="copy")),
    Loop(z.views_of_rows, ("embeddings_collapse",), falls=0.9),
)

IDLE = (
    Loop(a.meta_learning, ("inner_steps_idle",), falls=0.9),
    Loop(partial(a.meta_learning, fault="unused"), ("inner_steps_idle",), falls=0.9),
    *(Loop(partial(a.gradients_beside_the_loss, kind=k)) for k in ("norm", "penalty", "curvature")),
    *(Loop(partial(a.average, kind=k), ("copy_stands_still",)) for k in ("by hand", "torch")),
    Loop(a.target_network, ("copy_stands_still",)),
    *(Loop(partial(a.other_networks, kind=k)) for k in ("teacher", "random", "start")),
    Loop(a.two_optimizers, ("weights_stand_still",)),
    *(
        Loop(partial(a.noise, kind=k), ("random_numbers_repeat",))
        for k in ("torch", "numpy", "own", "put back")
    ),
    Loop(partial(a.noise, kind="none")),
    Loop(a.two_views, ("output_misfits_loss",)),
    Loop(m.translation, ("samples_mix",)),
    *(Loop(partial(m.values_of_actions, rate=r), falls=NEVER) for r in (3e-3, 0.03, 0.3)),
    Loop(m.order_of_events, falls=0.99),
    *(Loop(partial(a.two_views, temperature=t), falls=0.95) for t in (0.07, 0.5, 1.0)),
)

PUBLIC = (
    Loop(b.mask_of_what_is_real, ("padding_mask_inverted",)),
    Loop(b.places_along_the_batch, ("samples_mix",)),
    Loop(b.view_for_transpose, ("axes_scrambled",)),
    Loop(b.channels_last, ("axes_exchanged",)),
    Loop(b.angles_as_numbers, ("targets_wrap",)),
    Loop(b.labels_without_room, ("targets_misfit_loss",)),
    Loop(b.ranks_with_zeros, ("targets_misfit_loss",)),
    Loop(b.class_of_the_padding, ("targets_masked",)),
    Loop(b.masks_of_one_class, ("one_class",)),
    Loop(b.inputs_scaled_twice, ("inputs_not_normalised",)),
)

LOOPS = (
    Loop(c.narrow_layer, ("bottleneck",)),
    Loop(c.few_rows, ("overfitting",)),
    Loop(c.few_epochs, ("too_short", "too_few_steps")),
    Loop(k.few_steps_of_a_written_loss, ("too_short", "too_few_steps")),
    Loop(k.first_layer_of_one_number, ("start_symmetric",)),
    Loop(k.long_way_in_short_steps, ("steps_all_one_way",)),
    Loop(k.squared_error_that_overflows, ("rate_too_high", "loss_misfits_task")),
    Loop(k.only_training_rows_are_evaluated, ("rate_too_high", "nothing_held_out")),
    Loop(k.all_rows_are_learned),
    Loop(k.descent_on_rare_words, ("one_rate_for_rare_features", "rate_too_low")),
    Loop(k.steps_of_single_samples),
    Loop(k.yes_or_no_of_each_class, ("loss_misfits_task", "too_few_steps")),
    Loop(k.class_numbers_and_one_output, ("one_output_for_classes", "targets_misfit_loss")),
    Loop(k.sigmoid_between_rectifiers, ("activation_flattens", "vanishing_gradient")),
    Loop(k.dropout_before_few_units, ("brakes_too_strong", "bottleneck")),
    *GRADIENTS,
    *PRECISION,
    *PARAMETERS,
    *TARGETS,
    *SEVERAL_NETWORKS,
    *SEQUENCES,
    *EXECUTION,
    *EVALUATION,
    *REPORTED,
    *FORMS,
    *UNUSUAL,
    *PLAIN,
    *UNSEEN,
    *SCORES,
    *IDLE,
    *PUBLIC,
)
