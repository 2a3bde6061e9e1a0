"""Pictures cross in shared memory, whole and of any size, and the memory is gone with its users."""

import threading
from pathlib import Path

import pytest

from studio.core.events import Event, JobCompleted, JobPreview, Picture
from studio.core.jobs import Job
from studio.core.wire.block import SharedBlock
from studio.core.wire.frames import BrokenFrame
from studio.core.wire.messages import Pixels
from studio.core.wire.pixels import BLOCK_SIZE, SLOT_SIZE, SLOTS, PixelReceiver, PixelSender
from tests.fakes import image, pixels
from tests.process.harness import House


@pytest.mark.parametrize("size", ["1x1x3", "64x64x4x5", "1024x1024x3x3", "1025x1024x4", "2500x2500x3"])
def test_results_arrive_whole(house: House, size: str) -> None:
    end = house.run(image(f"picture {size}"))
    assert isinstance(end, JobCompleted)
    width, height, channels, *count = map(int, size.split("x"))
    assert len(end.pictures) == (count[0] if count else 1)
    for seed, picture in enumerate(end.pictures):
        assert (picture.width, picture.height, picture.channels, picture.seed) == (width, height, channels, seed)
        assert picture.pixels == pixels(width, height, channels, seed)


def test_previews_arrive_whole_and_give_way_when_nobody_keeps_up(house: House) -> None:
    slow, go_on = threading.Event(), threading.Event()

    def listen(_job: Job, event: Event) -> None:
        if isinstance(event, JobPreview) and not slow.is_set():
            slow.set()
            go_on.wait(30)

    house.dispatcher.listen(listen)
    job = house.submit(image("previews 400 512; picture 100x100x3"))
    house.wait_for(slow.is_set)
    go_on.set()
    end = house.end_of(job)
    assert isinstance(end, JobCompleted)
    assert end.pictures[0].pixels == pixels(100, 100, 3, 0)
    previews = [event for event in house.events(job) if isinstance(event, JobPreview)]
    assert previews
    for preview in previews:
        assert preview.picture.pixels == pixels(512, 512, 3, preview.step)


def test_a_preview_larger_than_all_slots(house: House) -> None:
    job = house.submit(image("previews 1 2500"))
    assert isinstance(house.end_of(job), JobCompleted)
    assert any(isinstance(event, JobPreview) for event in house.events(job))


def test_previews_of_finished_pictures_are_never_left_out(house: House) -> None:
    job = house.submit(image("previews 50 64; finished 12 1500; previews 50 64"))
    assert isinstance(house.end_of(job), JobCompleted)
    whole = [event for event in house.events(job) if isinstance(event, JobPreview) and event.finished is not None]
    assert [event.finished for event in whole] == list(range(12))


def test_nothing_in_shared_memory_has_a_name(house: House) -> None:
    house.run(image("picture 512x512x3"))
    folder = Path("/dev/shm")
    assert not [entry for entry in folder.iterdir() if "atelier" in entry.name]


def test_pieces_that_do_not_fit_are_refused() -> None:
    block = SharedBlock.create(BLOCK_SIZE)
    try:
        receiver = PixelReceiver(block)
        with pytest.raises(BrokenFrame):
            receiver.take(Pixels(SLOTS, 1))
        with pytest.raises(BrokenFrame):
            receiver.take(Pixels(0, SLOT_SIZE + 1))
        receiver.take(Pixels(0, 10))
        with pytest.raises(BrokenFrame, match="10 bytes"):
            receiver.complete(JobPreview(picture=Picture(2, 2, 3, b"")))
    finally:
        block.close()


def test_a_sender_waits_for_free_slots() -> None:
    block = SharedBlock.create(BLOCK_SIZE)
    try:
        sent: list[Pixels] = []
        events: list[Event] = []
        sender = PixelSender(block, sent.append, events.append)
        whole = Picture(SLOT_SIZE // 4, SLOTS + 1, 4, bytes(SLOT_SIZE * (SLOTS + 1)))
        thread = threading.Thread(target=sender.send, args=(JobCompleted(pictures=(whole,)),))
        thread.start()
        sender.slot_is_free(2)
        thread.join(30)
        assert [piece.slot for piece in sent] == [0, 1, 2, 3, 2]
        assert len(events) == 1
        assert not sender.send(JobPreview(picture=Picture(1, 1, 3, b"abc")))
    finally:
        block.close()
