//! What WASI 0.2 says about sockets, as rules that a host keeps or breaks.
//!
//! `socket-rules [PART]` tries every rule whose name contains PART and prints `ok NAME` or
//! `BROKEN NAME: what came instead`; exit code 1 when one is broken. The rules hold for every host: a
//! Pod has to keep them in memory, as `wasmtime run -S inherit-network,allow-ip-name-lookup` does on
//! the kernel's loopback (all of them since version 49; 48 breaks those of an output that can always
//! be written and of a hundred connects of UDP).

mod names;
mod sockets;
mod tcp_addresses;
mod tcp_options;
mod tcp_states;
mod tcp_streams;
mod udp;

use std::env;
use std::process::ExitCode;

use wasip2::sockets::network::IpAddressFamily;

/// How a rule fared: what came instead when it is broken.
type Kept = Result<(), String>;
/// A rule that holds for both families of addresses.
type Rule = (&'static str, fn(IpAddressFamily) -> Kept);
/// A rule that has nothing to do with families.
type OnlyRule = (&'static str, fn() -> Kept);

/// Breaks the rule unless the value is as it says.
macro_rules! must {
    ($value:expr, $($pattern:tt)+) => {
        match &$value {
            $($pattern)+ => {}
            other => {
                let (asked, wanted) = (stringify!($value), stringify!($($pattern)+));
                return Err(format!("{asked} gave {other:?}, not {wanted}"));
            }
        }
    };
}
pub(crate) use must;

fn main() -> ExitCode {
    let part = env::args().nth(1).unwrap_or_default();
    let mut broken = 0;
    let rules = [
        tcp_states::RULES,
        tcp_addresses::RULES,
        tcp_options::RULES,
        tcp_streams::RULES,
        udp::RULES,
    ];
    for &(name, rule) in rules.into_iter().flatten() {
        for (family, suffix) in [(IpAddressFamily::Ipv4, "IPv4"), (IpAddressFamily::Ipv6, "IPv6")] {
            let name = format!("{name}, {suffix}");
            if name.contains(&part) {
                broken += report(&name, rule(family));
            }
        }
    }
    for &(name, rule) in names::RULES {
        if name.contains(&part) {
            broken += report(name, rule());
        }
    }
    if broken > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn report(name: &str, kept: Kept) -> u32 {
    match kept {
        Ok(()) => {
            println!("ok {name}");
            0
        }
        Err(instead) => {
            println!("BROKEN {name}: {instead}");
            1
        }
    }
}
