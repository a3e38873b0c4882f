//! Which host functions a guest gets: those that it imports, and no others.
//!
//! Linking all of WASI costs as much as instantiating (80 µs of a start of 500). An import that
//! nobody here provides stays open, and the linker's error names it.

use wasmtime::component::{Component, HasData, Linker, ResourceTable};
use wasmtime::{Engine, Module, Result};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::{p0, p2, p3};
use wasmtime_wasi_io::bindings::wasi::io;

use super::engine::Time;
use super::spawn;
use super::state::GuestState;
use crate::image::{Metering, Profile, Reservation, family};
use crate::sandbox::wasi as fronts;
use crate::sandbox::wasi::p1::UNSTABLE;

type State = GuestState;

/// A linker with what `component` imports, for guests that live by this
/// time. The versions of
/// `wasmpod:lifecycle` go with those of WASI.
pub(crate) fn component(component: &Component, time: Time) -> Result<Linker<State>> {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    for (name, _) in component.component_type().imports(engine) {
        let Some((interface, version)) = name.split_once('@') else { continue };
        // What is not linked stays open, and is named by who instantiates.
        let _linked = match family(version) {
            Some(2) => link_p2(&mut linker, interface, time)?,
            Some(3) => link_p3(&mut linker, interface)?,
            _ => false,
        };
    }
    Ok(linker)
}

/// Which of these imports no guest is given here: of a component the interfaces, with their versions.
pub fn missing_interfaces<'name>(imports: impl Iterator<Item = &'name str>) -> Vec<&'name str> {
    let profile = Profile {
        concurrency: true,
        reservation: Reservation::Small,
        metering: Metering::default(),
    };
    // Where there is no engine nothing runs, and that is told elsewhere.
    let Ok(engine) = Engine::new(&profile.config()) else { return Vec::new() };
    let mut linker = Linker::new(&engine);
    let mut is_linked = |name: &str| {
        let Some((interface, version)) = name.split_once('@') else { return false };
        let linked = match family(version) {
            Some(2) => link_p2(&mut linker, interface, Time::Real),
            Some(3) => link_p3(&mut linker, interface),
            _ => Ok(false),
        };
        // Linked before, under another version of the same.
        linked.unwrap_or(true)
    };
    imports.filter(|name| !is_linked(name)).collect()
}

/// Which of these modules no module is given anything of here.
pub fn missing_modules<'name>(modules: impl Iterator<Item = &'name str>) -> Vec<&'name str> {
    let is_known = |name: &str| {
        [UNSTABLE, "wasi_snapshot_preview1", "wasmpod_terminal"].contains(&name)
            || name == "wasmpod:lifecycle/stop"
            || name.starts_with("wasmpod:ipc/")
    };
    modules.filter(|name| !is_known(name)).collect()
}

/// What a module may have beside what every guest may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    Nothing,
    /// Processes: for the toolbox.
    Processes,
}

/// A linker with the WASI that `module` imports, for guests that live by this time.
pub(crate) fn module(module: &Module, time: Time, grant: Grant) -> Result<wasmtime::Linker<State>> {
    let mut linker = wasmtime::Linker::new(module.engine());
    let imports = |name| module.imports().any(|import| import.module() == name);
    fronts::p1::add_to_linker(&mut linker, module)?;
    fronts::lifecycle::link_module(&mut linker, module)?;
    fronts::ipc::link_module(&mut linker, module)?;
    fronts::terminal::link_module(&mut linker, module)?;
    if imports(UNSTABLE) {
        p0::add_to_linker_async(&mut linker, State::wasi_p1)?;
        fronts::p1::any_exit_code(&mut linker, UNSTABLE)?;
    }
    if grant == Grant::Processes {
        spawn::link(&mut linker)?;
    }
    if time == Time::Virtual {
        fronts::p1::sleep_on_tokios_clock(&mut linker, module)?;
    }
    Ok(linker)
}

/// Resources alone: the stock linker would make the whole context for each call on a stream.
struct Table;

impl HasData for Table {
    type Data<'a> = &'a mut ResourceTable;
}

