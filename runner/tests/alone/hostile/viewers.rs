//! Those who just watch while all this goes on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use rtsp_clock_probe::{
    Options, Transport, figures::Counts, measure::Unobserved, measure_until, target::Target,
};

use crate::common::RtspClient;

/// How often a viewer shows that it is there: sessions end after half a minute.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

/// A viewer who counts the frames that never came, by their stamps.
pub(crate) struct FrameCounter {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Counts>,
}

impl FrameCounter {
    pub(crate) fn start(target: Target) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let options = Options {
            transport: Transport::Tcp,
            ..Options::of(target)
        };
        let thread = std::thread::spawn(move || {
            let outcome = measure_until(&options, &stopped, &mut Unobserved).expect("GStreamer starts");
            let stream = &outcome.measurement.streams[0];
            assert_eq!(stream.problems, Vec::<String>::new());
            stream.counts
        });
        Self { stop, thread }
    }

    /// What it has counted.
    pub(crate) fn finish(self) -> Counts {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the good viewer sees the stream")
    }
}

/// A viewer who counts the packets that never came, by their sequence numbers. A frame that the camera itself skipped
/// has none: whatever is missing here, the server has lost.
pub(crate) struct PacketCounter {
    stop: Arc<AtomicBool>,
    packets: Arc<AtomicU64>,
    thread: JoinHandle<u64>,
    session: String,
    ssrc: [u8; 4],
}

impl PacketCounter {
    /// Goes on with a client that plays.
    pub(crate) fn start(mut client: RtspClient) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let packets = Arc::new(AtomicU64::new(0));
        let session = client.session().expect("it plays").to_owned();
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&packets));
        let first = client.next_rtp();
        let ssrc = first.data[8..12].try_into().expect("four bytes");
        let thread = std::thread::spawn(move || {
            let mut newest = first.sequence_number();
            let (mut lost, mut spoke) = (0, Instant::now());
            while !stopped.load(Ordering::Relaxed) {
                let packet = client.next_rtp();
                let number = packet.sequence_number();
                lost += u64::from(number.wrapping_sub(newest).wrapping_sub(1));
                newest = number;
                counted.fetch_add(1, Ordering::Relaxed);
                if spoke.elapsed() > SIGN_OF_LIFE {
                    client.show_sign_of_life();
                    spoke = Instant::now();
                }
            }
            lost
        });
        Self {
            stop,
            packets,
            thread,
            session,
            ssrc,
        }
    }

    /// Whose the packets are.
    pub(crate) fn ssrc(&self) -> [u8; 4] {
        self.ssrc
    }

    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    /// How many packets have come so far.
    pub(crate) fn packets(&self) -> u64 {
        self.packets.load(Ordering::Relaxed)
    }

    /// How many were lost.
    pub(crate) fn finish(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("its packets keep coming")
    }
}
