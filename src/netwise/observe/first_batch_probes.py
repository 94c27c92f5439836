"""What copies of a module show on one batch."""

from __future__ import annotations

import contextlib
import copy
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor, nn

from netwise.errors import named
from netwise.first_batch import (
    ATTENTION,
    CONSTANT,
    NORM,
    OTHER,
    RECURRENCE,
    SOFTMAX,
    STATISTICS,
    VIEW,
    FirstBatch,
)
from netwise.observe.batch_places import added_by_place
from netwise.observe.convolved_axis import convolved_axis
from netwise.observe.cut_in_time import cut_in_time
from netwise.observe.drawn_states import drawn_state
from netwise.observe.input_dependence import is_constant, narrowest, stays_constant, where_lost
from netwise.observe.joined_with_itself import joined_with_itself
from netwise.observe.last_dropout import last_dropout
from netwise.observe.mixing_place import MixingPlace, find_mixing
from netwise.observe.module_copy import MOST_BYTES, CannotCopy, copy_of, outputs_of
from netwise.observe.nested import tensors_in
from netwise.observe.norm_momenta import norm_momenta
from netwise.observe.operations import Operation, traced
from netwise.observe.order_of_places import hidden_by_padding, order_is_unseen
from netwise.observe.own_backward import own_backward
from netwise.observe.padding_inside import padding_inside
from netwise.observe.padding_masks import inverted_mask
from netwise.observe.pooled_places import may_pool, pooled_places
from netwise.observe.program_place import program_place
from netwise.observe.readable import readable
from netwise.observe.related_samples import relates_samples
from netwise.observe.repeated_layers import repeated_layer
from netwise.observe.rows_alike import rows_alike
from netwise.observe.sample_axes import (
    Dependence,
    chosen_samples,
    dependence,
    rolled,
    sample_axes,
    with_sample_changed,
)
from netwise.observe.scrambled_views import scrambled_view
from netwise.observe.sequence_order import later_places
from netwise.observe.series_order import later_in_series
from netwise.observe.softmax_of_one import softmax_of_one
from netwise.observe.undisturbed import CannotBeUndone, drawn_since_seed, undisturbed
from netwise.observe.unused_inputs import unused_input
from netwise.observe.unused_recurrence import unused_recurrence

DRAWS = 3  # of the noise in training mode
MANY_TIMES = 4.0  # the limit: one pass more is then not worth while
PASSES = 24  # forward passes that the probes need, about
# Classes that behave otherwise in training mode, by parts of their names.
_MODE_LAYERS = ("BatchNorm", "Dropout", "InstanceNorm", "RReLU", "DropPath", "StochasticDepth")


def first_batch_of(
    module: nn.Module,
    args: Any,
    kwargs: Any,
    *,
    samples: int | None = None,
    seconds: float = 30.0,
    most_bytes: float = MOST_BYTES,
) -> FirstBatch:
    """Ask copies of a module about one batch. The module, its buffers and modes, and the random
    generators stay as they are.

    Args:
        module: any module.
        args, kwargs: of one call.
        samples: in the batch, where the targets show it.
        seconds: that all of it may take; beyond that fields are not known.
        most_bytes: of weights and buffers to copy.

    Example:
        >>> import torch
        >>> from torch import nn
        >>> module = nn.Sequential(nn.Linear(4, 3), nn.Softmax(0))
        >>> facts = first_batch_of(module, (torch.eye(8)[:, :4],), {})
        >>> facts.samples_mix, facts.constant_output
        ('softmax over axis 0 of (8, 3)', False)
    """
    try:
        _require_plain(args, kwargs)
        with torch.no_grad(), undisturbed(module):
            return _Probes(copy_of(module, most_bytes), args, kwargs, samples, seconds).facts()
    except (CannotCopy, CannotBeUndone) as reason:
        return unknown(str(reason))
    except Exception as error:
        return unknown(f"a copy of the module raised {named(error)}")


def unknown(reason: str) -> FirstBatch:
    """The facts where none could be found."""
    unanswered = [field.name for field in fields(FirstBatch) if field.default is None]
    return FirstBatch(not_known=dict.fromkeys(unanswered, reason))


