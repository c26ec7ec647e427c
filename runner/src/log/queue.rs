//! The lines on their way to stderr: nobody who logs waits for whoever reads.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// How many lines wait at most. A terminal that was stopped, or a pipe that nobody reads, costs lines and no frames.
const CAPACITY: usize = 4096;

/// Takes lines at once, and writes them in a thread of its own. Each write is one line.
#[derive(Debug, Clone)]
pub(super) struct Queue(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when a line is waiting.
    filled: Condvar,
    /// Told when no line is waiting or being written any more.
    drained: Condvar,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    /// How many lines found no room, and have not been told of yet.
    lost: u64,
    is_writing: bool,
}

impl Queue {
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let reader = Arc::clone(&shared);
        thread::Builder::new()
            .name("log".into())
            .spawn(move || reader.write_to(to))?;
        Ok(Self(shared))
    }

    /// Waits until all lines are written, `patience` at most.
    pub(super) fn flush(&self, patience: Duration) {
        let mut state = self.0.state.lock();
        let is_busy = |state: &mut State| state.is_writing || !state.lines.is_empty();
        // Lines that have not been written by then are not worth a longer wait.
        self.0.drained.wait_while_for(&mut state, is_busy, patience);
    }
}

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state.lock();
        if state.lines.len() < CAPACITY {
            state.lines.push_back(line.to_vec());
            self.0.filled.notify_one();
        } else {
            state.lost += 1;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn write_to(&self, mut to: impl Write) {
        loop {
            let (lines, lost) = self.take();
            for line in lines {
                // If nobody listens any more, nobody can be told so.
                let _gone = to.write_all(&line);
            }
            if lost > 0 {
                tracing::warn!(target: "log", lost, "the log was read too slowly: lines are missing");
            }
        }
    }

    /// All lines that wait, once one does, and how many were lost before.
    fn take(&self) -> (VecDeque<Vec<u8>>, u64) {
        let mut state = self.state.lock();
        state.is_writing = false;
        if state.lines.is_empty() {
            self.drained.notify_all();
        }
        self.filled.wait_while(&mut state, |state| state.lines.is_empty());
        state.is_writing = true;
        (std::mem::take(&mut state.lines), std::mem::take(&mut state.lost))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Instant;

    use super::*;

    /// Writes into a channel that holds nothing: each line waits for a reader.
    struct Slow(SyncSender<String>);

    impl Write for Slow {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let line_text = String::from_utf8_lossy(line).into_owned();
            self.0.send(line_text).map_err(io::Error::other)?;
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Queue, Receiver<String>) {
        let (sender, receiver) = sync_channel(0);
        let queue = Queue::start(Slow(sender)).expect("a thread");
        (queue, receiver)
    }

    #[test]
    fn lines_come_in_order_and_whole() {
        let (mut queue, written) = slow();
        for line in ["a", "b", "c"] {
            queue.write_all(line.as_bytes()).expect("it takes any line");
        }
        let came: Vec<_> = written.iter().take(3).collect();
        assert_eq!(came, ["a", "b", "c"]);
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        let (mut queue, _stalled) = slow();
        queue.write_all(b"line").expect("it takes any line");
        // From then on the writing thread is stuck with the first line, and takes no other.
        let deadline = Instant::now() + Duration::from_secs(30);
        while !queue.0.state.lock().is_writing {
            assert!(Instant::now() < deadline, "nobody takes the line");
            thread::yield_now();
        }
        for _ in 0..2 * CAPACITY {
            queue.write_all(b"line").expect("it takes any line");
        }
        let state = queue.0.state.lock();
        assert_eq!((state.lines.len(), state.lost), (CAPACITY, CAPACITY as u64));
    }

    #[test]
    fn a_reader_that_has_gone_is_no_error() {
        let (mut queue, gone) = slow();
        drop(gone);
        queue.write_all(b"line").expect("it takes any line");
        queue.flush(Duration::from_secs(10));
        assert!(queue.0.state.lock().lines.is_empty());
    }
}
