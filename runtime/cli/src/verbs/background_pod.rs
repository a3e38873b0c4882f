//! The process of a Pod in the background: what it must know comes in an envelope.

use std::path::Path;
use std::process::ExitCode;

use tokio::task::JoinSet;
use wasmpod::pod::{Folders, Host};
use wasmpod_node::background::{Envelope, run};
use wasmpod_node::handover::Handover;

use crate::args::BackgroundPod;
use crate::compiler;
use crate::failure::Failure;
use crate::{process, registry, toolbox};

/// # Errors
/// An envelope that cannot be read, or what keeps its Pod from being started; both are in the Pod's
/// status if that can be written.
pub(crate) fn background_pod(
    verb: &BackgroundPod,
    root: Option<&Path>,
) -> Result<ExitCode, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::because("cannot start", error);
    let envelope: Box<Envelope> = Handover::take(&verb.envelope)
        .map_err(|error| Failure::because(verb.envelope.display(), &error))?;
    let folders = Folders::find(root).map_err(|error| failed(&error))?;
    let compiler = compiler::find().map_err(|error| failed(&error))?;
    let fetcher = registry::fetcher().map_err(|error| failed(&error))?;
    let files = registry::files();
    let quick_code = compiler::quick_code().map_err(|error| failed(&error))?;
    let host = Host::builder(folders)
        .compiler(compiler)
        .quick_code(quick_code)
        .fetcher(fetcher)
        .registries(files.registries, files.policy)
        .toolbox(toolbox::find())
        .build()
        .map_err(|error| failed(&error))?;
    let runtime = super::run::runtime()?;
    let life = async {
        // A task of its own: below the frame of what polls this one lies more to give back.
        let mut aside = JoinSet::new();
        aside.spawn(process::give_back_memory_behind_start());
        let finished = run(envelope, &host).await;
        aside.shutdown().await;
        finished
    };
    // Boxed: each step from here to its first poll would keep a copy of it on the stack.
    let finished = runtime.block_on(Box::pin(life)).map_err(|error| failed(&error))?;
    // The process ends here: clearing up first, thread by thread, would only take time.
    std::mem::forget(runtime);
    Ok(finished.outcome.exit_code().into())
}
