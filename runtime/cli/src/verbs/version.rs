//! `wasmpod version`: which program this is, and by whose rules it goes.

use std::process::ExitCode;

use serde::Serialize;
use wasmpod::guest::WASMTIME_VERSION;
use wasmpod::manifest::KUBERNETES_VERSION;

use crate::args::{InfoFormat, Version};
use crate::failure::Failure;
use crate::print::out;

pub(crate) fn version(verb: &Version) -> Result<ExitCode, Failure> {
    let versions = Versions::find();
    match verb.output {
        None => out::text(&versions.to_text()),
        Some(InfoFormat::Json) => {
            let text = serde_json::to_string_pretty(&versions);
            out::line(&text.map_err(|error| Failure::because("cannot tell", &error))?);
        }
        Some(InfoFormat::Yaml) => {
            let text = serde_saphyr::to_string(&versions);
            out::text(&text.map_err(|error| Failure::because("cannot tell", &error))?);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// As `kubectl version` has it, with what runs the guests beside it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Versions {
    client_version: Own,
    /// The version of the API whose manifests are read, and whose rules hold.
    kubernetes_version: Kubernetes,
    wasmtime_version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    major: &'static str,
    minor: &'static str,
    git_version: String,
    /// Known to whoever builds from a checkout and says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    git_commit: Option<&'static str>,
    platform: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Kubernetes {
    major: String,
    minor: String,
    git_version: String,
}

impl Versions {
    fn find() -> Self {
        let (major, minor) = KUBERNETES_VERSION.split_once('.').unwrap_or((KUBERNETES_VERSION, ""));
        Self {
            client_version: Own {
                major: env!("CARGO_PKG_VERSION_MAJOR"),
                minor: env!("CARGO_PKG_VERSION_MINOR"),
                git_version: format!("v{}", env!("CARGO_PKG_VERSION")),
                git_commit: option_env!("WASMPOD_COMMIT").filter(|commit| !commit.is_empty()),
                platform: platform(),
            },
            kubernetes_version: Kubernetes {
                major: major.to_owned(),
                minor: minor.to_owned(),
                git_version: format!("v{KUBERNETES_VERSION}"),
            },
            wasmtime_version: WASMTIME_VERSION,
        }
    }

    fn to_text(&self) -> String {
        let commit = match self.client_version.git_commit {
            Some(commit) => format!(" ({})", commit.get(..12).unwrap_or(commit)),
            None => String::new(),
        };
        format!(
            "Client Version: {}{commit}\nKubernetes API Version: {}\nWasmtime Version: v{}\n",
            self.client_version.git_version,
            self.kubernetes_version.git_version,
            self.wasmtime_version,
        )
    }
}

/// `linux/amd64`, in the words of Go.
fn platform() -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{}/{architecture}", std::env::consts::OS)
}
