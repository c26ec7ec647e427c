"""Plays a URL with aiortsp and prints how many frames have come, by their last packets: aiortsp.py URL TRANSPORT FRAMES."""

import asyncio
import ssl
import sys
from urllib.parse import urlparse

from aiortsp.rtsp.connection import RTSPConnection
from aiortsp.rtsp.session import RTSPMediaSession
from aiortsp.transport import RTPTransportClient
from aiortsp.transport.tcp import TCPTransport
from aiortsp.transport.udp import UDPTransport

TRANSPORTS = {"tcp": TCPTransport, "udp": UDPTransport}


class Counter(RTPTransportClient):
    """Counts the packets that end a frame, until there are enough of them."""

    def __init__(self, enough):
        self.count = 0
        self.enough = enough
        self.result = asyncio.get_running_loop().create_future()

    def handle_rtp(self, rtp):
        self.count += rtp.m
        if self.count == self.enough:
            self.handle_closed(None)

    def handle_closed(self, error):
        if not self.result.done():
            self.result.set_result(self.count)


def any_certificate(scheme):
    """The test's own is signed by nobody."""
    if scheme != "rtsps":
        return None
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def play(url, transport, frames):
    parts = urlparse(url)
    tls = any_certificate(parts.scheme)
    async with RTSPConnection(parts.hostname, parts.port, parts.username, parts.password, ssl=tls) as connection:
        async with TRANSPORTS[transport](connection) as packets:
            async with RTSPMediaSession(connection, url, packets) as session:
                counter = Counter(frames)
                packets.subscribe(counter)
                await session.play()
                return await counter.result


print(asyncio.run(play(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
