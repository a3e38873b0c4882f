//! The shell: the language of POSIX's `sh`, on processes that wasmpod gives.
//!
//! | folder or file | subject | pure |
//! |---|---|---|
//! | `ast`, `parse` | text to commands | yes |
//! | `pattern`, `field`, `arithmetic` | patterns, splitting, numbers | yes |
//! | `expand`, `parameter`, `glob` | what a word stands for | |
//! | `state`, `variables`, `options` | what a shell remembers | yes |
//! | `evaluate`, `simple`, `external`, `children`, `redirect` | running commands | |
//! | `builtins` | commands that change the shell | |
//! | `session` | a script, a text, a terminal: where commands come from | |

mod arithmetic;
mod ast;
mod builtins;
mod children;
mod evaluate;
mod expand;
mod external;
mod field;
mod glob;
mod options;
mod parameter;
mod parse;
pub(crate) mod pattern;
mod prompt;
mod redirect;
mod session;
mod simple;
mod state;
mod variables;

pub(crate) use builtins::NAMES as BUILTINS;
pub(crate) use session::{end, main, read_line, run_at_terminal, run_words};
pub(crate) use state::Shell;
