//! What a piece of WebAssembly is, told by its exports alone.
//!
//! Decided here: command, HTTP handler or reactor, of which WASI, and whether its engine must be
//! able to interleave tasks. Left alone: whether the code is valid (the compiler says so) and
//! whether its imports can be satisfied (the linker says so).
//!
//! Versions follow the rule of the component model: `0.2.x` and `0.3.x` each are one family; a
//! release candidate belongs to none.

use std::fmt;

use wasmparser::{Encoding, ExternalKind, Parser, Payload, ValidPayload, Validator, WasmFeatures};

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

/// What the guest in `wasm` (binary format) is.
///
/// Reads the outline only: function bodies are skipped.
pub(crate) fn shape(wasm: &[u8]) -> Result<Shape, KindError> {
    check_header(wasm)?;
    let exports = exports(wasm)?;
    let kind = match exports {
        Exports::Module { start: true } => GuestKind::CommandModule,
        Exports::Module { start: false } => GuestKind::ReactorModule,
        Exports::Component(names) => component_kind(&names)?,
    };
    let concurrency = match kind {
        GuestKind::CommandModule | GuestKind::ReactorModule => false,
        GuestKind::CommandP3 | GuestKind::HttpP3 => true,
        GuestKind::CommandP2 | GuestKind::HttpP2 | GuestKind::ReactorComponent => {
            needs_concurrency(wasm)
        }
    };
    Ok(Shape { kind, concurrency })
}

fn check_header(bytes: &[u8]) -> Result<(), KindError> {
    if bytes.is_empty() {
        return Err(KindError::Empty);
    }
    if bytes.starts_with(b"\x7fELF") && wasmtime::Engine::detect_precompiled(bytes).is_some() {
        return Err(KindError::Precompiled);
    }
    let magic = b"\0asm";
    if bytes.len() < 8 && (magic.starts_with(bytes) || bytes.starts_with(magic)) {
        return Err(KindError::Malformed { message: "it ends within its header".to_owned() });
    }
    if !bytes.starts_with(magic) {
        let start = bytes[..bytes.len().min(8)].escape_ascii();
        return Err(KindError::NotWasm { start: format!("`{start}`"), hint: look(bytes) });
    }
    let version = u16::from_le_bytes([bytes[4], bytes[5]]);
    match (version, u16::from_le_bytes([bytes[6], bytes[7]])) {
        (1, 0) | (0x0d, 1) => Ok(()),
        (version, _) => Err(KindError::Version { version }),
    }
}

/// A guess that helps who mapped the wrong file.
fn look(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x7f, b'E', b'L', b'F', ..] => {
            " (it is a native program: build it for wasm32-wasip1 or \
                                         wasm32-wasip2)"
        }
        [0x1f, 0x8b, ..] => " (it is gzip: unpack it first)",
        [b'P', b'K', 3, 4, ..] => " (it is a zip archive: unpack it first)",
        [b'#', b'!', ..] => " (it is a script)",
        [b'(', ..] => " (it looks like text format: name the file `.wat`)",
        [b'{', ..] => " (it looks like JSON)",
        _ => "",
    }
}

enum Exports {
    Module { start: bool },
    Component(Vec<String>),
}

fn exports(wasm: &[u8]) -> Result<Exports, KindError> {
    let malformed =
        |error: wasmparser::BinaryReaderError| KindError::Malformed { message: error.to_string() };
    let mut depth = 0_usize;
    let mut encoding = Encoding::Module;
    let mut start = false;
    let mut names = Vec::new();
    for payload in Parser::new(0).parse_all(wasm) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: outer, .. } if depth == 0 => encoding = outer,
            // What follows belongs to the nested one, up to its own end.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export.map_err(malformed)?;
                    start |= export.name == "_start"
                        && matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact);
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    names.push(export.map_err(malformed)?.name.name.to_owned());
                }
            }
            _ => {}
        }
    }
    Ok(match encoding {
        Encoding::Module => Exports::Module { start },
        Encoding::Component => Exports::Component(names),
    })
}

