//! An image made ready to run: mapped, linked, its entry found. Once for all its runs: a restart,
//! or a second container of the same image, costs only the instance.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wasmtime::component::{self, Component};
use wasmtime::{Engine, InstancePre, Module};
use wasmtime_wasi::{p2, p3};
use wasmtime_wasi_http::{p2 as http_p2, p3 as http_p3};

use super::engine::{COMMAND_PLACES, Engines, PlacedEngine, Time, places_of};
use super::exit::StartError;
use super::link::{self, Grant};
use super::state::GuestState;
use super::stop_export::{self, StopExport};
use crate::image::{Code, CodeCache, GuestKind, ImageError, ImageFile, Shape};
use crate::sandbox::wasi::p1::wants_listeners;

/// A guest that can be run any number of times. Clones share it.
#[derive(Clone)]
pub struct Program {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) engine: Engine,
    pub(crate) entry: Entry,
    /// Whether it is a module that accepts connections on listeners that it is given.
    pub(crate) listens: bool,
    /// Where instances of a handler take their places, and how many each.
    pub(crate) places: Arc<Semaphore>,
    places_for_commands: Arc<Semaphore>,
    pub(crate) places_per_instance: u32,
    /// What a component has for its stop; a module's is found by its name.
    pub(crate) stop_export: Option<StopExport>,
    /// Whether it has such an export that is never called.
    is_deaf: bool,
    code: Code,
}

/// What is called, by kind.
pub(crate) enum Entry {
    CommandModule(InstancePre<GuestState>),
    CommandP2(p2::bindings::CommandPre<GuestState>),
    CommandP3(p3::bindings::CommandPre<GuestState>),
    HttpP2(http_p2::bindings::ProxyPre<GuestState>),
    HttpP3(http_p3::bindings::ServicePre<GuestState>),
    ReactorModule(InstancePre<GuestState>),
    ReactorComponent(component::InstancePre<GuestState>),
}

/// Why an image is not ready to run.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// The container waits with an image error.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The container's start fails.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl Program {
    /// The program in the file `image`: its code from the cache, or compiled now. Code
    /// that the engine refuses (a damaged file) is compiled once more. `on_slow` is called when
    /// compiling takes longer than half a second.
    ///
    /// # Errors
    /// [`PrepareError`]: of the image, or of linking it.
    ///
    /// # Cancel safety
    /// Safe: dropping it ends a compiling child.
    pub async fn prepare(
        engines: &Engines,
        cache: &CodeCache,
        image: impl Into<ImageFile>,
        on_slow: impl Fn(),
    ) -> Result<Self, PrepareError> {
        let image = image.into();
        let code = cache.code(image.clone(), &on_slow).await?;
        match Self::load(engines, &code) {
            Err(StartError::Load { path, source }) => {
                tracing::warn!(path, error = format!("{source:#}"), "compiling again");
                let code = cache.recompile(image, code, &on_slow).await?;
                Ok(Self::load(engines, &code)?)
            }
            other => Ok(other?),
        }
    }

    /// Maps and links compiled code.
    ///
    /// # Errors
    /// [`StartError::Load`] when the engine refuses the file, [`StartError::Link`] when it imports
    /// what nobody provides.
    pub fn load(engines: &Engines, code: &Code) -> Result<Self, StartError> {
        Self::load_granting(engines, code, Grant::Nothing)
    }

    /// As [`Program::load`], for a module that may have more than others.
    pub(super) fn load_granting(
        engines: &Engines,
        code: &Code,
        grant: Grant,
    ) -> Result<Self, StartError> {
        let placed = engines.placed(code.shape)?;
        match Self::load_for(placed, code, grant) {
            // The pool refuses what it has no slots for; the code itself may be sound.
            Err(refused @ StartError::Load { .. }) if code.shape.kind.is_http() => {
                Self::load_for(engines.on_demand(code.shape)?, code, grant).map_err(|_| refused)
            }
            other => other,
        }
    }

    fn load_for(placed: &PlacedEngine, code: &Code, grant: Grant) -> Result<Self, StartError> {
        let PlacedEngine { engine, time, places, places_for_commands, .. } = placed.clone();
        let kind = code.shape.kind;
        let mut places_per_instance = 1;
        let mut stop_export = None;
        let (entry, listens, is_stoppable) = if kind.is_component() {
            let component = map_component(&engine, code)?;
            places_per_instance = places_of(&component);
            stop_export = StopExport::find(&component)?;
            (component_entry(&component, kind, time)?, false, stop_export.is_some())
        } else {
            let module = map_module(&engine, code)?;
            let is_stoppable = stop_export::in_module(&module);
            (module_entry(&module, kind, time, grant)?, wants_listeners(&module), is_stoppable)
        };
        let code = code.clone();
        Ok(Self {
            shared: Arc::new(Shared {
                engine,
                entry,
                listens,
                places,
                places_for_commands,
                places_per_instance,
                stop_export,
                is_deaf: is_stoppable && !stop_export::is_called(kind),
                code,
            }),
        })
    }

    /// A place in the pool for an instance that runs a command. Requests leave some of them free: a
    /// handler that is busy must still be able to say that it is well.
    pub(super) async fn place_for_command(&self) -> Option<OwnedSemaphorePermit> {
        let Shared { places, places_for_commands, places_per_instance, .. } = &*self.shared;
        let wanted = *places_per_instance;
        let from = if wanted <= COMMAND_PLACES { places_for_commands } else { places };
        // They are never closed.
        Arc::clone(from).acquire_many_owned(wanted).await.ok()
    }

    /// What it is.
    pub fn kind(&self) -> GuestKind {
        self.shape().kind
    }

    /// What it is and what it asks of its engine.
    pub fn shape(&self) -> Shape {
        self.shared.code.shape
    }

    /// What its author should know: it wants to be told of a stop by a call and cannot be.
    pub fn note(&self) -> Option<String> {
        self.shared.is_deaf.then(|| {
            let kind = self.kind();
            format!(
                "it exports `wasmpod:lifecycle/stoppable`, which is not called in a guest of its \
                 kind ({kind}): to learn of a stop it has to import `wasmpod:lifecycle/stop`"
            )
        })
    }

    /// The sha256 of its image file, in hexadecimal.
    pub fn digest(&self) -> &str {
        &self.shared.code.digest
    }
}