def _require_plain(args: Any, kwargs: Any) -> None:
    tensors = list(tensors_in((args, kwargs)))
    if not tensors:
        raise CannotCopy("the module's inputs are no tensors")
    if any(readable(t) is None or t.layout != torch.strided for t in tensors):
        raise CannotCopy("the inputs are sparse, or have no numbers")
    if any(hasattr(value, "batch_sizes") for value in (*args, *kwargs.values())):
        raise CannotCopy("the inputs are packed sequences")
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        raise CannotCopy("several processes train together")
    if torch._C._len_torch_dispatch_stack():
        raise CannotCopy("a mode of torch that changes operations was active")


@dataclass
class _Probes:
    """One batch and a copy of the module. Inside of `undisturbed` and without gradients."""

    module: nn.Module
    args: Any
    kwargs: Any
    samples: int | None
    seconds: float
    is_certain: bool = False  # two calls gave the same, and drew no random number

    def call(self, args: Any, kwargs: Any) -> list[Tensor]:
        """Outputs in evaluation mode."""
        return outputs_of(self.module, args, kwargs, training=False)

    def facts(self) -> FirstBatch:
        """All that the batch shows."""
        before, taken, work = self._timed_call()
        facts = FirstBatch(forward_seconds=round(taken, 6))
        if not before or not any(t.numel() for t in before):
            return replace(unknown("the module's outputs are no numbers"), forward_seconds=taken)
        if self.seconds < work * PASSES < MANY_TIMES * self.seconds:
            work = self._timed_call()[2]  # the first pass may have imported or collected something
        if work * PASSES > self.seconds:
            reason = f"a forward pass takes {work:.2g} s: the checks would take too long"
            return replace(unknown(reason), forward_seconds=taken)
        repeated = self.call(self.args, self.kwargs)
        is_repeatable = is_constant(before, repeated)
        self.is_certain = is_repeatable and not drawn_since_seed(0)
        if not is_repeatable:
            reason = "two calls with equal inputs and random numbers gave different outputs"
            skipped = ("samples_mix", "constant_output", "constant_after", "narrowest")
            facts = replace(facts, not_known=dict.fromkeys(skipped, reason))
        else:
            facts = self._safe_rows(facts, before)
            operations = traced(self.module, self.call, (self.args, self.kwargs))
            facts = self._operations(facts, operations, before)
            if facts.samples_mix == "":
                given = (self.call, self.args, self.kwargs)
                seen = later_places(*given, before, facts.samples)
                facts = replace(facts, later_places=seen)
                with contextlib.suppress(Exception):  # the code may not take other numbers
                    series = later_in_series(*given, before, facts.samples)
                    facts = replace(facts, later_in_series=series)
            if facts.samples:
                facts = self._places(facts, before, operations)
        return self._modes(facts, before)  # last: it changes running statistics

    def _timed_call(self) -> tuple[list[Tensor], float, float]:
        """Outputs, the seconds that they took, and those of work: beside other processes a pass
        waits for a core."""
        began, worked = time.perf_counter(), time.process_time()
        outputs = self.call(self.args, self.kwargs)
        taken = time.perf_counter() - began
        return outputs, taken, min(taken, time.process_time() - worked)

    def _places(
        self, facts: FirstBatch, before: list[Tensor], operations: Sequence[Operation]
    ) -> FirstBatch:
        """What other orders of the places of sequences show."""
        given = (self.call, self.args, self.kwargs, before, facts.samples)
        unseen, hidden, cut, unused = None, None, 0, None
        pooled, pooled_at = "", ""
        with contextlib.suppress(Exception):  # the code may not take them
            unseen = order_is_unseen(*given)
        with contextlib.suppress(Exception):
            hidden = hidden_by_padding(*given)
        with contextlib.suppress(Exception):
            cut = cut_in_time(self.module, self.call, self.args, self.kwargs, facts.samples)
        with contextlib.suppress(Exception):
            if may_pool(operations):
                pooled, pooled_at = pooled_places(self.call, self.args, self.kwargs, before)
        with contextlib.suppress(Exception):
            unused = unused_input(
                self.module,
                lambda module, a, k, training: outputs_of(module, a, k, training=training),
                self.args,
                self.kwargs,
                facts.samples,
            )
        return replace(
            facts,
            unused_input=unused,
            cut_in_time=cut,
            order_unseen=unseen,
            pooled=pooled,
            pooled_at=pooled_at,
            hidden_share=hidden.share if hidden else None,
            padded_places=hidden.places if hidden else 0,
        )

    def _operations(
        self, facts: FirstBatch, operations: Sequence[Operation], before: Sequence[Tensor]
    ) -> FirstBatch:
        """What single operations and layers of the pass show."""
        view, line = scrambled_view(operations)
        softmax, scores, softmax_line = softmax_of_one(operations)
        joined, joined_at = joined_with_itself(operations, (self.args, self.kwargs))
        padding, inside = padding_inside(self.module, self.call, self.args, self.kwargs)
        layer, times = repeated_layer(self.module, self.call, self.args, self.kwargs)
        own, alike, place, unused = None, "", "", None
        convolved = convolved_axis(operations, list(tensors_in((self.args, self.kwargs))))
        with contextlib.suppress(Exception):  # such inputs and gradients the code may not take
            own = own_backward(self.module, lambda: self.call(self.args, self.kwargs))
        with contextlib.suppress(Exception):
            unused = unused_recurrence(self.module, self.call, self.args, self.kwargs)
        if not facts.constant_output:
            with contextlib.suppress(Exception):
                given = (self.args, self.kwargs, before, self.samples)
                alike, place = rows_alike(self.module, _evaluated, *given)
        return replace(
            facts,
            scrambled_view=view,
            scrambled_at=line,
            inverted_mask=inverted_mask(self.module, self.call, self.args, self.kwargs, operations),
            unit_softmax=softmax,
            unit_softmax_of=scores,
            unit_softmax_at=softmax_line,
            repeated_layer=layer,
            repeated_times=times,
            drawn_state=drawn_state(self.module, operations),
            unused_recurrence=unused.layer if unused else "",
            unused_part=unused.part if unused else "",
            convolved=convolved.shape if convolved else (),
            convolved_by=convolved.layer if convolved else "",
            channels_alike=convolved.channels if convolved else 0.0,
            places_alike=convolved.places if convolved else (),
            last_dropout=last_dropout(operations, before),
            joined=joined,
            padding_of=padding,
            padding_inside=inside,
            joined_at=joined_at,
            own_backward=own.name if own else "",
            agreement=own.agreement if own else None,
            alike_since=alike,
            alike_at=place,
            alike_shape=tuple(before[0].shape) if alike else (),
            of_numbers=own is not None and own.by_element,
        )

    # ---- rows and samples

    def _safe_rows(self, facts: FirstBatch, before: list[Tensor]) -> FirstBatch:
        """What rows in another order show. Code that wants an order, as that of packed sequences,
        raises an error."""
        try:
            return self._rows(facts, before)
        except Exception as error:
            reason = f"with its rows in another order a copy raised {named(error)}"
            names = ("samples_mix", "constant_output", "constant_after", "narrowest")
            return replace(facts, not_known={**facts.not_known, **dict.fromkeys(names, reason)})

    def _rows(self, facts: FirstBatch, before: list[Tensor]) -> FirstBatch:
        inputs = list(tensors_in((self.args, self.kwargs)))
        answers: list[Dependence] = []
        constant = False
        for axis in sample_axes(inputs, self.samples):
            answer = dependence(self.call, self.args, self.kwargs, axis, before)
            if answer.changed and not answer.moved and axis.axis == 0 and not answers:
                constant = self._is_constant(before, axis)
            answers.append(answer)
            if constant or (answer.known and not answer.mixes):
                break
        known = [answer for answer in answers if answer.known]
        if constant:
            return self._constant(facts, answers[-1])
        if not known:
            reason = "no output has a row for each sample of the inputs"
            if all(t.dim() == 0 or t.shape[0] == 1 for t in inputs):
                reason = "the batch has one sample"
            names = ("samples_mix", "constant_output", "constant_after", "narrowest")
            return replace(facts, not_known={**facts.not_known, **dict.fromkeys(names, reason)})
        facts = replace(
            facts,
            constant_output=False,
            constant_after="",
            samples=next((a for a in known if not a.mixes), known[0]).axis.samples,
            output_std=float(before[0].float().std()) if before[0].numel() > 1 else 0.0,
        )
        separate = [answer for answer in known if not answer.mixes]
        if separate and separate[0] is not known[0]:
            # Of one of several inputs: another may still be scrambled, as that of an encoder.
            mixed = self._mixed(facts, known[0], inputs)
            if mixed.mixed_by == VIEW and separate[0].axis.axis == known[0].axis.axis:
                return replace(mixed, narrowest="")
        if separate:
            narrow = narrowest(
                self.module, self.call, self.args, self.kwargs, before, separate[0].axis
            )
            name, width = narrow or ("", None)
            placed, line = added_by_place(
                self.module,
                self.call,
                self.args,
                self.kwargs,
                separate[0].axis,
                before,
                lambda a, k: outputs_of(self.module, a, k, training=False, seed=1),
            )
            facts = replace(facts, placed_by=placed, placed_at=line)
            return replace(facts, samples_mix="", narrowest=name, narrowest_width=width)
        facts = replace(facts, narrowest="")
        if relates_samples(self.module, self.call, self.args, self.kwargs, known[0].axis, before):
            return replace(facts, samples_mix="", mixed_by=CONSTANT)
        return self._mixed(facts, known[0], inputs)

    def _is_constant(self, before: list[Tensor], axis: Any) -> bool:
        return is_constant(before, self.call(*rolled(self.args, self.kwargs, axis)))

    def _constant(self, facts: FirstBatch, answer: Dependence) -> FirstBatch:
        """Outputs that did not change with any input."""
        lost = where_lost(self.module, self.call, self.args, self.kwargs, answer.axis)
        other = copy.deepcopy(self.module)
        stays = stays_constant(
            other,
            lambda args, kwargs: outputs_of(other, args, kwargs, training=False),
            self.args,
            self.kwargs,
            answer.axis,
        )
        reason = "the outputs are the same for all inputs"
        return replace(
            facts,
            samples=answer.axis.samples,
            constant_output=stays,
            constant_after=lost.after if lost and stays else "",
            constant_kind=lost.kind if lost and stays else "",
            not_known={**facts.not_known, "samples_mix": reason, "narrowest": reason},
        )

    def _mixed(self, facts: FirstBatch, answer: Dependence, inputs: list[Tensor]) -> FirstBatch:
        # A recurrence forgets: what is far apart may not meet, and what is adjacent does.
        apart, adjacent = chosen_samples(answer.axis)[:2], (0, 1)
        place = self._where_mixed(answer, apart) or self._where_mixed(answer, adjacent)
        place = place or MixingPlace(OTHER, operation="an operation of the forward pass")
        meant = place.by in (NORM, CONSTANT) or (
            place.by not in (VIEW, SOFTMAX, STATISTICS)
            and (
                place.alone
                # A layer that takes several sequences says itself that samples are none.
                or (
                    place.by not in (RECURRENCE, ATTENTION) and _may_be_one_sequence(inputs, answer)
                )
            )
        )
        return replace(
            facts,
            samples_mix="" if meant else place.operation,
            mixed_by=place.by,
            mixed_in=place.layer,
            mixed_at=place.line,
            mixed_share=min(answer.share, 1e6),
        )

    def _where_mixed(self, answer: Dependence, samples: Sequence[int]) -> MixingPlace | None:
        passes = [
            (sample, changed)
            for sample in samples
            if (changed := with_sample_changed(self.args, self.kwargs, answer.axis, sample))
        ]
        axis = answer.axis
        inputs = (self.args, self.kwargs)
        return find_mixing(self.module, self.call, passes, inputs, axis.axis, axis.samples)

    # ---- modes

    def _modes(self, facts: FirstBatch, before: list[Tensor]) -> FirstBatch:
        kinds = sorted(
            {
                type(part).__name__
                for part in self.module.modules()
                if any(each in type(part).__name__ for each in _MODE_LAYERS)
            }
        )
        again = before
        if not self.is_certain:
            again = outputs_of(self.module, self.args, self.kwargs, training=False, seed=1)
        noisy = not is_constant(before, again)
        facts = replace(
            facts,
            norm_kinds=tuple(kinds),
            **norm_momenta(self.module),
            evaluation_noise=_noise_share([before, again]) if noisy else 0.0,
            dropout_in_evaluation=self._dropout_in_evaluation() if noisy else "",
        )
        counts = _norm_values(self.module)
        try:
            draws = self._draws()
        except ValueError as error:
            draws, reason = [], named(error, 100)
        finally:
            values = counts()
        facts = replace(
            facts,
            single_norms=tuple(name for name, count in values.items() if count < 2),
            norm_values=min(values.values(), default=None),
        )
        if not draws:
            reasons = {"mode_ratio": reason, "noise_share": reason}
            return replace(facts, not_known={**facts.not_known, **reasons})
        return replace(
            facts, noise_share=_noise_share(draws), mode_ratio=_mode_ratio(before, draws)
        )

    def _draws(self) -> list[list[Tensor]]:
        """Outputs in the module's own modes, for several seeds where it trains."""
        call = (self.module, self.args, self.kwargs)
        draws = [outputs_of(*call, training=None, seed=0)]
        if not any(part.training for part in self.module.modules()):
            return draws
        keeps_state = next(self.module.buffers(), None) is not None
        if self.is_certain and not keeps_state and not drawn_since_seed(0):
            return draws * DRAWS  # other seeds would change nothing
        return draws + [outputs_of(*call, training=None, seed=seed) for seed in range(1, DRAWS)]

    def _dropout_in_evaluation(self) -> str:
        """Where a dropout acts in evaluation mode; "" where the noise comes from elsewhere."""
        places: list[str] = []

        class Dropouts(torch.overrides.TorchFunctionMode):
            def __torch_function__(
                self, func: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                given = kwargs or {}
                name = getattr(func, "__name__", "")
                drops = name.endswith("dropout") and _drops(args, given)
                if drops or (name == "scaled_dot_product_attention" and given.get("dropout_p")):
                    places.append(program_place())
                return func(*args, **given)

        with Dropouts():
            self.call(self.args, self.kwargs)
        return next(filter(None, places), "")


def _evaluated(module: nn.Module, args: Any, kwargs: Any) -> list[Tensor]:
    return outputs_of(module, args, kwargs, training=False)


def _drops(args: Any, kwargs: Any) -> bool:
    """Whether a call of a dropout function sets values to zero."""
    p = kwargs.get("p", args[1] if len(args) > 1 else 0.5)
    training = kwargs.get("training", kwargs.get("train", args[2] if len(args) > 2 else True))
    return bool(training) and isinstance(p, float | int) and 0 < p < 1


def _norm_values(module: nn.Module) -> Callable[[], dict[str, int]]:
    """Count the values per channel that batch norm layers see; the function that is returned ends
    the counting."""
    values: dict[str, int] = {}

    def note(name: str) -> Callable[..., None]:
        def begins(part: Any, args: Any) -> None:
            first = next(tensors_in(args), None)
            if part.training and first is not None and first.dim() > 1 and first.shape[1]:
                count = first.numel() // first.shape[1]
                values[name] = min(count, values.get(name, count))

        return begins

    handles = [
        part.register_forward_pre_hook(note(name))
        for name, part in module.named_modules()
        if isinstance(part, nn.modules.batchnorm._BatchNorm)
        and not isinstance(part, nn.modules.instancenorm._InstanceNorm)
    ]

    def end() -> dict[str, int]:
        for handle in handles:
            handle.remove()
        return values

    return end


def _noise_share(draws: list[list[Tensor]]) -> float | None:
    """Variance over draws, over the whole variance."""
    firsts = [draw[0].float() for draw in draws if draw]
    if len(firsts) < 2 or len({t.shape for t in firsts}) > 1 or firsts[0].dim() < 1:
        return 0.0 if len(firsts) == 1 else None
    together = torch.stack(firsts)
    noise = float(together.var(0).mean())
    if noise == 0:
        return 0.0
    whole = (
        noise + float(together.mean(0).flatten(1).var(0).mean()) if together.dim() > 2 else noise
    )
    return noise / whole if whole > 0 and whole - whole == 0 else None


def _mode_ratio(before: list[Tensor], draws: list[list[Tensor]]) -> float | None:
    if not draws or not draws[0] or draws[0][0].shape != before[0].shape:
        return None
    mean = torch.stack([draw[0].float() for draw in draws]).mean(0)
    spread = float(before[0].float().std()) if before[0].numel() > 1 else 0.0
    change = float((mean - before[0].float()).pow(2).mean().sqrt())
    if change == 0:
        return 0.0
    ratio = change / spread if spread > 0 else None
    return ratio if ratio is not None and ratio - ratio == 0 else None


def _may_be_one_sequence(inputs: list[Tensor], answer: Dependence) -> bool:
    """Whether what looks like samples may be the steps of one sequence or the members of one set:
    the inputs have no second axis besides their features."""
    return all(
        tensor.dim() <= (2 if tensor.is_floating_point() else 1)
        or (tensor.dim() > 1 and 1 in tensor.shape[:2])
        for number, tensor in enumerate(inputs)
        if number in answer.axis.members
    )
