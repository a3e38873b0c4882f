//! `wasmpod`: reads the command line, calls the verb, ends with a code that scripts can use.

mod args;
mod compiler;
mod failure;
mod print;
mod process;
mod registry;
mod toolbox;
mod verbs;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{CommandLine, ShortVerb, Verb};
use crate::failure::Failure;

fn main() -> ExitCode {
    process::raise_file_limit();
    process::arrange_heap();
    let line = match read_command_line() {
        Ok(line) => line,
        Err(error) => return usage(&error),
    };
    if !line.verb.is_quiet() {
        print::warnings::show();
    }
    if let Err(error) = registry::keep(line.images.into()) {
        return Failure::because("the working folder", &error).report();
    }
    let root = line.root.as_deref();
    let result = match line.verb {
        Verb::Run(run) => verbs::run::run(run, root),
        Verb::PodProcess(process) => verbs::pod_process::pod_process(&process, root),
        Verb::BackgroundPod(pod) => verbs::background_pod::background_pod(&pod, root),
        Verb::ServiceProcess(process) => verbs::service_process::service_process(&process, root),
        Verb::Short(short) => run_short(short, root),
    };
    result.unwrap_or_else(|failure| failure.report())
}

/// Not a part of `main`, whose frame stays as long as a Pod.
#[inline(never)]
fn read_command_line() -> Result<CommandLine, clap::Error> {
    CommandLine::try_parse()
}

/// The verbs that run nothing; not a part of `main` for the same reason.
#[inline(never)]
fn run_short(verb: ShortVerb, root: Option<&Path>) -> Result<ExitCode, Failure> {
    use verbs::{images, objects, reach};
    match verb {
        ShortVerb::Apply(apply) => objects::apply::apply(&apply, root),
        ShortVerb::Create(create) => objects::create::create(&create, root),
        ShortVerb::Get(get) => objects::get::get(&get, root),
        ShortVerb::Describe(describe) => objects::describe::describe(&describe, root),
        ShortVerb::Delete(delete) => objects::delete::delete(&delete, root),
        ShortVerb::Events(events) => objects::events::events(&events, root),
        ShortVerb::Top(top) => objects::top::top(&top, root),
        ShortVerb::Label(label) => objects::mark::mark(&label, objects::mark::Marks::Labels, root),
        ShortVerb::Annotate(note) => {
            objects::mark::mark(&note, objects::mark::Marks::Annotations, root)
        }
        ShortVerb::Replace(replace) => objects::replace::replace(&replace, root),
        ShortVerb::Edit(edit) => objects::edit::edit(&edit, root),
        ShortVerb::Diff(diff) => objects::diff::diff(&diff, root),
        ShortVerb::Wait(wait) => objects::wait::wait(&wait, root),
        ShortVerb::Logs(logs) => reach::logs::logs(&logs, root),
        ShortVerb::Exec(exec) => reach::exec::exec(&exec, root),
        ShortVerb::Debug(debug) => reach::debug::debug(&debug, root),
        ShortVerb::Attach(attach) => reach::attach::attach(&attach, root),
        ShortVerb::PortForward(ports) => reach::port_forward::port_forward(&ports, root),
        ShortVerb::Cp(cp) => reach::cp::cp(&cp, root),
        ShortVerb::Stats(stats) => verbs::stats::stats(&stats, root),
        ShortVerb::Patch(patch) => objects::patch::patch(&patch, root),
        ShortVerb::Validate(validate) => verbs::validate::validate(&validate),
        ShortVerb::Explain(explain) => verbs::explain::explain(&explain),
        ShortVerb::Info(info) => verbs::info::info(&info, root),
        ShortVerb::System(system) => verbs::system::system(&system, root),
        ShortVerb::Images(verb) => images::list::images(&verb, root),
        ShortVerb::Pull(pull) => images::pull::pull(&pull, root),
        ShortVerb::Push(push) => images::push::push(&push, root),
        ShortVerb::Tag(tag) => images::tag::tag(&tag, root),
        ShortVerb::Rmi(rmi) => images::rmi::rmi(&rmi, root),
        ShortVerb::Inspect(inspect) => images::inspect::inspect(&inspect, root),
        ShortVerb::Save(save) => images::archive::save(&save, root),
        ShortVerb::Load(load) => images::archive::load(&load, root),
        ShortVerb::Image(group) => images::group::image(&group, root),
        ShortVerb::Version(version) => verbs::version::version(&version),
        ShortVerb::Completion(completion) => verbs::completion::completion(&completion),
        ShortVerb::Complete(line) => Ok(verbs::completion::complete(&line)),
        #[cfg(feature = "compiler")]
        ShortVerb::CompileCode => Ok(wasmpod::image::compile_child()),
        #[cfg(feature = "registry")]
        ShortVerb::FetchImage => Ok(wasmpod_registry::fetch_child()),
    }
}

/// Help and version go to standard output and succeed; a mistake is our own error, 125.
fn usage(error: &clap::Error) -> ExitCode {
    let printed = error.print();
    if error.use_stderr() || printed.is_err() {
        Failure::EXIT_CODE.into()
    } else {
        ExitCode::SUCCESS
    }
}
