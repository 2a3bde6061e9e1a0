"""A picture end to end, through queue and worker, warm: against the bare diffusers loop and diffusers' defaults.

All three draw the same picture with the same weights, turn and turn about, each in a process of its own at the
priority of a worker. The bare loop has the worker's number format and threads, and nothing but the sums; the
defaults are what `StableDiffusionPipeline.from_pretrained(folder)` gives.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Self

import torch

from studio.core.engine import Assignment, LocalModel, Placement
from studio.core.events import Event, JobCompleted, JobFailed, is_terminal
from studio.core.jobs import Job
from studio.core.references import ModelRef
from studio.core.requests import ImageRequest
from studio.jobs.dispatcher import Dispatcher, Limits, WorkerCommand
from studio.jobs.queue import Queue
from studio.worker import environment, process, threads
from tests.benchmarks.table import Row

ROOT = Path(__file__).resolve().parents[2]
STARTER = ROOT / "resources" / "starter" / "image"
BARE_LIMIT, DEFAULTS_LIMIT = 1.03, 0.6
_GUIDANCE = 5.0
_LOOK_SECONDS = 2.0


class _Case(NamedTuple):
    what: str
    folder: Path
    side: int
    steps: int
    rounds: int


def run(quick: bool) -> list[Row]:
    """The rows of the table."""
    from tests.benchmarks import full_size_model

    with tempfile.TemporaryDirectory(prefix="atelier-") as name:
        starter = STARTER
        what = "starter model"
        if not (STARTER / "model_index.json").is_file():
            starter, what = _stand_in(Path(name) / "small"), "stand-in of the starter's size"
        full = full_size_model.write(Path(name) / "full")
        small = _Case(f"{what}, 128 px, 20 steps", starter, 128, 20, 3 if quick else 9)
        side, steps = (256, 2) if quick else (512, 4)
        large = _Case(f"full-size SD 1.5 layout, {side} px, {steps} steps", full, side, steps, 1 if quick else 3)
        return [row for case in (small, large) for row in _measure(case, Path(name))]


def _measure(case: _Case, scratch: Path) -> list[Row]:
    count = _thread_count()
    with (
        _through_the_house(case, scratch / f"queue-{case.side}-{case.steps}.db", count) as ours,
        _Other("bare", case, count) as bare,
        _Other("defaults", case, count) as defaults,
    ):
        for drawer in (ours, bare, defaults):
            drawer.draw()  # warm
        times = [(ours.draw(), bare.draw(), defaults.draw()) for _ in range(case.rounds)]
    against_bare = statistics.median(mine / other for mine, other, _ in times)
    against_defaults = statistics.median(mine / other for mine, _, other in times)
    mine, other, default = (statistics.median(column) for column in zip(*times, strict=True))
    name = f"picture through queue and worker ({case.what}, threads: {count})"
    return [
        Row(name, f"{mine:.2f} s", f"bare loop {other:.2f} s", against_bare,
            f"≤ {BARE_LIMIT} ×", against_bare <= BARE_LIMIT),
        Row(name, f"{mine:.2f} s", f"diffusers' defaults {default:.2f} s", against_defaults,
            f"≤ {DEFAULTS_LIMIT} ×", against_defaults <= DEFAULTS_LIMIT),
    ]  # fmt: skip


def _thread_count() -> int:
    """As many as a worker would take beside what else is going on; the same for all three."""
    load = threads.ForeignLoad()
    time.sleep(_LOOK_SECONDS)
    load.update()
    return threads.threads_beside(load.cores(), threads.cores())


def _stand_in(folder: Path) -> Path:
    """Untrained, of the starter's architecture."""
    from studio.engines.diffusion import library
    from studio.train.starter.image_export import make_scheduler
    from studio.train.starter.image_model import ImagePlan, make_text_encoder, make_unet
    from studio.train.starter.image_vae import make_vae
    from tests.engines.diffusion.tiny_models import clip_tokenizer

    library.warm()
    tokenizer = clip_tokenizer(32)
    pipeline = library.named("diffusers", "StableDiffusionPipeline")(
        vae=make_vae(), text_encoder=make_text_encoder(ImagePlan(), tokenizer), tokenizer=tokenizer,
        unet=make_unet(ImagePlan()), scheduler=make_scheduler(), safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    )  # fmt: skip
    for part in (pipeline.vae, pipeline.text_encoder, pipeline.unet):
        torch.nn.Module.to(part, torch.bfloat16)
    pipeline.save_pretrained(folder)
    return folder


