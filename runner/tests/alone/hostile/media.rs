//! RTCP and RTP from those who watch: too much of it, and what waits when they leave.
//!
//! The server's malloc fills what is freed, so that whatever is used after that shows.

use std::{
    net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::{RECOVERY, Scene};
use crate::common::{
    Interleaved, PATIENCE, RtspClient,
    burden::{alone, size},
    certificate::Certificate,
    config, holds_within, start,
};

/// RFC 3550's receiver report and description, and RFC 4585's and 5104's requests for a key picture.
const RECEIVER_REPORT: u8 = 201;
const FEEDBACK: u8 = 206;
const PICTURE_LOSS: u8 = 1;
const FULL_INTRA: u8 = 4;

/// How a viewer gets the stream, and sends.
#[derive(Debug, Clone, Copy)]
enum Way {
    Tcp,
    Tunnel,
    Tls,
    Udp,
}

/// What it sends.
#[derive(Debug, Clone, Copy)]
enum Flood {
    /// Requests for key pictures.
    PictureLoss,
    FullIntra,
    /// Reports of as many receivers.
    ReportsOfMany,
    /// Reports of one.
    ReportsOfOne,
    Media,
    Garbage,
}

const WAYS: [Way; 4] = [Way::Tcp, Way::Tunnel, Way::Tls, Way::Udp];
const FLOODS: [Flood; 6] = [
    Flood::PictureLoss,
    Flood::FullIntra,
    Flood::ReportsOfMany,
    Flood::ReportsOfOne,
    Flood::Media,
    Flood::Garbage,
];

impl Flood {
    /// The channel, RTP's or RTCP's, and the packet of that number to the server's sender of that SSRC.
    fn packet(self, number: u32, sender: [u8; 4]) -> (u8, Vec<u8>) {
        let count = number.to_be_bytes()[3];
        match self {
            Self::PictureLoss => (1, request(PICTURE_LOSS, sender, &[])),
            Self::FullIntra => {
                let entry = [&sender[..], &[count, 0, 0, 0]].concat();
                (1, request(FULL_INTRA, [0; 4], &entry))
            }
            Self::ReportsOfMany => (1, report(number)),
            Self::ReportsOfOne => (1, report(7)),
            Self::Media => (0, rtp(number)),
            Self::Garbage => (1, vec![number.to_be_bytes()[3]; 40]),
        }
    }
}

/// A receiver report without any, of `ssrc`.
fn report(ssrc: u32) -> Vec<u8> {
    [&[0x80, RECEIVER_REPORT, 0, 1][..], &ssrc.to_be_bytes()].concat()
}

/// A report, and behind it a request of that kind.
fn request(kind: u8, sender: [u8; 4], details: &[u8]) -> Vec<u8> {
    let words = u8::try_from(2 + details.len() / 4).expect("it is short");
    let head = [0x80 | kind, FEEDBACK, 0, words, 0, 0, 0, 7];
    [&report(7)[..], &head, &sender, details].concat()
}

/// Whose an RTP packet is.
fn ssrc(packet: &Interleaved) -> [u8; 4] {
    packet.data[8..12].try_into().expect("four bytes")
}

fn rtp(number: u32) -> Vec<u8> {
    let [.., high, low] = number.to_be_bytes();
    let ssrc = number.wrapping_mul(2_654_435_761).to_be_bytes();
    let head = [0x80, 96, high, low, 0, 0, 0, 0];
    [&head[..], &ssrc, &[0; 500]].concat()
}

/// A server of whose memory what is freed is filled.
fn scene(needs_login: bool, certificate: &Certificate, tls_port: u16) -> Scene {
    Scene::set_as(needs_login, |command| {
        command
            .env("MALLOC_PERTURB_", "165")
            .env("G_SLICE", "always-malloc")
            .env("RTSP_TLS_PORT", tls_port.to_string())
            .env("RTSP_TLS_CERTIFICATE", certificate.certificate())
            .env("RTSP_TLS_PRIVATE_KEY", certificate.private_key());
    })
}

/// A viewer who floods.
struct Attacker {
    client: RtspClient,
    udp: Option<(UdpSocket, u16)>,
    /// Of the server's picture.
    sender: [u8; 4],
    tls: Option<Child>,
}

impl Attacker {
    fn new(scene: &Scene, way: Way, tls_port: u16) -> Self {
        let port = scene.process.port();
        let (mut client, tls) = match way {
            Way::Tcp | Way::Udp => (RtspClient::connect_port(port), None),
            Way::Tunnel => (RtspClient::tunnel(port, false), None),
            Way::Tls => {
                let (stream, child) = through_tls(tls_port);
                let client = RtspClient::over(stream, format!("rtsps://127.0.0.1:{tls_port}/live"));
                (client, Some(child))
            }
        };
        if let Some(authorization) = &scene.authorization {
            client.authorize(authorization.clone());
        }
        assert_eq!(client.describe().status, 200, "{way:?}");
        let udp = matches!(way, Way::Udp).then(|| set_up_over_udp(&mut client));
        if udp.is_none() {
            assert_eq!(client.setup().status, 200, "{way:?}");
        }
        assert_eq!(client.play().status, 200, "{way:?}");
        let sender = match way {
            // Its packets come elsewhere; those of another viewer are the same.
            Way::Udp => scene.packets.ssrc(),
            _ => ssrc(&client.next_rtp()),
        };
        Self {
            client,
            udp,
            sender,
            tls,
        }
    }

    /// Sends so many packets; the connection may end meanwhile.
    fn flood(&mut self, flood: Flood, packets: u32) {
        let all = (0..packets).map(|number| flood.packet(number, self.sender));
        if let Some((socket, port)) = &self.udp {
            for (_, packet) in all.take(2000) {
                // The system may have no room for more.
                let _sent = socket.send_to(&packet, (Ipv4Addr::LOCALHOST, *port));
            }
            return;
        }
        let bytes = all.flat_map(|(channel, packet)| {
            let length = u16::try_from(packet.len()).expect("it is short").to_be_bytes();
            [&[b'$', channel], &length[..], &packet].concat()
        });
        // The client does not read meanwhile: what it is sent waits as well.
        self.client.send_raw(&bytes.collect::<Vec<u8>>());
    }

    /// Goes without a word.
    fn leave(self) {
        let Self { client, tls, .. } = self;
        client.hang_up();
        drop(client);
        if let Some(mut tls) = tls {
            tls.kill().expect("it is ours");
            tls.wait().expect("it ends");
        }
    }
}

/// Sets the picture up over UDP; answers the socket for RTCP here, and the port of the server's.
fn set_up_over_udp(client: &mut RtspClient) -> (UdpSocket, u16) {
    let socket = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free UDP port");
    let [media, control] = [socket(), socket()];
    let port = |socket: &UdpSocket| socket.local_addr().expect("it is bound").port();
    let answer = client.setup_over(&format!(
        "RTP/AVP;unicast;client_port={}-{}",
        port(&media),
        port(&control)
    ));
    assert_eq!(answer.status, 200);
    let transport = answer.header("Transport").expect("how it comes");
    let ports = transport
        .split("server_port=")
        .nth(1)
        .expect("it sends from somewhere");
    let own = ports.split(['-', ';']).nth(1).expect("two ports");
    (control, own.parse().expect("a port"))
}

/// A connection that goes on through TLS, and who carries it.
fn through_tls(port: u16) -> (TcpStream, Child) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let here = TcpStream::connect(listener.local_addr().expect("it has one")).expect("it listens");
    let (there, _) = listener.accept().expect("we knock");
    let end = |stream: &TcpStream| Stdio::from(OwnedFd::from(stream.try_clone().expect("a descriptor")));
    let child = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{port}")])
        .stdin(end(&there))
        .stdout(end(&there))
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl is installed");
    (here, child)
}

