//! What attackers make.

use proptest::prelude::*;
use tar::EntryType;

use super::super::Limits;
use super::fixture::{Archive, Image, World, chain, gzip, listing, refusal};
use crate::artifact::{Layer, Packing};
use crate::digest::Digest;

#[test]
fn names_that_lead_out_are_refused() {
    let file = |name: &str| refusal(&[Archive::new().file(name, "evil")]);
    insta::assert_snapshot!(file("../outside"), @r#"layer 1 of the image: entry "../outside": its name has `..` in it"#);
    insta::assert_snapshot!(file("a/../../outside"), @r#"layer 1 of the image: entry "a/../../outside": its name has `..` in it"#);
    insta::assert_snapshot!(file("/../outside"), @r#"layer 1 of the image: entry "/../outside": its name has `..` in it"#);
    insta::assert_snapshot!(file(".wh..."), @r#"layer 1 of the image: entry ".wh...": its name has `..` in it"#);
    insta::assert_snapshot!(file("./"), @"layer 1 of the image: its content is broken: a header whose sum is wrong");
    insta::assert_snapshot!(refusal(&[Archive::new().folder("..")]), @r#"layer 1 of the image: entry "..": its name has `..` in it"#);
}

#[test]
fn links_do_not_lead_what_follows_out() {
    let through =
        |target: &str| refusal(&[Archive::new().link("link", target).file("link/outside", "evil")]);
    insta::assert_snapshot!(through("/tmp"), @r#"layer 1 of the image: entry "link/outside": its folder is a link that leads to no folder of the image"#);
    insta::assert_snapshot!(through("a/../../.."), @r#"layer 1 of the image: entry "link/outside": its folder is a link that leads to no folder of the image"#);
    insta::assert_snapshot!(through("link"), @r#"layer 1 of the image: entry "link/outside": its folder is a link that leads to no folder of the image"#);
    // The first two lead nowhere but to the root, and both together would lead out of it.
    let chained = Archive::new().link("here", ".").link("up", "here/..").file("up/outside", "evil");
    insta::assert_snapshot!(refusal(&[chained]), @r#"layer 1 of the image: entry "up/outside": its folder is a link that leads to no folder of the image"#);
    // What climbs too far ends at the root, as in a container.
    let climbs = Archive::new().link("link", "../..").file("link/outside", "in the root");
    insta::assert_snapshot!(listing(&[climbs]), @r#"
    link link -> .
    644 outside "in the root"
    "#);
    // A file takes the place of the link, and does not go through it.
    let replaced = Archive::new().link("link", "../outside").file("link", "in the root");
    insta::assert_snapshot!(listing(&[replaced]), @r#"644 link "in the root""#);
}

#[test]
fn whiteouts_do_not_reach_out() {
    let chained = Archive::new().link("here", ".").link("up", "here/..");
    let above = Archive::new().file("up/.wh.outside", "");
    insta::assert_snapshot!(refusal(&[chained.clone(), above]), @r#"layer 2 of the image: entry "up/.wh.outside": its folder is a link that leads to no folder of the image"#);
    let above = Archive::new().file("up/.wh..wh..opq", "");
    insta::assert_snapshot!(refusal(&[chained, above]), @r#"layer 2 of the image: entry "up/.wh..wh..opq": its folder is a link that leads to no folder of the image"#);
}

#[test]
fn hard_links_are_made_to_files_of_the_image_alone() {
    let to = |target: &str| refusal(&[Archive::new().folder("d").hard_link("b", target)]);
    insta::assert_snapshot!(to("../outside"), @r#"layer 1 of the image: entry "b": its name has `..` in it"#);
    insta::assert_snapshot!(to("/etc/passwd"), @r#"layer 1 of the image: entry "b": it is a hard link to "/etc/passwd", which is no file of the image"#);
    insta::assert_snapshot!(to("d"), @r#"layer 1 of the image: entry "b": it is a hard link to "d", which is no file of the image"#);
    insta::assert_snapshot!(to(""), @r#"layer 1 of the image: entry "b": it is a hard link to "", which is no file of the image"#);
    let chained =
        Archive::new().link("here", ".").link("up", "here/..").hard_link("b", "up/outside");
    insta::assert_snapshot!(refusal(&[chained]), @r#"layer 1 of the image: entry "b": it is a hard link to "up/outside", which is no file of the image"#);
    let itself = Archive::new().file("d/a", "1").hard_link("d", "d/a");
    insta::assert_snapshot!(refusal(&[itself]), @r#"layer 1 of the image: entry "d": it is a hard link to "d/a", which is no file of the image"#);
}

#[test]
fn a_digest_that_is_not_known_is_named_in_part() {
    let mut image = Image::of(&[Archive::new().file("a", "")]);
    let Layer::Archive { diff_id, .. } = &mut image.layers[0] else { panic!("an archive") };
    *diff_id = Some(format!("blake3:{}", "A".repeat(1 << 20)).parse().unwrap());
    let error = chain(&World::new().unpack(&image, Limits::default()).unwrap_err());
    assert!(error.contains("AAA… for its digest") && error.len() < 500, "{}", error.len());
}

#[test]
fn a_file_is_no_folder() {
    insta::assert_snapshot!(refusal(&[Archive::new().file("a", "").file("a/b", "")]), @r#"layer 1 of the image: entry "a/b": its folder is a file"#);
    let sparse = Archive::new().entry(EntryType::GNUSparse, "a", "", 0o644, b"");
    insta::assert_snapshot!(refusal(&[sparse]), @r#"layer 1 of the image: its content is broken: entry "a" is a file with holes in GNU's own format"#);
    let unknown = Archive::new().entry(EntryType::new(b'Z'), "a", "", 0o644, b"");
    insta::assert_snapshot!(refusal(&[unknown]), @r#"layer 1 of the image: its content is broken: entry "a" is of a kind that is not known here"#);
}

#[test]
fn broken_layers_are_told_from_hostile_ones() {
    let archive = Archive::new().file("a", &"x".repeat(2000)).bytes();
    let refusal = |blob: &[u8], packing, diff_id: Option<&Digest>| {
        let image = Image::packed(blob.to_vec(), packing, diff_id);
        chain(&World::new().unpack(&image, Limits::default()).unwrap_err())
    };
    insta::assert_snapshot!(refusal(&archive[..1000], Packing::None, None), @"layer 1 of the image: its content is broken: it breaks off");
    insta::assert_snapshot!(refusal(&[1; 512], Packing::None, None), @"layer 1 of the image: its content is broken: a header whose sum is wrong");
    insta::assert_snapshot!(refusal(&archive, Packing::Gzip, None), @"layer 1 of the image: its content is broken: invalid gzip header");
    insta::assert_snapshot!(refusal(&gzip(&archive)[..30], Packing::Gzip, None), @"layer 1 of the image: its content is broken: incomplete deflate stream");
    insta::assert_snapshot!(refusal(&archive, Packing::Zstd, None), @"layer 1 of the image: its content is broken: Read wrong magic number: 0x61");
    let other = Digest::sha256(b"");
    insta::assert_snapshot!(refusal(&archive, Packing::None, Some(&other)), @"layer 1 of the image: its content has the digest sha256:6f6e10bc8f1f18fed29f82144c642590fc327d2a86ed864a9c41e3d7a9249d57, and the config of the image says sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    let mut image = Image::of(&[Archive::new().file("a", "")]);
    image.layers.extend(Image::of(&[Archive::new().file("b", "")]).layers);
    let error = World::new().unpack(&image, Limits::default()).unwrap_err();
    insta::assert_snapshot!(chain(&error), @"layer 2 of the image: its content is not to be had: entity not found");
}

fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[ab]",
        1 => Just("..".to_owned()),
        1 => Just(".".to_owned()),
        1 => Just(String::new()),
        1 => "\\.wh\\.[ab]",
        1 => Just(".wh..wh..opq".to_owned()),
    ];
    prop::collection::vec(part, 1..4).prop_map(|parts| parts.join("/"))
}

fn archive() -> impl Strategy<Value = Archive> {
    let kind = prop_oneof![
        Just(EntryType::Regular),
        Just(EntryType::Directory),
        Just(EntryType::Symlink),
        Just(EntryType::Link),
        Just(EntryType::Fifo),
    ];
    let entry = (kind, path(), path(), 0u32..0o10000);
    prop::collection::vec(entry, 0..12).prop_map(|entries| {
        entries.into_iter().fold(Archive::new(), |archive, (kind, path, link, mode)| {
            let content: &[u8] = if kind == EntryType::Regular { b"x" } else { b"" };
            archive.entry(kind, path, link, mode, content)
        })
    })
}

proptest! {
    #[test]
    fn nothing_is_written_outside(archives in prop::collection::vec(archive(), 1..4)) {
        // The world looks at what is beside the root.
        let _ = World::new().unpack(&Image::of(&archives), Limits::default());
    }

    #[test]
    fn any_bytes_are_unpacked_or_refused(bytes: Vec<u8>) {
        for packing in [Packing::None, Packing::Gzip, Packing::Zstd] {
            let image = Image::packed(bytes.clone(), packing, None);
            let _ = World::new().unpack(&image, Limits::default());
        }
    }
}
