//! The process: it serves until a signal ends it, and follows its configuration while it runs.

mod watch;

use std::{cell::RefCell, fs::File, path::Path, rc::Rc, sync::Arc, time::Duration};

use anyhow::Context as _;
use gst::glib;
use gst_rtsp_server::gio;

use self::watch::Watch;
use crate::{
    config::{Config, StreamConfig},
    config_file::{self, Loaded, Source},
    events::{Changes, Happening},
    launch,
    server::{Orders, Server},
};

/// How often the configuration's file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Loads the configuration anew.
type Load = Arc<dyn Fn() -> Result<Loaded, config_file::Error> + Send + Sync>;

/// A server, and where its configuration comes from.
struct Process {
    orders: Orders,
    source: Source,
    /// Whether a change of the file is followed.
    follows: bool,
    watch: Watch,
    load: Load,
    /// Whether the configuration is being read anew or taken over at the moment.
    is_reloading: bool,
    /// What has asked for another reload since that one began.
    again: Option<Trigger>,
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
    *process.borrow_mut() = Some(Process {
        orders: Orders::start(server).context("cannot start a thread")?,
        source: loaded.source.clone(),
        follows: loaded.config.reload,
        watch: Watch::new(loaded.source.path()),
        load: Arc::new(load),
        is_reloading: false,
        again: None,
    });
    follow_the_file(&process);
    main_loop.run();
    tracing::info!(target: "server", "stopping");
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
            reload(&process, Trigger::Signal);
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
            reload(&process, Trigger::Change);
        }
        glib::ControlFlow::Continue
    });
}

/// What made the process reload its configuration.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trigger {
    Signal,
    Change,
}

/// Reads the configuration anew and serves it. Both are done beside the main loop, which hears signals meanwhile: a file can
/// be a long way off, and viewers who are sent away are waited for.
fn reload(process: &Serving, trigger: Trigger) {
    let begun = process
        .borrow_mut()
        .as_mut()
        .and_then(|process| process.begin(trigger));
    let Some((load, orders)) = begun else {
        return;
    };
    let process = Rc::clone(process);
    glib::MainContext::default().spawn_local(async move {
        let reading = gio::spawn_blocking(move || load()).await;
        let loaded = match process.borrow_mut().as_mut() {
            Some(process) => process.judge(reading),
            None => return,
        };
        let taken = match loaded {
            Some(loaded) => take_over(&orders, loaded).await,
            None => None,
        };
        let again = process
            .borrow_mut()
            .as_mut()
            .and_then(|process| process.end(taken, trigger));
        if let Some(trigger) = again {
            reload(&process, trigger);
        }
    });
}

/// What came of reading a configuration; the outer error is the panic of whatever read it.
type Reading = std::thread::Result<Result<Loaded, config_file::Error>>;

/// Has the server take over what was `loaded`; answers that, and what it has changed, if it could be had.
async fn take_over(orders: &Orders, loaded: Loaded) -> Option<(Loaded, Changes)> {
    let source = loaded.source.to_string();
    let answer = orders.reload(loaded.config.clone(), source).await;
    // A refusal has been told.
    answer?.ok().map(|changes| (loaded, changes))
}

impl Process {
    /// Begins a reload: answers what loads the configuration and what takes it over. `None` where one goes on already:
    /// another one follows it.
    fn begin(&mut self, trigger: Trigger) -> Option<(Load, Orders)> {
        if self.is_reloading {
            self.again = Some(trigger);
            return None;
        }
        self.is_reloading = true;
        if trigger == Trigger::Signal {
            self.watch.skip();
        }
        Some((Arc::clone(&self.load), self.orders.clone()))
    }

    /// What has been read, if it can be taken over; what keeps it from that is told, otherwise.
    fn judge(&self, reading: Reading) -> Option<Loaded> {
        warn_of_orphan(self.source.path());
        let loaded = match reading {
            Ok(Ok(loaded)) => self.expect_file(loaded),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it could not be read to its end".into()),
        };
        loaded.map_err(|why| self.tell_refused(&why)).ok()
    }

    fn tell_refused(&self, why: &str) {
        self.orders.events().tell(Happening::ReloadRefused {
            source: self.source.to_string(),
            mistakes: why.lines().map(String::from).collect(),
        });
    }

    /// Refuses the defaults where there was a file: whoever takes it away does not mean them.
    fn expect_file(&self, loaded: Loaded) -> Result<Loaded, String> {
        if loaded.source == Source::Defaults && self.source != Source::Defaults {
            return Err(format!("{} is gone", self.source));
        }
        Ok(loaded)
    }

    /// Ends a reload whose outcome is `taken`; answers what has asked for another one since it began.
    fn end(&mut self, taken: Option<(Loaded, Changes)>, trigger: Trigger) -> Option<Trigger> {
        self.is_reloading = false;
        if let Some((loaded, changes)) = taken {
            tell_warnings(&changes, &loaded, trigger);
            self.follows = loaded.config.reload;
            self.source = loaded.source;
        }
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

fn tell_warnings(changes: &Changes, loaded: &Loaded, trigger: Trigger) {
    if !changes.is_none() {
        loaded
            .warnings
            .iter()
            .for_each(|warning| tracing::warn!(target: "config", "{warning}"));
    } else if trigger == Trigger::Signal {
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
