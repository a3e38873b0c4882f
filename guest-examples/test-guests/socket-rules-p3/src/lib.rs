//! What WASI 0.3 says about sockets, as rules that a host keeps or breaks; `socket-rules` has those of
//! WASI 0.2 and says how to run either.

mod names;
mod options;
mod sockets;
mod tcp;
mod tcp_streams;
mod udp;

use std::pin::Pin;

use wasip3::cli::{environment, stdout};
use wasip3::sockets::types::IpAddressFamily;
use wasip3::wit_stream;

/// How a rule fared: what came instead when it is broken.
type Kept = Result<(), String>;
type Trial = Pin<Box<dyn Future<Output = Kept>>>;
type Rule = (&'static str, fn(IpAddressFamily) -> Trial);

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

/// The table of a file's rules: a name and an `async fn` of the family for each.
macro_rules! rules {
    ($($name:literal => $rule:ident,)*) => {
        pub(crate) const RULES: &[crate::Rule] =
            &[$(($name, |family| Box::pin($rule(family)))),*];
    };
}
pub(crate) use rules;

struct SocketRules;

wasip3::cli::command::export!(SocketRules);

impl wasip3::exports::cli::run::Guest for SocketRules {
    async fn run() -> Result<(), ()> {
        let part = environment::get_arguments().into_iter().nth(1).unwrap_or_default();
        let mut broken = 0;
        let files = [tcp::RULES, tcp_streams::RULES, options::RULES, udp::RULES, names::RULES];
        for &(name, rule) in files.into_iter().flatten() {
            for (family, suffix) in
                [(IpAddressFamily::Ipv4, "IPv4"), (IpAddressFamily::Ipv6, "IPv6")]
            {
                let name = format!("{name}, {suffix}");
                if !name.contains(&part) {
                    continue;
                }
                let line = match rule(family).await {
                    Ok(()) => format!("ok {name}\n"),
                    Err(instead) => {
                        broken += 1;
                        format!("BROKEN {name}: {instead}\n")
                    }
                };
                say(line).await;
            }
        }
        if broken > 0 { Err(()) } else { Ok(()) }
    }
}

async fn say(line: String) {
    let (mut writer, reader) = wit_stream::new();
    let written = stdout::write_via_stream(reader);
    writer.write_all(line.into_bytes()).await;
    drop(writer);
    let _ = written.await;
}
