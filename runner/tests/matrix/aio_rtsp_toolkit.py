"""Plays a URL with aio-rtsp-toolkit, and prints in its last line how many frames it has made whole, and how many pieces
of sound have come: aio_rtsp_toolkit.py URL FRAMES SOUNDS. It ends when there are enough of both, or when the packets of
thrice as many frames have come."""

import asyncio
import sys

import aio_rtsp_toolkit


class Counts:
    def __init__(self):
        # A frame comes in pieces: its parameters, its slices.
        self.frames = set()
        self.sounds = 0
        self.last_packets = 0

    def add(self, event):
        if isinstance(event, aio_rtsp_toolkit.VideoFrameEvent):
            if not event.frame.is_corrupt:
                self.frames.add(event.frame.timestamp)
        elif isinstance(event, aio_rtsp_toolkit.AudioFrameEvent):
            self.sounds += not event.frame.is_corrupt
        elif isinstance(event, aio_rtsp_toolkit.RtpPacketEvent) and event.media_channel == "video_rtp":
            self.last_packets += event.rtp.marker

    def are_enough(self, frames, sounds):
        are_there = len(self.frames) >= frames and self.sounds >= sounds
        return are_there or self.last_packets >= 3 * max(frames, sounds)


async def play(url, frames, sounds):
    counts = Counts()
    async with aio_rtsp_toolkit.RtspSession(url, timeout=20, log_type=0) as session:
        # Once its event is set it sends TEARDOWN, and then waits until the server closes the connection.
        async for event in session.iter_events(asyncio.Event()):
            counts.add(event)
            if counts.are_enough(frames, sounds):
                break
    return counts


counts = asyncio.run(play(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
print(len(counts.frames), counts.sounds)
