//! The run of a handler: it listens as long as it runs, and ends when it is asked to.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;

use super::connection::{self, CONNECTION};
use super::crowd::Crowd;
use super::handler::Handler;
use super::settings::HttpSettings;
use crate::executor::Account;
use crate::guest::program;
use crate::guest::run::{GuestHost, RunSpec};
use crate::guest::wasi::WasiSetup;
use crate::lifecycle::Exit;
use crate::resources::memory::Held;
use crate::sandbox::Stop;
use crate::sandbox::network::{Endpoint, Listener, NetworkError, Taken};

/// How long accepting rests when the container has no socket or no memory for another connection.
const BREATH: Duration = Duration::from_millis(10);

/// Serves requests until the stop, then until those that were begun have their answers.
///
/// A handler that was stopped and had answered everything ends with 0, as a server does that
/// handles SIGTERM well. A port that is taken ends it with 1 at once.
///
/// # Cancel safety
/// Dropping it ends all connections and their guests.
pub(crate) async fn serve(
    program: Arc<program::Shared>,
    host: GuestHost,
    spec: RunSpec,
    stop: Stop,
) -> Exit {
    // At the end of the run, however it comes: a task that is dropped a moment later must not keep
    // the port from the next run.
    let end = EndsNetwork(host.endpoint.clone());
    let account = host.account.clone();
    let settings = spec.http;
    let spec = RunSpec { limits: spec.limits.of_handler(host.containers), ..spec };
    let setup = match WasiSetup::new(host, spec, &stop) {
        Ok(setup) => Arc::new(setup.with_whole_lines()),
        Err(error) => return error.into(),
    };
    let listener = match end.0.listen_any(settings.port) {
        Ok(listener) => listener,
        Err(error) => return cannot_listen(settings, error),
    };
    let tasks = Arc::new(Crowd::new(account.clone()));
    let handler = Arc::new(Handler::new(program, setup, settings, stop.token(), &tasks));
    let exit = tokio::select! {
        biased;
        _request = stop.asked() => {
            end.0.refuse_new();
            accept_queued(&listener, &handler, &account, &tasks);
            drop(listener);
            handler.idle.clear();
            tokio::select! {
                biased;
                exit = handler.failure() => exit,
                () = tasks.ended() => Exit::completed(),
            }
        }
        exit = handler.failure() => exit,
        exit = accept(&listener, &handler, &account, &tasks) => exit,
        () = handler.idle.expire() => unreachable!("it goes on for ever"),
    };
    handler.idle.clear();
    exit
}

struct EndsNetwork(Arc<Endpoint>);

impl Drop for EndsNetwork {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn cannot_listen(settings: HttpSettings, error: NetworkError) -> Exit {
    Exit::failed().with_message(Some(format!("cannot listen on port {}: {error}", settings.port)))
}

/// Accepts connections; it ends only with the network.
async fn accept(
    listener: &Listener,
    handler: &Arc<Handler>,
    account: &Account,
    tasks: &Crowd,
) -> Exit {
    loop {
        poll_fn(|context| listener.poll_ready(context)).await;
        // Memory first: what is not accepted yet waits with its client.
        let held = memory(handler).await;
        match listener.take().await {
            Ok(taken) => begin(taken, held, handler, account, tasks),
            Err(NetworkError::SocketLimit | NetworkError::NoBuffers) => {
                tokio::time::sleep(BREATH).await
            }
            Err(NetworkError::Closed) => return Exit::stopped(),
            // It refuses already; the stop itself is about to be heard of.
            Err(NetworkError::InvalidArgument) => std::future::pending().await,
            // One connection that failed before it was accepted.
            Err(error) => tracing::debug!(%error, "a connection was not accepted"),
        }
    }
}

/// Takes in what came before the stop: to the client these connections are open.
fn accept_queued(listener: &Listener, handler: &Arc<Handler>, account: &Account, tasks: &Crowd) {
    while let Some(Ok(taken)) = listener.take().now_or_never() {
        let Ok(held) = handler.setup.memory.hold(CONNECTION) else { return };
        begin(taken, held, handler, account, tasks);
    }
}

/// Waits until the container has the memory for one more connection.
async fn memory(handler: &Handler) -> Held {
    loop {
        match handler.setup.memory.hold(CONNECTION) {
            Ok(held) => return held,
            Err(_refused) => tokio::time::sleep(BREATH).await,
        }
    }
}

fn begin(taken: Taken, held: Held, handler: &Arc<Handler>, account: &Account, tasks: &Crowd) {
    tasks.spawn(connection::serve(handler.clone(), account.clone(), taken, held));
}
