//! A function of the container's own program as a command.

use wasmtime::component::types::{ComponentFunc, ComponentItem};
use wasmtime::component::{self, Component, ComponentExportIndex, Val};
use wasmtime::{Engine, ExternType, FuncType, InstancePre, Module, Store};

use crate::guest::program::Entry;
use crate::guest::run::Failure;
use crate::guest::state::GuestState;
use crate::guest::stop_export;
use crate::lifecycle::Exit;

/// So many names are told of.
const NAMES: usize = 20;

/// A function to be called.
pub(super) enum Export {
    Core(String),
    Component(ComponentExportIndex),
}

/// The pre-instantiated program, by what it is.
enum Linked<'program> {
    Module(&'program InstancePre<GuestState>),
    Component(&'program component::InstancePre<GuestState>),
}

fn linked(entry: &Entry) -> Linked<'_> {
    match entry {
        Entry::CommandModule(pre) | Entry::ReactorModule(pre) => Linked::Module(pre),
        Entry::CommandP2(pre) => Linked::Component(pre.instance_pre()),
        Entry::CommandP3(pre) => Linked::Component(pre.instance_pre()),
        Entry::HttpP2(pre) => Linked::Component(pre.instance_pre()),
        Entry::HttpP3(pre) => Linked::Component(pre.instance_pre()),
        Entry::ReactorComponent(pre) => Linked::Component(pre),
    }
}

/// The function of that name, if there is one.
///
/// # Errors
/// Why it cannot be called.
pub(super) fn find(entry: &Entry, word: &str) -> Result<Option<Export>, String> {
    match linked(entry) {
        Linked::Module(pre) => find_in_module(pre.module(), word),
        Linked::Component(pre) => find_in_component(pre.component(), word),
    }
}

fn find_in_module(module: &Module, word: &str) -> Result<Option<Export>, String> {
    match module.get_export(word) {
        Some(ExternType::Func(function)) if is_for_commands(word) => match callable(&function) {
            true => Ok(Some(Export::Core(word.to_owned()))),
            false => {
                Err(unfit(word, "a function without parameters that returns an i32 or nothing"))
            }
        },
        _ => Ok(None),
    }
}

fn callable(function: &FuncType) -> bool {
    let mut results = function.results();
    function.params().len() == 0
        && results.next().is_none_or(|result| result.is_i32())
        && results.next().is_none()
}

/// What is exported for the host is no command: by toolchains, for WASI, for the stop.
fn is_for_commands(name: &str) -> bool {
    let for_the_host = ["_", "cabi_", "wasi:", stop_export::PREFIX];
    !for_the_host.iter().any(|prefix| name.starts_with(prefix))
}

fn find_in_component(component: &Component, word: &str) -> Result<Option<Export>, String> {
    let engine = component.engine();
    let ty = component.component_type();
    let mut exports = ty.exports(engine).filter(|(name, _)| is_for_commands(name));
    let Some((name, item)) = exports.find(|(name, item)| {
        is_function_or_interface(&item.ty) && (*name == word || unversioned(name) == word)
    }) else {
        return Ok(None);
    };
    let found = match fit(&item.ty, engine) {
        Fit::Function => component.get_export_index(None, name),
        Fit::Interface(function) => component
            .get_export_index(None, name)
            .and_then(|interface| component.get_export_index(Some(&interface), &function)),
        Fit::No => None,
    };
    match found {
        Some(index) => Ok(Some(Export::Component(index))),
        None => Err(unfit(
            word,
            "a function without parameters that returns a bool, a result, an integer or nothing",
        )),
    }
}

fn is_function_or_interface(item: &ComponentItem) -> bool {
    matches!(item, ComponentItem::ComponentFunc(_) | ComponentItem::ComponentInstance(_))
}

/// How an export of a component can be called.
enum Fit {
    Function,
    /// By its one function that can be.
    Interface(String),
    No,
}

fn fit(item: &ComponentItem, engine: &Engine) -> Fit {
    match item {
        ComponentItem::ComponentFunc(function) if answers(function) => Fit::Function,
        ComponentItem::ComponentInstance(interface) => {
            let mut functions =
                interface.exports(engine).filter_map(|(name, item)| match item.ty {
                    ComponentItem::ComponentFunc(function) if answers(&function) => Some(name),
                    _ => None,
                });
            match (functions.next(), functions.next()) {
                (Some(only), None) => Fit::Interface(only.to_owned()),
                (_, _) => Fit::No,
            }
        }
        _ => Fit::No,
    }
}