fn refused(code: &Code, source: wasmtime::Error) -> StartError {
    StartError::Load { path: code.file.display().to_string(), source }
}

#[expect(unsafe_code, reason = "machine code from our own cache is mapped, not checked")]
fn map_component(engine: &Engine, code: &Code) -> Result<Component, StartError> {
    // SAFETY: the file is in our cache: a folder of our own (0700), which files enter only by
    // rename, written by our compiler, and never changed afterwards.
    unsafe { Component::deserialize_file(engine, &code.file) }
        .map_err(|source| refused(code, source))
}

#[expect(unsafe_code, reason = "machine code from our own cache is mapped, not checked")]
fn map_module(engine: &Engine, code: &Code) -> Result<Module, StartError> {
    // SAFETY: as in `map_component`.
    unsafe { Module::deserialize_file(engine, &code.file) }.map_err(|source| refused(code, source))
}

fn component_entry(
    component: &Component,
    kind: GuestKind,
    time: Time,
) -> Result<Entry, StartError> {
    let pre = link::component(component, time)
        .and_then(|linker| linker.instantiate_pre(component))
        .map_err(StartError::Link)?;
    Ok(match kind {
        GuestKind::CommandP2 => {
            Entry::CommandP2(p2::bindings::CommandPre::new(pre).map_err(StartError::Link)?)
        }
        GuestKind::CommandP3 => {
            Entry::CommandP3(p3::bindings::CommandPre::new(pre).map_err(StartError::Link)?)
        }
        GuestKind::HttpP2 => {
            Entry::HttpP2(http_p2::bindings::ProxyPre::new(pre).map_err(StartError::Link)?)
        }
        GuestKind::HttpP3 => {
            Entry::HttpP3(http_p3::bindings::ServicePre::new(pre).map_err(StartError::Link)?)
        }
        GuestKind::ReactorComponent | GuestKind::CommandModule | GuestKind::ReactorModule => {
            Entry::ReactorComponent(pre)
        }
    })
}

fn module_entry(
    module: &Module,
    kind: GuestKind,
    time: Time,
    grant: Grant,
) -> Result<Entry, StartError> {
    if module.exports().len() == 0 {
        return Err(StartError::NoExports);
    }
    let pre = link::module(module, time, grant)
        .and_then(|linker| linker.instantiate_pre(module))
        .map_err(StartError::Link)?;
    Ok(if kind == GuestKind::CommandModule {
        Entry::CommandModule(pre)
    } else {
        Entry::ReactorModule(pre)
    })
}
