//! A guest for tests: a module of WASI 0.1 that does file operations one after the other.
//!
//! Paths find their mount as a guest's libc does it, by the longest one that fits.

use std::fmt::Write;

use wasmtime::{Engine, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use super::{ContainerFilesystem, Mount};

/// What [`Guest::run`] answers when all went well.
pub(super) const OK: u32 = 0;
/// Added to the error of a step that is not the last one.
pub(super) const EARLIER_STEP: u32 = 1000;
/// What [`Guest::write`] writes.
pub(super) const TEXT: &str = "written by a guest";

/// Errors of WASI 0.1.
pub(super) mod errno {
    pub(crate) const NOENT: u32 = 44;
    pub(crate) const PERM: u32 = 63;
}
pub(super) const NOT_PERMITTED: u32 = errno::PERM;

/// The steps of a guest.
pub(super) struct Guest<'mounts> {
    mounts: &'mounts [Mount],
    data: String,
    next: usize,
    steps: Vec<String>,
}

const IMPORTS: &str = r#"
    (import "wasi_snapshot_preview1" "path_open" (func $path_open
        (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write
        (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_create_directory" (func $path_create_directory
        (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_symlink" (func $path_symlink
        (param i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_link" (func $path_link
        (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_rename" (func $path_rename
        (param i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_unlink_file" (func $path_unlink_file
        (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
"#;

impl<'mounts> Guest<'mounts> {
    pub(super) fn new(files: &'mounts ContainerFilesystem) -> Self {
        Guest { mounts: files.mounts(), data: String::new(), next: 1024, steps: Vec::new() }
    }

    /// The descriptor of the mount and the rest of the path, as arguments.
    fn find(&mut self, path: &str) -> String {
        let mount = self
            .mounts
            .iter()
            .filter(|mount| std::path::Path::new(path).starts_with(&mount.guest_path))
            .max_by_key(|mount| mount.guest_path.len())
            .unwrap();
        let rest = path[mount.guest_path.len()..].trim_start_matches('/').to_owned();
        let mount = mount.guest_path.clone();
        self.at(&mount, &rest)
    }

    fn at(&mut self, mount: &str, path: &str) -> String {
        let position = self.mounts.iter().position(|other| other.guest_path == mount).unwrap();
        format!("(i32.const {}) {}", position + 3, self.text(path))
    }

    /// A text in the guest's memory, as pointer and length.
    fn text(&mut self, text: &str) -> String {
        let _ = writeln!(self.data, "(data (i32.const {}) \"{text}\")", self.next);
        let arguments = format!("(i32.const {}) (i32.const {})", self.next, text.len());
        self.next += text.len();
        arguments
    }

    fn step(mut self, call: String) -> Self {
        self.steps.push(call);
        self
    }

    fn open(self, place: &str, oflags: u32, rights: u64) -> Self {
        // Descriptor first, then the flag that follows symbolic links, then the path.
        let (descriptor, path) = place.split_once(") ").unwrap();
        self.step(format!(
            "(call $path_open {descriptor}) (i32.const 1) {path} (i32.const {oflags}) \
             (i64.const {rights}) (i64.const 0) (i32.const 0) (i32.const 0))"
        ))
        .step_after_open()
    }

    fn step_after_open(self) -> Self {
        self.step("(call $fd_close (i32.load (i32.const 0)))".to_owned())
    }

    pub(super) fn read(mut self, path: &str) -> Self {
        let place = self.find(path);
        self.open(&place, 0, 1 << 1)
    }

    pub(super) fn read_in(mut self, mount: &str, path: &str) -> Self {
        let place = self.at(mount, path);
        self.open(&place, 0, 1 << 1)
    }

    pub(super) fn create(mut self, path: &str) -> Self {
        let place = self.find(path);
        self.open(&place, 1, 1 << 6)
    }

    pub(super) fn create_in(mut self, mount: &str, path: &str) -> Self {
        let place = self.at(mount, path);
        self.open(&place, 1, 1 << 6)
    }

    /// Truncates the file and writes [`TEXT`].
    pub(super) fn write(mut self, path: &str) -> Self {
        let place = self.find(path);
        let _ = writeln!(self.data, "(data (i32.const 512) \"{TEXT}\")");
        // One vector at 16: pointer 512 and the length.
        let length = format!("{:02x}", TEXT.len());
        let _ =
            writeln!(self.data, "(data (i32.const 16) \"\\00\\02\\00\\00\\{length}\\00\\00\\00\")");
        let mut guest = self.open(&place, 8, 1 << 6);
        let close = guest.steps.pop().unwrap();
        guest
            .step(
                "(call $fd_write (i32.load (i32.const 0)) (i32.const 16) (i32.const 1) \
                 (i32.const 8))"
                    .to_owned(),
            )
            .step(close)
    }

    pub(super) fn remove(mut self, path: &str) -> Self {
        let place = self.find(path);
        self.step(format!("(call $path_unlink_file {place})"))
    }

    pub(super) fn remove_in(mut self, mount: &str, path: &str) -> Self {
        let place = self.at(mount, path);
        self.step(format!("(call $path_unlink_file {place})"))
    }

    pub(super) fn make_folder(mut self, path: &str) -> Self {
        let place = self.find(path);
        self.step(format!("(call $path_create_directory {place})"))
    }

    pub(super) fn make_folder_in(mut self, mount: &str, path: &str) -> Self {
        let place = self.at(mount, path);
        self.step(format!("(call $path_create_directory {place})"))
    }

    pub(super) fn symlink(mut self, target: &str, path: &str) -> Self {
        let (target, place) = (self.text(target), self.find(path));
        self.step(format!("(call $path_symlink {target} {place})"))
    }

    pub(super) fn symlink_in(mut self, target: &str, mount: &str, path: &str) -> Self {
        let (target, place) = (self.text(target), self.at(mount, path));
        self.step(format!("(call $path_symlink {target} {place})"))
    }

    pub(super) fn hard_link(mut self, from: &str, to: &str) -> Self {
        let (from, to) = (self.find(from), self.find(to));
        self.link(&from, &to)
    }

    pub(super) fn hard_link_in(mut self, from: &str, mount: &str, to: &str) -> Self {
        let (from, to) = (self.find(from), self.at(mount, to));
        self.link(&from, &to)
    }

    pub(super) fn hard_link_from(mut self, mount: &str, from: &str, to: &str) -> Self {
        let (from, to) = (self.at(mount, from), self.find(to));
        self.link(&from, &to)
    }

    fn link(self, from: &str, to: &str) -> Self {
        let (descriptor, from) = from.split_once(") ").unwrap();
        self.step(format!("(call $path_link {descriptor}) (i32.const 0) {from} {to})"))
    }

    pub(super) fn rename(mut self, from: &str, to: &str) -> Self {
        let (from, to) = (self.find(from), self.find(to));
        self.step(format!("(call $path_rename {from} {to})"))
    }

    pub(super) fn rename_in(mut self, from: &str, mount: &str, to: &str) -> Self {
        let (from, to) = (self.find(from), self.at(mount, to));
        self.step(format!("(call $path_rename {from} {to})"))
    }

    /// Runs the steps; answers with the error of the last one, or of the first that failed.
    pub(super) fn run(&self) -> u32 {
        // What follows an open (the write, the close) belongs to it.
        let last = self.steps.iter().rposition(|step| !step.contains("$fd_")).unwrap();
        let mut body = String::new();
        for (position, step) in self.steps.iter().enumerate() {
            let offset = if position < last { EARLIER_STEP } else { 0 };
            let _ = writeln!(
                body,
                "(local.set $errno {step}) (if (local.get $errno) (then \
                 (return (i32.add (local.get $errno) (i32.const {offset})))))"
            );
        }
        let wat = format!(
            "(module {IMPORTS} {} (func (export \"run\") (result i32) (local $errno i32) \
             {body} (i32.const 0)))",
            self.data
        );
        let mut wasi = WasiCtxBuilder::new();
        for mount in self.mounts {
            let permissions = if mount.read_only { FsPerms::ReadOnly } else { FsPerms::ReadWrite };
            wasi.preopened_dir(mount.host_path(), &mount.guest_path, permissions).unwrap();
        }
        let engine = Engine::default();
        let module = Module::new(&engine, wat::parse_str(&wat).unwrap()).unwrap();
        let mut linker = Linker::<WasiP1Ctx>::new(&engine);
        p1::add_to_linker_sync(&mut linker, |context| context).unwrap();
        let mut store = Store::new(&engine, wasi.build_p1());
        let instance = linker.instantiate(&mut store, &module).unwrap();
        let run = instance.get_typed_func::<(), u32>(&mut store, "run").unwrap();
        run.call(&mut store, ()).unwrap()
    }
}
