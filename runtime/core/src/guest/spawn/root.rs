//! The first process of a session.

use std::sync::Arc;

use super::end::End;
use super::handles::Handles;
use super::interrupt::Interrupts;
use super::process::Process;
use super::session::Session;
use super::table::ROOT;
use crate::guest;
use crate::guest::exec::Loader;
use crate::guest::program::{Entry, Program};
use crate::guest::run::{self, GuestHost, RunSpec};
use crate::lifecycle::Exit;
use crate::sandbox::Stop;

/// Runs the toolbox with `command`, in the container whose own program is `program` and whose own
/// command line `spec` holds.
///
/// # Cancel safety
/// Dropping it ends all that it began.
pub(in crate::guest) async fn run(
    toolbox: Program,
    program: Program,
    loader: Loader,
    host: GuestHost,
    mut spec: RunSpec,
    command: Vec<String>,
    interrupts: &Interrupts,
) -> Exit {
    let endpoint = Arc::clone(&host.endpoint);
    let own = std::mem::replace(&mut spec.argv, command);
    let session = Session::new(toolbox.clone(), program, loader, own, &host, &spec);
    let guard = Guard(&session);
    interrupts.go_to(&session);
    let handles = Handles::new([
        End::Stdin { stdin: spec.stdin.clone(), terminal: spec.tty },
        End::Output { output: Arc::clone(&spec.stdout), terminal: spec.tty },
        End::Output { output: Arc::clone(&spec.stderr), terminal: spec.tty },
    ]);
    let exit = match run::start(&toolbox, host, spec, &Stop::default()) {
        Ok(mut store) => {
            let process = Process { session: Arc::clone(&session), pid: ROOT, handles };
            store.data_mut().set_process(process);
            let Entry::CommandModule(entry) = &toolbox.shared.entry else {
                return Exit::start_error("the toolbox is no command");
            };
            let ended = guest::command::module(&mut store, entry).await;
            ended.unwrap_or_else(|failure| failure.into_exit(&store))
        }
        Err(error) => error.into(),
    };
    guard.finish().await;
    endpoint.end();
    exit
}

/// Ends what is left of a session.
struct Guard<'session>(&'session Arc<Session>);

impl Guard<'_> {
    async fn finish(self) {
        for task in self.0.close() {
            task.abort();
            let _ = task.await;
        }
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        drop(self.0.close());
    }
}
