//! Trees out and in again, and archives that mean harm.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::read::{Archive, Kind};
use super::*;
use crate::sandbox::filesystem::Mount;

/// A container with a root, a volume at `/data` and one at `/etc/config` that is read-only.
struct World {
    host: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let host = tempfile::tempdir().unwrap();
        for folder in ["root/tmp", "root/data", "root/etc/config", "volume", "config"] {
            fs::create_dir_all(host.path().join(folder)).unwrap();
        }
        fs::write(host.path().join("secret"), "of the host").unwrap();
        Self { host }
    }

    fn tree(&self) -> Tree {
        let at = |path: &str, folder: &str, read_only| {
            Mount::at(path, self.host.path().join(folder), read_only)
        };
        let mounts = [
            at("/", "root", false),
            at("/data", "volume", false),
            at("/etc/config", "config", true),
        ];
        Tree::open(&mounts, Arc::default()).unwrap()
    }

    fn pack(&self, path: &str) -> Result<(Vec<u8>, Copied), CopyError> {
        let mut archive = Vec::new();
        let copied = pack(&self.tree(), Path::new(path), &mut archive)?;
        Ok((archive, copied))
    }

    fn unpack(&self, path: &str, archive: &[u8]) -> Result<Copied, CopyError> {
        unpack(&self.tree(), Path::new(path), archive)
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.host.path().join(path)).ok()
    }
}

fn names(archive: &[u8]) -> Vec<String> {
    let mut reader = Archive::new(archive);
    let mut names: Vec<String> = std::iter::from_fn(|| reader.next().unwrap())
        .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
        .collect();
    names.sort();
    names
}

/// An archive with one entry, whose name no builder would take.
fn entry(kind: EntryType, name: &[u8], link: &str, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.as_old_mut().name[..name.len()].copy_from_slice(name);
    header.set_link_name_literal(link).unwrap();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(1_000_000_000);
    header.set_cksum();
    let mut archive = header.as_bytes().to_vec();
    archive.extend_from_slice(content);
    archive.resize(archive.len().next_multiple_of(512), 0);
    archive
}

#[test]
fn a_tree_arrives_as_it_was() {
    let from = World::new();
    let root = from.host.path().join("root/tmp/site");
    fs::create_dir_all(root.join("deep/er")).unwrap();
    let long = "n".repeat(200);
    fs::write(root.join("index.html"), "hello").unwrap();
    fs::write(root.join(&long), vec![7; 100_000]).unwrap();
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff name");
    fs::write(root.join(odd), "odd").unwrap();
    fs::write(root.join("deep/er/run.sh"), "#!").unwrap();
    fs::set_permissions(root.join("deep/er/run.sh"), fs::Permissions::from_mode(0o4750)).unwrap();
    fs::set_permissions(root.join("deep"), fs::Permissions::from_mode(0o700)).unwrap();
    symlink("../index.html", root.join("deep/link")).unwrap();
    symlink("/nowhere/at/all", root.join("absolute")).unwrap();
    let then = SystemTime::UNIX_EPOCH + Duration::from_secs(1_234_567_890);
    for path in ["index.html", "deep"] {
        fs::File::open(root.join(path)).unwrap().set_modified(then).unwrap();
    }
    let (archive, copied) = from.pack("/tmp/site").unwrap();
    assert_eq!((copied.entries, copied.bytes), (9, 100_000 + 5 + 3 + 2));

    let to = World::new();
    assert_eq!(to.unpack("/data", &archive).unwrap().entries, 9);
    let site = to.host.path().join("volume/site");
    assert_eq!(fs::read_to_string(site.join("index.html")).unwrap(), "hello");
    assert_eq!(fs::read(site.join(&long)).unwrap(), vec![7; 100_000]);
    assert_eq!(fs::read_to_string(site.join(odd)).unwrap(), "odd");
    let mode = |path: &str| fs::metadata(site.join(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode("deep/er/run.sh"), mode("deep")), (0o750, 0o700), "without setuid");
    assert_eq!(fs::read_link(site.join("deep/link")).unwrap(), Path::new("../index.html"));
    assert_eq!(fs::read_link(site.join("absolute")).unwrap(), Path::new("/nowhere/at/all"));
    for path in ["index.html", "deep"] {
        assert_eq!(fs::metadata(site.join(path)).unwrap().mtime(), 1_234_567_890, "{path}");
    }
    let (again, _) = to.pack("/data/site").unwrap();
    assert_eq!(names(&again), names(&archive));
}

