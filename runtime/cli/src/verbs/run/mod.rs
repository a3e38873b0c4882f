//! `wasmpod run`: the Pods of a manifest, or one image, in the foreground.

mod behind;
mod bundle;
mod cgroup;
mod foreground;
mod images;
mod imperative;
mod interrupt;
pub(crate) mod node;
mod plan;
pub(crate) mod publish;
mod services;
mod several;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub(crate) use bundle::{Bundle, Events};
use foreground::run_pod;
pub(crate) use images::folder_of;
pub(crate) use interrupt::Signals;
pub(crate) use plan::image_map;
use wasmpod::manifest;
use wasmpod::pod::{AddressLease, Services};

use crate::args::{DryRun, OutputFormat, Run};
use crate::failure::Failure;
use crate::print::problem;

const NOTHING_TO_RUN: &str = "\
name the manifest of a Pod (or the `--image` of a new one). A first manifest:

apiVersion: v1
kind: Pod
metadata:
  name: hello
spec:
  restartPolicy: Never
  containers:
  - name: hello
    image: ./hello.wasm

Save it as pod.yaml beside a WebAssembly program, then: wasmpod run pod.yaml";

/// # Errors
/// Whatever keeps a Pod from being started at all; what happens to a running one is in its status.
pub(crate) fn run(verb: Box<Run>, root: Option<&Path>) -> Result<ExitCode, Failure> {
    match prepare(verb, root)? {
        Prepared::Shown => Ok(ExitCode::SUCCESS),
        Prepared::Behind(code) => Ok(code),
        Prepared::One { bundle, services } => run_here(bundle, root, Signals::All, services),
        Prepared::Several { bundles, leases: _leases, mut services } => {
            runtime()?.block_on(async {
                serve(services.as_mut())?;
                several::run(bundles, root).await
            })
        }
    }
}

/// What a command has come to before any Pod runs.
enum Prepared {
    /// A dry run.
    Shown,
    /// Pods that go on without it.
    Behind(ExitCode),
    One {
        bundle: Box<Bundle>,
        services: Option<Services>,
    },
    Several {
        bundles: Vec<Bundle>,
        leases: Vec<AddressLease>,
        services: Option<Services>,
    },
}

// Not a part of its caller, whose frame stays as long as the Pods.
#[inline(never)]
fn prepare(verb: Box<Run>, root: Option<&Path>) -> Result<Prepared, Failure> {
    let wanted = plan::wanted(&verb)?;
    let Some(wanted) = wanted else {
        return Err(Failure::new("nothing to run").hint(NOTHING_TO_RUN));
    };
    if behind::is_wanted(&verb) && verb.dry_run == DryRun::None {
        return Ok(Prepared::Behind(behind::run(&verb, &wanted, root)?));
    }
    let loaded = manifest::load(&wanted.sources)?;
    if verb.dry_run == DryRun::Client {
        dry_run(&wanted, &loaded, verb.output)?;
        return Ok(Prepared::Shown);
    }
    if !verb.quiet {
        loaded.notes.iter().for_each(|note| problem::note(&note.to_string()));
    }
    if loaded.pods.is_empty() {
        let names: Vec<&str> = wanted.sources.iter().map(|source| source.name.as_str()).collect();
        return Err(Failure::new(format!("no Pod to run in {}", names.join(", ")))
            .hint("write a Pod, or a workload such as a Deployment or a Job"));
    }
    let services = services::announce(&loaded, root, verb.quiet)?;
    let mut bundles = plan::bundles(&verb, &wanted, loaded)?;
    if verb.options.cgroup {
        cgroup::find(&mut bundles, verb.quiet);
    }
    // What the kernel ends for want of memory cannot say so itself: then it is a process of its own.
    if bundles.len() == 1 && bundles[0].cgroup.is_none() {
        return Ok(Prepared::One { bundle: Box::new(bundles.remove(0)), services });
    }
    let leases = plan::introduce(&mut bundles, root)?;
    Ok(Prepared::Several { bundles, leases, services })
}

/// Has the host's ports of Services served by the runtime that this is called in.
fn serve(services: Option<&mut Services>) -> Result<(), Failure> {
    let served = services.map_or(Ok(()), Services::serve);
    served.map_err(|error| Failure::because("cannot serve node ports", &error))
}

/// Runs the Pod of `bundle` in this process, to its end, with the Services that stood beside it.
///
/// # Errors
/// What keeps it from being started at all.
pub(crate) fn run_here(
    bundle: Box<Bundle>,
    root: Option<&Path>,
    signals: Signals,
    mut services: Option<Services>,
) -> Result<ExitCode, Failure> {
    let runtime = runtime()?;
    {
        let _inside = runtime.enter();
        serve(services.as_mut())?;
    }
    // Boxed: each step from here to its first poll would keep a copy of it on the stack.
    let result = runtime.block_on(Box::pin(run_pod(bundle, root, signals)));
    drop(services);
    // The process ends here: clearing up first, thread by thread, would be a part of each short run.
    std::mem::forget(runtime);
    result
}

/// One thread for the worker, the probes and the host's side; the guests have threads of their own.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // A thread that has printed or removed files should not stay for a Pod that idles.
        .thread_keep_alive(Duration::from_millis(500))
        // Room for as many events is made at once; the usual thousand is for servers.
        .max_io_events_per_tick(128)
        .build()
        .map_err(|error| Failure::because("cannot start", &error))
}

/// Prints the manifest that would be run.
fn dry_run(
    wanted: &plan::Wanted,
    loaded: &manifest::Manifest,
    format: Option<OutputFormat>,
) -> Result<(), Failure> {
    let mut text = String::new();
    for (number, pod) in loaded.pods.iter().enumerate() {
        let name = pod.pod.metadata.name.as_deref().unwrap_or_default();
        // What the user typed is shown as kubectl would, without the defaults of a server.
        let object = match &wanted.imperative {
            Some(object) => object.clone(),
            None => {
                serde_json::to_value(&pod.pod).map_err(|error| Failure::because(name, &error))?
            }
        };
        match format {
            None => text += &format!("pod/{name} created (dry run)\n"),
            Some(OutputFormat::Name) => text += &format!("pod/{name}\n"),
            Some(OutputFormat::Json) => {
                text += &serde_json::to_string_pretty(&object)
                    .map_err(|error| Failure::because(name, &error))?;
                text.push('\n');
            }
            Some(OutputFormat::Yaml) => {
                if number > 0 {
                    text += "---\n";
                }
                text += &serde_saphyr::to_string(&object)
                    .map_err(|error| Failure::because(name, &error))?;
            }
        }
    }
    match std::io::stdout().write_all(text.as_bytes()) {
        // Whoever read it has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| Failure::because("standard output", &error)),
    }
}
