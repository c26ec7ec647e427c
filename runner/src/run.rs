//! The process: it serves until a signal ends it, and follows its configuration while it runs.

mod watch;

use std::{cell::RefCell, fs::File, path::Path, rc::Rc, sync::Arc, time::Duration};

use anyhow::Context as _;
use gst::glib;

use self::watch::Watch;
use crate::{
    config::{Config, StreamConfig},
    config_file::{self, Environment, Loaded},
    configuration::{Configuration, Occasion},
    events::Changes,
    http::HttpServer,
    launch,
    server::{Orders, Server},
};

/// How often the configuration's file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A server, and its configuration.
struct Process {
    orders: Orders,
    configuration: Arc<Configuration>,
    /// Whether a change of the file is followed.
    follows: bool,
    watch: Watch,
    /// Whether the configuration is being read anew or taken over at the moment.
    is_reloading: bool,
    /// What has asked for another reload since that one began.
    again: Option<Occasion>,
}

/// The process, once it serves and until it stops.
type Serving = Rc<RefCell<Option<Process>>>;

/// Serves what was `loaded` until SIGINT or SIGTERM. At SIGHUP, and when the file changes if the configuration says so,
/// it serves what `load` answers then.
///
/// # Errors
/// When the server cannot start.
pub(crate) fn run(
    loaded: &Loaded,
    environment: Environment,
    load: impl Fn() -> Result<Loaded, config_file::Error> + Send + Sync + 'static,
) -> anyhow::Result<()> {
    let main_loop = glib::MainLoop::new(None, false);
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let main_loop = main_loop.clone();
        glib_unix::unix_signal_add(signal, move || {
            main_loop.quit();
            glib::ControlFlow::Continue
        });
    }
    let process = Rc::default();
    obey_hang_ups(&main_loop, &process);
    let server = Server::start(&loaded.config)?;
    announce(&server);
    let orders = Orders::start(server).context("cannot start a thread")?;
    let configuration = Configuration::new(orders.clone(), loaded.clone(), environment, Arc::new(load));
    let configuration = Arc::new(configuration);
    let http = HttpServer::start(&loaded.config, &orders, &configuration)?;
    if let Some(http) = &http {
        tracing::info!(target: "http", "{}", http.url());
    }
    *process.borrow_mut() = Some(Process {
        orders,
        configuration,
        follows: loaded.config.reload,
        watch: Watch::new(loaded.source.path()),
        is_reloading: false,
        again: None,
    });
    follow_the_file(&process);
    main_loop.run();
    tracing::info!(target: "server", "stopping");
    drop(http);
    if let Some(Process { orders, .. }) = process.take() {
        // A server that has stopped already answers nothing, and needs nothing.
        let _stopped = orders.stop().wait();
    }
    Ok(())
}

/// Reloads at SIGHUP, which asks for the configuration to be read again. A terminal that closes sends SIGHUP as well,
/// and ends the server as it ends all that was started there, save by `nohup`.
fn obey_hang_ups(main_loop: &glib::MainLoop, process: &Serving) {
    let (main_loop, process) = (main_loop.clone(), Rc::clone(process));
    let ends_with_terminal = has_terminal() && !ignores_hang_ups();
    glib_unix::unix_signal_add_local(libc::SIGHUP, move || {
        if ends_with_terminal && !has_terminal() {
            main_loop.quit();
        } else {
            reload(&process, Occasion::Asked);
        }
        glib::ControlFlow::Continue
    });
}

fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// Whether whoever started the process had it ignore SIGHUP, as `nohup` does.
fn ignores_hang_ups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // Signal 1 is the lowest bit.
    ignored.is_some_and(|mask| mask >> (libc::SIGHUP - 1) & 1 == 1)
}

fn follow_the_file(process: &Serving) {
    let process = Rc::clone(process);
    glib::timeout_add_local(LOOK_INTERVAL, move || {
        let look = |process: &mut Process| process.follows && process.watch.look();
        if process.borrow_mut().as_mut().is_some_and(look) {
            reload(&process, Occasion::Changed);
        }
        glib::ControlFlow::Continue
    });
}

/// Reads the configuration anew and serves it. Both are done beside the main loop, which hears signals meanwhile: a file can
/// be a long way off, and viewers who are sent away are waited for.
fn reload(process: &Serving, occasion: Occasion) {
    let begun = process
        .borrow_mut()
        .as_mut()
        .and_then(|process| process.begin(occasion));
    let Some(configuration) = begun else {
        return;
    };
    let process = Rc::clone(process);
    glib::MainContext::default().spawn_local(async move {
        let read = configuration.read_again(occasion).await;
        let follows = tell(&configuration, read.ok(), occasion).await;
        let again = process
            .borrow_mut()
            .as_mut()
            .and_then(|process| process.end(follows));
        if let Some(occasion) = again {
            reload(&process, occasion);
        }
    });
}

/// Tells what came of a reload; answers whether a change of the file is followed from now on.
async fn tell(configuration: &Configuration, changes: Option<Changes>, occasion: Occasion) -> bool {
    let state = configuration.get().await;
    warn_of_orphan(state.loaded.source.path());
    if let Some(changes) = changes {
        tell_warnings(&changes, &state.loaded, occasion);
    }
    state.loaded.config.reload
}

impl Process {
    /// Begins a reload: answers what it is of. `None` where one goes on already: another one follows it.
    fn begin(&mut self, occasion: Occasion) -> Option<Arc<Configuration>> {
        if self.is_reloading {
            self.again = Some(occasion);
            return None;
        }
        self.is_reloading = true;
        if occasion == Occasion::Asked {
            self.watch.skip();
        }
        Some(Arc::clone(&self.configuration))
    }

    /// Ends a reload; answers what has asked for another one since it began.
    fn end(&mut self, follows: bool) -> Option<Occasion> {
        self.is_reloading = false;
        self.follows = follows;
        self.again.take()
    }
}

fn warn_of_orphan(path: &Path) {
    if watch::is_orphan(path) {
        tracing::warn!(target: "config",
            "{} is an old file: another one has been put in its place where the mount of a single file does not see it; \
             mount its folder, write into the file itself, or start the container anew",
            path.display()
        );
    }
}

fn tell_warnings(changes: &Changes, loaded: &Loaded, occasion: Occasion) {
    if !changes.is_none() {
        loaded
            .warnings
            .iter()
            .for_each(|warning| tracing::warn!(target: "config", "{warning}"));
    } else if occasion == Occasion::Asked {
        tracing::info!(target: "config", "{}: read again, nothing differs", loaded.source);
    }
}

fn announce(server: &Server) {
    for url in server.urls() {
        tracing::info!(target: "server", "{url}");
    }
    let config = server.config();
    let mut descriptions: Vec<String> = config.streams.iter().map(describe).collect();
    descriptions.dedup();
    for description in descriptions {
        tracing::info!(target: "server", "{description}, {}", log_in(config));
    }
}

fn log_in(config: &Config) -> &'static str {
    if config.all_users().is_empty() {
        "no log-in"
    } else {
        "log-in needed"
    }
}

fn describe(stream: &StreamConfig) -> String {
    let StreamConfig {
        codec,
        width,
        height,
        frames_per_second,
        ..
    } = stream;
    let sound = stream
        .audio
        .map_or("no sound".into(), |codec| format!("{codec:?}"));
    let picture = match launch::encoder(stream) {
        Some(encoder) => {
            format!("{codec:?} by {encoder}, {width}x{height}, {frames_per_second} frames a second")
        }
        None => "a pipeline of its own".into(),
    };
    format!("{picture}, {sound}")
}
