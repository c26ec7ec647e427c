//! `rtsp-clock-server`: an RTSP test camera whose picture is a clock.

use std::process::ExitCode;

use clap::Parser as _;
use rtsp_clock_server::{cli, log, output};

/// A wrong command line exits with 1 as well: Docker reserves 2 for a HEALTHCHECK.
fn main() -> ExitCode {
    let arguments = match cli::Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            log::tell(&format!("rtsp-clock-server: {error}"));
            return ExitCode::FAILURE;
        }
        Err(help) => return exit_code(&output::print(help.to_string().trim_end())),
    };
    exit_code(&cli::run(&arguments))
}

fn exit_code(ended: &anyhow::Result<()>) -> ExitCode {
    if let Err(error) = ended {
        log::tell_end(error);
    }
    log::flush();
    if ended.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
