//! Machine code that is made in a quarter of the time and runs three times as long: what a large guest
//! begins with, until better code is there.
//!
//! It is Winch's, the baseline compiler of wasmtime, a supported one for `x86_64`. An engine without a
//! compiler cannot be told to take such code: the code says that its functions call one another as
//! Winch's do, the engine says that its own do not, and wasmtime refuses the pair. Yet nobody else calls
//! those functions: the host enters code through trampolines, which Winch makes for the host's way of
//! calling, and a store here has the code of one guest and no other. So the code is given the header of
//! code for the engine that will run it, if the two differ in that one word and in nothing else.

use object::{Object as _, ObjectSection as _};
use wasmtime::{Config, Engine, OptLevel, Strategy};

use crate::image::kind::Shape;
use crate::image::profile::{Metering, Profile};

/// A smaller guest is compiled well in about the time that this would save.
const LARGE: usize = 8 << 20;

/// Where wasmtime writes for which engine code is.
const HEADER: &str = ".wasmtime.engine";

/// A module in which there is nothing.
const EMPTY: &[u8] = b"\0asm\x01\0\0\0";

/// Code of the large guest `wasm` for the engine of `profile`; none where it can only be had the slow way.
pub(super) fn compile(wasm: &[u8], shape: Shape, profile: Profile) -> Option<Vec<u8>> {
    // What is counted for a budget must be the same in each run.
    if wasm.len() < LARGE || profile.metering != Metering::Epochs || !cfg!(target_arch = "x86_64") {
        return None;
    }
    let engine = Engine::new(&restricted(profile, Strategy::Winch)).ok()?;
    let mut code = match shape.kind.is_component() {
        true => engine.precompile_component(wasm),
        false => engine.precompile_module(wasm),
    }
    .ok()?;
    address(&mut code, &expected_header(profile).ok()?)?;
    Some(code)
}

/// The settings of `profile` without the proposals that Winch has not, and as it has those that mean
/// nothing to the engine.
fn restricted(profile: Profile, strategy: Strategy) -> Config {
    let mut config = profile.config();
    config.strategy(strategy);
    config.cranelift_opt_level(OptLevel::None);
    config.cranelift_debug_verifier(false);
    config.gc_support(false);
    config.wasm_gc(false);
    config.wasm_function_references(false);
    config.wasm_exceptions(false);
    config.wasm_tail_call(false);
    config.wasm_relaxed_simd(false);
    config
}

/// What code that the engine takes has as its header.
fn expected_header(profile: Profile) -> wasmtime::Result<Vec<u8>> {
    let code = Engine::new(&restricted(profile, Strategy::Cranelift))?.precompile_module(EMPTY)?;
    let header = header(&code).map(|place| code[place].to_vec());
    header.ok_or_else(|| wasmtime::Error::msg("compiled code has no header"))
}

/// Gives `code` the header `expected`, if its own differs in one word that says yes.
fn address(code: &mut [u8], expected: &[u8]) -> Option<()> {
    let place = header(code)?;
    let found = &mut code[place];
    if found.len() != expected.len() {
        return None;
    }
    let differing: Vec<_> =
        found.iter().zip(expected).filter(|(one, other)| one != other).collect();
    if !matches!(differing[..], [(1, 0)]) {
        return None;
    }
    found.copy_from_slice(expected);
    Some(())
}

fn header(code: &[u8]) -> Option<std::ops::Range<usize>> {
    let file = object::File::parse(code).ok()?;
    let (start, length) = file.section_by_name(HEADER)?.file_range()?;
    let start = usize::try_from(start).ok()?;
    Some(start..start.checked_add(usize::try_from(length).ok()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::kind::GuestKind;
    use crate::image::profile::Reservation;

    const PROFILE: Profile =
        Profile { concurrency: false, reservation: Reservation::Whole, metering: Metering::Epochs };

    fn large(text: &str) -> Vec<u8> {
        let padding = "x".repeat(LARGE);
        let text = text.replacen("(module", &format!("(module (@custom \"x\" \"{padding}\")"), 1);
        wat::parse_str(text).unwrap()
    }

    fn quick(wasm: &[u8], profile: Profile) -> Option<Vec<u8>> {
        let shape = Shape { kind: GuestKind::CommandModule, concurrency: false };
        compile(wasm, shape, profile)
    }

    #[test]
    fn an_engine_that_knows_nothing_of_winch_takes_it() {
        let code = quick(&large("(module (func (export \"_start\")))"), PROFILE).unwrap();
        let mut config = PROFILE.config();
        config.enable_compiler(false);
        let engine = Engine::new(&config).unwrap();
        #[expect(unsafe_code, reason = "deserialize trusts its input")]
        // SAFETY: compiled three lines above.
        let module = unsafe { wasmtime::Module::deserialize(&engine, &code) };
        assert!(module.is_ok(), "{module:?}");
    }

    #[test]
    fn small_guests_budgets_and_what_winch_cannot_do_take_the_slow_way() {
        assert_eq!(quick(EMPTY, PROFILE), None);
        let counting = Profile { metering: Metering::Fuel, ..PROFILE };
        assert_eq!(quick(&large("(module)"), counting), None);
        assert_eq!(quick(&large("(module (func return_call 0))"), PROFILE), None);
    }

    #[test]
    fn code_is_addressed_only_where_it_differs_in_the_one_word() {
        let engine = Engine::new(&restricted(PROFILE, Strategy::Winch)).unwrap();
        let code = engine.precompile_module(EMPTY).unwrap();
        let expected = expected_header(PROFILE).unwrap();
        assert_eq!(address(&mut code.clone(), &expected), Some(()));
        let mut longer = expected.clone();
        longer.push(0);
        assert_eq!(address(&mut code.clone(), &longer), None);
        let mut other = expected.clone();
        other[3] ^= 1;
        assert_eq!(address(&mut code.clone(), &other), None, "two words");
        let mut addressed = code.clone();
        address(&mut addressed, &expected).unwrap();
        assert_eq!(address(&mut addressed, &expected), None, "none");
    }
}
