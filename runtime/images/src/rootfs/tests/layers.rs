//! What builders make.

use std::fs;
use std::os::unix::fs::MetadataExt;

use oci_spec::image::{Descriptor, MediaType};
use tar::EntryType;

use super::super::Limits;
use super::fixture::{Archive, Image, World, gzip, list, listing};
use crate::artifact::{Content, Layer, Packing};
use crate::digest::Digest;

#[test]
fn layers_lie_over_one_another() {
    let below = Archive::new().folder("./").folder("etc/").file("etc/a", "1").file("etc/b", "1");
    let above = Archive::new().file("etc/a", "2").file("/srv/deep/c", "2");
    insta::assert_snapshot!(listing(&[below, above]), @r#"
    755 etc/
    644 etc/a "2"
    644 etc/b "1"
    755 srv/
    755 srv/deep/
    644 srv/deep/c "2"
    "#);
}

#[test]
fn whiteouts_hide_what_is_below_and_nothing_else() {
    let below = Archive::new()
        .file("a", "1")
        .file("d/x", "1")
        .file("d/y/z", "1")
        .file("opaque/x", "1")
        .file("opaque/sub/x", "1")
        .file("stays", "1");
    let above = Archive::new()
        .file(".wh.a", "")
        .file("d/new", "2")
        .file(".wh.d", "")
        .file("opaque/sub/new", "2")
        .file("opaque/.wh..wh..opq", "")
        .file(".wh.missing", "")
        .file("missing/.wh..wh..opq", "")
        .file("stays/.wh.x", "")
        .file(".wh..wh.plnk", "");
    insta::assert_snapshot!(listing(&[below, above]), @r#"
    755 d/
    644 d/new "2"
    755 opaque/
    755 opaque/sub/
    644 opaque/sub/new "2"
    644 stays "1"
    "#);
}

#[test]
fn a_whiteout_does_not_concern_its_own_layer() {
    let below = Archive::new().file("a", "1").file("d/old", "1");
    for order in [true, false] {
        let new = |archive: Archive| archive.file("a", "2").folder("d/").file("d/new", "2");
        let marks = |archive: Archive| archive.file(".wh.a", "").file("d/.wh..wh..opq", "");
        let above = if order { marks(new(Archive::new())) } else { new(marks(Archive::new())) };
        assert_eq!(
            listing(&[below.clone(), above]),
            "644 a \"2\"\n755 d/\n644 d/new \"2\"",
            "new files first: {order}"
        );
    }
}

#[test]
fn anything_takes_the_place_of_anything() {
    let below = Archive::new()
        .file("file-folder", "1")
        .file("folder-file/x", "1")
        .file("folder-link/x", "1")
        .file("target/x", "1")
        .link("link-folder", "target")
        .link("link-file", "target/x")
        .file("folder-folder/x", "1");
    let above = Archive::new()
        .folder("file-folder/")
        .file("folder-file", "2")
        .link("folder-link", "target")
        .folder("link-folder/")
        .file("link-folder/y", "2")
        .file("link-file", "2")
        .entry(EntryType::Directory, "folder-folder/", "", 0o700, b"");
    insta::assert_snapshot!(listing(&[below, above]), @r#"
    755 file-folder/
    644 folder-file "2"
    700 folder-folder/
    644 folder-folder/x "1"
    link folder-link -> target
    644 link-file "2"
    755 link-folder/
    644 link-folder/y "2"
    755 target/
    644 target/x "1"
    "#);
}

#[test]
fn links_lead_where_they_lead_in_a_container() {
    let archive = Archive::new()
        .folder("usr/bin/")
        .link("bin", "usr/bin")
        .folder("run/")
        .link("var/run", "/run")
        .link("var/far", "../../../run")
        .link("dangling", "nowhere")
        .file("bin/sh", "through a relative one")
        .file("var/run/pid", "through an absolute one");
    insta::assert_snapshot!(listing(&[archive]), @r#"
    link bin -> usr/bin
    link dangling -> nowhere
    755 run/
    644 run/pid "through an absolute one"
    755 usr/
    755 usr/bin/
    644 usr/bin/sh "through a relative one"
    755 var/
    link var/far -> ../run
    link var/run -> ../run
    "#);
}

#[test]
fn hard_links_are_the_same_file() {
    let world = World::new();
    let below = Archive::new().file("a", "1").hard_link("d/b", "a").hard_link("a", "./a");
    let above = Archive::new().file("a", "2").hard_link("c", "/d/b");
    world.unpack(&Image::of(&[below, above]), Limits::default()).unwrap();
    insta::assert_snapshot!(list(&world.root()), @r#"
    644 a "2"
    644 c "1"
    755 d/
    644 d/b "1"
    "#);
    let [c, b] = ["c", "d/b"].map(|name| fs::metadata(world.root().join(name)).unwrap());
    assert_eq!((c.ino(), c.nlink()), (b.ino(), 2));
}

#[test]
fn hard_links_to_links_lead_where_those_lead() {
    let archive = Archive::new()
        .folder("run/")
        .folder("a/b/")
        .link("a/absolute", "/run")
        .link("a/relative", "b")
        .hard_link("a/b/deeper", "a/absolute")
        .hard_link("higher", "a/absolute")
        .hard_link("a/beside", "a/relative");
    insta::assert_snapshot!(listing(&[archive]), @r"
    755 a/
    link a/absolute -> ../run
    755 a/b/
    link a/b/deeper -> ../../run
    link a/beside -> b
    link a/relative -> b
    link higher -> run
    755 run/
    ");
}

#[test]
fn modes_and_times_are_kept_but_for_what_gives_rights() {
    let world = World::new();
    let archive = Archive::new()
        .entry(EntryType::Directory, "ro/", "", 0o555, b"")
        .file("ro/file", "a folder that nobody may write into is filled all the same")
        .entry(EntryType::Regular, "su", "", 0o4755, b"")
        .entry(EntryType::Directory, "tmp/", "", 0o1777, b"")
        .entry(EntryType::Regular, "secret", "", 0o000, b"");
    world.unpack(&Image::of(&[archive]), Limits::default()).unwrap();
    insta::assert_snapshot!(list(&world.root()), @r#"
    755 ro/
    644 ro/file "a folder that nobody may write into is filled all the same"
    400 secret ""
    755 su ""
    777 tmp/
    "#);
    for name in ["ro", "ro/file", "su"] {
        assert_eq!(fs::metadata(world.root().join(name)).unwrap().mtime(), 1_000_000_000, "{name}");
    }
    assert_eq!(fs::metadata(world.root()).unwrap().mtime(), 0, "no entry describes it");
}

#[test]
fn devices_and_odd_names_are_noted() {
    let world = World::new();
    let archive = Archive::new()
        .entry(EntryType::Char, "dev/null", "", 0o666, b"")
        .entry(EntryType::Block, "dev/sda", "", 0o666, b"")
        .entry(EntryType::Fifo, "pipe", "", 0o666, b"")
        .entry(EntryType::Regular, b"caf\xe9", "", 0o644, b"");
    let unpacked = world.unpack(&Image::of(&[archive]), Limits::default()).unwrap();
    insta::assert_snapshot!(unpacked.notes.join("\n"), @r#"
    "dev/null" of the image is a character device, and left out
    "dev/sda" of the image is a block device, and left out
    "pipe" of the image is a FIFO, and left out
    the name "caf\xe9" is not UTF-8: programs cannot open it
    "#);
    insta::assert_snapshot!(list(&world.root()), @r#"644 caf� """#);
}

#[test]
fn layers_come_in_three_packings() {
    let archive = Archive::new().file("a", "content").bytes();
    let (start, end) = archive.split_at(700);
    let frame = |bytes: &[u8]| {
        use ruzstd::encoding::{CompressionLevel, compress_to_vec};
        compress_to_vec(bytes, CompressionLevel::Fastest)
    };
    // As `zstd:chunked` has it: a table of contents that others skip.
    let skipped = b"\x50\x2a\x4d\x18\x03\x00\x00\x00toc";
    let chunked = [frame(start), skipped.to_vec(), frame(end), skipped.to_vec()].concat();
    // As eStargz has it.
    let members = [gzip(start), gzip(end)].concat();
    let diff_id = Digest::sha256(&archive);
    for (blob, packing) in
        [(archive.clone(), Packing::None), (members, Packing::Gzip), (chunked, Packing::Zstd)]
    {
        let world = World::new();
        let image = Image::packed(blob, packing, Some(&diff_id));
        world.unpack(&image, Limits::default()).unwrap();
        assert_eq!(list(&world.root()), "644 a \"content\"", "{packing:?}");
    }
}

#[test]
fn long_names_and_fractions_of_seconds_come_in_headers_of_their_own() {
    let long = format!("{}/file", ["abcdefghi"; 15].join("/"));
    let mut builder = tar::Builder::new(Vec::new());
    builder
        .append_pax_extensions([("path", long.as_bytes()), ("mtime", b"1000000000.25")])
        .unwrap();
    let mut header = tar::Header::new_ustar();
    header.set_size(2);
    header.set_mode(0o600);
    builder.append_data(&mut header, "short", &b"ok"[..]).unwrap();
    let blob = builder.into_inner().unwrap();
    let world = World::new();
    world.unpack(&Image::packed(blob, Packing::None, None), Limits::default()).unwrap();
    let metadata = fs::metadata(world.root().join(long)).unwrap();
    assert_eq!((metadata.mtime(), metadata.mtime_nsec()), (1_000_000_000, 250_000_000));
}

#[test]
fn files_of_their_own_join_the_layers() {
    let world = World::new();
    let mut image = Image::of(&[Archive::new().file("static/a", "1")]);
    let archive = Archive::new().file("static/a", "1").bytes();
    let size = archive.len() as u64;
    let blob = Descriptor::new(MediaType::ImageLayer, size, Digest::sha256(&archive).to_oci());
    let bytes = Content::Bytes(b"small".to_vec());
    image.layers.push(Layer::File { path: "static/b".into(), content: bytes });
    image.layers.push(Layer::File { path: "c".into(), content: Content::Blob(Box::new(blob)) });
    world.unpack(&image, Limits::default()).unwrap();
    assert_eq!(fs::read(world.root().join("static/b")).unwrap(), b"small");
    assert_eq!(fs::read(world.root().join("c")).unwrap(), archive);
}