/// The entries that make a component a handler or a command. A component that is both is a handler:
/// a handler that is built as a program exports `run` because every program does, and traps there.
fn component_kind(exports: &[String]) -> Result<GuestKind, KindError> {
    let known = |name: &str| -> Option<Result<(u8, GuestKind), KindError>> {
        let (interface, version) = name.split_once('@')?;
        let (found, expected) = match interface {
            "wasi:cli/run" => match family(version) {
                Some(2) => (Some((2, GuestKind::CommandP2)), ""),
                Some(3) => (Some((3, GuestKind::CommandP3)), ""),
                _ => (None, "`wasi:cli/run` 0.2.x or 0.3.x"),
            },
            "wasi:http/incoming-handler" => match family(version) {
                Some(2) => (Some((0, GuestKind::HttpP2)), ""),
                _ => (None, "`wasi:http/incoming-handler` 0.2.x"),
            },
            "wasi:http/handler" => match family(version) {
                Some(3) => (Some((1, GuestKind::HttpP3)), ""),
                _ => (None, "`wasi:http/handler` 0.3.x"),
            },
            _ => return None,
        };
        Some(found.ok_or_else(|| KindError::UnsupportedExport {
            export: name.to_owned(),
            known: expected,
        }))
    };
    let mut best: Option<(u8, GuestKind)> = None;
    let mut unsupported = None;
    for name in exports {
        match known(name) {
            Some(Ok(found)) if best.is_none_or(|(rank, _)| found.0 < rank) => best = Some(found),
            Some(Err(error)) => unsupported = Some(error),
            Some(Ok(_)) | None => {}
        }
    }
    match (best, unsupported) {
        (Some((_, kind)), _) => Ok(kind),
        (None, Some(error)) => Err(error),
        (None, None) => Ok(GuestKind::ReactorComponent),
    }
}

/// The minor version of a released `0.x.y`; none for another major version or a pre-release.
pub(crate) fn family(version: &str) -> Option<u64> {
    let mut parts = version.split('.');
    let (major, minor, patch) = (parts.next()?, parts.next()?, parts.next()?);
    let released = patch.bytes().all(|byte| byte.is_ascii_digit()) && parts.next().is_none();
    (major == "0" && released).then(|| minor.parse().ok()).flatten()
}

