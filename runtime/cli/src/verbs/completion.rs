//! `wasmpod completion SHELL`

use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::args::{CommandLine, Completion};
use crate::failure::Failure;

pub(crate) fn completion(completion: &Completion) -> Result<ExitCode, Failure> {
    let mut command = CommandLine::command();
    clap_complete::generate(completion.shell, &mut command, "wasmpod", &mut std::io::stdout());
    Ok(ExitCode::SUCCESS)
}
