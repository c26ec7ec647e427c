//! A camera behind an RTSP server whose every packet is the test's: what it sends, when, and under which SSRC.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use gst::prelude::*;
use parking_lot::Mutex;

/// One of the streams that the server gives out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Picture,
    Sound,
}

/// What a camera does.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends these packets of a medium.
    Send(Medium, Vec<Vec<u8>>),
    /// Does nothing for so long.
    Wait(Duration),
    /// Closes the connection.
    HangUp,
}

/// In ns since the Unix epoch.
const HALF_A_SECOND: u64 = 500_000_000;
/// 25 frames a second.
pub(crate) const PERIOD: Duration = Duration::from_millis(40);

/// The packets of `count` frames of a new run of a camera, each frame's by themselves, in JPEG.
pub(crate) fn pictures(count: usize, size: (u32, u32), ssrc: u32) -> Vec<Vec<Vec<u8>>> {
    coded(
        count,
        size,
        &format!("jpegenc quality=90 ! rtpjpegpay ssrc={ssrc}"),
    )
}

/// As [`pictures`], in H.264, with a key picture in each ten; each parameter set is a packet.
pub(crate) fn h264(count: usize, size: (u32, u32), ssrc: u32) -> Vec<Vec<Vec<u8>>> {
    coded(
        count,
        size,
        &format!(
            "x264enc tune=zerolatency key-int-max=10 \
             ! rtph264pay ssrc={ssrc} pt=96 config-interval=-1 aggregate-mode=none"
        ),
    )
}

/// Whether a packet has a part of a key picture in H.264 (RFC 6184, 5.6 and 5.8).
pub(crate) fn is_of_key_picture(packet: &[u8]) -> bool {
    const KEY: u8 = 5;
    const FRAGMENT: u8 = 28;
    let (kind, fragment) = (packet[12] & 0x1f, packet[13] & 0x1f);
    kind == KEY || kind == FRAGMENT && fragment == KEY
}

fn coded(count: usize, (width, height): (u32, u32), coding: &str) -> Vec<Vec<Vec<u8>>> {
    let packets = packets(&format!(
        "clocksrc is-live=false stamp=qr stamp-id=7 num-buffers={count} \
         ! video/x-raw,format=I420,width={width},height={height},framerate=25/1 ! {coding} \
         ! appsink name=packets sync=false"
    ));
    let mut frames: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut last = None;
    for packet in packets {
        let time = packet[4..8].to_vec();
        if last.replace(time.clone()) != Some(time) {
            frames.push(Vec::new());
        }
        frames.last_mut().expect("one").push(packet);
    }
    assert_eq!(frames.len(), count);
    frames
}

/// So many packets of 40 ms of sound of a new run of a camera: a tick half a second after its begin, and in each second
/// from there, so that none is cut by the run's ends.
pub(crate) fn sounds(count: usize, ssrc: u32) -> Vec<Vec<u8>> {
    let mut packets = packets(&format!(
        "clocktone is-live=false start-time={HALF_A_SECOND} num-buffers={} ! audio/x-raw,rate=8000,channels=1 ! mulawenc \
         ! rtppcmupay ssrc={ssrc} min-ptime=40000000 max-ptime=40000000 ! appsink name=packets sync=false",
        // Of 10 ms each, or more.
        4 * count
    ));
    assert!(packets.len() >= count, "{} packets", packets.len());
    packets.truncate(count);
    packets
}

fn packets(line: &str) -> Vec<Vec<u8>> {
    rtsp_clock_probe::init().expect("GStreamer and clocksrc");
    let pipeline = gst::parse::launch(line).expect("a pipeline");
    let bin = pipeline.downcast_ref::<gst::Bin>().expect("a bin");
    let appsink: gst_app::AppSink = bin.by_name("packets").and_downcast().expect("an appsink");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let mut packets = Vec::new();
    while let Ok(sample) = appsink.pull_sample() {
        let lists = sample.buffer_list_owned();
        let buffers = lists
            .iter()
            .flat_map(|list| list.iter_owned())
            .chain(sample.buffer_owned());
        packets.extend(buffers.map(|buffer| buffer.map_readable().expect("memory").to_vec()));
    }
    pipeline.set_state(gst::State::Null).expect("it stops");
    packets
}

/// The RTCP packet by which a source says goodbye (RFC 3550, 6.6), behind an empty report.
pub(crate) fn goodbye(ssrc: u32) -> Vec<u8> {
    let ssrc = ssrc.to_be_bytes();
    [&[0x80, 201, 0, 1][..], &ssrc, &[0x81, 203, 0, 1], &ssrc].concat()
}

