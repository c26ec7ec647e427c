//! The process: serves until a signal ends it, and follows its configuration while it runs.

mod watch;

use std::{cell::RefCell, fs::File, path::Path, rc::Rc, sync::Arc, time::Duration};

use gst::glib;
use gst_rtsp_server::gio;

use self::watch::Watch;
use crate::{
    config::{Config, StreamConfig},
    config_file::{self, Loaded, Source},
    launch, log,
    server::{Changes, Server},
};

/// How often the file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// So many streams that come or go are named in the log.
const NAMED: usize = 10;

/// Loads the configuration anew.
type Load = Arc<dyn Fn() -> Result<Loaded, config_file::Error> + Send + Sync>;

/// A server, and where its configuration comes from.
struct Process {
    server: Server,
    source: Source,
    watch: Watch,
    load: Load,
    /// Whether somebody reads the configuration anew at the moment.
    is_loading: bool,
    /// What asked for it to be read while somebody does.
    asked_again: Option<Asked>,
}

/// The process, once it serves and until it stops.
type Serving = Rc<RefCell<Option<Process>>>;

/// Serves what was `loaded` until SIGINT or SIGTERM. At SIGHUP, and when the file changes where the configuration says
/// so, serves what `load` answers then.
///
/// # Errors
/// When the server cannot start.
pub fn run(
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
        server,
        source: loaded.source.clone(),
        watch: Watch::new(loaded.source.path()),
        load: Arc::new(load),
        is_loading: false,
        asked_again: None,
    });
    follow_the_file(&process);
    main_loop.run();
    tracing::info!("stopping");
    if let Some(Process { server, .. }) = process.take() {
        server.stop();
    }
    Ok(())
}

/// SIGHUP asks for the configuration to be read again. A terminal that closes sends it as well, and ends the server as it
/// ends all that was started there, save by `nohup`.
fn obey_hang_ups(main_loop: &glib::MainLoop, process: &Serving) {
    let (main_loop, process) = (main_loop.clone(), Rc::clone(process));
    let ends_with_terminal = has_terminal() && !ignores_hang_ups();
    glib_unix::unix_signal_add_local(libc::SIGHUP, move || {
        if ends_with_terminal && !has_terminal() {
            main_loop.quit();
        } else {
            reload(&process, Asked::BySignal);
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
        let look = |process: &mut Process| process.server.config().reload && process.watch.look();
        if process.borrow_mut().as_mut().is_some_and(look) {
            reload(&process, Asked::ByChange);
        }
        glib::ControlFlow::Continue
    });
}

/// What brought a reload about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    BySignal,
    ByChange,
}

/// Reads the configuration anew and serves it. It is read beside the main loop, which hears signals meanwhile: a file
/// can be a long way off.
fn reload(process: &Serving, asked: Asked) {
    let load = process
        .borrow_mut()
        .as_mut()
        .and_then(|process| process.begin(asked));
    let Some(load) = load else {
        return;
    };
    let process = Rc::clone(process);
    glib::MainContext::default().spawn_local(async move {
        let loaded = gio::spawn_blocking(move || load()).await;
        let again = process
            .borrow_mut()
            .as_mut()
            .and_then(|process| process.end(loaded, asked));
        if let Some(asked) = again {
            reload(&process, asked);
        }
    });
}

/// A configuration that has been read, as far as its reader got.
type Reading = std::thread::Result<Result<Loaded, config_file::Error>>;

impl Process {
    /// What loads the configuration; `None` where somebody does already, and will once more.
    fn begin(&mut self, asked: Asked) -> Option<Load> {
        if self.is_loading {
            self.asked_again = Some(asked);
            return None;
        }
        self.is_loading = true;
        if asked == Asked::BySignal {
            self.watch.skip();
        }
        Some(Arc::clone(&self.load))
    }

    /// Takes over what has been read; answers what has asked for it to be read again since.
    fn end(&mut self, reading: Reading, asked: Asked) -> Option<Asked> {
        self.is_loading = false;
        let loaded = match reading {
            Ok(Ok(loaded)) => Ok(loaded),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it could not be read to its end".into()),
        };
        self.take_over(loaded, asked);
        self.asked_again.take()
    }

    fn take_over(&mut self, loaded: Result<Loaded, String>, asked: Asked) {
        warn_of_orphan(self.source.path());
        let before = self.server.config().clone();
        let taken = loaded
            .and_then(|loaded| self.expect_file(loaded))
            .and_then(|loaded| {
                let changes = self
                    .server
                    .reload(&loaded.config)
                    .map_err(|error| error.to_string())?;
                Ok((loaded, changes))
            });
        match taken {
            Ok((loaded, changes)) => {
                tell_changes(&changes, &loaded, &before, asked);
                self.source = loaded.source;
            }
            Err(why) => {
                let mistakes = why.lines();
                mistakes.for_each(|line| tracing::error!("{line}"));
                tracing::error!("{}: not taken over, all stays as it was", self.source);
            }
        }
    }

    /// Whoever takes the file away does not mean the defaults.
    fn expect_file(&self, loaded: Loaded) -> Result<Loaded, String> {
        if loaded.source == Source::Defaults && self.source != Source::Defaults {
            return Err(format!("{} is gone", self.source));
        }
        Ok(loaded)
    }
}

fn warn_of_orphan(path: &Path) {
    if watch::is_orphan(path) {
        tracing::warn!(
            "{} is an old file: another one has been put in its place where the mount of a single file does not see it; \
             mount its folder, write into the file itself, or start the container anew",
            path.display()
        );
    }
}

fn tell_changes(changes: &Changes, loaded: &Loaded, before: &Config, asked: Asked) {
    let (source, after) = (&loaded.source, &loaded.config);
    let level_differs = before.log_level != after.log_level;
    if changes.is_none() && !level_differs && before.reload == after.reload {
        if asked == Asked::BySignal {
            tracing::info!("{source}: read again, nothing differs");
        }
        return;
    }
    if level_differs {
        match log::change(&after.log_level) {
            Ok(()) => tracing::info!("logLevel: {} from now on", after.log_level),
            Err(error) => tracing::warn!("logLevel: not {}: {error:#}", after.log_level),
        }
    }
    tracing::info!("{source}: read again; {changes}");
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    tell_names("replaced", &changes.replaced);
    tell_names("removed", &changes.removed);
    tell_names("added", &changes.added);
    if changes.login {
        tracing::info!("{} for connections from now on", log_in(after));
    }
    for key in &changes.needs_restart {
        tracing::warn!("{key}: its new value needs a restart, the old one goes on");
    }
}

fn tell_names(what: &str, names: &[String]) {
    for name in names.iter().take(NAMED) {
        tracing::info!("{what}: {name}");
    }
    if let Some(more) = names.len().checked_sub(NAMED).filter(|more| *more > 0) {
        tracing::info!("{what}: and {more} more");
    }
}

fn announce(server: &Server) {
    for url in server.urls() {
        tracing::info!("{url}");
    }
    let config = server.config();
    let mut descriptions: Vec<String> = config.streams.iter().map(describe).collect();
    descriptions.dedup();
    for description in descriptions {
        tracing::info!("{description}, {}", log_in(config));
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
