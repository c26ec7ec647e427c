//! Whether gst-rtsp-server's connection sees in what passes a packet that should not: random pieces of requests and packets
//! are read by both.

use std::{
    io::Write as _,
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    ptr,
    sync::Arc,
    time::Instant,
};

use gst::glib::translate::ToGlibPtr as _;
use gst_rtsp::ffi;
use gst_rtsp_server::gio;

use super::{Intake, Intakes, MAX_BODY, channels::CurrentChannels};

/// RTP goes by this channel and RTCP by the next one.
const RTP: u8 = 0;
const RTCP: u8 = 1;
const CASES: u32 = 10_000;
/// How long gst-rtsp-server's connection may take for a message that is there, in µs.
const PATIENCE: i64 = 60_000_000;

/// What inputs are made of.
const PIECES: [&[u8]; 28] = [
    b"OPTIONS * RTSP/1.0",
    b"RTSP/1.0 200 OK",
    b"CSeq: 1",
    b"Content-Length: 8",
    b"Content-Length : +12",
    b"content-length:",
    b"Content-Length: 60000",
    b"Content-Length: -1",
    b"Session: a;b",
    b"Accept: a, b",
    b"\r\n",
    b"\r\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\n\n",
    b"\r",
    b" ",
    b"\t",
    b":",
    b"\0",
    b"\x0b",
    b"X",
    b"12345678",
    b"$\x01\0\x08\x80\xc9\0\x01\0\0\0\x07",
    b"$\0\0\x0c\x80\x60\0\x01\0\0\0\x07\0\0\0\x01",
    b"$\x05\0\x01x",
];

/// Numbers that are the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// The data packets that gst-rtsp-server's connection reads from `bytes`, until it finds their end or gives up.
fn read(listener: &TcpListener, bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.write_all(bytes).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    let socket = gio::Socket::from_fd(server.into()).unwrap();
    let mut packets = Vec::new();
    #[expect(unsafe_code, reason = "the bindings lack GstRTSPConnection")]
    // SAFETY: the connection is made of a socket that outlives it, used on this thread alone and freed at the end, and so
    // is the message.
    unsafe {
        let socket: *mut gio::ffi::GSocket = socket.to_glib_none().0;
        let (mut connection, mut message) = (ptr::null_mut(), ptr::null_mut());
        let made = ffi::gst_rtsp_connection_create_from_socket(
            socket,
            c"127.0.0.1".as_ptr(),
            1,
            ptr::null(),
            &raw mut connection,
        );
        assert_eq!(made, ffi::GST_RTSP_OK);
        ffi::gst_rtsp_connection_set_content_length_limit(connection, MAX_BODY);
        ffi::gst_rtsp_message_new(&raw mut message);
        while ffi::gst_rtsp_connection_receive_usec(connection, message, PATIENCE) == ffi::GST_RTSP_OK {
            if (*message).type_ == ffi::GST_RTSP_MESSAGE_DATA {
                let (mut channel, mut data, mut size) = (0, ptr::null_mut(), 0);
                ffi::gst_rtsp_message_parse_data(message, &raw mut channel);
                ffi::gst_rtsp_message_get_body(message, &raw mut data, &raw mut size);
                let data = std::slice::from_raw_parts(data, usize::try_from(size).unwrap());
                // It adds a zero.
                packets.push((channel, data[..data.len() - 1].to_vec()));
            }
            ffi::gst_rtsp_message_unset(message);
        }
        ffi::gst_rtsp_message_free(message);
        ffi::gst_rtsp_connection_free(connection);
    }
    packets
}

#[test]
fn no_packet_comes_through_that_should_not() {
    gst::init().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut seen = 0;
    for case in 0..CASES {
        let count = 1 + random.below(24);
        let bytes: Vec<u8> = (0..count)
            .flat_map(|_| PIECES[random.below(PIECES.len())])
            .copied()
            .collect();
        let (all, channels) = <(Arc<Intakes>, CurrentChannels)>::default();
        channels.current().set_up(1, [RTP, RTCP]);
        let mut intake = Intake::new(SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)), &all, &channels);
        let mut passed = Vec::new();
        for piece in bytes.chunks(1 + random.below(40)) {
            intake.take(piece, Instant::now(), &mut passed);
        }
        let packets = read(&listener, &passed);
        seen += packets.len();
        for (channel, data) in packets {
            let is_rtcp = channel == RTCP && data.len() == 8 && data[1] == 201;
            assert!(
                is_rtcp,
                "case {case}: {} came through as {}",
                data.escape_ascii(),
                bytes.escape_ascii()
            );
        }
    }
    assert!(seen > 100, "{seen} packets were seen at all");
}