class _House:
    """Draws through the queue and the worker, as the studio does."""

    def __init__(self, dispatcher: Dispatcher, case: _Case) -> None:
        self._dispatcher, self._case = dispatcher, case
        self._ended = threading.Event()
        self._last: Event | None = None
        dispatcher.listen(self._hear)

    def _hear(self, _job: Job, event: Event) -> None:
        if is_terminal(event):
            self._last = event
            self._ended.set()

    def draw(self) -> float:
        """Seconds from handing in to the picture."""
        case = self._case
        request = ImageRequest(prompt="a red cat", model=ModelRef(repo="local/benchmark"), seed=1, width=case.side,
                               height=case.side, steps=case.steps, guidance_scale=_GUIDANCE)  # fmt: skip
        self._ended.clear()
        start = time.perf_counter()
        self._dispatcher.submit(request)
        self._ended.wait()
        seconds = time.perf_counter() - start
        if not isinstance(self._last, JobCompleted) or not self._last.pictures:
            raise RuntimeError(self._last.failure if isinstance(self._last, JobFailed) else self._last)
        return seconds


@contextlib.contextmanager
def _through_the_house(case: _Case, path: Path, count: int) -> Iterator[_House]:
    def assign(job: Job) -> Assignment:
        placement = Placement(device="cpu", threads=count)
        return Assignment(job=job.id, request=job.request, model=LocalModel(path=str(case.folder)), placement=placement)

    with Queue(path) as queue:
        dispatcher = Dispatcher(queue, assign, WorkerCommand(), Limits(spare=False, idle_unload_seconds=0))
        dispatcher.start()
        try:
            yield _House(dispatcher, case)
        finally:
            dispatcher.stop()


class _Other:
    """A process that draws each time it is told to."""

    def __init__(self, kind: str, case: _Case, count: int) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.picture", kind, str(case.folder)]
        command += [str(case.side), str(case.steps), str(count)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def draw(self) -> float:
        """Seconds for one picture."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("draw\n")
        self._process.stdin.flush()
        return float(json.loads(self._process.stdout.readline()))


class _Bare:
    """Words, UNet, scheduler, decoder: the sums and nothing else, in bfloat16 where the processor has it."""

    def __init__(self, folder: Path) -> None:
        from studio.engines.diffusion import device, library

        self._dtype = device.choose(Placement(device="cpu")).dtype
        pipeline = library.named("diffusers", "StableDiffusionPipeline")
        loaded = pipeline.from_pretrained(folder, dtype=self._dtype, safety_checker=None, feature_extractor=None)
        self._vae, self._unet, self._scheduler = loaded.vae, loaded.unet, loaded.scheduler
        self._encoder, self._tokenizer = loaded.text_encoder, loaded.tokenizer
        for part in (self._vae, self._unet):
            part.to(memory_format=torch.channels_last)

    @torch.inference_mode()
    def draw(self, side: int, steps: int) -> None:
        """One picture."""
        length = self._encoder.config.max_position_embeddings
        words = [
            self._encoder(self._tokenizer(text, padding="max_length", max_length=length, truncation=True,
                                          return_tensors="pt").input_ids)[0]
            for text in ("", "a red cat")
        ]  # fmt: skip
        states = torch.cat(words)
        factor = 2 ** (len(self._vae.config.block_out_channels) - 1)
        shape = (1, self._unet.config.in_channels, side // factor, side // factor)
        latents = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=self._dtype)
        self._scheduler.set_timesteps(steps)
        latents = latents * self._scheduler.init_noise_sigma
        for timestep in self._scheduler.timesteps:
            pair = self._scheduler.scale_model_input(torch.cat([latents] * 2), timestep)
            pair = pair.contiguous(memory_format=torch.channels_last)
            noise = self._unet(pair, timestep, encoder_hidden_states=states, return_dict=False)[0]
            against, towards = noise.chunk(2)
            guided = against + _GUIDANCE * (towards - against)
            latents = self._scheduler.step(guided, timestep, latents, return_dict=False)[0]
        picture = self._vae.decode(latents / self._vae.config.scaling_factor, return_dict=False)[0]
        (picture.float() / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8).numpy()


class _Defaults:
    """The pipeline as it comes."""

    def __init__(self, folder: Path) -> None:
        from studio.engines.diffusion import library

        pipeline = library.named("diffusers", "StableDiffusionPipeline")
        # The text encoder would come in the file's format and the rest in float32, which do not work together.
        self._pipeline = pipeline.from_pretrained(
            folder, dtype=torch.float32, safety_checker=None, feature_extractor=None
        )
        self._pipeline.set_progress_bar_config(disable=True)

    def draw(self, side: int, steps: int) -> None:
        """One picture."""
        self._pipeline("a red cat", width=side, height=side, num_inference_steps=steps, guidance_scale=_GUIDANCE)


def main() -> None:
    """In the child: draw for each line on standard input."""
    environment.prepare()
    process.yield_to_window()
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["bare", "defaults"])
    parser.add_argument("folder", type=Path)
    for name in ("side", "steps", "threads"):
        parser.add_argument(name, type=int)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    drawer = _Bare(options.folder) if options.kind == "bare" else _Defaults(options.folder)
    for _ in sys.stdin:
        start = time.perf_counter()
        drawer.draw(options.side, options.steps)
        sys.stdout.write(f"{time.perf_counter() - start}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