/// A sender report of the frame with that packet and number, at 25 frames a second (RFC 3550, 6.4.1).
pub(crate) fn report(packet: &[u8], frame: u64) -> Vec<u8> {
    // 2026-01-01T00:00:00Z, by the count of NTP.
    let ntp = ((1_767_225_600_u64 + 2_208_988_800) << 32) + (frame << 32) / 25;
    let (time, ssrc) = (&packet[4..8], &packet[8..12]);
    [&[0x80, 200, 0, 6][..], ssrc, &ntp.to_be_bytes(), time, &[0; 8]].concat()
}

/// Has frames come one after the other, in time.
pub(crate) fn in_time(frames: Vec<Vec<Vec<u8>>>) -> Vec<Step> {
    let steps = frames
        .into_iter()
        .flat_map(|packets| [Step::Send(Medium::Picture, packets), Step::Wait(PERIOD)]);
    steps.collect()
}

/// The server; each connection plays what is next.
pub(crate) struct Camera {
    port: u16,
    has_sound: bool,
    /// The payload type of its pictures: 26 is JPEG.
    payload: u8,
    parts: Mutex<std::vec::IntoIter<Vec<Step>>>,
}

impl Camera {
    /// Plays one part to each viewer that comes, and stays silent after it.
    pub(crate) fn start(parts: Vec<Vec<Step>>) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let is_sound = |step: &Step| matches!(step, Step::Send(Medium::Sound, _));
        let camera = Arc::new(Self {
            port: listener.local_addr().expect("its address").port(),
            payload: parts.iter().flatten().find_map(payload).unwrap_or(26),
            has_sound: parts.iter().flatten().any(is_sound),
            parts: Mutex::new(parts.into_iter()),
        });
        let server = camera.clone();
        thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let server = server.clone();
                thread::spawn(move || server.serve(&connection));
            }
        });
        camera
    }

    pub(crate) fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/live", self.port)
    }

    fn serve(&self, connection: &TcpStream) {
        let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
        while let Some(request) = lines.find(|line| !line.is_empty()) {
            let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let answer = self.answer(&request, &headers);
            let mut to = connection;
            if to.write_all(answer.as_bytes()).is_err() {
                return;
            }
            if request.starts_with("PLAY") {
                let part = self.parts.lock().next().unwrap_or_default();
                let connection = connection.try_clone().expect("a socket");
                thread::spawn(move || play(&connection, part));
            }
        }
    }

    fn answer(&self, request: &str, headers: &[String]) -> String {
        let cseq = headers.iter().find(|header| header.starts_with("CSeq:")).cloned();
        let mut lines = vec!["RTSP/1.0 200 OK".to_owned(), cseq.unwrap_or_default()];
        let mut body = String::new();
        if request.starts_with("OPTIONS") {
            lines.push("Public: DESCRIBE, SETUP, PLAY, TEARDOWN".into());
        } else if request.starts_with("DESCRIBE") {
            body = self.description();
            lines.push("Content-Type: application/sdp".into());
            lines.push(format!("Content-Length: {}", body.len()));
        } else {
            lines.push("Session: 1".into());
        }
        if request.starts_with("SETUP") {
            let channels = if request.contains("sound") { "2-3" } else { "0-1" };
            lines.push(format!("Transport: RTP/AVP/TCP;unicast;interleaved={channels}"));
        }
        lines.join("\r\n") + "\r\n\r\n" + &body
    }

    fn description(&self) -> String {
        let map = "a=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\n";
        let sound = "m=audio 0 RTP/AVP 0\r\na=control:sound\r\n";
        format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=video 0 RTP/AVP {}\r\na=control:picture\r\n{}{}",
            self.payload,
            if self.payload == 96 { map } else { "" },
            if self.has_sound { sound } else { "" }
        )
    }
}

/// The payload type of a packet of a picture.
fn payload(step: &Step) -> Option<u8> {
    let Step::Send(Medium::Picture, packets) = step else {
        return None;
    };
    let packet = packets.first().filter(|packet| !is_rtcp(packet))?;
    Some(packet[1] & 0x7f)
}

/// As RFC 5761 tells them apart.
fn is_rtcp(packet: &[u8]) -> bool {
    (200..=204).contains(&packet[1])
}

fn play(mut to: &TcpStream, steps: Vec<Step>) {
    for step in steps {
        match step {
            Step::Wait(time) => thread::sleep(time),
            Step::HangUp => {
                let _ = to.shutdown(Shutdown::Both);
            }
            Step::Send(medium, packets) => {
                for packet in packets {
                    let channel = u8::from(is_rtcp(&packet)) + if medium == Medium::Sound { 2 } else { 0 };
                    let length = u16::try_from(packet.len()).expect("it fits").to_be_bytes();
                    let head = [b'$', channel, length[0], length[1]];
                    if to.write_all(&[&head[..], &packet].concat()).is_err() {
                        return;
                    }
                }
            }
        }
    }
}