/// Links `$interface` if it is one of those that 0.2 and 0.3 (`$wasi`) both have; answers whether it
/// was.
macro_rules! link_common {
    ($wasi:ident, $linker:expr, $interface:expr) => {{
        use $wasi::bindings::{cli, clocks, random};
        let linker = $linker;
        let mut linked = true;
        match $interface {
            "wasi:clocks/monotonic-clock" => {
                clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)?;
            }
            "wasi:random/random" => {
                random::random::add_to_linker::<_, WasiRandom>(linker, State::random)?;
            }
            "wasi:random/insecure" => {
                random::insecure::add_to_linker::<_, WasiRandom>(linker, State::random)?;
            }
            "wasi:random/insecure-seed" => {
                random::insecure_seed::add_to_linker::<_, WasiRandom>(linker, State::random)?;
            }
            "wasi:cli/exit" => cli::exit::add_to_linker::<_, WasiCli>(linker, State::cli)?,
            "wasi:cli/environment" => {
                cli::environment::add_to_linker::<_, WasiCli>(linker, State::cli)?;
            }
            "wasi:cli/stdin" => cli::stdin::add_to_linker::<_, WasiCli>(linker, State::cli)?,
            "wasi:cli/stdout" => cli::stdout::add_to_linker::<_, WasiCli>(linker, State::cli)?,
            "wasi:cli/stderr" => cli::stderr::add_to_linker::<_, WasiCli>(linker, State::cli)?,
            "wasi:cli/terminal-input" => {
                cli::terminal_input::add_to_linker::<_, WasiCli>(linker, State::cli)?;
            }
            "wasi:cli/terminal-output" => {
                cli::terminal_output::add_to_linker::<_, WasiCli>(linker, State::cli)?;
            }
            "wasi:cli/terminal-stdin" => {
                cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, State::cli)?;
            }
            "wasi:cli/terminal-stdout" => {
                cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, State::cli)?;
            }
            "wasi:cli/terminal-stderr" => {
                cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, State::cli)?;
            }
            _ => linked = false,
        }
        linked
    }};
}

/// Answers whether there is such an interface.
fn link_p2(linker: &mut Linker<State>, interface: &str, time: Time) -> Result<bool> {
    use p2::bindings::clocks;

    if link_common!(p2, &mut *linker, interface) {
        return Ok(true);
    }
    match interface {
        "wasi:filesystem/preopens" => fronts::p2::link_preopens(linker),
        "wasi:filesystem/types" => {
            fronts::p2::link_types(linker)?;
            match time {
                Time::Real => fronts::p2::charged_file_streams(linker),
                Time::Virtual => fronts::p2::file_streams_in_place(linker),
            }
        }
        "wasi:io/error" => io::error::add_to_linker::<_, Table>(linker, State::table),
        "wasi:io/poll" => io::poll::add_to_linker::<_, Table>(linker, State::table),
        "wasi:io/streams" => io::streams::add_to_linker::<_, Table>(linker, State::table),
        "wasi:clocks/wall-clock" => {
            clocks::wall_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)
        }
        other => {
            return Ok(fronts::http::link_interface_p2(linker, other)?
                || fronts::p2::link_interface(linker, other)?
                || fronts::lifecycle::link_interface_p2(linker, other)?
                || fronts::ipc::link_interface_p2(linker, other)?);
        }
    }?;
    Ok(true)
}

/// As [`link_p2`].
fn link_p3(linker: &mut Linker<State>, interface: &str) -> Result<bool> {
    use p3::bindings::{clocks, filesystem};

    if link_common!(p3, &mut *linker, interface) {
        return Ok(true);
    }
    match interface {
        "wasi:filesystem/preopens" => {
            filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, State::filesystem)
        }
        "wasi:filesystem/types" => {
            filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, State::filesystem)
        }
        "wasi:clocks/types" => clocks::types::add_to_linker::<_, WasiClocks>(linker, State::clocks),
        "wasi:clocks/system-clock" => {
            clocks::system_clock::add_to_linker::<_, WasiClocks>(linker, State::clocks)
        }
        other => {
            return Ok(fronts::http::link_interface_p3(linker, other)?
                || fronts::p3::link_interface(linker, other)?
                || fronts::lifecycle::link_interface_p3(linker, other)?);
        }
    }?;
    Ok(true)
}
