//! The servers that are played, here or at the other end of a cable.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{
    certificate::Certificate,
    namespace::{CAMERA, Cabled},
    process::{Log, Process},
};
use crate::table::Cell;

/// A server with a stream for each cell that needs the same keys.
pub(crate) enum Camera {
    Here(Process),
    Cabled(Cabled),
}

impl Camera {
    pub(crate) fn log(&self) -> &Log {
        match self {
            Self::Here(server) => server.log(),
            Self::Cabled(cabled) => cabled.server().log(),
        }
    }

    /// Where the server says that the cell's stream is.
    pub(crate) fn url(&self, cell: &Cell) -> Result<String, String> {
        let host = match self {
            Self::Here(_) => "127.0.0.1",
            Self::Cabled(_) => CAMERA,
        };
        let begin = format!("{}://{host}:", cell.transport.scheme);
        let path = cell.path();
        let port = self.log().lines().iter().find_map(|line| {
            let (_, rest) = line.split_once(&begin)?;
            rest.strip_suffix(&path)?.parse::<u16>().ok()
        });
        let port = port.ok_or_else(|| format!("the server never says where {path} is"))?;
        Ok(format!("{begin}{port}{path}"))
    }
}

/// A server for each set of keys.
pub(crate) struct Cameras {
    by_keys: BTreeMap<String, Camera>,
    /// Goes with the servers.
    _certificate: Certificate,
}

impl Cameras {
    /// Tests run side by side: each has a name for its files.
    pub(crate) fn start(test: &str, cells: &[Cell]) -> Self {
        let certificate = Certificate::new();
        let mut sets: BTreeMap<String, Vec<&Cell>> = BTreeMap::new();
        for cell in cells {
            sets.entry(cell.keys()).or_default().push(cell);
        }
        let start = |(number, (keys, cells)): (usize, (String, Vec<&Cell>))| {
            let file = folder().join(format!("{test}-{number}.json"));
            std::fs::write(&file, config(&keys, &cells)).expect("a configuration");
            let configure = |command: &mut Command| {
                command.arg("--config").arg(file);
                if cells[0].transport.scheme == "rtsps" {
                    command
                        .env("RTSP_TLS_CERTIFICATE", certificate.certificate())
                        .env("RTSP_TLS_PRIVATE_KEY", certificate.private_key());
                }
            };
            let camera = if cells[0].takes_a_cable() {
                Camera::Cabled(Cabled::start(configure))
            } else {
                Camera::Here(Process::start(configure))
            };
            (keys, camera)
        };
        Self {
            by_keys: sets.into_iter().enumerate().map(start).collect(),
            _certificate: certificate,
        }
    }

    pub(crate) fn of(&self, cell: &Cell) -> &Camera {
        &self.by_keys[&cell.keys()]
    }
}

fn config(keys: &str, cells: &[&Cell]) -> String {
    let streams = cells.iter().map(|cell| {
        format!(
            r#"{{"rtspStreamPath": "{}", "videoCodec": "{}", "encoder": "{}"}}"#,
            cell.path(),
            cell.codec,
            cell.encoder
        )
    });
    format!(
        r#"{{"videoResolution": "320x240", "framesPerSecond": 25, {keys} "streams": [{}]}}"#,
        streams.collect::<Vec<_>>().join(",")
    )
}

pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("matrix");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
