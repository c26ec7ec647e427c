//! Who may log in, and whether somebody is one of them.
//!
//! | module | job |
//! | --- | --- |
//! | `logins` | the log-ins of a server, and those that count from now on |
//! | `credentials` | what an `Authorization` header says |
//! | `nonces` | Digest's challenges |
//! | `attempts` | wrong log-ins of an address are slowed |
//!
//! The time that it takes to find out says nothing: a wrong name goes the same way as a wrong password. The credentials
//! are compared with those of all accounts, whether or not one has been found already; digests of one length are
//! compared, without a branch before the last comparison.

pub(crate) mod attempts;
pub(crate) mod credentials;
pub(crate) mod logins;
mod nonces;

use std::fmt;

use md5::{Digest as _, Md5};
use sha2::Sha256;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::{
    accounts::credentials::Answer,
    config::{Access, Mount, User},
};

/// The realm, which players show where they ask for a log-in; it is part of Digest's sums.
pub(crate) const REALM: &str = "rtsp-clock-server";

/// An MD5 in hexadecimal digits, as Digest's sums have it.
type Hex = [u8; 32];
type Sha = [u8; 32];

pub(crate) struct Accounts {
    /// The H(A1) with which Digest is tried for a name that nobody has.
    nobody: Hex,
    /// The key of all hashes, which nobody outside knows.
    key: [u8; 32],
    all: Vec<Account>,
}

/// Somebody who may log in. No password is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// The hash of the name.
    name_hash: Sha,
    /// The hash of `name:password`.
    pair_hash: Sha,
    /// Digest's H(A1), of `name:realm:password`.
    a1: Hex,
    access: Access,
    /// Whether they may see and change everything by HTTP.
    pub(crate) is_admin: bool,
}

impl fmt::Debug for Accounts {
    /// Writes the names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.all.iter().map(|account| &account.name);
        f.debug_list().entries(names).finish()
    }
}

impl fmt::Debug for Account {
    /// The name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

impl Account {
    pub(crate) fn may_see(&self, place: &Mount) -> bool {
        self.access.allows(place)
    }
}

impl Accounts {
    /// The accounts of `users`; `key` is random, and known to nobody.
    fn new(key: [u8; 32], users: &[User]) -> Self {
        let account = |user: &User| {
            let (name, password) = (&user.login.username, &user.login.password);
            Account {
                name: name.clone(),
                name_hash: hash(&key, name.as_bytes()),
                pair_hash: hash(&key, format!("{name}:{password}").as_bytes()),
                a1: md5_hex(&[name, REALM, password]),
                access: user.access.clone(),
                is_admin: user.is_admin,
            }
        };
        Self {
            nobody: hex(hash(&key, b"nobody").first_chunk().copied().unwrap_or_default()),
            key,
            all: users.iter().map(account).collect(),
        }
    }

    /// The account that has this `name:password`.
    pub(crate) fn by_basic(&self, pair: &[u8]) -> Option<&Account> {
        self.found(&self.try_basic(pair))
    }

    /// The account that has this name, and the password with which the answer to a challenge was made. Whether the
    /// challenge was ours is another question.
    pub(crate) fn by_digest(&self, answer: &Answer, method: &str) -> Option<&Account> {
        self.found(&self.try_digest(answer, method))
    }

    /// The account among these that has the name and the password of `account`, which may be one of other `Accounts`.
    pub(crate) fn same_as(&self, account: &Account) -> Option<&Account> {
        let mut all = self.all.iter();
        all.find(|mine| mine.name == account.name && bool::from(mine.a1.ct_eq(&account.a1)))
    }

    /// Whether `account`, which may be one of other `Accounts`, is one of these as it is: with the same password and rights.
    pub(crate) fn has(&self, account: &Account) -> bool {
        let has_same_rights =
            |mine: &Account| mine.access == account.access && mine.is_admin == account.is_admin;
        self.same_as(account).is_some_and(has_same_rights)
    }

