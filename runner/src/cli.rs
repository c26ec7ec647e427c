//! The command line: what it takes, and what each option does.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use tracing::{info, warn};

use crate::{
    config::{self, Authentication, Config, Encoder, HttpConfig, ListenAt, Multicast, Transport, User},
    config_file::{self, DEFAULT_HTTP_ADDRESS, DEFAULT_HTTP_TOKEN, Environment, Loaded, port_key},
    ctl, healthcheck,
    launch::{self, audio, codecs, picture},
    log,
    output::print,
    run,
};

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("COMMIT_ID"),
    ", ",
    env!("BUILD_REL_DATE"),
    ")"
);

/// How many streams `--check` describes at most.
const STREAMS_SHOWN: usize = 5;
/// How many users it names at most.
const USERS_SHOWN: usize = 5;

/// An RTSP test camera whose picture is a clock with milliseconds and the number of its viewers.
#[derive(Debug, Parser)]
#[command(name = "rtsp-clock-server", version = VERSION, after_help = after_help(), args_conflicts_with_subcommands = true)]
pub struct Arguments {
    /// Read the configuration from this file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    action: Action,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to do with a server that runs.
#[derive(Debug, Subcommand)]
enum Command {
    Ctl(ctl::Arguments),
}

/// What to do in place of serving; one at most.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
struct Action {
    /// Report all mistakes in the configuration, or what it says, and exit
    #[arg(long)]
    check: bool,
    /// Print the pipeline as the server runs it, or as a line to paste behind gst-launch-1.0 (sends RTP to ports 5004
    /// and, with sound, 5006 of this machine), and exit
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true, default_missing_value = "factory")]
    print_launch: Option<LaunchForm>,
    /// Print the JSON Schema of the configuration and exit
    #[arg(long)]
    print_schema: bool,
    /// Print the flags that "docker run" needs for this configuration, to open ports or to share the host's network, and
    /// exit
    #[arg(long)]
    print_docker_flags: bool,
    /// Print the path of each file that this configuration names, whether it is there or not, one a line, and exit
    #[arg(long)]
    print_files: bool,
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

/// What `--help` says behind the options.
fn after_help() -> String {
    format!(
        "\
The configuration is FILE, else the file that CONFIG_PATH names, else ./config.json, else defaults.
These variables override it:
{}
RTSP_H264_GOP is the older name of RTSP_KEY_FRAME_INTERVAL.
RTSP_DEFAULT_RTP_PORT_RANGE is the port range where neither the file nor RTSP_RTP_PORT_RANGE gives one;
{DEFAULT_HTTP_ADDRESS} and {DEFAULT_HTTP_TOKEN} are such defaults, too.
RTSP_PUBLIC_ADDRESSES lists, with spaces between, the hosts (or HOST:PORT) to show in URLs.
An empty one counts as unset; for the user name, the password, RTP's ports, multicast's addresses,
the pipeline and TLS's files it means none.
RUST_LOG says how much is logged, in place of logLevel. GST_DEBUG asks GStreamer for its own log.

Exit status: 0 after SIGINT or SIGTERM or when all is well, 1 after an error.",
        in_columns(&config_file::variables().collect::<Vec<_>>())
    )
}

/// Indented lines of three names each.
fn in_columns(names: &[&str]) -> String {
    let line = |names: &[&str]| {
        let padded: Vec<_> = names.iter().map(|name| format!("  {name:<29}")).collect();
        padded.concat().trim_end().to_owned()
    };
    names.chunks(3).map(line).collect::<Vec<_>>().join("\n")
}

/// Does what the command line asks for.
///
/// # Errors
/// Whatever a person has to know; it makes the exit status 1.
pub fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if let Some(Command::Ctl(command)) = &arguments.command {
        return ctl::run(command, arguments.config.as_deref());
    }
    log::listen();
    let action = &arguments.action;
    if action.print_schema {
        return print(&serde_json::to_string_pretty(&config_file::schema::schema())?);
    }
    if action.print_files {
        return print_files(arguments.config.as_deref());
    }
    let loaded = config_file::load(arguments.config.as_deref(), &Environment::of_process())?;
    let config = &loaded.config;
    log::start(&log::Settings {
        filter: config.log_level.clone(),
        format: config.log_format,
    })?;
    tell_source(&loaded);
    if action.check {
        print(&summary(&loaded))
    } else if let Some(form) = action.print_launch {
        print_launch(config, form)
    } else if action.print_docker_flags {
        print(&docker_flags(config)?)
    } else if action.healthcheck {
        healthcheck::check(config)
    } else {
        let file = arguments.config.clone();
        run::run(&loaded, Environment::of_process(), move || {
            config_file::load(file.as_deref(), &Environment::of_process())
        })
    }
}

