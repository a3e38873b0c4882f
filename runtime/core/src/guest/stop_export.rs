//! The export by which a guest is told of its stop: `stop` of `wasmpod:lifecycle/stoppable`.
//!
//! Who can be called is a matter of what is on the stack of its Store:
//!
//! | guest | `stop` is called |
//! |---|---|
//! | reactor, module or component | in the instance that is idle; then the run has ended with 0 |
//! | command of 0.3 | beside `run`, once that waits; the run ends when both have |
//! | command of 0.1 or 0.2 | never: its one call is under way, and a Store takes no second |
//! | HTTP handler | never: its instances are there for a request and know of no other |
//!
//! Those that are never called can import `wasmpod:lifecycle/stop`; one that exports the function
//! all the same is told so ([`Program::note`](super::Program::note)).

use std::future::poll_fn;

use wasmtime::component::{Accessor, Component, ComponentExportIndex, Instance, TypedFunc};
use wasmtime::{Module, Result, Store, format_err};

use super::exit::StartError;
use super::run::Failure;
use super::state::GuestState;
use crate::image::{GuestKind, family};
use crate::sandbox::Stop;
use crate::sandbox::wasi::lifecycle::bindings::p2::wasmpod::lifecycle::stop::StopRequest;

/// Exported by a component, with a version.
const INTERFACE: &str = "wasmpod:lifecycle/stoppable";
const FUNCTION: &str = "stop";

/// Exported by a module: called with the nanoseconds that are left of the grace period.
pub(crate) const OF_MODULE: &str = "wasmpod:lifecycle/stoppable#stop";

/// What the host calls by itself, no command of anybody.
pub(super) const PREFIX: &str = "wasmpod:lifecycle/";

/// Whether a guest of this kind that has the export is called.
pub(crate) fn is_called(kind: GuestKind) -> bool {
    kind.is_reactor() || kind == GuestKind::CommandP3
}

/// Whether a module has it.
pub(crate) fn in_module(module: &Module) -> bool {
    module.get_export(OF_MODULE).is_some()
}

/// The export of a component.
pub(crate) struct StopExport(ComponentExportIndex);

impl StopExport {
    /// That of `component`, if it has one.
    ///
    /// # Errors
    /// [`StartError::Link`] when it is of a version that nobody here knows.
    pub(crate) fn find(component: &Component) -> Result<Option<Self>, StartError> {
        let ty = component.component_type();
        let mut names = ty.exports(component.engine()).map(|(name, _)| name);
        let Some(name) = names.find(|name| unversioned(name) == INTERFACE) else {
            return Ok(None);
        };
        let version = name.split_once('@').and_then(|(_, version)| family(version));
        let index = matches!(version, Some(2 | 3))
            .then(|| component.get_export_index(None, name))
            .flatten()
            .and_then(|interface| component.get_export_index(Some(&interface), FUNCTION));
        match index {
            Some(index) => Ok(Some(Self(index))),
            None => Err(StartError::Link(format_err!(
                "component exports `{name}`, which is not known: it would have to be \
                 `{INTERFACE}` 0.2.x or 0.3.x with its function `{FUNCTION}`"
            ))),
        }
    }

    /// The function in `instance`, before anybody waits for a stop.
    ///
    /// # Errors
    /// It has another type.
    pub(crate) fn of(
        &self,
        store: &mut Store<GuestState>,
        instance: &Instance,
    ) -> Result<StopFunction, Failure> {
        let function = instance.get_typed_func(&mut *store, self.0);
        function.map(StopFunction).map_err(|error| {
            Failure::Instantiate(error.context(format!("its export `{INTERFACE}`")))
        })
    }
}

/// The function of one instance.
pub(crate) struct StopFunction(TypedFunc<(StopRequest,), ()>);

impl StopFunction {
    /// Calls it when the stop comes, in an instance that does nothing else.
    pub(crate) async fn call(self, store: &mut Store<GuestState>, stop: &Stop) -> Result<()> {
        let request = stop.asked().await;
        if !store.engine().get_concurrency_support() {
            return self.0.call_async(store, (request.into(),)).await;
        }
        store
            .run_concurrent(async |accessor| {
                self.0.call_concurrent(accessor, (request.into(),)).await?;
                // It may have answered and still have something to do.
                poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
                Result::Ok(())
            })
            .await
            .flatten()
    }

    /// Calls it when the stop comes, beside whatever else runs; it does not end otherwise.
    pub(crate) async fn call_beside(
        self,
        accessor: &Accessor<GuestState>,
        stop: &Stop,
    ) -> Result<()> {
        let request = stop.asked().await;
        self.0.call_concurrent(accessor, (request.into(),)).await
    }
}

fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _version)| name)
}
