//! The certificate that the server shows to viewers who come with TLS, and GLib's TLS.

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;

use gst::glib;
use gst_rtsp_server::gio::{self, prelude::*};

use crate::config::TlsFiles;

pub(crate) mod pem;

/// How long the two ends, both of this process, may take to agree.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// GLib has no TLS here.
    #[error("GLib has no TLS here: Debian's package glib-networking has it")]
    NoBackend,
    /// GLib finds no certificate and key in the files.
    #[error("found no certificate and key that GLib can read: {0}")]
    Files(glib::Error),
    /// With this certificate and key no connection comes about.
    #[error("found a key with which nobody can connect, expected the private key of tlsCertificate ({0})")]
    NoPair(glib::Error),
}

/// Reads the certificate and its key, and tries a connection with them.
///
/// # Errors
/// When GLib has no TLS, cannot read the files, or the key is not that of the certificate.
pub(crate) fn load(files: &TlsFiles) -> Result<gio::TlsCertificate, Problem> {
    if !gio::TlsBackend::default().supports_tls() {
        return Err(Problem::NoBackend);
    }
    let certificate = read(files).map_err(Problem::Files)?;
    try_handshake(files).map_err(Problem::NoPair)?;
    Ok(certificate)
}

/// Reads the two files as far as is reasonable: GLib would read whatever they have become, to its end.
fn read(files: &TlsFiles) -> Result<gio::TlsCertificate, glib::Error> {
    let blocks = |path, label| pem::read(path, label).map_err(|error| failed(&error.to_string()));
    let certificates = blocks(&files.certificate, "CERTIFICATE")?;
    let key = blocks(&files.private_key, "PRIVATE KEY")?;
    gio::TlsCertificate::from_pem(&(key + &certificates))
}

/// Tries a handshake: GLib reads any certificate with any key, and would refuse viewer after viewer.
fn try_handshake(files: &TlsFiles) -> Result<(), glib::Error> {
    let (server, client) = UnixStream::pair().map_err(|error| failed(&error.to_string()))?;
    thread::scope(|scope| {
        // A failure here is told by the client's end as well.
        let _served = scope.spawn(|| serve(server, files));
        // The question is whether the certificate is the key's, not whether anybody trusts it.
        trusting(client.into(), PATIENCE)?.handshake(gio::Cancellable::NONE)
    })
}

/// The client's end of a connection with TLS.
#[derive(Debug)]
pub(crate) struct Client {
    read: gio::InputStreamRead<gio::InputStream>,
    write: gio::OutputStreamWrite<gio::OutputStream>,
    /// The connection is kept here, as its streams do not keep it.
    _connection: gio::TlsClientConnection,
}

impl io::Read for Client {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.read.read(buffer)
    }
}

impl io::Write for Client {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.write.write(data)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write.flush()
    }
}

/// Speaks TLS over `connection` with a server on this machine, whoever it says it is. Neither reading nor writing takes
/// longer than `patience`.
///
/// # Errors
/// When GLib has no TLS, or they cannot agree.
pub(crate) fn client(connection: TcpStream, patience: Duration) -> Result<Client, glib::Error> {
    let connection = trusting(connection.into(), patience)?;
    connection.handshake(gio::Cancellable::NONE)?;
    Ok(Client {
        read: connection.input_stream().into_read(),
        write: connection.output_stream().into_write(),
        _connection: connection,
    })
}

fn trusting(end: OwnedFd, patience: Duration) -> Result<gio::TlsClientConnection, glib::Error> {
    let connection = gio::TlsClientConnection::new(&stream(end, patience)?, None::<&gio::SocketConnectable>)?;
    let connection = connection
        .dynamic_cast::<gio::TlsClientConnection>()
        .map_err(|_| failed("it is no client's"))?;
    connection.connect_accept_certificate(|_, _, _| true);
    Ok(connection)
}

fn serve(end: UnixStream, files: &TlsFiles) -> Result<(), glib::Error> {
    let connection = gio::TlsServerConnection::new(&stream(end.into(), PATIENCE)?, Some(&read(files)?))?;
    connection.handshake(gio::Cancellable::NONE)
}

fn stream(end: OwnedFd, patience: Duration) -> Result<gio::SocketConnection, glib::Error> {
    let socket = gio::Socket::from_fd(end)?;
    socket.set_timeout(u32::try_from(patience.as_secs()).unwrap_or(u32::MAX));
    Ok(socket.connection_factory_create_connection())
}

fn failed(why: &str) -> glib::Error {
    glib::Error::new(gio::IOErrorEnum::Failed, why)
}
