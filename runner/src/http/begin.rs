//! How a connection begins: with HTTP/1, and soon. What serves it waits without end for the bytes that tell HTTP/2 from that,
//! and whoever speaks HTTP/2 would open many streams in one connection.

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
/// What only HTTP/2 begins with (RFC 9113, section 3.4).
const OTHER: &[u8] = b"PRI ";

/// Accepts connections that begin in time.
#[derive(Debug, Clone)]
pub(super) struct Begins<A> {
    pub(super) inner: A,
    /// How long they may take.
    pub(super) patience: Duration,
}

/// A connection that has to begin in time.
#[derive(Debug)]
pub(super) struct Beginning<T> {
    inner: T,
    /// What came first.
    first: Vec<u8>,
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
                deadline: Box::pin(sleep(patience)),
            };
            Ok((beginning, service))
        })
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Beginning<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let has_begun = this.first.len() >= ENOUGH;
        if !has_begun && this.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.inner).poll_read(context, buffer))?;
        if !has_begun {
            let came = buffer.filled().iter().skip(before);
            this.first.extend(came.take(ENOUGH));
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
