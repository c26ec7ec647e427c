//! How a connection begins: with HTTP/1, and soon. What serves it waits without end for the bytes that tell HTTP/2 from that,
//! and whoever speaks HTTP/2 would open many streams in one connection. Where the headers of its first request are too slow, it
//! closes the connection without a word; so they are waited for here, and answered 408.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum_server::accept::Accept;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

/// How many bytes tell that it is HTTP/1.
const ENOUGH: usize = 24;
/// What is answered where the headers come too slowly.
const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// What only HTTP/2 begins with (RFC 9113, section 3.4).
const OTHER: &[u8] = b"PRI ";

/// Accepts connections that begin in time.
#[derive(Debug, Clone)]
pub(super) struct Begins<A> {
    pub(super) inner: A,
    /// How long they may take.
    pub(super) patience: Duration,
}

/// A connection that has to begin in time: with the headers of a request.
#[derive(Debug)]
pub(super) struct Beginning<T> {
    inner: T,
    /// What came first, as far as that tells something.
    first: Vec<u8>,
    headers: Headers,
    deadline: Pin<Box<Sleep>>,
}

impl<I, S, A> Accept<I, S> for Begins<A>
where
    A: Accept<I, S>,
    A::Future: Send + 'static,
{
    type Stream = Beginning<A::Stream>;
    type Service = A::Service;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Self::Stream, Self::Service)>> + Send>>;

    fn accept(&self, stream: I, service: S) -> Self::Future {
        let (accepted, patience) = (self.inner.accept(stream, service), self.patience);
        Box::pin(async move {
            let (inner, service) = accepted.await?;
            let beginning = Beginning {
                inner,
                first: Vec::new(),
                headers: Headers::default(),
                deadline: Box::pin(sleep(patience)),
            };
            Ok((beginning, service))
        })
    }
}

/// Whether the headers of a request have come: they end with an empty line.
#[derive(Debug, Default)]
struct Headers {
    have_ended: bool,
    /// Nothing has come of a line but its beginning.
    is_line_empty: bool,
}

impl Headers {
    fn read(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' if self.is_line_empty => self.have_ended = true,
                b'\n' => self.is_line_empty = true,
                b'\r' => {}
                _ => self.is_line_empty = false,
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> Beginning<T> {
    /// Says that it is too late, where something has come, as far as that can be said at once.
    fn refuse(&mut self, context: &mut Context<'_>) -> io::Error {
        if !self.first.is_empty()
            && let Poll::Ready(Ok(_)) = Pin::new(&mut self.inner).poll_write(context, LATE)
        {
            // The connection is closed now, whether all of it has gone or not.
            let _is_sent = Pin::new(&mut self.inner).poll_flush(context).is_ready();
        }
        io::ErrorKind::TimedOut.into()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Beginning<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let has_begun = this.headers.have_ended;
        if !has_begun && this.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(this.refuse(context)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        if !has_begun {
            let came = buffer.filled().get(before..).unwrap_or_default();
            this.headers.read(came);
            let missing = ENOUGH.saturating_sub(this.first.len());
            this.first.extend(came.iter().take(missing));
            if this.first.starts_with(OTHER) {
                return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Beginning<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn have_ended(pieces: &[&str]) -> bool {
        let mut headers = Headers::default();
        for piece in pieces {
            headers.read(piece.as_bytes());
        }
        headers.have_ended
    }

    #[test]
    fn an_empty_line_ends_the_headers() {
        for pieces in [
            &["GET / HTTP/1.1\r\n\r\n"] as &[_],
            &["GET / HTTP/1.1\n\n"],
            &["GET / HTTP/1.1\r\nA: b\r", "\n\r", "\nbody"],
            &["GET / HTTP/1.1\r\nA: b\n", "\r\n"],
        ] {
            assert!(have_ended(pieces), "{pieces:?}");
        }
        for pieces in [
            &["GET / HTTP/1.1\r\n"] as &[_],
            &["GET / HTTP/1.1\r\nA: b\r\n", "\r"],
            &["GET / HTTP/1.1\r\nA: b\r\n C: d\r\n"],
            &[],
        ] {
            assert!(!have_ended(pieces), "{pieces:?}");
        }
    }

    /// What a client is answered who sends `bytes` and nothing more, for as long as it may.
    fn answer_to(bytes: &[u8]) -> (Option<io::ErrorKind>, Vec<u8>) {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().build().expect("a runtime");
        runtime.block_on(async {
            let (mut client, inner) = duplex(1024);
            client.write_all(bytes).await.expect("it is heard");
            let mut server = Beginning {
                inner,
                first: Vec::new(),
                headers: Headers::default(),
                deadline: Box::pin(sleep(Duration::from_mins(1))),
            };
            let mut read = vec![0; bytes.len()];
            server.read_exact(&mut read).await.expect("it is in time");
            server.deadline = Box::pin(sleep(Duration::ZERO));
            let error = server.read_to_end(&mut read).await.err();
            drop(server);
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.expect("it is closed");
            (error.map(|error| error.kind()), answer)
        })
    }

    #[test]
    fn who_has_begun_is_told_that_it_is_too_late() {
        let late = Some(io::ErrorKind::TimedOut);
        assert_eq!(answer_to(b"GET / HT"), (late, LATE.to_vec()));
        assert_eq!(
            answer_to(b"GET / HTTP/1.1\r\nHost: localhost\r\n"),
            (late, LATE.to_vec())
        );
        assert_eq!(answer_to(b""), (late, Vec::new()));
    }
}
