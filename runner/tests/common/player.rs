//! A viewer of all that a stream has, by any way, who looks at the packets that come first.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};

use rtsp_clock_server::server::Server;

use super::{Interleaved, PATIENCE, Response, RtspClient};

/// Many times what a packet takes that has been sent.
const QUIET: Duration = Duration::from_millis(100);

/// By which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Tcp,
    Tunnel,
    Udp,
}

impl By {
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Tunnel, Self::Udp];

    /// A Transport header of that way, to no port that anybody listens at.
    pub fn transport(self, medium: u32) -> &'static str {
        match (self, medium) {
            (Self::Udp, _) => "RTP/AVP;unicast;client_port=9-10",
            (_, 0) => "RTP/AVP/TCP;unicast;interleaved=0-1",
            _ => "RTP/AVP/TCP;unicast;interleaved=2-3",
        }
    }
}

pub struct Player {
    pub client: RtspClient,
    /// Of each medium, for RTP and RTCP. None within the connection.
    sockets: BTreeMap<u32, [UdpSocket; 2]>,
    /// The media that it has set up.
    media: Vec<u32>,
}

impl Player {
    /// Has set up these of the stream's media (0 is the picture, 1 the sound).
    #[track_caller]
    pub fn ready(server: &Server, by: By, media: &[u32]) -> Self {
        let mut client = match by {
            By::Tunnel => RtspClient::tunnel(server.port(), false),
            By::Tcp | By::Udp => RtspClient::connect(server),
        };
        assert_eq!(client.describe().status, 200, "{by:?}");
        let mut player = Self {
            client,
            sockets: BTreeMap::new(),
            media: Vec::new(),
        };
        for medium in media {
            player.set_up(by, *medium);
        }
        player
    }

    /// Sets up another medium.
    #[track_caller]
    pub fn set_up(&mut self, by: By, medium: u32) {
        let transport = if by == By::Udp {
            let pair = two_sockets();
            let [media, control] = pair.each_ref().map(port);
            self.sockets.insert(medium, pair);
            format!("RTP/AVP;unicast;client_port={media}-{control}")
        } else {
            by.transport(medium).to_owned()
        };
        assert_eq!(self.client.setup_medium(medium, &transport).status, 200, "{by:?}");
        self.media.push(medium);
    }

    /// The answer to PLAY, and the first RTP packet of each medium that comes after it.
    #[track_caller]
    pub fn play(&mut self) -> (Response, BTreeMap<u32, Interleaved>) {
        let answer = self.client.play();
        assert_eq!(answer.status, 200);
        let mut first = BTreeMap::new();
        for (medium, [rtp, _]) in &self.sockets {
            let packet = datagram(rtp, *medium).expect("packets come");
            first.insert(*medium, packet);
        }
        while first.len() < self.media.len() {
            let packet = self.client.next_packet().expect("packets keep coming");
            if packet.channel.is_multiple_of(2) {
                first.entry(u32::from(packet.channel) / 2).or_insert(packet);
            }
        }
        (answer, first)
    }

    /// The next so many RTP packets of the picture.
    #[track_caller]
    pub fn pictures(&mut self, count: usize) -> Vec<Interleaved> {
        let next = || match self.sockets.get(&0) {
            Some([rtp, _]) => datagram(rtp, 0).expect("packets come"),
            None => self.client.next_rtp(),
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    /// Pauses, and waits until nothing comes any more: what was being sent over UDP comes after the answer.
    #[track_caller]
    pub fn pause(&mut self) {
        assert_eq!(self.client.request("PAUSE", &[]).status, 200);
        self.wait_until_quiet();
    }

    /// Waits until nothing comes over UDP any more.
    #[track_caller]
    pub fn wait_until_quiet(&self) {
        let deadline = Instant::now() + PATIENCE;
        for [rtp, _] in self.sockets.values() {
            rtp.set_read_timeout(Some(QUIET)).expect("a socket");
            while rtp.recv(&mut [0; 2000]).is_ok() {
                assert!(Instant::now() < deadline, "packets keep coming");
            }
            rtp.set_read_timeout(Some(PATIENCE)).expect("a socket");
        }
    }
}

fn datagram(socket: &UdpSocket, medium: u32) -> std::io::Result<Interleaved> {
    let mut data = vec![0; 2000];
    let length = socket.recv(&mut data)?;
    data.truncate(length);
    Ok(Interleaved {
        channel: u8::try_from(2 * medium).expect("few media"),
        data,
        arrival: std::time::SystemTime::now(),
    })
}

/// At two ports, one after the other.
pub fn two_sockets() -> [UdpSocket; 2] {
    let bind = |port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port));
    let pair = || {
        let first = bind(0).ok()?;
        let second = bind(port(&first).checked_add(1)?).ok()?;
        Some([first, second])
    };
    let pair = (0..1000).find_map(|_| pair()).expect("two free ports");
    for socket in &pair {
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket");
    }
    pair
}

pub fn port(socket: &UdpSocket) -> u16 {
    socket.local_addr().expect("an address").port()
}
