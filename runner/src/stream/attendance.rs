//! Who has asked for a stream and not gone since.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use gst_rtsp_server::RTSPClient;
use parking_lot::{Condvar, Mutex};

use super::client::ClientHandle;

/// Those who have asked for a stream and not gone since, watching or not.
#[derive(Debug, Default)]
pub(super) struct Attendance {
    present: Mutex<Present>,
    is_deserted: Condvar,
}

/// Whoever is there, by the number that each got on arrival. The stream itself has a number as well, and no client.
#[derive(Debug, Default)]
struct Present {
    arrivals: u64,
    clients: BTreeMap<u64, Option<Arc<ClientHandle>>>,
}

impl Attendance {
    /// Notes that `client`, or the stream itself where that is `None`, is there until the number that is answered
    /// departs.
    ///
    /// No client is looked at under the lock: whoever holds one may be the last who does, and a client's end calls
    /// [`Self::depart`], which would wait here for itself.
    pub(super) fn arrive(&self, client: Option<&RTSPClient>) -> u64 {
        let mut present = self.present.lock();
        present.arrivals += 1;
        let number = present.arrivals;
        present
            .clients
            .insert(number, client.map(|client| Arc::new(ClientHandle::new(client))));
        number
    }

    /// Notes that the one with this number goes. When the last one goes, `take_down` is called, under the lock, so that
    /// nobody arrives meanwhile.
    pub(super) fn depart(&self, number: u64, take_down: impl FnOnce()) {
        let mut present = self.present.lock();
        present.clients.remove(&number);
        if present.clients.is_empty() {
            take_down();
            self.is_deserted.notify_all();
        }
    }

    /// Waits until the last one has gone, no longer than `patience`. Answers how many are still there.
    pub(super) fn wait_until_deserted(&self, patience: Duration) -> usize {
        let mut present = self.present.lock();
        self.is_deserted
            .wait_while_for(&mut present, |present| !present.clients.is_empty(), patience);
        present.clients.len()
    }

    /// Closes the connections of all who are there.
    pub(super) fn close_connections(&self) {
        let clients: Vec<_> = self.present.lock().clients.values().flatten().cloned().collect();
        for client in clients {
            client.close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::ffi::rtsp;

    /// Long enough on any machine: it takes a second.
    const PATIENCE: Duration = Duration::from_mins(1);
    const TIMES: usize = 100_000;

    struct There {
        attendance: Arc<Attendance>,
        number: u64,
    }

    impl There {
        fn new(attendance: &Arc<Attendance>, client: Option<&RTSPClient>) -> Self {
            Self {
                number: attendance.arrive(client),
                attendance: Arc::clone(attendance),
            }
        }
    }

    impl Drop for There {
        fn drop(&mut self) {
            self.attendance.depart(self.number, || {});
        }
    }

    /// Calls `act` on a thread of its own; the receiver hears when it is done.
    fn aside(act: impl FnOnce() + Send + 'static) -> mpsc::Receiver<()> {
        let (done, is_done) = mpsc::channel();
        std::thread::spawn(move || {
            act();
            done.send(())
        });
        is_done
    }

    #[test]
    fn clients_go_while_others_come_and_are_counted() {
        gst::init().expect("GStreamer starts");
        let attendance = Arc::new(Attendance::default());
        let going = Arc::clone(&attendance);
        let going = aside(move || {
            for _ in 0..TIMES {
                let client = RTSPClient::new();
                rtsp::accompany(&client, There::new(&going, Some(&client)));
            }
        });
        let coming = Arc::clone(&attendance);
        let coming = aside(move || {
            for count in 0..TIMES {
                let there = There::new(&coming, None);
                if count % 100 == 0 {
                    coming.close_connections();
                }
                drop(there);
            }
        });
        for side in [going, coming] {
            assert_eq!(side.recv_timeout(PATIENCE), Ok(()), "somebody waits for ever");
        }
        assert_eq!(attendance.present.lock().clients.len(), 0);
    }

    #[test]
    fn the_last_one_to_go_takes_it_down() {
        let attendance = Attendance::default();
        let [first, second] = [(); 2].map(|()| attendance.arrive(None));
        attendance.depart(first, || panic!("somebody is there"));
        let mut is_down = false;
        attendance.depart(second, || is_down = true);
        assert!(is_down);
        assert_eq!(attendance.wait_until_deserted(Duration::ZERO), 0);
    }
}
