//! `winvmi`: look into a Windows guest from the command line.

mod args;
mod commands;
mod output;
mod progress;
mod target;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use output::Report;
use target::Guest;

/// Exit codes, beside 0: the command failed; parts of the answer are missing.
/// Wrong usage ends with 2, by the argument parser.
const FAILED: u8 = 1;
const PARTIAL: u8 = 3;

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args.command) {
        Ok(report) => finish(&report),
        Err(error) => {
            eprintln!("winvmi: {error}");
            ExitCode::from(FAILED)
        }
    }
}

fn run(command: &Command) -> winvmi::Result<Report> {
    let guest = Guest::open(command.target())?;
    match command {
        Command::Info { .. } => commands::info::run(&guest),
        Command::Ps { tree, source, .. } => commands::ps::run(&guest, *tree, *source),
        Command::Threads { process, .. } => commands::threads::run(&guest, process),
        Command::Tokens { process, .. } => commands::tokens::run(&guest, process),
        Command::Handles { process, .. } => commands::handles::run(&guest, process),
        Command::Objects { choice, .. } => commands::objects::run(&guest, choice),
        Command::Modules { .. } => commands::modules::run(&guest),
        Command::Regions { process, .. } => commands::regions::run(&guest, process),
        Command::Dlls { process, .. } => commands::dlls::run(&guest, process),
        Command::Cmdline { process, .. } => commands::cmdline::run(&guest, process),
        Command::Env { process, .. } => commands::env::run(&guest, process),
        Command::DumpModule { dump, .. } => commands::dump_module::run(&guest, dump),
        Command::Read { place, length, .. } => commands::read::run(&guest, place, *length),
        Command::Translate { place, .. } => commands::translate::run(&guest, place),
        Command::Trace { what, process, .. } => commands::trace::run(&guest, what, process),
        Command::Symbols { names, .. } => commands::symbols::run(&guest, names),
    }
}

/// Prints what was found, then each gap on a line of its own.
fn finish(report: &Report) -> ExitCode {
    if let Err(error) = report.print() {
        // The reader has gone away (`winvmi ps | head`): that is no failure of ours.
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            eprintln!("winvmi: cannot print: {error}");
        }
        return ExitCode::from(FAILED);
    }
    for gap in report.gaps() {
        eprintln!("winvmi: incomplete: {gap}");
    }
    match report.gaps() {
        [] => ExitCode::SUCCESS,
        _ => ExitCode::from(PARTIAL),
    }
}
