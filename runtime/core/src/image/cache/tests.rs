use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::source::{self, hash};
use super::{Code, CodeCache};
use crate::image::compile::{Cancel, Compiler};
use crate::image::digest::hex;
use crate::image::identity::FileIdentity;
use crate::image::{ImageError, ImageFile, Metering, Profile, Reservation};

const MOST_BYTES: u64 = 1 << 30;

struct World {
    folder: TempDir,
    cache: CodeCache,
}

const GUEST: &str = r#"(module (func (export "_start")))"#;

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cache = open(folder.path(), MOST_BYTES);
        Self { folder, cache }
    }

    /// Writes an image and makes it old enough to be remembered.
    fn image(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        settle(&path);
        path
    }

    async fn code(&self, image: &Path) -> Result<Code, ImageError> {
        self.cache.code(image, || {}).await
    }

    fn files(&self) -> usize {
        fs::read_dir(self.folder.path().join("cache/code")).unwrap().count()
    }
}

fn open(folder: &Path, most_bytes: u64) -> CodeCache {
    CodeCache::open_limited(
        &folder.join("cache"),
        Reservation::Whole,
        Compiler::InProcess,
        most_bytes,
    )
    .unwrap()
}

/// Waits until the file's times would tell a change from what is there now.
fn settle(path: &Path) {
    while !FileIdentity::of(&fs::metadata(path).unwrap()).settled(SystemTime::now()) {
        thread::yield_now();
    }
}

