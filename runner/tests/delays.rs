//! Delays put into the chain, and what the probe says of them. Each relay has a port of its own: whoever comes by
//! another port sees the same run of the same camera.

mod common;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use common::{config, measure, start, target, url};
use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::config::Stamp;

/// How far the probe may be off, in ms.
const EXACT: f64 = 1.0;
const DELAYS: [u64; 4] = [0, 50, 200, 1000];
const TIME: Duration = Duration::from_secs(15);

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
            let (mut requests, mut to_server) = (clone(&client), clone(&server));
            thread::spawn(move || std::io::copy(&mut requests, &mut to_server));
            let (tell, told) = channel();
            thread::spawn(move || receive(server, &tell));
            forward(&told, client, delay, &shared);
        });
        Self { port, delay, noted }
    }

    fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    /// The median of what it delayed by, in ms.
    fn delayed(&self) -> f64 {
        let mut noted = self.noted.lock().expect("no panic").clone();
        noted.sort_by(f64::total_cmp);
        noted[noted.len() / 2]
    }
}

fn clone(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a socket")
}

/// Notes when each part comes; ends with either connection.
fn receive(mut server: TcpStream, tell: &Sender<(Instant, Vec<u8>)>) {
    let mut buffer = vec![0; 65536];
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        if tell.send((Instant::now(), buffer[..length].to_vec())).is_err() {
            return;
        }
    }
}

fn forward(
    told: &Receiver<(Instant, Vec<u8>)>,
    mut client: TcpStream,
    delay: Duration,
    noted: &Mutex<Vec<f64>>,
) {
    for (came, bytes) in told {
        thread::sleep((came + delay).saturating_duration_since(Instant::now()));
        let delayed = came.elapsed().as_secs_f64() * 1e3;
        if client.write_all(&bytes).is_err() {
            return;
        }
        noted.lock().expect("no panic").push(delayed);
    }
}

/// The same frames, straight and through relays at the same time: what this machine does to the server is in both.
#[test]
fn a_delay_on_the_way_is_found_within_a_millisecond() {
    let mut config = config();
    config.streams[0].stamp = Stamp::Qr;
    let server = start(&config);
    let relays = DELAYS.map(|delay| Relay::start(server.port(), Duration::from_millis(delay)));
    let outcome = measure(&Options {
        vias: relays.iter().map(|relay| target(&relay.url())).collect(),
        transport: Transport::Tcp,
        duration: Some(TIME),
        ..Options::of(target(&url(&server)))
    });
    assert!(outcome.is_good(), "{:#?}", outcome.measurement.streams);
    for stream in &outcome.measurement.streams {
        let everybody = u32::try_from(1 + DELAYS.len()).expect("few");
        assert_eq!(stream.viewers, Some(everybody), "{}", stream.url);
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
