//! What a file of WebAssembly imports and exports. Pure.

use wasmparser::{
    BinaryReaderError, ComponentExternalKind, ComponentTypeRef, Encoding, ExternalKind, Parser,
    Payload, TypeRef,
};

use super::description::{Description, Item};
use crate::image::kind::KindError;
use crate::image::recognise;

/// More than any real program has: what is beyond is left out.
const MOST_ITEMS: usize = 10_000;

/// Reads the outline of `wasm` (binary format).
///
/// # Errors
/// It is no WebAssembly, or its sections do not add up. That it is no guest is a part of the answer.
pub(super) fn describe(wasm: &[u8]) -> Result<Description, KindError> {
    let kind = match recognise::shape(wasm) {
        Ok(shape) => Ok(shape.kind.to_string()),
        Err(error @ KindError::UnsupportedExport { .. }) => Err(error.to_string()),
        Err(error) => return Err(error),
    };
    let (is_component, imports, exports) =
        items(wasm).map_err(|error| KindError::Malformed { message: error.to_string() })?;
    Ok(Description { kind, is_component, imports, exports })
}

type Items = (bool, Vec<Item>, Vec<Item>);

fn items(wasm: &[u8]) -> Result<Items, BinaryReaderError> {
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut is_component = false;
    let mut depth = 0_usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::Version { encoding, .. } if depth == 0 => {
                is_component = encoding == Encoding::Component;
            }
            // What follows belongs to the nested one, up to its own end.
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ImportSection(section) if depth == 0 => {
                for import in section.into_imports() {
                    let import = import?;
                    let name = format!("{}.{}", import.module, import.name);
                    push(&mut imports, name, of_type(import.ty));
                }
            }
            Payload::ExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export?;
                    push(&mut exports, export.name.to_owned(), of_kind(export.kind));
                }
            }
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    let import = import?;
                    push(&mut imports, import.name.name.to_owned(), of_component_type(import.ty));
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export?;
                    push(&mut exports, export.name.name.to_owned(), of_component(export.kind));
                }
            }
            _ => {}
        }
    }
    Ok((is_component, imports, exports))
}

fn push(items: &mut Vec<Item>, name: String, kind: &str) {
    if items.len() < MOST_ITEMS {
        items.push(Item { name, kind: kind.to_owned() });
    }
}

fn of_type(kind: TypeRef) -> &'static str {
    match kind {
        TypeRef::Func(_) | TypeRef::FuncExact(_) => "func",
        TypeRef::Table(_) => "table",
        TypeRef::Memory(_) => "memory",
        TypeRef::Global(_) => "global",
        TypeRef::Tag(_) => "tag",
    }
}

fn of_kind(kind: ExternalKind) -> &'static str {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => "func",
        ExternalKind::Table => "table",
        ExternalKind::Memory => "memory",
        ExternalKind::Global => "global",
        ExternalKind::Tag => "tag",
    }
}

fn of_component_type(kind: ComponentTypeRef) -> &'static str {
    match kind {
        ComponentTypeRef::Module(_) => "module",
        ComponentTypeRef::Func(_) => "func",
        ComponentTypeRef::Value(_) => "value",
        ComponentTypeRef::Type(_) => "type",
        ComponentTypeRef::Instance(_) => "instance",
        ComponentTypeRef::Component(_) => "component",
    }
}

fn of_component(kind: ComponentExternalKind) -> &'static str {
    match kind {
        ComponentExternalKind::Module => "module",
        ComponentExternalKind::Func => "func",
        ComponentExternalKind::Value => "value",
        ComponentExternalKind::Type => "type",
        ComponentExternalKind::Instance => "instance",
        ComponentExternalKind::Component => "component",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &str) -> Description {
        describe(&wat::parse_str(text).unwrap()).unwrap()
    }

    fn told(items: &[Item]) -> Vec<String> {
        items.iter().map(|item| format!("{}: {}", item.name, item.kind)).collect()
    }

    #[test]
    fn a_module_tells_what_it_wants_and_offers() {
        let module = described(
            r#"(module (import "env" "log" (func)) (import "env" "heap" (memory 1))
                (func (export "_start")) (global (export "top") i32 (i32.const 0)))"#,
        );
        assert_eq!(module.kind.as_deref(), Ok("command-0.1"));
        assert_eq!(told(&module.imports), ["env.log: func", "env.heap: memory"]);
        assert_eq!(told(&module.exports), ["_start: func", "top: global"]);
        assert_eq!(module.world(), None);
    }

    #[test]
    fn a_component_has_a_world_and_what_is_nested_is_its_own() {
        let component = described(
            r#"(component
                (import "acme:pumps/control@1.0.0" (instance $pumps))
                (import "log" (func))
                (core module (import "env" "inner" (func)))
                (export "wasi:cli/run@0.9.0" (instance $pumps)))"#,
        );
        let problem = component.kind.as_ref().unwrap_err();
        assert!(problem.starts_with("it exports `wasi:cli/run@0.9.0`"), "{problem}");
        insta::assert_snapshot!(component.world().unwrap(), @r"
        world root {
          import acme:pumps/control@1.0.0;
          // import log: func
          export wasi:cli/run@0.9.0;
        }
        ");
    }

    #[test]
    fn what_is_no_webassembly_is_told_why() {
        let error = describe(b"#!/bin/sh\n").unwrap_err();
        assert!(error.to_string().contains("it is a script"), "{error}");
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            for header in [b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"] {
                let _ = describe(&[&header[..], &bytes].concat());
            }
        }
    }
}
