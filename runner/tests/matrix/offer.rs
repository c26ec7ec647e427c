//! A server that offers one way to log in where ours offers two: a client takes the way that it likes best.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Passes connections on to `server`, and of its challenges only those of `scheme`; answers at which port.
pub(crate) fn of_one_scheme(scheme: &'static str, server: SocketAddr) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    // It ends with the test's process.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(server) else {
                return;
            };
            if let (Ok(to_server), Ok(to_client)) = (server.try_clone(), client.try_clone()) {
                thread::spawn(move || pass_on(client, to_server, <[u8]>::to_vec));
                thread::spawn(move || pass_on(server, to_client, |bytes| only(scheme, bytes)));
            }
        }
    });
    Ok(port)
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, change: impl Fn(&[u8]) -> Vec<u8>) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(length) = from.read(&mut bytes)
        && length > 0
        && to.write_all(&change(&bytes[..length])).is_ok()
    {}
    // Either may be closed already.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

/// A refusal comes in one piece: nothing else is on its way.
fn only(scheme: &str, bytes: &[u8]) -> Vec<u8> {
    if !bytes.starts_with(b"RTSP/1.0 401") {
        return bytes.to_vec();
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let lines = text.split_inclusive("\r\n").filter(|line| {
        let challenge = line.strip_prefix("WWW-Authenticate: ");
        challenge.is_none_or(|challenge| challenge.starts_with(scheme))
    });
    lines.collect::<String>().into_bytes()
}
