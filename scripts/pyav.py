"""Plays picture and sound with PyAV over TCP and UDP, and counts what was decoded: pyav.py SERVER SECONDS.

SERVER is the program; there is a stream for each codec of sound. Fails where pictures or sound are missing."""

import json
import os
import re
import subprocess
import sys
import tempfile

import av

CODECS = ["pcmu", "pcma", "aac", "opus"]
TRANSPORTS = ["tcp", "udp"]
FRAMES_PER_SECOND = 25
# A busy machine's camera may leave out a picture.
SHARE = 0.98


class Counts:
    """What was decoded of the first seconds of each medium."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.begins = {}
        self.ended = set()
        self.pictures = 0
        self.sound = 0.0

    def add(self, frame):
        # FFmpeg has no time for the first picture of some streams.
        if frame.time is None:
            return
        kind = type(frame)
        begin = self.begins.setdefault(kind, frame.time)
        if frame.time - begin >= self.seconds:
            self.ended.add(kind)
        elif kind is av.VideoFrame:
            self.pictures += 1
        else:
            self.sound += frame.samples / frame.sample_rate

    def are_whole(self):
        shares = (self.pictures / FRAMES_PER_SECOND / self.seconds, self.sound / self.seconds)
        return all(abs(1 - share) <= 1 - SHARE for share in shares)


def play(url, transport, seconds):
    counts = Counts(seconds)
    with av.open(url, options={"rtsp_transport": transport}, timeout=30) as container:
        for frame in container.decode(video=0, audio=0):
            counts.add(frame)
            if len(counts.ended) == 2:
                break
    return counts


def configuration():
    streams = [{"rtspStreamPath": f"/{codec}", "audio": codec} for codec in CODECS]
    keys = {"serverIPAddress": "127.0.0.1", "serverPort": 0, "framesPerSecond": FRAMES_PER_SECOND}
    return json.dumps(keys | {"streams": streams})


def urls(log):
    """As the server says them, one for each stream."""
    found = []
    for line in log:
        found += re.findall(r"rtsp://\S+", line)
        if len(found) == len(CODECS):
            return found
    sys.exit("the server never says its URLs")


def play_all(found, seconds):
    """How many ways play whole."""
    whole = 0
    for url in found:
        for transport in TRANSPORTS:
            counts = play(url, transport, seconds)
            print(f"{url} over {transport}: {counts.pictures} pictures, {counts.sound:.2f} s of sound in {seconds} s")
            whole += counts.are_whole()
    return whole


def main(server, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(configuration())
        file.flush()
        bare = {name: value for name, value in os.environ.items() if not name.startswith("RTSP_")}
        command = [server, "--config", file.name]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=bare | {"RUST_LOG": "info"}) as process:
            try:
                whole = play_all(urls(process.stderr), seconds)
            finally:
                process.terminate()
    ways = len(CODECS) * len(TRANSPORTS)
    print(f"{whole} of {ways} ways play whole with PyAV {av.__version__}")
    return whole != ways


sys.exit(main(sys.argv[1], int(sys.argv[2])))
