//! The command `rtsp-clock-probe`.

use std::process::ExitCode;

use rtsp_clock_probe::cli::{self, Environment};

/// 0 if all is well, 1 if not, 2 for a wrong command line, as clap has it.
fn main() -> ExitCode {
    let arguments = match cli::Arguments::of_process() {
        Ok(arguments) => arguments,
        Err(misread) if misread.is_mistake => {
            eprint!("{}", misread.text);
            return ExitCode::from(2);
        }
        Err(help) => {
            print!("{}", help.text);
            return ExitCode::SUCCESS;
        }
    };
    if arguments.wants_schema() {
        return exit_code(cli::print_schema().map(|()| true));
    }
    match arguments.plan(Environment::of_process()) {
        Ok(plan) => exit_code(cli::run(&plan)),
        Err(error) => {
            eprintln!("rtsp-clock-probe: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn exit_code(done: anyhow::Result<bool>) -> ExitCode {
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("rtsp-clock-probe: error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