fn tell_source(loaded: &Loaded) {
    info!(target: "config", "configuration: {}", loaded.source);
    if !loaded.variables.is_empty() {
        info!(target: "config", "and from the environment: {}", loaded.variables.join(", "));
    }
    for warning in &loaded.warnings {
        warn!(target: "config", "{warning}");
    }
}

fn print_files(named: Option<&Path>) -> anyhow::Result<()> {
    let files = config_file::files(named, &Environment::of_process());
    files
        .iter()
        .try_for_each(|file| print(&file.display().to_string()))
}

fn print_launch(config: &Config, form: LaunchForm) -> anyhow::Result<()> {
    match form {
        LaunchForm::Factory => {
            let lines: Vec<String> = config.streams.iter().map(launch::launch_string).collect();
            print(&lines.join("\n"))
        }
        LaunchForm::GstLaunch => {
            let stream = config.streams.first().context("there is no stream")?;
            if config.streams.len() > 1 {
                info!(target: "config",
                    "of {} streams this is the first, {}",
                    config.streams.len(),
                    stream.name()
                );
            }
            if stream.pipeline.is_none() {
                info!(target: "config", "to watch it: {}", picture::receiver_line(stream.codec));
            }
            if let Some(codec) = stream.audio {
                info!(target: "config", "to hear it: {}", audio::receiver_line(codec));
            }
            print(&launch::gst_launch_line(stream))
        }
    }
}

/// What a configuration says, some lines for the server and for each of the first streams. The password is not among it.
fn summary(loaded: &Loaded) -> String {
    let Config {
        rtp_ports,
        multicast,
        authentication,
        http,
        streams,
        ..
    } = &loaded.config;
    let login = log_in(&loaded.config.all_users(), *authentication);
    let rtp_ports = rtp_ports.map_or_else(|| "chosen by the system".into(), |ports| ports.to_string());
    let mut lines = vec![format!("OK: {}", loaded.source)];
    lines.extend(streams.iter().take(STREAMS_SHOWN).map(stream_summary));
    if let Some(more) = streams.len().checked_sub(STREAMS_SHOWN).filter(|more| *more > 0) {
        lines.push(format!("  and {more} streams more"));
    }
    lines.push(format!(
        "  log-in          {login}\n  RTP's UDP ports {rtp_ports}"
    ));
    lines.push(format!(
        "  HTTP            {}",
        http.as_ref().map_or("none".into(), http_summary)
    ));
    if let Some(Multicast { groups, ports, ttl }) = multicast {
        lines.push(format!("  multicast       {groups}, ports {ports}, TTL {ttl}"));
    }
    lines.join("\n")
}

fn http_summary(http: &HttpConfig) -> String {
    let scheme = if http.tls { "https" } else { "http" };
    let at = SocketAddr::new(http.address, http.port);
    let token = if http.token.is_empty() {
        "no token"
    } else {
        "a token"
    };
    format!("{scheme}://{at}/, {token}")
}

/// Who may log in, and how they do where that is not the usual way.
fn log_in(users: &[User], authentication: Authentication) -> String {
    if users.is_empty() {
        return "none".into();
    }
    let names = users.iter().take(USERS_SHOWN);
    let mut names: Vec<String> = names.map(|user| format!("{:?}", user.login.username)).collect();
    if let Some(more) = users.len().checked_sub(USERS_SHOWN).filter(|more| *more > 0) {
        names.push(format!("{more} more"));
    }
    let way = match authentication {
        Authentication::Both => String::new(),
        one => format!(", by {one} only"),
    };
    format!("as {}{way}", names.join(", "))
}

fn stream_summary(stream: &config::StreamConfig) -> String {
    let places = stream.mounts.chunk_by(|one, other| one.tls == other.tls);
    let places: Vec<_> = places.filter_map(places_summary).collect();
    let places = places.join("\n                  ");
    let transports = (stream.transports != Transport::USUAL.into()).then(|| transports(stream));
    let sound = stream.audio.map(|codec| format!("\n  sound           {codec}"));
    let always_on = if stream.always_on { ", always on" } else { "" };
    format!(
        "  listens on      {places}\n  picture         {}{always_on}{}{}",
        picture(stream),
        sound.unwrap_or_default(),
        transports.unwrap_or_default()
    )
}

