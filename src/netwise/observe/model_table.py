"""Which modules and optimizers of an observed program belong together."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

from netwise.observe.distribution import distributed_by, unwrapped
from netwise.observe.gradient_ledger import BackwardPass
from netwise.observe.loose_weights import LooseWeights, Tensors
from netwise.observe.observed_model import ObservedModel
from netwise.observe.observed_parts import OptimizerAccount, Root

MOST_MODELS = 20  # models with a history of their own
MOST_ROOTS = 80  # modules that are known


class ModelTable:
    """The modules that were called, the optimizers that stepped, and the models they form.

    Args:
        given: the module that the user wants to record; None: all.
    """

    def __init__(self, given: nn.Module | None) -> None:
        self._given = None if given is None else weakref.ref(unwrapped(given))
        self.roots: dict[int, Root] = {}  # by id of the module
        self.accounts: dict[int, OptimizerAccount] = {}  # by id of the optimizer
        # Steps of a loop in which no torch optimizer steps.
        self.loop: OptimizerAccount | None = None
        self.models: list[ObservedModel] = []
        self._model_of: dict[OptimizerAccount, ObservedModel] = {}
        self._loose = LooseWeights()

    @property
    def given(self) -> nn.Module | None:
        """The module that the user wants to record; None where it is gone or all are recorded."""
        return None if self._given is None else self._given()

    def root(self, module: nn.Module) -> Root | None:
        """What is known of a module that is called by no other; None where it has no weights."""
        wrapper, module = module, unwrapped(module)
        root = self.roots.get(id(module))
        if root is None or root.module is not module:
            if next(module.parameters(), None) is None or len(self.roots) >= MOST_ROOTS:
                return None
            root = self.roots[id(module)] = Root(module)
            root.distributed_by = distributed_by(wrapper)
        elif wrapper is not module and not root.distributed_by:
            root.distributed_by = distributed_by(wrapper)
        return root

    def ask_first_batch(self, account: OptimizerAccount, passes: Sequence[BackwardPass]) -> None:
        """Ask copies of the modules that are about to change, while they are at their start.

        Args:
            account: of the optimizer that is about to step.
            passes: backward passes since its last step.
        """
        for root in self.roots.values():
            if root.first_inputs is not None and account.ids & root.parameters.keys():
                shapes = {
                    term.target_shape
                    for each in passes
                    if each.site is not None
                    for term in each.site.terms
                }
                # Only targets of one number for each sample show which axis is that of samples.
                sizes = {shape[0] for shape in shapes if len(shape) == 1}
                samples = sizes.pop() if len(sizes) == len(shapes) == 1 else None
                root.ask_first_batch(samples)

    def loose_root(self, account: OptimizerAccount) -> Root | None:
        """What stands for the weights of an optimizer in a program that calls no module with
        weights; None in others."""
        optimizer = account.optimizer
        if optimizer is None or any(not root.is_loose for root in self.roots.values()):
            return None
        module = self._loose.module(optimizer)
        root = None if module is None else self.root(module)
        if root is not None:
            root.is_loose = True
        return root

    def loose_root_of_loop(
        self, leaves: Sequence[Tensor], names: Mapping[int, str] | None = None
    ) -> Root | None:
        """The same for the tensors that the losses of a loop without a torch optimizer reach.

        Args:
            leaves: tensors that the loss of this step gives a gradient.
            names: of tensors in the program, by id.
        """
        if self.accounts or not leaves or any(not root.is_loose for root in self.roots.values()):
            return None
        known = self._loose.of_loop
        if known is None:
            known = self._loose.of_loop = Tensors(leaves, names)
        elif {id(p) for p in known.parameters()}.isdisjoint(id(leaf) for leaf in leaves):
            return None
        root = self.root(known)
        if root is not None:
            root.is_loose = True
        return root

    def forget_loop(self) -> None:
        """Let go of the tensors of a loop without a torch optimizer."""
        loose, self._loose.of_loop = self._loose.of_loop, None
        if loose is not None and not self.models:  # an optimizer steps after all
            self.roots.pop(id(loose), None)

    def known_account(self, optimizer: torch.optim.Optimizer) -> OptimizerAccount | None:
        """The account of an optimizer that has stepped before."""
        account = self.accounts.get(id(optimizer))
        if account is None or account.reference is None or account.reference() is not optimizer:
            return None
        return account

    def new_account(self, optimizer: torch.optim.Optimizer, complete: bool) -> OptimizerAccount:
        """The account of an optimizer that steps for the first time."""
        account = OptimizerAccount(optimizer, len(self.accounts))
        account.complete = complete
        if self.loop is not None:  # a torch optimizer steps after all
            for model in self.models:
                model.accounts = [a for a in model.accounts if a is not self.loop]
            self.loop = None
        self.forget_loop()
        self.accounts[id(optimizer)] = account
        account.read_groups()
        return account

    def new_loop(self) -> OptimizerAccount:
        """The account of a loop without a torch optimizer."""
        if self.loop is None:
            self.loop = OptimizerAccount(None, 0)
            self.loop.complete = True
        return self.loop

    @property
    def all_accounts(self) -> list[OptimizerAccount]:
        """The accounts of optimizers, and of the loop without one."""
        return [*self.accounts.values(), *([] if self.loop is None else [self.loop])]

    @property
    def steps(self) -> int:
        """Steps of the optimizer with the most."""
        return max((account.steps for account in self.all_accounts), default=0)

    def weights(self) -> Iterator[Tensor]:
        """Some weights of all modules, enough to see whether gradients are finite."""
        for account in self.accounts.values():
            yield from account.chosen()
        if not self.accounts:
            for root in self.roots.values():
                module = root.module
                yield from () if module is None else module.parameters()

    def active(self, ticks: int) -> list[OptimizerAccount]:
        """The optimizers that still step.

        Args:
            ticks: how many steps of any optimizer were done.
        """
        since = ticks - 2 * max(8, len(self.accounts))
        alive = (a for a in self.accounts.values() if a.optimizer is not None)
        return [account for account in alive if account.last_tick > since]

    def model_of(self, account: OptimizerAccount) -> ObservedModel | None:
        """The model that an optimizer updates; None where its modules were not called."""
        model = self._model_of.get(account)
        if model is not None and all(root.module is not None for root in model.roots):
            return model
        roots = [
            root
            for root in self.roots.values()
            if account.ids & root.parameters.keys() and not self._encloses_given(root)
        ]
        # Parts that are also called alone without gradients, to find shapes, are no modules of it.
        roots = [root for root in roots if root.passes] or roots
        if model is None:
            model = next((m for m in self.models if set(m.roots) & set(roots)), None)
        if model is None:
            if not roots or len(self.models) >= MOST_MODELS:
                return None
            model = ObservedModel(self._unique_name(roots[0].name))
            self.models.append(model)
        taken = {id(root) for each in self.models for root in each.roots}
        model.roots += [root for root in roots if id(root) not in taken]
        if account not in model.accounts:
            # It goes on where the ones before it have stopped, or steps in turn with one of them.
            account.steps += model.steps - bool(model.pending)
            account.began = account.steps
            model.accounts.append(account)
        self._model_of[account] = model
        return model

    def stray_model(
        self, account: OptimizerAccount, passes: Sequence[BackwardPass]
    ) -> ObservedModel | None:
        """The model of modules that are trained while the only optimizer that steps holds other
        weights, as those of a copy, or none at all.

        Args:
            account: of an optimizer.
            passes: backward passes since its last step.
        """
        if not passes:
            return None
        before = passes[0].begins
        if any(norm and norm != before.get(key) for key, norm in account.at_step.items()):
            return None  # gradients are put there by hand, as those of master weights
        if any(p.opaque or not p.complete or p.reached & account.ids for p in passes):
            return None
        reached = {key for each in passes for key in each.reached}
        held = {key for each in self.accounts.values() for key in each.ids}
        taken = {id(root) for each in self.models for root in each.roots}
        roots = [
            root
            for root in self.roots.values()
            if root.trained
            and id(root) not in taken
            and not root.parameters.keys() & held
            and (root.parameters.keys() & reached or not root.trainable)
            and not self._encloses_given(root)
        ]
        if not roots or len(self.models) >= MOST_MODELS:
            return None
        model = ObservedModel(self._unique_name(roots[0].name))
        model.roots, model.accounts = roots, [account]
        self.models.append(model)
        self._model_of[account] = model
        return model

    def model_known(self, account: OptimizerAccount) -> ObservedModel | None:
        """The model of an optimizer that has stepped in a watched step before."""
        return self._model_of.get(account)

    def main_model(self) -> ObservedModel | None:
        """The model of the given module, or the one with the most weights."""
        given = self.given
        for model in self.models:
            if given is not None and any(root.module is given for root in model.roots):
                return model
        return max(self.models, key=lambda model: model.weights, default=None)

    def read_weights(self, model: ObservedModel) -> None:
        """Read which weights the model has and which of them an optimizer holds."""
        held = {key for account in self.accounts.values() for key in account.ids}
        for key in model.outside.keys() & held:  # an optimizer that was not known before
            del model.outside[key]
        for root in model.roots:
            root.read_names()
            size = sum(math.prod(shape) for shape in root.shapes.values())
            model.weights = max(model.weights, size)
            prefix = model.prefix(root)
            for account in self.accounts.values():
                model.owned |= {prefix + name for name in root.names_of(account.ids)}
            model.trainable |= {prefix + name for name in root.trainable}

    def note_opponents(
        self, model: ObservedModel, account: OptimizerAccount, passes: Sequence[BackwardPass]
    ) -> None:
        """Find models that a loss of this model runs through without training them."""
        for each in passes:
            if each.number not in account.counted:
                continue
            for other in self.models:
                if other is model or not _runs_through(each, other):
                    continue
                if not any(each.number in a.counted or a.row is None for a in other.accounts):
                    model.opponents.add(other.name)
                    other.opponents.add(model.name)

    def _encloses_given(self, root: Root) -> bool:
        given, module = self.given, root.module
        if given is None or module is None or module is given:
            return False
        return any(part is given for part in module.modules())

    def _unique_name(self, wanted: str) -> str:
        names = {model.name for model in self.models}
        name, number = wanted, 2
        while name in names:
            name, number = f"{wanted}-{number}", number + 1
        return name


def _runs_through(each: BackwardPass, model: ObservedModel) -> bool:
    """Whether the graph of a loss contains weights or outputs of a model."""
    return any(
        each.reached & root.parameters.keys() or id(root.module) in each.modules
        for root in model.roots
    )
