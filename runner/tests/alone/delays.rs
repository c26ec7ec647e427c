//! Delays put into the chain, and what the probe says of them. Each relay has a port of its own: whoever comes by
//! another port sees the same run of the same camera.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::config::Stamp;

use crate::common::arrival::{self, Received};
use crate::common::{burden::alone, config, measure, milliseconds_between, most_viewers, start, target, url};

/// How far the probe may be off, in ms.
const EXACT: f64 = 1.0;
const DELAYS: [u64; 4] = [0, 50, 200, 1000];
/// 6 s of them by each way.
const PICTURES: u64 = 150;
/// Longer than they take: the way of the longest delay takes seconds to ask.
const PATIENCE: Duration = Duration::from_mins(1);

/// Hands on what a server sends, later by a delay, and notes by how much it really was.
struct Relay {
    port: u16,
    delay: Duration,
    /// ms.
    noted: Arc<Mutex<Vec<f64>>>,
}

impl Relay {
    /// Takes one connection.
    fn start(server: u16, delay: Duration) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let noted = Arc::default();
        let shared = Arc::clone(&noted);
        thread::spawn(move || {
            let (client, _) = listener.accept().expect("the probe connects");
            let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).expect("the server listens");
            for stream in [&client, &server] {
                stream.set_nodelay(true).expect("a socket");
            }
            arrival::note(&server);
            let (mut requests, mut to_server) = (clone(&client), clone(&server));
            thread::spawn(move || std::io::copy(&mut requests, &mut to_server));
            let (tell, told) = channel();
            thread::spawn(move || receive(&server, &tell));
            forward(&told, client, delay, &shared);
        });
        Self { port, delay, noted }
    }

    fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    /// The median of what it delayed by, in ms.
    fn delayed(&self) -> f64 {
        let mut noted = self.noted.lock().clone();
        noted.sort_by(f64::total_cmp);
        noted[noted.len() / 2]
    }
}

fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a socket")
}

/// Notes when each part comes: when the kernel had it, and not when this thread woke for it, which is itself a delay put
/// into the chain. Ends with either connection.
fn receive(server: &TcpStream, tell: &Sender<(SystemTime, Vec<u8>)>) {
    let mut buffer = vec![0; 65536];
    while let Ok(Received::<()> {
        length: length @ 1..,
        came,
        ..
    }) = arrival::receive(server, &mut buffer)
    {
        if tell.send((came, buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn forward(
    told: &Receiver<(SystemTime, Vec<u8>)>,
    mut client: TcpStream,
    delay: Duration,
    noted: &Mutex<Vec<f64>>,
) {
    for (came, bytes) in told {
        // No wait for anything: this is the delay that is measured.
        thread::sleep(
            (came + delay)
                .duration_since(SystemTime::now())
                .unwrap_or_default(),
        );
        let delayed = milliseconds_between(came, SystemTime::now());
        if client.write_all(&bytes).is_err() {
            return;
        }
        noted.lock().push(delayed);
    }
}

/// The same frames, straight and through relays at the same time: what this machine does to the server is in both.
#[test]
fn a_delay_on_the_way_is_found_within_a_millisecond() {
    let _alone = alone();
    let mut config = config();
    config.streams[0].look.stamp = Stamp::Qr;
    let server = start(&config);
    let relays = DELAYS.map(|delay| Relay::start(server.port(), Duration::from_millis(delay)));
    let outcome = measure(&Options {
        vias: relays.iter().map(|relay| target(&relay.url())).collect(),
        transport: Transport::Tcp,
        frames: Some(PICTURES),
        duration: Some(PATIENCE),
        ..Options::of(target(&url(&server)))
    });
    assert!(outcome.is_good(), "{:#?}", outcome.measurement.streams);
    for (stream, evidence) in outcome.measurement.streams.iter().zip(&outcome.evidence) {
        let everybody = u32::try_from(1 + DELAYS.len()).expect("few");
        assert_eq!(most_viewers(evidence), Some(everybody), "{}", stream.url);
    }
    for (relay, added) in relays.iter().zip(&outcome.measurement.added) {
        let latency = added.latency.expect("frames came both ways");
        let delayed = relay.delayed();
        println!("{:?}: really {delayed:.3} ms, found {latency:?}", relay.delay);
        assert!(latency.count > 100, "{latency:?}");
        assert_eq!(added.missing, 0, "{:?}", relay.delay);
        assert!(
            (latency.p50 - delayed).abs() <= EXACT,
            "{delayed} ms were put in, {latency:?} found"
        );
    }
}
