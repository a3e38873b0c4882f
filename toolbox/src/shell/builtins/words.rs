//! Commands that are tools as well, without a process.

use crate::io::Streams;
use crate::shell::state::{Run, Shell};
use crate::tools;

/// `test`, `[`, `[[`
pub(super) fn test(_: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    Ok(tools::test(words, streams))
}

/// Those that are the same inside and outside: `echo`, `printf`.
pub(super) fn tool(shell: &mut Shell, words: &[String], streams: &mut Streams) -> Run {
    let tool = tools::find(&words[0]).expect("it is in both lists");
    Ok(tools::run_with(tool, words, &shell.variables.environment(), streams))
}
