//! A tool of the toolbox as a command.

use std::pin::pin;
use std::time::Duration;

use super::loader::{Loader, Unfit};
use crate::guest::program::{Entry, Program};
use crate::guest::run::RunSpec;
use crate::guest::spawn::TOOLS;

/// Where a system has its tools: a word that is a path there means the tool.
const FOLDERS: [&str; 5] = ["/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/"];

/// From when on somebody at a terminal is told why they wait.
const SLOW: Duration = Duration::from_millis(500);

/// The toolbox, if it has a tool of the name `word`.
///
/// # Errors
/// Why it cannot be run.
///
/// # Cancel safety
/// Safe: its compilation goes on.
pub(super) async fn find(
    loader: &Loader,
    spec: &RunSpec,
    word: &str,
) -> Result<Option<Program>, String> {
    let mut loading = pin!(loader.toolbox());
    let loaded = tokio::select! {
        biased;
        loaded = &mut loading => loaded,
        () = tokio::time::sleep(SLOW) => {
            if spec.tty {
                let _ = spec.stderr.write(b"compiling the toolbox, once for this machine\r\n");
            }
            loading.await
        }
    };
    match loaded {
        Ok(toolbox) => Ok(toolbox.filter(|toolbox| has(toolbox, word))),
        Err(Unfit::Prepare(error)) => Err(format!("the toolbox cannot be run: {error}")),
        Err(Unfit::Kind(kind)) => Err(format!("the toolbox cannot be run: it is a {kind}")),
    }
}

fn has(toolbox: &Program, word: &str) -> bool {
    let name = FOLDERS.iter().find_map(|folder| word.strip_prefix(folder)).unwrap_or(word);
    match &toolbox.shared.entry {
        Entry::CommandModule(pre) => pre.module().get_export(&format!("{TOOLS}{name}")).is_some(),
        _ => false,
    }
}
