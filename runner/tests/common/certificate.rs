//! A certificate that signs itself, made anew for each test.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use rtsp_clock_server::config::TlsFiles;

/// A certificate and its key, in files that go with it.
pub struct Certificate {
    directory: PathBuf,
}

impl Certificate {
    pub fn new() -> Self {
        let certificate = Self::in_a_folder();
        certificate.renew();
        certificate
    }

    /// One that says for which address it is, as a client wants it that knows it to be trusted.
    pub fn signed_for(address: &str) -> Self {
        let certificate = Self::in_a_folder();
        let name = format!("subjectAltName=IP:{address}");
        certificate.make(&["-addext", &name, "-addext", "basicConstraints=critical,CA:FALSE"]);
        certificate
    }

    fn in_a_folder() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "certificate-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::Relaxed)
        );
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).expect("a directory");
        Self { directory }
    }

    /// Others in the same files.
    pub fn renew(&self) {
        self.make(&[]);
    }

    fn make(&self, extensions: &[&str]) {
        let output = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ])
            .args(["-nodes", "-days", "2", "-subj", "/CN=localhost"])
            .args(["-keyout", "key.pem", "-out", "certificate.pem"])
            .args(extensions)
            .current_dir(&self.directory)
            .output()
            .expect("openssl is installed");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    pub fn files(&self) -> TlsFiles {
        let file = |name| self.directory.join(name);
        TlsFiles::new(file("certificate.pem"), file("key.pem"))
    }

    pub fn certificate(&self) -> String {
        self.files().certificate.display().to_string()
    }

    pub fn private_key(&self) -> String {
        self.files().private_key.display().to_string()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
