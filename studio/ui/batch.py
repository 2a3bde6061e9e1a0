"""Where in a batch of pictures a denoising step is, in the same words wherever it is told."""

from __future__ import annotations

import dataclasses

from studio.core.requests import ImageRequest, denoising_steps


@dataclasses.dataclass(frozen=True)
class BatchStep:
    """Step `step` of `steps` for `picture` (from 1) of `pictures`; `picture` is 0 where all are made together."""

    picture: int
    pictures: int
    step: int
    steps: int

    @property
    def share(self) -> float:
        """How much of this picture (or of all, where they are made together) is done, 0 to 1."""
        return self.step / self.steps if self.steps else 0.0

    @property
    def lead(self) -> str:
        """Which picture: `picture 2 of 4`, `4 pictures`, or nothing where there is but one."""
        if self.pictures == 1:
            return ""
        return f"picture {self.picture} of {self.pictures}" if self.picture else f"{self.pictures} pictures"

    def words(self) -> str:
        """`picture 2 of 4 · step 9 of 20`."""
        step = f"step {self.step} of {self.steps}" if self.steps else f"step {self.step}"
        return f"{self.lead} · {step}" if self.lead else step


def batch_step(request: ImageRequest, step: int, total: int | None) -> BatchStep:
    """The place of `step` of `total`, which an engine counts over everything that it does.

    Pictures that are made one after the other have at least the request's steps each; a total that is too
    small for that belongs to pictures that are made together.
    """
    count = request.batch_size
    if not total:
        return BatchStep(0 if count > 1 else 1, count, step, 0)
    each = denoising_steps(request.steps, request.strength if request.image else 1.0)
    if count == 1 or total < each * count:
        return BatchStep(0 if count > 1 else 1, count, step, total)
    steps = max(1, total // count)
    picture = min(count - 1, max(0, step - 1) // steps)
    return BatchStep(picture + 1, count, step - picture * steps, steps)
