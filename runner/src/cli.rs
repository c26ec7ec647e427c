//! The command line: what it takes, and what each option does.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::config::{self, Config, Environment, Loaded};
use crate::{healthcheck, launch, server};

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("COMMIT_ID"),
    ", ",
    env!("BUILD_REL_DATE"),
    ")"
);

const AFTER_HELP: &str = "\
The configuration is FILE, else the file that CONFIG_PATH names, else ./config.json, else defaults.
These variables override it:
  RTSP_VIEWER_USERNAME   RTSP_SERVER_IP     RTSP_VIDEO_CODEC       RTSP_H264_GOP
  RTSP_VIEWER_PASSWORD   RTSP_SERVER_PORT   RTSP_VIDEO_RESOLUTION  RTSP_STREAM_PATH
  RTSP_RTP_PORT_RANGE                       RTSP_FPS
RTSP_DEFAULT_RTP_PORT_RANGE is the port range where neither the file nor RTSP_RTP_PORT_RANGE gives one.
RTSP_PUBLIC_ADDRESSES lists, with spaces between, the hosts (or HOST:PORT) to show in URLs.
An empty one counts as unset; for the user name, the password and the port range it means none.
RUST_LOG sets how much is logged (error, warn, info, debug, trace).

Exit status: 0 after SIGINT or SIGTERM or when all is well, 1 after an error.";

/// An RTSP test camera whose picture is a clock with milliseconds and the number of its viewers.
#[derive(Debug, Parser)]
#[command(name = "rtsp-clock-server", version = VERSION, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Read the configuration from this file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    action: Action,
}

/// What to do in place of serving; one at most.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Action {
    /// Report all mistakes in the configuration, or what it says, and exit
    #[arg(long)]
    check: bool,
    /// Print the pipeline as the server runs it, or as a line to paste behind gst-launch-1.0 (sends RTP to port 5004 of
    /// this machine), and exit
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "factory")]
    print_launch: Option<LaunchForm>,
    /// Print the JSON Schema of the configuration and exit
    #[arg(long)]
    print_schema: bool,
    /// Print the -p flags that "docker run" needs for this configuration and exit
    #[arg(long)]
    print_docker_flags: bool,
    /// Ask the running server of this configuration whether it answers, and exit
    #[arg(long)]
    healthcheck: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LaunchForm {
    /// The launch string of the media factory
    Factory,
    /// Quoted for a shell, without parentheses
    GstLaunch,
}

/// Does what the command line says.
///
/// # Errors
/// What a person has to know, and what makes the exit status 1.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    start_log()?;
    let action = &arguments.action;
    if action.print_schema {
        return print(&serde_json::to_string_pretty(&config::schema::schema())?);
    }
    let loaded = config::load(arguments.config.as_deref(), &Environment::of_process())?;
    tell_source(&loaded);
    let config = &loaded.config;
    if action.check {
        print(&summary(&loaded))
    } else if let Some(form) = action.print_launch {
        print_launch(config, form)
    } else if action.print_docker_flags {
        print(&docker_flags(config)?)
    } else if action.healthcheck {
        healthcheck::check(config)
    } else {
        server::run(config)
    }
}

/// Logs to stderr, from `info` on unless `RUST_LOG` says otherwise.
fn start_log() -> anyhow::Result<()> {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .from_env()
        .context("RUST_LOG cannot be used")?;
    let stderr = std::io::stderr;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(stderr)
        .with_ansi(stderr().is_terminal())
        .init();
    Ok(())
}

fn tell_source(loaded: &Loaded) {
    info!("configuration: {}", loaded.source);
    if !loaded.variables.is_empty() {
        info!("and from the environment: {}", loaded.variables.join(", "));
    }
    for warning in &loaded.warnings {
        warn!("{warning}");
    }
}

/// A line to stdout. Whoever closed it early (`| head`) has seen enough.
fn print(line: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

fn print_launch(config: &Config, form: LaunchForm) -> anyhow::Result<()> {
    match form {
        LaunchForm::Factory => print(&launch::launch_string(&config.stream)),
        LaunchForm::GstLaunch => {
            info!("to watch it: {}", launch::receiver_line(config.stream.codec));
            print(&launch::gst_launch_line(&config.stream))
        }
    }
}

/// What a configuration says, in four lines. The password is not among it.
fn summary(loaded: &Loaded) -> String {
    let Config {
        address,
        port,
        rtp_ports,
        login,
        stream,
    } = &loaded.config;
    let listen = std::net::SocketAddr::new(*address, *port);
    let login = login
        .as_ref()
        .map_or_else(|| "none".into(), |login| format!("as {:?}", login.username));
    let rtp_ports = rtp_ports.map_or_else(|| "chosen by the system".into(), |ports| ports.to_string());
    let picture = picture(stream);
    let source = &loaded.source;
    format!(
        "OK: {source}\n  listens on      {listen}, path {}\n  picture         {picture}\n  log-in          {login}\n  \
         RTP's UDP ports {rtp_ports}",
        stream.path
    )
}

fn picture(stream: &config::StreamConfig) -> String {
    let config::StreamConfig {
        codec,
        width,
        height,
        frames_per_second,
        ..
    } = stream;
    let picture = format!("{codec} {width}x{height} at {frames_per_second} frames a second");
    match codec {
        config::VideoCodec::H264 => {
            format!("{picture}, key frame interval {}", stream.h264_key_frame_interval)
        }
        config::VideoCodec::Mjpeg => picture,
    }
}

/// The flags that open a container's ports. RTSP tells viewers the ports, so that each is the same outside and inside.
fn docker_flags(config: &Config) -> anyhow::Result<String> {
    ensure!(
        config.port != 0,
        "serverPort is 0 (any free port): a container has to be told which one to open"
    );
    ensure!(
        config.address.is_unspecified(),
        "serverIPAddress is {}, at which nobody outside of the container reaches the server: use \"0.0.0.0\"",
        config.address
    );
    let control = format!("-p {0}:{0}/tcp", config.port);
    let media = config
        .rtp_ports
        .map(|ports| format!(" -p {ports}:{ports}/udp"))
        .unwrap_or_default();
    Ok(control + &media)
}