/// Places of one stream, which are with TLS or without.
fn places_summary(mounts: &[config::Mount]) -> Option<String> {
    let first = mounts.first()?;
    let kind = if first.tls { " (TLS)" } else { "" };
    let place = format!("{}{kind}, path {}", first.endpoint(), first.path);
    Some(match mounts.len() {
        1 => place,
        all => format!("{place} and {} more with the same picture", all - 1),
    })
}

fn transports(stream: &config::StreamConfig) -> String {
    let names: Vec<String> = stream.transports.iter().map(ToString::to_string).collect();
    format!("\n  transports      {}", names.join(", "))
}

fn picture(stream: &config::StreamConfig) -> String {
    let config::StreamConfig {
        codec,
        width,
        height,
        frames_per_second,
        key_frame_interval,
        bitrate_kbps,
        constant_bitrate,
        encoder,
        jpeg_quality,
        pipeline,
        ..
    } = stream;
    if pipeline.is_some() {
        return "by a pipeline of its own".into();
    }
    let picture = format!("{codec} {width}x{height} at {frames_per_second} frames a second");
    let frames = if codecs::video(*codec).has_quality {
        format!("quality {jpeg_quality}")
    } else {
        format!("key frame interval {key_frame_interval}")
    };
    let kind = if *constant_bitrate { "constant " } else { "" };
    let bitrate = bitrate_kbps.map(|kbps| format!("{kind}{kbps} kbit/s"));
    let encoder = (*encoder != Encoder::Auto).then(|| format!("by {encoder}"));
    let parts: Vec<String> = [Some(picture), Some(frames), bitrate, encoder]
        .into_iter()
        .flatten()
        .collect();
    parts.join(", ")
}

/// The flags that open a container's ports. RTSP tells viewers the ports, so that each is the same outside and inside.
/// Multicast does not leave a network of the container's own.
fn docker_flags(config: &Config) -> anyhow::Result<String> {
    if config.multicast.is_some() {
        // There its own address is everybody's.
        return Ok(format!("--network host --env={DEFAULT_HTTP_ADDRESS}=127.0.0.1"));
    }
    let mut ports = BTreeSet::new();
    for ListenAt { tls, address } in config.listens_at() {
        ensure!(
            address.port() != 0,
            "{} is 0 (any free port): a container has to be told which one to open",
            port_key(tls)
        );
        ensure!(
            address.ip().is_unspecified(),
            "serverIPAddress is {}, at which nobody outside of the container reaches the server: use \"0.0.0.0\"",
            address.ip()
        );
        ports.insert(address.port());
    }
    let control = ranges(&ports)
        .into_iter()
        .map(|ports| format!("-p {ports}:{ports}/tcp"));
    let media = config.rtp_ports.map(|ports| format!("-p {ports}:{ports}/udp"));
    let http = config
        .http
        .as_ref()
        .map(http_flags)
        .transpose()?
        .into_iter()
        .flatten();
    Ok(control.chain(media).chain(http).collect::<Vec<_>>().join(" "))
}

/// The flags that open the HTTP server's port to this machine alone. Who asks comes through the container's gateway, not from
/// its own machine: changes take a token, and the last flag asks for one where there is none.
fn http_flags(http: &HttpConfig) -> anyhow::Result<Vec<String>> {
    if !http.address.is_unspecified() {
        return Ok(Vec::new());
    }
    let port = http.port;
    ensure!(
        port != 0,
        "http.port is 0 (any free port): a container has to be told which one to open"
    );
    let token = http
        .token
        .is_empty()
        .then(|| format!("--env={DEFAULT_HTTP_TOKEN}"));
    Ok([Some(format!("-p 127.0.0.1:{port}:{port}/tcp")), token]
        .into_iter()
        .flatten()
        .collect())
}

/// Ports as Docker takes them: one by itself, neighbours as a range.
fn ranges(ports: &BTreeSet<u16>) -> Vec<String> {
    let mut ranges: Vec<(u16, u16)> = Vec::new();
    for port in ports {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == *port => *last = *port,
            _ => ranges.push((*port, *port)),
        }
    }
    let show = |(first, last)| {
        if first == last {
            format!("{first}")
        } else {
            format!("{first}-{last}")
        }
    };
    ranges.into_iter().map(show).collect()
}
