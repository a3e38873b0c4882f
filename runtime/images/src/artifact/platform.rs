//! Which platforms are WebAssembly, and which Linux is that of this machine.

use std::fmt;

use oci_spec::image::Platform as Described;
use serde::Deserialize;

use crate::shown::beginning;

/// For whom an image was built, in the words of its config or of an index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) struct Platform {
    #[serde(default)]
    pub(super) os: String,
    #[serde(default)]
    pub(super) architecture: String,
}

impl Platform {
    /// `wasi/wasm` of Docker, `wasip1/wasm` and `wasip2/wasm` of CNCF's layout, `linux/wasm` of tools
    /// that were told `--platform=wasm`.
    pub(super) fn is_wasm(&self) -> bool {
        matches!(self.architecture.as_str(), "wasm" | "wasm32")
            || matches!(self.os.as_str(), "wasi" | "wasip1" | "wasip2")
    }

    pub(super) fn is_linux(&self) -> bool {
        self.os == "linux"
    }

    /// Whether Linux of this machine's architecture is meant, in Go's words.
    pub(super) fn is_host(&self) -> bool {
        let host = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        self.is_linux() && self.architecture == host
    }

    pub(super) fn is_unknown(&self) -> bool {
        let blank = |text: &str| matches!(text, "" | "unknown");
        blank(&self.os) && blank(&self.architecture)
    }
}

impl From<&Described> for Platform {
    fn from(described: &Described) -> Self {
        Self { os: described.os().to_string(), architecture: described.architecture().to_string() }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |text: &str| beginning(if text.is_empty() { "unknown" } else { text });
        write!(formatter, "{}/{}", word(&self.os), word(&self.architecture))
    }
}
