//! The command `rtsp-clock-probe`.

use std::process::ExitCode;

use rtsp_clock_probe::cli::{self, Environment};
use rtsp_clock_probe::console;

/// 0 if all is well, 1 if not, 2 for a wrong command line, as clap has it.
fn main() -> ExitCode {
    let arguments = match cli::Arguments::of_process() {
        Ok(arguments) => arguments,
        Err(misread) if misread.is_mistake => {
            console::tell(&misread.text);
            return ExitCode::from(2);
        }
        Err(help) => {
            return exit_code(console::print(&help.text).map(|()| true));
        }
    };
    if arguments.wants_schema() {
        return exit_code(cli::print_schema().map(|()| true));
    }
    match arguments.plan(Environment::of_process()) {
        Ok(plan) => exit_code(cli::run(&plan)),
        Err(error) => {
            console::tell(&format!("rtsp-clock-probe: {error:#}\n"));
            ExitCode::from(2)
        }
    }
}

fn exit_code(done: anyhow::Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            console::tell(&format!("rtsp-clock-probe: error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}