    fn try_basic(&self, pair: &[u8]) -> Tried {
        let given = hash(&self.key, pair);
        let mut tried = Tried::default();
        for account in &self.all {
            tried.keep(account.pair_hash.ct_eq(&given));
        }
        Tried {
            is_right: Choice::from(1),
            ..tried
        }
    }

    fn try_digest(&self, answer: &Answer, method: &str) -> Tried {
        let given = hash(&self.key, answer.username.as_bytes());
        let mut a1 = self.nobody;
        let mut tried = Tried::default();
        for account in &self.all {
            let is_it = account.name_hash.ct_eq(&given);
            for (mine, theirs) in a1.iter_mut().zip(&account.a1) {
                mine.conditional_assign(theirs, is_it);
            }
            tried.keep(is_it);
        }
        let a2 = md5_hex(&[method, &answer.uri]);
        let expected = md5(&[&a1, answer.nonce.as_bytes(), &a2]);
        Tried {
            is_right: expected.ct_eq(&answer.response),
            ..tried
        }
    }

    /// The account that was found. This is the one branch, after all has been compared.
    fn found(&self, tried: &Tried) -> Option<&Account> {
        let index = usize::try_from(tried.index).ok()?;
        bool::from(tried.is_known & tried.is_right).then(|| self.all.get(index))?
    }
}

/// The result of comparing credentials with all accounts.
struct Tried {
    compared: u64,
    /// The account that fitted.
    index: u64,
    /// Whether one did.
    is_known: Choice,
    /// Whether the password was that account's.
    is_right: Choice,
}

impl Default for Tried {
    fn default() -> Self {
        Self {
            compared: 0,
            index: 0,
            is_known: Choice::from(0),
            is_right: Choice::from(0),
        }
    }
}

impl Tried {
    fn keep(&mut self, is_it: Choice) {
        self.index.conditional_assign(&self.compared, is_it);
        self.is_known |= is_it;
        self.compared += 1;
    }
}

fn hash(key: &[u8; 32], text: &[u8]) -> Sha {
    Sha256::new()
        .chain_update(key)
        .chain_update(text)
        .finalize()
        .into()
}

/// The MD5 of the parts with colons between them.
fn md5(parts: &[&[u8]]) -> [u8; 16] {
    let mut md5 = Md5::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            md5.update(b":");
        }
        md5.update(part);
    }
    md5.finalize().into()
}

fn md5_hex<T: AsRef<str>>(parts: &[T]) -> Hex {
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_ref().as_bytes()).collect();
    hex(md5(&parts))
}