#[test]
fn mounts_are_part_of_the_tree() {
    let world = World::new();
    fs::write(world.host.path().join("volume/of-volume"), "v").unwrap();
    fs::write(world.host.path().join("root/data/covered"), "c").unwrap();
    fs::write(world.host.path().join("config/key"), "k").unwrap();
    let (archive, _) = world.pack("/").unwrap();
    assert_eq!(
        names(&archive),
        ["data/", "data/of-volume", "etc/", "etc/config/", "etc/config/key", "tmp/"]
    );
    let stat = world.tree().stat(Path::new("/etc/../data/of-volume")).unwrap();
    assert_eq!((stat.kind, stat.size), (FileKind::File, 1));
    assert!(world.tree().stat(Path::new("/data/covered")).unwrap_err().is_not_found());
    assert!(world.pack("/nope").unwrap_err().is_not_found());
    assert_eq!(
        world.pack("/nope").unwrap_err().to_string(),
        "/nope: No such file or directory (os error 2)"
    );
}

#[test]
fn nothing_is_written_where_the_guest_may_not() {
    let world = World::new();
    let archive = entry(EntryType::Regular, b"key", "", b"other");
    let error = world.unpack("/etc/config", &archive).unwrap_err().to_string();
    assert_eq!(error, "/etc/config/key: Read-only file system (os error 30)");
    let below = entry(EntryType::Regular, b"etc/config/key", "", b"other");
    assert!(world.unpack("/", &below).is_err());
    assert_eq!(world.text("config/key"), None);
    let error = world.unpack("/nope", &archive).unwrap_err();
    assert!(error.is_not_found(), "{error}");
    fs::write(world.host.path().join("root/file"), "x").unwrap();
    let error = world.unpack("/file", &archive).unwrap_err().to_string();
    assert_eq!(error, "/file: Not a directory (os error 20)");
}

#[test]
fn an_archive_does_not_get_out() {
    let world = World::new();
    let up = entry(EntryType::Regular, b"a/../../../secret", "", b"evil");
    let error = world.unpack("/tmp", &up).unwrap_err().to_string();
    assert_eq!(error, "a/../../../secret: its name leads out of the archive (`..`)");

    let absolute = entry(EntryType::Regular, b"/etc/passwd", "", b"inside");
    world.unpack("/tmp", &absolute).unwrap();
    assert_eq!(world.text("root/tmp/etc/passwd").as_deref(), Some("inside"));

    for target in ["../../..", world.host.path().to_str().unwrap()] {
        let mut through = entry(EntryType::Symlink, b"out", target, b"");
        through.extend(entry(EntryType::Regular, b"out/secret", "", b"evil"));
        assert!(world.unpack("/tmp", &through).is_err(), "{target}");
        let link = fs::read_link(world.host.path().join("root/tmp/out")).unwrap();
        assert_eq!(link, Path::new(target), "the link is what it is");
    }
    let mut over = entry(EntryType::Symlink, b"direct", "../../../secret", b"");
    over.extend(entry(EntryType::Regular, b"direct", "", b"a file"));
    world.unpack("/tmp", &over).unwrap();
    assert_eq!(world.text("root/tmp/direct").as_deref(), Some("a file"));

    let hard = entry(EntryType::Link, b"hard", "../../secret", b"");
    assert!(world.unpack("/tmp", &hard).is_err());
    fs::write(world.host.path().join("config/key"), "k").unwrap();
    let hard = entry(EntryType::Link, b"hard", "etc/config/key", b"");
    let error = world.unpack("/", &hard).unwrap_err().to_string();
    assert_eq!(error, "/hard: Invalid cross-device link (os error 18)");
    assert_eq!(world.text("secret").as_deref(), Some("of the host"));
}