#[track_caller]
fn assert_withstands_media(needs_login: bool) {
    const PACKETS: u32 = 8000;
    let _alone = alone();
    let leaves = size("HOSTILE_LEAVES", 24);
    let certificate = Certificate::new();
    let tls_port = free_port();
    let scene = scene(needs_login, &certificate, tls_port);
    let attack = |number: usize| {
        let (way, flood) = (
            WAYS[number % WAYS.len()],
            FLOODS[number / WAYS.len() % FLOODS.len()],
        );
        let mut attacker = Attacker::new(&scene, way, tls_port);
        attacker.flood(flood, PACKETS);
        attacker.leave();
    };
    (0..WAYS.len()).for_each(attack);
    let before = RECOVERY.before(&scene.process);
    (0..leaves).for_each(attack);
    let watching = || {
        scene
            .process
            .log()
            .lines()
            .iter()
            .filter(|line| line.contains("has left"))
            .count()
    };
    let patience = PATIENCE + Duration::from_millis(200) * u32::try_from(leaves).expect("few");
    assert!(
        holds_within(patience, || watching() >= leaves + WAYS.len()),
        "{} have left",
        watching()
    );
    println!("{leaves} left with {PACKETS} packets each on their way");
    RECOVERY.assert_of(&scene.process, before);
    scene.assert_served();
}

/// One that no socket gets which takes any: those are Linux's from 32768 on.
fn free_port() -> u16 {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (20_200..20_900).find(is_free).expect("a free port")
}

#[test]
fn packets_of_those_who_leave_do_no_harm() {
    assert_withstands_media(false);
}

#[test]
fn packets_of_those_who_leave_do_no_harm_where_a_login_is_needed() {
    assert_withstands_media(true);
}

/// Four a second are what a crowd gets that joins.
#[test]
fn those_who_ask_for_key_pictures_wait_for_them_as_those_do_who_join() {
    /// Ticks of RTP's clock.
    const TICKS: u32 = 90_000;
    const SECONDS: u32 = 3;
    let _alone = alone();
    let server = start(&config());
    let mut watching = RtspClient::watch(&server);
    let mut asking = RtspClient::watch(&server);
    let (mut keys, mut pictures) = (Vec::new(), 0);
    let first = watching.next_rtp();
    let (begin, sender) = (first.rtp_time(), ssrc(&first));
    let mut latest = begin;
    while latest.wrapping_sub(begin) < SECONDS * TICKS {
        for flood in [Flood::PictureLoss, Flood::FullIntra] {
            let (channel, packet) = flood.packet(pictures, sender);
            let length = u16::try_from(packet.len()).expect("it is short").to_be_bytes();
            asking.send_raw(&[&[b'$', channel], &length[..], &packet].concat());
        }
        let packet = watching.next_rtp();
        if packet.rtp_time() != latest {
            latest = packet.rtp_time();
            pictures += 1;
        }
        if Interleaved::is_key(&packet) && keys.last() != Some(&latest) {
            keys.push(latest);
        }
    }
    // One for each of the two who joined, and then one in 250 ms.
    let most = 2 + 4 * SECONDS as usize + 1;
    assert!(keys.len() <= most, "{} key pictures of {pictures}", keys.len());
    assert!(keys.len() > 2, "nobody gets any: {} of {pictures}", keys.len());
}