fn hex(bytes: [u8; 16]) -> Hex {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut hex = [0; 32];
    for (pair, byte) in hex.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    hex
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::config::Login;

    fn user(name: &str, password: &str) -> User {
        User {
            login: Login {
                username: name.into(),
                password: password.into(),
            },
            access: Access::All,
            is_admin: false,
        }
    }

    fn accounts() -> Accounts {
        Accounts::new([3; 32], &[user("anna", "a:1"), user("bob", ""), user("zoë", "ü")])
    }

    fn name(account: Option<&Account>) -> Option<&str> {
        account.map(|account| account.name.as_str())
    }

    #[test]
    fn basic_takes_the_pair_as_a_whole() {
        let accounts = accounts();
        for (pair, whose) in [("anna:a:1", "anna"), ("bob:", "bob"), ("zoë:ü", "zoë")] {
            assert_eq!(name(accounts.by_basic(pair.as_bytes())), Some(whose));
        }
        for pair in [
            "",
            "anna",
            "anna:",
            "anna:a",
            "anna:a:1 ",
            "bob:a:1",
            "nobody:a:1",
            "bob",
            ":",
        ] {
            assert_eq!(name(accounts.by_basic(pair.as_bytes())), None, "{pair}");
        }
    }

    fn answer(name: &str, password: &str, method: &str) -> Answer {
        let a1 = md5_hex(&[name, REALM, password]);
        let a2 = md5_hex(&[method, "rtsp://host/live"]);
        Answer {
            username: name.into(),
            nonce: "nonce".into(),
            uri: "rtsp://host/live".into(),
            response: md5(&[&a1, b"nonce", &a2]),
        }
    }

    #[test]
    fn digest_takes_what_the_password_makes_of_the_challenge() {
        let accounts = accounts();
        for (whose, password) in [("anna", "a:1"), ("bob", ""), ("zoë", "ü")] {
            let answer = answer(whose, password, "DESCRIBE");
            assert_eq!(name(accounts.by_digest(&answer, "DESCRIBE")), Some(whose));
            assert_eq!(name(accounts.by_digest(&answer, "SETUP")), None);
        }
        for (other, password) in [("anna", ""), ("bob", "a:1"), ("nobody", "a:1"), ("", "")] {
            let answer = answer(other, password, "PLAY");
            assert_eq!(name(accounts.by_digest(&answer, "PLAY")), None, "{other}");
        }
    }

    /// A wrong name costs as much as a wrong password, and both cost as much as the right ones.
    #[test]
    fn everything_is_held_against_every_account() {
        let accounts = accounts();
        for pair in ["anna:a:1", "zoë:ü", "anna:wrong", "nobody:a:1", ""] {
            assert_eq!(accounts.try_basic(pair.as_bytes()).compared, 3, "{pair}");
        }
        for whose in ["anna", "zoë", "nobody", ""] {
            assert_eq!(
                accounts
                    .try_digest(&answer(whose, "a:1", "PLAY"), "PLAY")
                    .compared,
                3,
                "{whose}"
            );
        }
    }

    /// The sums are done for a name that nobody has as well: an answer made with them would be right, and yet be
    /// nobody's.
    #[test]
    fn a_name_that_nobody_has_is_tried_with_sums_of_its_own() {
        let accounts = accounts();
        let a2 = md5_hex(&["PLAY", "/"]);
        let answer = Answer {
            username: "nobody".into(),
            nonce: String::new(),
            uri: "/".into(),
            response: md5(&[&accounts.nobody, b"", &a2]),
        };
        let tried = accounts.try_digest(&answer, "PLAY");
        assert!(bool::from(tried.is_right) && !bool::from(tried.is_known));
        assert_eq!(name(accounts.by_digest(&answer, "PLAY")), None);
    }

    /// RFC 2617, section 3.5, as RFC 2069 sums it up without `qop`.
    #[test]
    fn the_sums_are_those_of_the_rfc() {
        let a1 = md5_hex(&["Mufasa", "testrealm@host.com", "Circle Of Life"]);
        assert_eq!(&a1, b"939e7578ed9e3c518a452acee763bce9");
        let a2 = md5_hex(&["GET", "/dir/index.html"]);
        assert_eq!(&a2, b"39aff3a2bab6126f332b942af96d3366");
        let response = md5(&[&a1, b"dcd98b7102dd2f0e8b11d0f600bfb0c093", &a2]);
        assert_eq!(&hex(response), b"670fd8c2df070c60b045671b8b24ff02");
    }

    #[test]
    fn a_user_sees_what_is_listed() {
        let place = |path: &str| Mount {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            tls: false,
            path: path.into(),
        };
        let guest = User {
            access: Access::Only([place("/door")].into()),
            ..user("guest", "g")
        };
        let accounts = Accounts::new([3; 32], &[guest, user("anna", "a")]);
        let guest = accounts.by_basic(b"guest:g").expect("a user");
        assert!(guest.may_see(&place("/door")) && !guest.may_see(&place("/yard")));
        let anna = accounts.by_basic(b"anna:a").expect("a user");
        assert!(anna.may_see(&place("/door")) && anna.may_see(&place("/yard")));
    }

    #[test]
    fn no_password_is_shown() {
        let shown = format!("{:?}", Accounts::new([3; 32], &[user("anna", "open-sesame")]));
        assert!(
            shown.contains("anna") && !shown.contains("open-sesame"),
            "{shown}"
        );
    }
}