#[test]
fn what_is_no_file_is_refused_or_passed_over() {
    let world = World::new();
    for (kind, what) in
        [(EntryType::Char, "a device"), (EntryType::Block, "a device"), (EntryType::Fifo, "a FIFO")]
    {
        let error = world.unpack("/tmp", &entry(kind, b"x", "", b"")).unwrap_err().to_string();
        assert_eq!(error, format!("x: it is {what}: only files, folders and links are copied"));
    }
    let socket = world.host.path().join("root/tmp/socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let (archive, copied) = world.pack("/tmp").unwrap();
    assert_eq!(names(&archive), ["tmp/"]);
    assert_eq!(
        copied.notes,
        ["/tmp/socket: it is a device, a FIFO or a socket, and is not copied"]
    );
}

#[test]
fn a_file_that_others_hold_stays_the_one_that_it_is() {
    let world = World::new();
    let path = world.host.path().join("root/tmp/shared");
    fs::write(&path, "a long text before").unwrap();
    fs::hard_link(&path, world.host.path().join("volume/shared")).unwrap();
    world.unpack("/tmp", &entry(EntryType::Regular, b"shared", "", b"after")).unwrap();
    assert_eq!(world.text("volume/shared").as_deref(), Some("after"));
}

#[test]
fn names_and_sizes_of_all_formats_are_read() {
    let long = "x".repeat(150) + "/" + &"y".repeat(150);
    let mut gnu = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o600);
    gnu.append_data(&mut header, &long, &b"hi"[..]).unwrap();
    assert_eq!(names(&gnu.into_inner().unwrap()), [long.as_str()]);

    let mut pax = Builder::new(Vec::new());
    let records = [("path", long.as_bytes()), ("size", b"3"), ("mtime", b"12.5")];
    pax.append_pax_extensions(records).unwrap();
    let mut archive = pax.into_inner().unwrap();
    archive.truncate(1024);
    // Its own size is another.
    let mut file = entry(EntryType::Regular, b"short", "", b"");
    file.extend_from_slice(b"abc");
    file.resize(1024, 0);
    archive.extend(file);
    archive.extend(entry(EntryType::Directory, b"behind/", "", b""));
    let mut reader = Archive::new(&archive[..]);
    let first = reader.next().unwrap().unwrap();
    assert_eq!((first.path, first.size, first.modified), (long.into_bytes(), 3, 12));
    let mut content = String::new();
    std::io::Read::read_to_string(&mut reader, &mut content).unwrap();
    assert_eq!(content, "abc");
    assert_eq!(reader.next().unwrap().unwrap().kind, Kind::Folder);
    assert_eq!(reader.next().unwrap(), None);
}

#[test]
fn an_endless_name_is_not_taken_into_memory() {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 40);
    header.set_cksum();
    let endless = std::io::Read::chain(&header.as_bytes()[..], std::io::repeat(b'x'));
    let error = Archive::new(endless).next().unwrap_err();
    assert_eq!(error.to_string(), "a name of 1099511627776 bytes; the most is 65536");
}

#[test]
fn an_archive_that_breaks_off_is_told() {
    let world = World::new();
    let whole = entry(EntryType::Regular, b"file", "", &[1; 5000]);
    for length in [100, 600, 5000] {
        let error = world.unpack("/tmp", &whole[..length]).unwrap_err().to_string();
        assert_eq!(error, "the archive cannot be read: it breaks off", "{length} bytes");
    }
    let mut wrong = whole.clone();
    wrong[0] ^= 1;
    let error = world.unpack("/tmp", &wrong).unwrap_err().to_string();
    assert_eq!(error, "the archive cannot be read: a header whose sum is wrong");
}

#[test]
fn an_archive_that_fails_has_no_end() {
    let world = World::new();
    let mut folder = world.host.path().join("root/tmp");
    for _ in 0..300 {
        folder.push("d");
    }
    fs::create_dir_all(&folder).unwrap();
    let mut archive = Vec::new();
    let error = pack(&world.tree(), Path::new("/tmp"), &mut archive).unwrap_err();
    assert!(error.to_string().ends_with(": more than 256 folders in each other"), "{error}");
    archive.flush().unwrap();
    assert!(archive[archive.len() - 512..].iter().any(|byte| *byte != 0));
}

proptest! {
    #[test]
    fn any_bytes_are_an_archive_or_refused(
        bytes: Vec<u8>,
        entries in prop::collection::vec((0_u8..=255, "[a-z./]{0,40}", "[a-z./]{0,40}", prop::collection::vec(any::<u8>(), 0..600)), 0..6),
    ) {
        let world = World::new();
        let mut archive = Vec::new();
        for (kind, name, link, content) in entries {
            archive.extend(entry(EntryType::new(kind), name.as_bytes(), &link, &content));
        }
        archive.extend(bytes);
        // Either; and never anything outside.
        let _ = world.unpack("/tmp", &archive);
        let outside: Vec<_> = fs::read_dir(world.host.path()).unwrap().flatten().collect();
        prop_assert_eq!(outside.len(), 4);
        prop_assert_eq!(world.text("secret").unwrap(), "of the host");
    }
}
