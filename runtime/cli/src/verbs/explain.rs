//! `wasmpod explain`: what becomes of the fields of a manifest, one or all.

use std::io::{self, Write as _};
use std::process::ExitCode;

use wasmpod::manifest::support::{self, Depth};

use crate::args::Explain;
use crate::failure::Failure;

pub(crate) fn explain(verb: &Explain) -> Result<ExitCode, Failure> {
    let page = match &verb.field {
        Some(field) => {
            let depth = if verb.recursive { Depth::All } else { Depth::One };
            let explanation = support::explain(field, depth).map_err(|unknown| {
                let failure = Failure::new(unknown.to_string());
                match unknown.meant {
                    Some(meant) => failure.hint(format!("`wasmpod explain {meant}`?")),
                    None => failure,
                }
            })?;
            explanation.to_string()
        }
        None if verb.markdown => support::markdown(),
        None => support::text(),
    };
    match io::stdout().lock().write_all(page.as_bytes()) {
        // Whoever reads the page by `head` has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        written => {
            written.map_err(|error| Failure::because("standard output", &error))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
