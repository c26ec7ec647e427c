//! What to measure: a URL without its credentials, or a file.

use std::ffi::OsStr;
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::Path;

use anyhow::{Context as _, anyhow, ensure};
use url::Url;

use crate::secrets;

/// A user name and a password. Neither is ever shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user's name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials { .. }")
    }
}

/// The shortest secret that is looked for in words: shorter ones are in any word.
const SHORTEST: usize = 3;

/// A URL or a file.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// As it is shown: the URL without credentials and without the values of secrets in its path and query, the file as
    /// it was named.
    pub name: String,
    /// The URI that GStreamer plays. A log-in is not in it; secrets in its path and query are: it is not shown.
    pub uri: String,
    /// What to log in with.
    pub credentials: Option<Credentials>,
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Target {
    /// A URL, its credentials percent-decoded and taken out of it; or a file that exists. Where the URL has none,
    /// `credentials` are used.
    ///
    /// # Errors
    /// A sentence that does not show the credentials.
    pub fn parse(text: &str, credentials: Option<&Credentials>) -> anyhow::Result<Self> {
        if text.contains("://") {
            Self::of_url(text, credentials)
        } else {
            Self::of_file(Path::new(text))
        }
    }

    /// As [`Target::parse`], of a command line's argument: a file's name need not be UTF-8.
    ///
    /// # Errors
    /// As [`Target::parse`].
    pub fn named(argument: &OsStr, credentials: Option<&Credentials>) -> anyhow::Result<Self> {
        match argument.to_str() {
            Some(text) => Self::parse(text, credentials),
            None => Self::of_file(Path::new(argument)),
        }
    }

    fn of_file(path: &Path) -> anyhow::Result<Self> {
        let name = path.to_string_lossy();
        ensure_file(path)?;
        let whole = path
            .canonicalize()
            .with_context(|| format!("cannot find {name:?}"))?;
        let uri = Url::from_file_path(whole).map_err(|()| anyhow!("cannot make a URI of {name:?}"))?;
        Ok(Self {
            name: name.into_owned(),
            uri: uri.into(),
            credentials: None,
        })
    }

    fn of_url(text: &str, credentials: Option<&Credentials>) -> anyhow::Result<Self> {
        // The text may hold a password: neither it nor the part that cannot be read is shown.
        let mut url = Url::parse(text).map_err(|error| anyhow!("a URL cannot be read: {error}"))?;
        if let ("file", Ok(path)) = (url.scheme(), url.to_file_path()) {
            ensure_file(&path)?;
        }
        let own = own_credentials(&url);
        ensure!(
            url.scheme() == "file" || !has_at_behind_host(&url),
            "a URL has an @ behind its host: in a user name or a password write %23 for #, %2F for /, %3F for ? and \
             %40 for @; in a path or a query %40 for @"
        );
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        // What has no host, as in file:///…, has no credentials either.
        ensure!(
            cleared.is_ok() || own.is_none(),
            "a URL with credentials has no host"
        );
        let uri = String::from(url);
        Ok(Self {
            name: secrets::masked(&uri),
            uri,
            credentials: own.or_else(|| credentials.cloned()),
        })
    }

    /// Foreign words without the password and whatever else of the URL is secret.
    #[must_use]
    pub fn hide(&self, words: &str) -> String {
        let password = self
            .credentials
            .iter()
            .map(|credentials| credentials.password.clone());
        let values = secrets::values(&self.uri).flat_map(|value| [value.to_owned(), percent_decoded(value)]);
        let mut words = words.replace(&self.uri, &self.name);
        for secret in password.filter(|password| !password.is_empty()) {
            words = words.replace(&secret, secrets::MASK);
        }
        for secret in values.filter(|value| value.len() >= SHORTEST) {
            words = words.replace(&secret, secrets::MASK);
        }
        secrets::masked(&words)
    }

    /// The URI's scheme, such as `rtsp`.
    #[must_use]
    pub fn scheme(&self) -> &str {
        self.uri.split(':').next().unwrap_or_default()
    }

    /// Whether RTSP is spoken.
    #[must_use]
    pub fn is_rtsp(&self) -> bool {
        self.scheme().starts_with("rtsp")
    }

    /// Where its server is; empty for a file, or a host that has no address.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let Ok(url) = Url::parse(&self.uri) else {
            return Vec::new();
        };
        let Some(host) = url.host_str() else {
            return Vec::new();
        };
        let port = url.port_or_known_default().unwrap_or(match self.scheme() {
            "rtsps" => 322,
            "rtmp" | "rtmpt" => 1935,
            "rtmps" => 443,
            _ => 554,
        });
        let host = host.trim_start_matches('[').trim_end_matches(']');
        (host, port)
            .to_socket_addrs()
            .map(Iterator::collect)
            .unwrap_or_default()
    }
}

/// Whether `addresses` are this machine's own.
#[must_use]
pub fn is_this_machine(addresses: &[SocketAddr]) -> bool {
    let own: Vec<IpAddr> = if_addrs::get_if_addrs()
        .unwrap_or_default()
        .iter()
        .map(if_addrs::Interface::ip)
        .collect();
    let is_own = |address: &SocketAddr| address.ip().is_loopback() || own.contains(&address.ip());
    !addresses.is_empty() && addresses.iter().all(is_own)
}

fn ensure_file(path: &Path) -> anyhow::Result<()> {
    let name = path.to_string_lossy();
    ensure!(
        !path.is_dir(),
        "{} is a folder: name the files in it, or measure it as one recording with --join",
        file_name(&name)
    );
    ensure!(
        path.is_file(),
        "there is no file {} (a URL begins with rtsp://)",
        file_name(&name)
    );
    Ok(())
}

