//! The log-ins of a server, and those that count from now on.

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

/// How often the log tells of one address that it was refused, whatever it tries.
const TOLD_EVERY: Duration = Duration::from_secs(10);
/// Of so many addresses.
const MOST_TOLD: usize = 1000;

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

impl Logins {
    /// Those of `config`; `None` where everybody may watch.
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
            wrong: Repeats::new(TOLD_EVERY, MOST_TOLD),
            forbidden: Repeats::new(TOLD_EVERY, MOST_TOLD),
        })))
    }
}

/// The log-ins that count for connections from now on.
#[derive(Debug)]
pub(crate) struct CurrentLogins(Mutex<Option<Arc<Logins>>>);

impl CurrentLogins {
    /// These; `None`: everybody may watch.
    pub(crate) fn new(logins: Option<Arc<Logins>>) -> Self {
        Self(Mutex::new(logins))
    }

    /// They are others from now on.
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
