//! What guests there are, and how the cache spells them.

use std::fmt;

/// What a guest is and thus how it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GuestKind {
    /// A core module with `_start`: WASI 0.1.
    CommandModule,
    /// A component that exports `wasi:cli/run` of 0.2.
    CommandP2,
    /// A component that exports `wasi:cli/run` of 0.3.
    CommandP3,
    /// A component that exports `wasi:http/incoming-handler` of 0.2.
    HttpP2,
    /// A component that exports `wasi:http/handler` of 0.3.
    HttpP3,
    /// A core module without `_start`: only exports for others to call.
    ReactorModule,
    /// A component with none of the exports above.
    ReactorComponent,
}

const TAGS: [(GuestKind, &str); 7] = [
    (GuestKind::CommandModule, "command-0.1"),
    (GuestKind::CommandP2, "command-0.2"),
    (GuestKind::CommandP3, "command-0.3"),
    (GuestKind::HttpP2, "http-0.2"),
    (GuestKind::HttpP3, "http-0.3"),
    (GuestKind::ReactorModule, "reactor-module"),
    (GuestKind::ReactorComponent, "reactor-component"),
];

impl GuestKind {
    /// Whether it is a component; otherwise it is a core module.
    pub fn is_component(self) -> bool {
        !matches!(self, Self::CommandModule | Self::ReactorModule)
    }

    /// Whether it answers HTTP requests instead of running.
    pub fn is_http(self) -> bool {
        matches!(self, Self::HttpP2 | Self::HttpP3)
    }

    /// Whether it runs from its entry to its end.
    pub fn is_command(self) -> bool {
        matches!(self, Self::CommandModule | Self::CommandP2 | Self::CommandP3)
    }

    /// Whether it has no entry of its own.
    pub fn is_reactor(self) -> bool {
        matches!(self, Self::ReactorModule | Self::ReactorComponent)
    }
}

impl fmt::Display for GuestKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, tag) = TAGS.iter().find(|(kind, _)| kind == self).expect("each kind has a tag");
        formatter.write_str(tag)
    }
}

/// A guest's kind and what its engine must be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// How it is run.
    pub kind: GuestKind,
    /// Whether it uses the component model's async: types or functions of 0.3, anywhere inside.
    pub concurrency: bool,
}

impl Shape {
    /// The text that names this shape in the cache: `command-0.2`, `reactor-component.async`.
    #[cfg(feature = "compiler")]
    pub(crate) fn tag(self) -> String {
        let Self { kind, concurrency } = self;
        if concurrency { format!("{kind}.async") } else { kind.to_string() }
    }

    /// The shape that [`Shape::tag`] named.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let (tag, concurrency) = match tag.strip_suffix(".async") {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let (kind, _) = TAGS.iter().find(|(_, known)| *known == tag)?;
        Some(Self { kind: *kind, concurrency })
    }
}

/// Why a file is not a guest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KindError {
    /// Nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Some other kind of file.
    #[error("it is not WebAssembly: it starts with {start}, not with `\\0asm`{hint}")]
    NotWasm {
        /// Its first bytes, printable.
        start: String,
        /// What it looks like, if that is known.
        hint: &'static str,
    },
    /// It starts right and ends early, or its sections do not add up.
    #[error("it is WebAssembly, but broken or cut off: {message}")]
    Malformed {
        /// The parser's reason, with the offset.
        message: String,
    },
    /// An encoding from another time.
    #[error("it is WebAssembly of an unknown version ({version})")]
    Version {
        /// The version field.
        version: u16,
    },
    /// An entry of a WASI that this runtime does not have.
    #[error("it exports `{export}`, which is not supported: build it for {known}")]
    UnsupportedExport {
        /// The export's whole name.
        export: String,
        /// What would be right.
        known: &'static str,
    },
    /// Text format that does not parse.
    #[error("it is not valid WebAssembly text: {message}")]
    Text {
        /// The parser's reason, with the place.
        message: String,
    },
    /// Machine code that somebody else compiled.
    #[error(
        "it is precompiled machine code: such files run unchecked, so only those of wasmpod's own \
         cache are accepted; give the .wasm that it was made of"
    )]
    Precompiled,
}

/// The minor version of a released `0.x.y`; none for another major version or a pre-release.
///
/// Rule: in the component model `0.2.x` and `0.3.x` each are one family; a release candidate belongs
/// to none.
pub(crate) fn family(version: &str) -> Option<u64> {
    let mut parts = version.split('.');
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    let released = patch.bytes().all(|byte| byte.is_ascii_digit()) && parts.next().is_none();
    (major == "0" && released).then(|| minor.parse().ok()).flatten()
}

#[cfg(all(test, feature = "compiler"))]
mod tests {
    use super::*;

    #[test]
    fn tags_survive_the_trip() {
        for (kind, _) in TAGS {
            for concurrency in [false, true] {
                let shape = Shape { kind, concurrency };
                assert_eq!(Shape::from_tag(&shape.tag()), Some(shape));
            }
        }
        assert_eq!(Shape::from_tag("command-0.9"), None);
    }
}