#[tokio::test]
async fn the_second_time_it_is_found_without_reading_the_image() {
    let world = World::new();
    let image = world.image("guest.wat", GUEST);
    assert!(world.cache.find(&image).unwrap().is_none());
    let compiled = world.code(&image).await.unwrap();
    let found = world.cache.find(&image).unwrap().expect("remembered");
    assert_eq!((found.file, found.shape), (compiled.file.clone(), compiled.shape));
    assert_eq!(compiled.shape.tag(), "command-0.1");
    assert_eq!(compiled.digest, hex(&Sha256::digest(GUEST)));
    // Owner only: machine code is not for others to change.
    assert_eq!(fs::metadata(&compiled.file).unwrap().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_changed_image_is_compiled_again_and_the_same_content_is_not() {
    let world = World::new();
    let image = world.image("guest.wat", GUEST);
    let first = world.code(&image).await.unwrap();
    world.image("guest.wat", r#"(module (func (export "_other")))"#);
    assert!(world.cache.find(&image).unwrap().is_none(), "same path, same length");
    let second = world.code(&image).await.unwrap();
    assert_ne!(first.file, second.file);
    assert_eq!(second.shape.tag(), "reactor-module");
    let copy = world.image("copy.wat", GUEST);
    assert_eq!(world.code(&copy).await.unwrap().file, first.file);
    assert_eq!(world.files(), 2);
}

#[tokio::test]
async fn an_image_that_changes_at_once_is_never_mistaken() {
    let world = World::new();
    let image = world.folder.path().join("guest.wat");
    for round in 0..20 {
        let text = format!(r#"(module (func (export "_{:03}")))"#, round);
        fs::write(&image, &text).unwrap();
        let code = world.code(&image).await.unwrap();
        assert_eq!(code.digest, hex(&Sha256::digest(&text)), "round {round}");
    }
}

#[tokio::test]
async fn code_that_was_removed_is_compiled_again() {
    let world = World::new();
    let image = world.image("guest.wat", GUEST);
    let code = world.code(&image).await.unwrap();
    fs::remove_file(&code.file).unwrap();
    assert!(world.cache.find(&image).unwrap().is_none());
    let again = world.code(&image).await.unwrap();
    assert!(again.file.exists());
}

#[tokio::test]
async fn parallel_first_starts_compile_once() {
    let world = World::new();
    let image = world.image("guest.wat", GUEST);
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..16 {
        // A cache of its own each, as each process would have.
        let cache = open(world.folder.path(), MOST_BYTES);
        let image = image.clone();
        starts.spawn(async move { cache.code(&image, || {}).await.unwrap().file });
    }
    let files = starts.join_all().await;
    assert!(files.iter().all(|file| *file == files[0]));
    let inode = fs::metadata(&files[0]).unwrap().ino();
    let again = world.code(&image).await.unwrap();
    assert_eq!(fs::metadata(&again.file).unwrap().ino(), inode);
    assert_eq!(world.files(), 1, "no temporary file is left");
}

#[tokio::test]
async fn the_least_recently_used_goes_and_what_is_in_use_stays() {
    let folder = tempfile::tempdir().unwrap();
    let image = |name: &str| {
        let path = folder.path().join(format!("{name}.wat"));
        fs::write(&path, format!(r#"(module (func (export "{name}")))"#)).unwrap();
        settle(&path);
        path
    };
    let cache = open(folder.path(), MOST_BYTES);
    let size = {
        let code = cache.code(&image("probe"), || {}).await.unwrap();
        fs::metadata(&code.file).unwrap().len()
    };
    // Room for three.
    let cache = open(folder.path(), size * 3 + size / 2);
    let aged = |code: &Code, hours: u64| {
        let time = SystemTime::now() - Duration::from_secs(hours * 3600);
        let times = fs::FileTimes::new().set_accessed(time).set_modified(time);
        File::open(&code.file).unwrap().set_times(times).unwrap();
    };
    let oldest_in_use = cache.code(&image("a"), || {}).await.unwrap();
    aged(&oldest_in_use, 9);
    let old = cache.code(&image("b"), || {}).await.unwrap();
    aged(&old, 8);
    let (old_file, old_image) = (old.file.clone(), folder.path().join("b.wat"));
    drop(old);
    let fresh = cache.code(&image("c"), || {}).await.unwrap();
    assert!(oldest_in_use.file.exists(), "in use");
    assert!(!old_file.exists(), "the oldest that nobody uses");
    assert!(fresh.file.exists());
    assert!(cache.find(&old_image).unwrap().is_none());
}

#[test]
fn a_folder_of_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |mode| {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        CodeCache::open(folder.path(), Reservation::Whole, Compiler::InProcess)
    };
    assert!(open(0o755).is_ok());
    assert_eq!(fs::metadata(folder.path()).unwrap().mode() & 0o777, 0o700, "closed to others");
    for mode in [0o770, 0o702, 0o777] {
        let error = open(mode).unwrap_err().to_string();
        assert!(error.contains("can be written to by others"), "{error}");
    }
}

#[tokio::test]
async fn what_is_no_image_says_so() {
    let world = World::new();
    let missing = world.folder.path().join("missing.wasm");
    let elf = fs::read(std::env::current_exe().unwrap()).unwrap();
    let foreign = {
        let profile = Profile {
            concurrency: false,
            reservation: Reservation::Whole,
            metering: Metering::Epochs,
        };
        let wasm = wat::parse_str(GUEST).unwrap();
        profile.compiling(true).unwrap().precompile_module(&wasm).unwrap()
    };
    let images = [
        missing,
        world.folder.path().to_owned(),
        PathBuf::from("/dev/null"),
        world.image("empty.wasm", ""),
        world.image("text.wasm", "hello"),
        world.image("broken.wat", "(module\n  (func $f (call $g)))"),
        world.image("cut.wasm", &wat::parse_str(GUEST).unwrap()[..20]),
        world.image("native.wasm", &elf[..64]),
        world.image("foreign.cwasm", foreign),
        world.image("invalid.wat", r#"(module (func (export "_start") (i32.const 1)))"#),
    ];
    let folder = world.folder.path().display().to_string();
    let mut errors = Vec::new();
    for image in images {
        let error = world.code(&image).await.expect_err("it is no image");
        errors.push(format!("{}: {error}", error.reason().as_str()));
    }
    let text = errors.join("\n").replace(&folder, "");
    insta::assert_snapshot!(text, @r"
    ErrImagePull: cannot read image file /missing.wasm: No such file or directory (os error 2)
    ErrImagePull: image file  is not a regular file
    ErrImagePull: image file /dev/null is not a regular file
    ErrImagePull: image file /empty.wasm cannot be run: the file is empty
    ErrImagePull: image file /text.wasm cannot be run: it is not WebAssembly: it starts with `hello`, not with `\0asm`
    ErrImagePull: image file /broken.wat cannot be run: it is not valid WebAssembly text: unknown func: failed to find name `$g`
         --> /broken.wat:2:18
          |
        2 |   (func $f (call $g)))
          |                  ^
    ErrImagePull: image file /cut.wasm cannot be run: it is WebAssembly, but broken or cut off: unexpected end-of-file (at offset 0x14)
    ErrImagePull: image file /native.wasm cannot be run: it is not WebAssembly: it starts with `\x7fELF\x02\x01\x01\x00`, not with `\0asm` (it is a native program: build it for wasm32-wasip1 or wasm32-wasip2)
    ErrImagePull: image file /foreign.cwasm cannot be run: it is precompiled machine code: such files run unchecked, so only those of wasmpod's own cache are accepted; give the .wasm that it was made of
    ErrImagePull: image file /invalid.wat does not compile: failed to compile: wasm[0]::function[0]: WebAssembly translation error: Invalid input WebAssembly code at offset 37: type mismatch: values remaining on stack at end of block
    ");
    assert_eq!(world.files(), 0, "nothing is left of what failed");
}

#[tokio::test]
async fn own_code_is_accepted_as_an_image() {
    let world = World::new();
    let image = world.image("guest.wat", GUEST);
    let code = world.code(&image).await.unwrap();
    let again = world.code(&code.file).await.unwrap();
    assert_eq!((again.file, again.shape), (code.file, code.shape));
}

#[tokio::test]
async fn an_open_file_is_compiled_as_it_was_found_and_remembered() {
    let world = World::new();
    let path = world.image("guest.wasm", wat::parse_str(GUEST).unwrap());
    let file = ImageFile::Open {
        file: Arc::new(File::open(&path).unwrap()),
        name: PathBuf::from("/bin/guest.wasm"),
    };
    // Somebody puts another in its place: nobody follows the path again.
    fs::rename(&path, world.folder.path().join("moved.wasm")).unwrap();
    fs::write(&path, "no guest at all").unwrap();
    settle(&world.folder.path().join("moved.wasm"));
    let compiled = world.cache.code(file.clone(), || {}).await.unwrap();
    assert_eq!(compiled.digest, hex(&Sha256::digest(wat::parse_str(GUEST).unwrap())));
    let found = world.cache.find(file).unwrap().expect("remembered");
    assert_eq!(found.file, compiled.file);
    assert_eq!(world.files(), 1, "the copy for the compiler is gone");

    let broken = ImageFile::Open {
        file: Arc::new(File::open(&path).unwrap()),
        name: PathBuf::from("/bin/guest.wasm"),
    };
    let error = world.cache.code(broken, || {}).await.unwrap_err().to_string();
    assert!(error.starts_with("image file /bin/guest.wasm cannot be run: it is not"), "{error}");
    assert_eq!(world.files(), 1);
}

#[tokio::test]
async fn a_file_that_grows_after_it_was_found_is_not_followed() {
    let world = World::new();
    let path = world.image("guest.wasm", wat::parse_str(GUEST).unwrap());
    let file = Arc::new(File::open(&path).unwrap());
    let image = ImageFile::Open { file, name: PathBuf::from("/bin/guest.wasm") };
    assert!(world.cache.find(image.clone()).unwrap().is_none());
    let cancel = Cancel::default();
    let copy = || {
        let copied = source::copy(&image, &world.folder.path().join("copy"), &cancel);
        let _ = fs::remove_file(world.folder.path().join("copy"));
        copied
    };

    // Sparse: it costs the guest nothing.
    File::options().write(true).open(&path).unwrap().set_len(1 << 40).unwrap();
    for error in [hash(&image, &cancel).unwrap_err(), copy().unwrap_err()] {
        assert!(matches!(error, ImageError::TooLarge { bytes, .. } if bytes == 1 << 40), "{error}");
    }

    File::options().write(true).open(&path).unwrap().set_len(1 << 20).unwrap();
    cancel.cancel();
    for error in [hash(&image, &cancel).unwrap_err(), copy().unwrap_err()] {
        assert!(error.to_string().ends_with("given up"), "{error}");
    }
}
