//! What a piece of WebAssembly is, told by its exports alone.
//!
//! Decided here: command, HTTP handler or reactor, of which WASI, and whether its engine must be
//! able to interleave tasks. Left alone: whether the code is valid (the compiler says so) and
//! whether its imports can be satisfied (the linker says so).

use wasmparser::{Encoding, ExternalKind, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use super::kind::{GuestKind, KindError, Shape, family};

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
        let table: [(&[&str], &str); 11] = [
            (&["wasi:cli/run@0.2.0"], "command-0.2"),
            (&["wasi:cli/run@0.2.12"], "command-0.2"),
            (&["wasi:cli/run@0.3.0"], "command-0.3.async"),
            (&["wasi:http/incoming-handler@0.2.3"], "http-0.2"),
            (&["wasi:http/handler@0.3.0"], "http-0.3.async"),
            (&["wasi:cli/run@0.2.3", "wasi:http/incoming-handler@0.2.3"], "http-0.2"),
            (&["my:own/api@1.2.3"], "reactor-component"),
            (&["wasi:http/incoming-handler@0.2.0", "wasi:cli/run@0.3.0-rc-2025-09-16"], "http-0.2"),
            (&["wasmpod:lifecycle/stoppable@0.2.0"], "reactor-component"),
            (&["wasi:cli/run@0.3.0", "wasmpod:lifecycle/stoppable@0.3.0"], "command-0.3.async"),
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
