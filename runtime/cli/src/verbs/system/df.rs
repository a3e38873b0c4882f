//! `wasmpod system df`: how much there is of what.

use std::path::Path;
use std::process::ExitCode;

use wasmpod_node::system::{Kind, Part, usage};

use crate::args::{DfFormat, SystemDf};
use crate::failure::Failure;
use crate::print::{out, table, units};
use crate::verbs::objects::machine;

/// # Errors
/// The store cannot be read.
pub(super) fn df(verb: &SystemDf, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let parts = usage(&machine::open(root)?)?;
    let failed = |error: &dyn std::error::Error| Failure::because("cannot tell", error);
    match verb.output {
        None => {
            let rows: Vec<Vec<String>> = parts.iter().map(row).collect();
            let header = ["TYPE", "TOTAL", "ACTIVE", "SIZE", "RECLAIMABLE"];
            table::columns(&header, &rows).iter().for_each(|line| out::line(line));
        }
        Some(DfFormat::Json) => {
            out::line(&serde_json::to_string_pretty(&parts).map_err(|error| failed(&error))?);
        }
        Some(DfFormat::Yaml) => {
            out::text(&serde_saphyr::to_string(&parts).map_err(|error| failed(&error))?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn row(part: &Part) -> Vec<String> {
    let percent = (u128::from(part.reclaimable) * 100).checked_div(part.bytes.into()).unwrap_or(0);
    vec![
        title(part.kind).to_owned(),
        part.total.to_string(),
        part.active.to_string(),
        units::bytes(part.bytes),
        format!("{} ({percent}%)", units::bytes(part.reclaimable)),
    ]
}

pub(super) fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Pods => "Pods",
        Kind::Objects => "Objects",
        Kind::Logs => "Logs",
        Kind::Volumes => "Volumes",
        Kind::Images => "Images",
        Kind::Code => "Compiled code",
        Kind::Toolbox => "Toolbox",
        Kind::Spare => "Spare folders",
        Kind::Processes => "Processes",
    }
}