fn unfit(word: &str, wanted: &str) -> String {
    format!("the export {word:?} cannot be run: it would have to be {wanted}")
}

fn unversioned(name: &str) -> &str {
    name.split_once('@').map_or(name, |(name, _version)| name)
}

fn answers(function: &ComponentFunc) -> bool {
    use wasmtime::component::Type;
    let mut results = function.results();
    let is_code = |ty: Type| {
        matches!(
            ty,
            Type::Bool
                | Type::Result(_)
                | Type::S8
                | Type::U8
                | Type::S16
                | Type::U16
                | Type::S32
                | Type::U32
                | Type::S64
                | Type::U64
        )
    };
    function.params().len() == 0 && results.next().is_none_or(is_code) && results.next().is_none()
}

/// The functions that can be called, for whoever has misspelt one; a program may have very many.
pub(super) fn names(entry: &Entry) -> Vec<String> {
    match linked(entry) {
        Linked::Module(pre) => {
            let exports = pre.module().exports();
            let functions = exports.filter_map(|export| match export.ty() {
                ExternType::Func(function)
                    if is_for_commands(export.name()) && callable(&function) =>
                {
                    Some(export.name().to_owned())
                }
                _ => None,
            });
            functions.take(NAMES).collect()
        }
        Linked::Component(pre) => {
            let (engine, ty) = (pre.component().engine(), pre.component().component_type());
            let functions = ty.exports(engine).filter_map(|(name, item)| {
                let fits = is_for_commands(name) && !matches!(fit(&item.ty, engine), Fit::No);
                fits.then(|| unversioned(name).to_owned())
            });
            functions.take(NAMES).collect()
        }
    }
}

/// Calls it in a new instance.
pub(super) async fn call(
    store: &mut Store<GuestState>,
    entry: &Entry,
    export: Export,
) -> Result<Exit, Failure> {
    match (linked(entry), export) {
        (Linked::Module(pre), Export::Core(name)) => call_core(store, pre, &name).await,
        (Linked::Component(pre), Export::Component(index)) => {
            call_component(store, pre, &index).await
        }
        (Linked::Module(_) | Linked::Component(_), _) => unreachable!("found in this program"),
    }
}

async fn call_core(
    store: &mut Store<GuestState>,
    pre: &InstancePre<GuestState>,
    name: &str,
) -> Result<Exit, Failure> {
    let instance = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
        initialize.call_async(&mut *store, ()).await.map_err(Failure::Run)?;
    }
    if let Ok(function) = instance.get_typed_func::<(), i32>(&mut *store, name) {
        let code = function.call_async(&mut *store, ()).await.map_err(Failure::Run)?;
        return Ok(answered(Val::S32(code)));
    }
    let function =
        instance.get_typed_func::<(), ()>(&mut *store, name).map_err(Failure::Instantiate)?;
    function.call_async(&mut *store, ()).await.map_err(Failure::Run)?;
    Ok(Exit::completed())
}

async fn call_component(
    store: &mut Store<GuestState>,
    pre: &component::InstancePre<GuestState>,
    index: &ComponentExportIndex,
) -> Result<Exit, Failure> {
    let instance = pre.instantiate_async(&mut *store).await.map_err(Failure::Instantiate)?;
    let function = instance.get_func(&mut *store, index).expect("found among the exports");
    let count = function.ty(&*store).results().len();
    let mut results = vec![Val::Bool(true); count];
    function.call_async(&mut *store, &[], &mut results).await.map_err(Failure::Run)?;
    Ok(results.pop().map_or_else(Exit::completed, answered))
}

fn answered(value: Val) -> Exit {
    let code = match value {
        Val::Bool(true) | Val::Result(Ok(_)) => 0,
        Val::Bool(false) => 1,
        Val::Result(Err(reason)) => {
            let reason = match reason.map(|reason| *reason) {
                Some(Val::String(reason)) => Some(reason),
                Some(_) | None => None,
            };
            return Exit::failed().with_message(reason);
        }
        Val::S8(code) => i64::from(code),
        Val::U8(code) => i64::from(code),
        Val::S16(code) => i64::from(code),
        Val::U16(code) => i64::from(code),
        Val::S32(code) => i64::from(code),
        Val::U32(code) => i64::from(code),
        Val::S64(code) => code,
        Val::U64(code) => code.cast_signed(),
        _ => unreachable!("such functions are not called"),
    };
    // As for a process, eight bits count; a failure must not become a success by it.
    let low = i32::try_from(code & 0xff).unwrap_or(1);
    Exit::with_code(if code != 0 && low == 0 { 1 } else { low })
}
