//! kuard: a small web server that shows the Pod around it, and lets one break it on purpose.
//!
//! Written after the demo program of the same name that Kubernetes books use, so that manifests and
//! exercises made for that one work here. One thread serves all connections.
//!
//! | path | shows or does |
//! |---|---|
//! | `/` | this request, and who answered it |
//! | `/-/env`, `/env/api` | arguments and environment |
//! | `/-/mem`, `/mem/api` | memory; allocate it and let it go |
//! | `/-/liveness`, `/healthy`, `/healthy/api` | the liveness probe, and a switch to fail it |
//! | `/-/readiness`, `/ready`, `/ready/api` | the same for readiness |
//! | `/-/dns`, `/dns/api` | look up a name |
//! | `/fs/` | the files that this container sees |

mod dns;
mod environment;
mod files;
mod http;
mod memory;
mod page;
mod probe;
mod request_page;
mod router;
mod server;

use std::env;
use std::net::TcpListener;
use std::process::ExitCode;

use router::Kuard;

const DEFAULT_ADDRESS: &str = "0.0.0.0:8080";

fn main() -> ExitCode {
    let address = match address(env::args().skip(1)) {
        Ok(address) => address,
        Err(problem) => {
            eprintln!("error: {problem}\nusage: kuard [--address=HOST:PORT]");
            return ExitCode::from(2);
        }
    };
    match run(&address) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {address}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(address: &str) -> std::io::Result<()> {
    let listener = TcpListener::bind(address)?;
    println!("kuard listens on {address}");
    let mut kuard = Kuard::new();
    server::serve(listener, |request| kuard.answer(request))
}

/// `--address=HOST:PORT` or `--address HOST:PORT`; a missing host means every address.
fn address(mut arguments: impl Iterator<Item = String>) -> Result<String, String> {
    let mut address = String::from(DEFAULT_ADDRESS);
    while let Some(argument) = arguments.next() {
        let value = match argument.strip_prefix("--address") {
            Some("") => arguments.next(),
            Some(rest) => rest.strip_prefix('=').map(String::from),
            None => return Err(format!("unknown argument `{argument}`")),
        };
        let value = value.ok_or("`--address` needs a value")?;
        address = if value.starts_with(':') { format!("0.0.0.0{value}") } else { value };
    }
    Ok(address)
}