/// Whether the outline is valid only with the component model's async. Anything else that is wrong
/// with it is for the compiler to say, on either engine.
fn needs_concurrency(wasm: &[u8]) -> bool {
    let plain = WasmFeatures::all()
        - WasmFeatures::CM_ASYNC
        - WasmFeatures::CM_MORE_ASYNC_BUILTINS
        - WasmFeatures::CM_ASYNC_STACKFUL
        - WasmFeatures::CM_THREADING
        - WasmFeatures::CM_ERROR_CONTEXT;
    let mut validator = Validator::new_with_features(plain);
    for payload in Parser::new(0).parse_all(wasm) {
        let Ok(payload) = payload else { return false };
        match validator.payload(&payload) {
            Ok(ValidPayload::Func(..) | ValidPayload::Ok | ValidPayload::Parser(_)) => {}
            Ok(ValidPayload::End(_)) => {}
            Err(_) => return true,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape_of(text: &str) -> Result<String, String> {
        let wasm = wat::parse_str(text).unwrap();
        shape(&wasm).map(Shape::tag).map_err(|error| error.to_string())
    }

    fn component_exporting(names: &[&str]) -> String {
        let mut text = "(component (instance $empty)".to_owned();
        for name in names {
            text += &format!("(export \"{name}\" (instance $empty))");
        }
        text + ")"
    }

    #[test]
    fn a_module_is_a_command_when_it_has_a_start_function() {
        assert_eq!(shape_of(r#"(module (func (export "_start")))"#).unwrap(), "command-0.1");
        assert_eq!(shape_of(r#"(module (func (export "run")))"#).unwrap(), "reactor-module");
        assert_eq!(shape_of("(module)").unwrap(), "reactor-module");
        assert_eq!(shape_of(r#"(module (memory (export "_start") 1))"#).unwrap(), "reactor-module");
    }

    #[test]
    fn a_component_is_told_by_its_exports() {
        let table: [(&[&str], &str); 9] = [
            (&["wasi:cli/run@0.2.0"], "command-0.2"),
            (&["wasi:cli/run@0.2.12"], "command-0.2"),
            (&["wasi:cli/run@0.3.0"], "command-0.3.async"),
            (&["wasi:http/incoming-handler@0.2.3"], "http-0.2"),
            (&["wasi:http/handler@0.3.0"], "http-0.3.async"),
            (&["wasi:cli/run@0.2.3", "wasi:http/incoming-handler@0.2.3"], "http-0.2"),
            (&["my:own/api@1.2.3"], "reactor-component"),
            (&["wasi:http/incoming-handler@0.2.0", "wasi:cli/run@0.3.0-rc-2025-09-16"], "http-0.2"),
            (&[], "reactor-component"),
        ];
        for (exports, expected) in table {
            assert_eq!(shape_of(&component_exporting(exports)).unwrap(), expected, "{exports:?}");
        }
    }

    #[test]
    fn a_release_candidate_is_refused_by_name() {
        assert_eq!(
            shape_of(&component_exporting(&["wasi:cli/run@0.3.0-rc-2025-09-16"])).unwrap_err(),
            "it exports `wasi:cli/run@0.3.0-rc-2025-09-16`, which is not supported: build it for \
             `wasi:cli/run` 0.2.x or 0.3.x"
        );
    }

    #[test]
    fn exports_of_nested_modules_do_not_count() {
        let text = r#"(component (core module (func (export "_start"))))"#;
        assert_eq!(shape_of(text).unwrap(), "reactor-component");
    }

    #[test]
    fn async_types_ask_for_concurrency_wherever_they_are() {
        let text = r#"(component (type $stream (stream u8)) (export "bytes" (type $stream)))"#;
        assert_eq!(shape_of(text).unwrap(), "reactor-component.async");
    }

    #[test]
    fn what_is_not_a_guest_is_told_why() {
        let whole = wat::parse_str(r#"(module (func (export "_start")))"#).unwrap();
        let errors: Vec<String> = [
            &b""[..],
            b"\0as",
            &whole[..6],
            &whole[..whole.len() - 3],
            b"#!/bin/sh\n",
            b"\x7fELF\x02\x01\x01\0",
            b"\0asm\x07\0\0\0",
            b"hello, world",
        ]
        .into_iter()
        .map(|bytes| shape(bytes).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(errors.join("\n"), @r"
    the file is empty
    it is WebAssembly, but broken or cut off: it ends within its header
    it is WebAssembly, but broken or cut off: it ends within its header
    it is WebAssembly, but broken or cut off: unexpected end-of-file (at offset 0x21)
    it is not WebAssembly: it starts with `#!/bin/s`, not with `\0asm` (it is a script)
    it is not WebAssembly: it starts with `\x7fELF\x02\x01\x01\x00`, not with `\0asm` (it is a native program: build it for wasm32-wasip1 or wasm32-wasip2)
    it is WebAssembly of an unknown version (7)
    it is not WebAssembly: it starts with `hello, w`, not with `\0asm`
    ");
    }

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

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = shape(&bytes);
            let mut module = b"\0asm\x01\0\0\0".to_vec();
            module.extend_from_slice(&bytes);
            let _ = shape(&module);
            let mut component = b"\0asm\x0d\0\x01\0".to_vec();
            component.extend_from_slice(&bytes);
            let _ = shape(&component);
        }
    }
}
