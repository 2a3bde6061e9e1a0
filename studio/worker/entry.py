"""The start of a worker process: its arguments, its ties to the studio, its place in the system."""

from __future__ import annotations

import argparse
import faulthandler
import sys
from collections.abc import Sequence
from typing import NoReturn

from studio.core.jobs import Family
from studio.core.wire.block import SharedBlock
from studio.core.wire.frames import Channel
from studio.core.wire.messages import FromWorker, ToWorker
from studio.core.wire.pipe import join
from studio.worker import process
from studio.worker.environment import prepare
from studio.worker.loop import Worker

ENGINES = {
    Family.DIFFUSION: "studio.engines.diffusion.engine:DiffusionEngine",
    Family.LANGUAGE: "studio.engines.language.engine:LanguageEngine",
    Family.GAN: "studio.engines.gan.engine:GanEngine",
}


def main(arguments: Sequence[str]) -> NoReturn:
    """Run a worker until the studio ends it. A frozen build calls this instead of `python -m studio.worker`."""
    prepare()
    options = _parser().parse_args(arguments)
    faulthandler.enable()
    process.die_with_parent()
    process.leave_no_core()
    process.yield_to_window()
    block = SharedBlock.attach(options.memory)
    channel: Channel[ToWorker, FromWorker] = Channel(join(options.address), ToWorker)
    engine = options.engine or ENGINES[Family(options.family)]
    Worker(channel, block, engine).run()
    sys.stdout.flush()
    sys.stderr.flush()
    process.leave(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="studio.worker", description=__doc__)
    parser.add_argument("--family", required=True, choices=[family.value for family in Family])
    parser.add_argument("--address", required=True, help="the studio's end of the channel")
    parser.add_argument("--memory", required=True, help="the memory shared with the studio")
    parser.add_argument("--engine", default="", help="another engine for this family, as module:class")
    return parser
