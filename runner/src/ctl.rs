//! `rtsp-clock-server ctl`: sees and steers a running server from a shell, by its HTTP API.
//!
//! | module | job |
//! | --- | --- |
//! | `access` | where the server is, and how to log in |
//! | `client` | asks it, and says what it answers where something is wrong |
//! | `values` | what stands on the command line, as JSON |
//! | `shown` | answers as tables |
//! | `events` | follows what happens |

use std::{
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::output::print;

mod access;
mod client;
mod events;
mod shown;
mod values;

use access::Access;
use client::Client;

/// How many streams are asked for at a time.
const PAGE: usize = 200;

/// See and steer a running server by its HTTP API.
///
/// Its address and token are those of the configuration: of FILE and of the variables, as the server finds them.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    access: Access,
    /// Print what the server answers, as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// How long a change lasts.
#[derive(Debug, Args)]
struct Keeping {
    /// Have the server write it into its file as well
    #[arg(long)]
    save: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the streams
    List,
    /// Show a stream
    Show {
        /// The stream's id
        id: String,
    },
    /// Change keys of a stream's configuration
    Set {
        /// The stream's id
        id: String,
        /// The keys as key=value: JSON values, or plain words; key=null takes a key out
        #[arg(required = true, value_name = "KEY=VALUE")]
        keys: Vec<String>,
        /// Change what takes another stream in its place, or has it found elsewhere, too: its viewers are sent away
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        keeping: Keeping,
    },
    /// Add streams
    Add {
        /// An entry as in "streams", as JSON; - for stdin
        file: PathBuf,
        #[command(flatten)]
        keeping: Keeping,
    },
    /// End a stream, with its viewers
    Remove {
        /// The stream's id
        id: String,
        #[command(flatten)]
        keeping: Keeping,
    },
    /// List who plays what
    Viewers {
        /// The stream's id; none for all streams
        id: Option<String>,
    },
    /// End the session of a viewer
    Kick {
        /// The session
        session: String,
    },
    /// Have the next frame of a stream be a key frame
    Keyframe {
        /// The stream's id
        id: String,
    },
    /// Print what happens, a line each, until the server ends
    Events(events::Which),
    /// Save the next frame of a stream as a picture
    Snapshot {
        /// The stream's id
        id: String,
        /// Where to: a name that ends with .jpg or .png, or - for a JPEG on stdout
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        /// How wide it is to be, in px
        #[arg(long, value_name = "PX")]
        width: Option<u32>,
    },
    /// Have the server read its configuration again
    Reload,
}

/// Does what is asked for; `config` is the file that the command line names.
///
/// # Errors
/// When the server cannot be asked, or refuses.
pub(crate) fn run(arguments: &Arguments, config: Option<&Path>) -> anyhow::Result<()> {
    let client = arguments.access.client(config)?;
    let show = |answer: &Value, table: fn(&Value) -> String| {
        if arguments.json {
            print(&serde_json::to_string_pretty(answer)?)
        } else {
            print(&table(answer))
        }
    };
    match &arguments.command {
        Command::List => show(&streams(&client)?, shown::streams),
        Command::Show { id } => show(&client.get(&stream(id, ""))?, shown::stream),
        Command::Set {
            id,
            keys,
            replace,
            keeping,
        } => {
            let path = stream(id, &format!("/config?replace={replace}&save={}", keeping.save));
            show(
                &client.send("PATCH", &path, &values::patch(keys)?)?,
                shown::changes,
            )
        }
        Command::Add { file, keeping } => {
            let path = format!("/api/v1/streams?save={}", keeping.save);
            show(&client.send("POST", &path, &read_json(file)?)?, shown::changes)
        }
        Command::Remove { id, keeping } => {
            let path = stream(id, &format!("?save={}", keeping.save));
            show(&client.order("DELETE", &path)?, shown::changes)
        }
        Command::Viewers { id: None } => show(&client.get("/api/v1/viewers")?, shown::viewers),
        Command::Viewers { id: Some(id) } => show(&client.get(&stream(id, "/viewers"))?, shown::viewers),
        Command::Kick { session } => {
            let path = format!("/api/v1/viewers/{}", values::in_path(session));
            client.order("DELETE", &path).map(drop)
        }
        Command::Keyframe { id } => client.order("POST", &stream(id, "/keyframe")).map(drop),
        Command::Events(which) => events::follow(&client, which, arguments.json),
        Command::Snapshot { id, output, width } => {
            let taken = snapshot(&client, id, output, *width)?;
            if output == Path::new("-") {
                return Ok(());
            }
            show(&taken, shown::snapshot)
        }
        Command::Reload => show(&client.order("POST", "/api/v1/reload")?, shown::changes),
    }
}

/// The path of a stream, and of what is below it.
fn stream(id: &str, below: &str) -> String {
    format!("/api/v1/streams/{}{below}", values::in_path(id))
}

/// All streams, of all pages.
fn streams(client: &Client) -> anyhow::Result<Value> {
    let (mut all, mut page) = (Vec::new(), 0);
    loop {
        let path = format!("/api/v1/streams?itemsPerPage={PAGE}&page={page}");
        let mut answer = client.get(&path)?;
        let items = answer.get_mut("items").map(Value::take);
        let Some(Value::Array(items)) = items else {
            anyhow::bail!("the server answers with no list of streams");
        };
        let is_last = items.len() < PAGE;
        all.extend(items);
        if is_last {
            return Ok(Value::Array(all));
        }
        page += 1;
    }
}

/// The JSON in a file, or on stdin.
fn read_json(file: &Path) -> anyhow::Result<Value> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        io::stdin()
            .read_to_string(&mut text)
            .context("cannot read stdin")?;
        text
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))
}

/// Writes the next frame of a stream into a file; answers which, and the instant that it shows.
fn snapshot(client: &Client, id: &str, output: &Path, width: Option<u32>) -> anyhow::Result<Value> {
    let extension = output
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default();
    let is_stdout = output == Path::new("-");
    let kind = match extension.to_ascii_lowercase().as_str() {
        "png" => "png",
        end => {
            ensure!(
                is_stdout || ["jpg", "jpeg"].contains(&end),
                "{}: the name ends with .jpg or .png",
                output.display()
            );
            "jpg"
        }
    };
    let width = width.map(|width| format!("?width={width}")).unwrap_or_default();
    let picture = client.picture(&stream(id, &format!("/snapshot.{kind}{width}")))?;
    if is_stdout {
        io::stdout()
            .write_all(&picture.bytes)
            .context("cannot write to stdout")?;
    } else {
        std::fs::write(output, &picture.bytes)
            .with_context(|| format!("cannot write {}", output.display()))?;
    }
    Ok(json!({ "file": output, "instant": picture.instant, "bytes": picture.bytes.len() }))
}