/// A file as it was named; what may be half a URL with a log-in in it is not shown.
fn file_name(text: &str) -> String {
    if text.contains('@') {
        "of the name given (it has an @ and is not shown)".into()
    } else {
        format!("{:?}", secrets::masked(text))
    }
}

/// As of a password with #, / or ? in it: all behind that is taken for a path, and would be shown.
fn has_at_behind_host(url: &Url) -> bool {
    let parts = [Some(url.path()), url.query(), url.fragment()];
    parts.into_iter().flatten().any(|part| part.contains('@'))
}

fn own_credentials(url: &Url) -> Option<Credentials> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    Some(Credentials {
        username: percent_decoded(url.username()),
        password: percent_decoded(url.password().unwrap_or_default()),
    })
}

/// Bytes that are not UTF-8 once decoded are replaced.
fn percent_decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(username: &str, password: &str) -> Credentials {
        Credentials {
            username: username.into(),
            password: password.into(),
        }
    }

    fn parsed(text: &str) -> Target {
        Target::parse(text, Some(&credentials("everyone", "knows"))).expect("a URL")
    }

    #[test]
    fn credentials_are_taken_out_of_a_url() {
        let target = parsed("rtsp://viewer:p%40ss@192.0.2.1:8554/live?channel=1");
        assert_eq!(target.uri, "rtsp://192.0.2.1:8554/live?channel=1");
        assert_eq!(target.name, target.uri);
        assert_eq!(target.credentials, Some(credentials("viewer", "p@ss")));
        let debug = format!("{target:?}");
        assert!(!debug.contains("p@ss") && !debug.contains("viewer"), "{debug}");
    }

    #[test]
    fn a_secret_in_a_query_is_played_and_not_shown() {
        let target = parsed("rtsp://192.0.2.1/live?user=viewer&password=s%20cret&channel=1");
        assert_eq!(
            target.uri,
            "rtsp://192.0.2.1/live?user=viewer&password=s%20cret&channel=1"
        );
        assert_eq!(
            target.name,
            "rtsp://192.0.2.1/live?user=***&password=***&channel=1"
        );
        let debug = format!("{target:?}");
        assert!(!debug.contains("cret") && !debug.contains("viewer"), "{debug}");
        let words = format!("cannot open {} of viewer with s cret, x?token=y", target.uri);
        assert_eq!(
            target.hide(&words),
            "cannot open rtsp://192.0.2.1/live?user=***&password=***&channel=1 of *** with ***, x?token=***"
        );
    }

    #[test]
    fn a_url_without_credentials_gets_those_of_all() {
        let target = parsed("rtsp://192.0.2.1/live");
        assert_eq!(target.uri, "rtsp://192.0.2.1/live");
        assert_eq!(target.credentials, Some(credentials("everyone", "knows")));
    }

    #[test]
    fn what_is_wrong_with_a_url_is_said_without_its_password() {
        for wrong in [
            "rtsp://viewer:secret@host:99999/live",
            "rtsp://viewer:secret@/live",
            "://viewer:secret@h",
            "viewer:secret@host/live",
            "host/live?user=viewer&password=secret",
            "rtsp://viewer:se#secret@host/live",
            "rtsp://viewer:12#secret@host/live",
            "rtsp://viewer:12/secret@host/live",
            "rtsp://viewer?secret@host/live",
        ] {
            let error = Target::parse(wrong, None).expect_err(wrong);
            assert!(!format!("{error:#}").contains("secret"), "{error:#}");
        }
    }

    #[test]
    fn a_file_has_to_be_there() {
        let error = Target::parse("no such file.mp4", None).expect_err("no such file");
        assert!(error.to_string().contains("no such file.mp4"), "{error}");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let target = parsed(file);
        assert_eq!((target.name.as_str(), target.scheme()), (file, "file"));
        assert_eq!((target.credentials.as_ref(), target.is_rtsp()), (None, false));
        assert_eq!(target.addresses(), []);
    }

    #[test]
    fn a_folder_is_told_from_a_file() {
        let folder = env!("CARGO_MANIFEST_DIR");
        for text in [folder.to_owned(), format!("file://{folder}")] {
            let error = Target::parse(&text, None).expect_err("a folder");
            assert!(error.to_string().contains("is a folder"), "{error}");
        }
        let error = Target::parse("file:///no/such/file.mp4", None).expect_err("no such file");
        assert!(error.to_string().contains("there is no file"), "{error}");
    }

    #[test]
    fn the_port_is_that_of_the_scheme_unless_it_is_given() {
        let port = |text| parsed(text).addresses()[0].port();
        assert_eq!(port("rtsp://127.0.0.1/live"), 554);
        assert_eq!(port("rtsps://127.0.0.1/live"), 322);
        assert_eq!(port("rtsp://[::1]:8554/live"), 8554);
        assert_eq!(port("http://127.0.0.1/live"), 80);
    }

    #[test]
    fn loopback_is_this_machine_and_a_test_network_is_not() {
        assert!(is_this_machine(&parsed("rtsp://127.0.0.1/live").addresses()));
        assert!(is_this_machine(&parsed("rtsp://[::1]/live").addresses()));
        assert!(!is_this_machine(&parsed("rtsp://192.0.2.1/live").addresses()));
        assert!(!is_this_machine(&[]));
    }
}
