"""Muon: momentum with orthogonalised updates, for the weight matrices of the image model.

Per sample it learns markedly faster than AdamW on small networks; everything that is
not a matrix stays with AdamW. Method and coefficients: Keller Jordan et al., "Muon: an
optimizer for hidden layers in neural networks" (2024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalise(matrix: Tensor, rounds: int = 5) -> Tensor:
    """Nearest semi-orthogonal matrix of a (rows, columns) tensor, by Newton-Schulz.

    Every round multiplies by a polynomial of the Gram matrix, and these commute, so all
    rounds run on the small Gram matrix and the wide one is touched twice only; that costs
    a quarter, and pays for doing it in float32.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    gram = x @ x.T
    product = torch.eye(gram.shape[0], dtype=x.dtype, device=x.device)
    for _ in range(rounds):
        factor = _B * gram + _C * gram @ gram
        factor.diagonal().add_(_A)
        product = factor @ product
        gram = factor @ gram @ factor
    level: Tensor = product @ x
    return level.T if tall else level


class Muon(torch.optim.Optimizer):
    """Muon over weights of two or more dimensions; convolutions count as (out, rest)."""

    def __init__(self, params: Iterable[Tensor], lr: float, momentum: float = 0.95, decay: float = 0.01) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]  # torch: overloads
        """Apply one update from the gradients that are there."""
        loss = None if closure is None else closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["velocity"] = torch.zeros_like(weight)
                velocity = state["velocity"]
                velocity.lerp_(weight.grad, 1 - group["momentum"])
                nesterov = weight.grad.lerp(velocity, group["momentum"])
                update = orthogonalise(nesterov.flatten(1))
                scale = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
                weight.mul_(1 - group["lr"] * group["decay"])
                weight.add_(update.view_as(weight), alpha=-group["lr"] * scale)
        return loss


def make_optimisers(
    module: nn.Module, muon_lr: float, adam_lr: float, adam_names: tuple[str, ...] = ()
) -> list[torch.optim.Optimizer]:
    """Muon for hidden matrices; AdamW for vectors and for parameters named in `adam_names`."""
    hidden, rest = [], []
    for name, weight in module.named_parameters():
        if weight.ndim >= 2 and not any(part in name for part in adam_names):
            hidden.append(weight)
        else:
            rest.append(weight)
    adam = torch.optim.AdamW(rest, lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0)
    return [Muon(hidden, lr=muon_lr), adam] if hidden else [adam]


def scale_rates(optimisers: list[torch.optim.Optimizer], factor: float) -> None:
    """Set every learning rate to `factor` times its first value."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group.setdefault("first_lr", group["lr"]) * factor
