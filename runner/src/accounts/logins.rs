//! The log-ins of a server, and those that count at the moment.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU32},
    time::{Duration, Instant},
};

use super::{Accounts, attempts::Attempts, nonces::Nonces};
use crate::{
    config::{Authentication, Config},
    log::Repeats,
};
use parking_lot::Mutex;

/// How often the log says at most that an address was refused, whatever it tries.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// How many addresses the log names at most in that time.
const MOST_LOGGED: usize = 1000;

/// What the guards of all connections of a server share.
pub(crate) struct Logins {
    pub(crate) authentication: Authentication,
    pub(crate) accounts: Accounts,
    pub(crate) nonces: Nonces,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) connections: AtomicU32,
    pub(crate) wrong: Repeats,
    pub(crate) forbidden: Repeats,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins")
            .field("authentication", &self.authentication)
            .field("accounts", &self.accounts)
            .finish_non_exhaustive()
    }
}

/// How often the log says that an address was refused.
pub(crate) fn repeats() -> Repeats {
    Repeats::new(LOG_INTERVAL, MOST_LOGGED)
}

impl Logins {
    /// The log-ins of `config`; `None` where everybody may watch.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(crate) fn new(config: &Config) -> Result<Option<Arc<Self>>, getrandom::Error> {
        let users = config.all_users();
        if users.is_empty() {
            return Ok(None);
        }
        Ok(Some(Arc::new(Self {
            authentication: config.authentication,
            accounts: Accounts::new(random()?, &users),
            nonces: Nonces::new(random()?, Instant::now()),
            attempts: Arc::default(),
            connections: AtomicU32::default(),
            wrong: repeats(),
            forbidden: repeats(),
        })))
    }
}

/// The log-ins that count for new connections.
#[derive(Debug)]
pub(crate) struct CurrentLogins(Mutex<Option<Arc<Logins>>>);

impl CurrentLogins {
    /// Has these log-ins count until they are replaced; with `None` everybody may watch.
    pub(crate) fn new(logins: Option<Arc<Logins>>) -> Self {
        Self(Mutex::new(logins))
    }

    /// Has others count from now on.
    pub(crate) fn replace(&self, logins: Option<Arc<Logins>>) {
        *self.0.lock() = logins;
    }

    pub(crate) fn get(&self) -> Option<Arc<Logins>> {
        self.0.lock().clone()
    }
}

fn random() -> Result<[u8; 32], getrandom::Error> {
    let mut random = [0; 32];
    getrandom::fill(&mut random)?;
    Ok(random)
}
