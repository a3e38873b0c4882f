//! How much is too much.

use super::super::Limits;
use super::fixture::{Archive, Image, World, chain, gzip};
use crate::artifact::Packing;

#[track_caller]
fn refusal(image: &Image, limits: Limits) -> String {
    chain(&World::new().unpack(image, limits).unwrap_err())
}

#[test]
fn all_layers_share_one_bound() {
    let layer = Archive::new().file("a", "").file("b", "");
    let image = Image::of(&[layer.clone(), layer]);
    let limits = Limits { entries: 3, ..Limits::default() };
    insta::assert_snapshot!(refusal(&image, limits), @"layer 2 of the image: the image has more than 3 files, folders and links");
    let limits = Limits { bytes: 3000, ..Limits::default() };
    insta::assert_snapshot!(refusal(&image, limits), @"layer 2 of the image: the image unpacks to more than 3000 bytes");
    let unpacked = World::new().unpack(&image, Limits::default()).unwrap();
    assert_eq!((unpacked.entries, unpacked.bytes), (4, 4096));
    let folders = Image::of(&[Archive::new().folder("a").file("a/b", "").file("c/d/e", "")]);
    assert_eq!(World::new().unpack(&folders, Limits::default()).unwrap().entries, 5);
}

#[test]
fn depth_counts_where_it_is_and_not_how_it_is_called() {
    let limits = Limits { depth: 3, ..Limits::default() };
    let deep = Archive::new().file("a/b/c/d", "");
    World::new().unpack(&Image::of(&[deep]), limits).unwrap();
    insta::assert_snapshot!(refusal(&Image::of(&[Archive::new().file("a/b/c/d/e", "")]), limits), @r#"layer 1 of the image: entry "a/b/c/d/e": it lies deeper than 3 folders"#);
    let by_link = Archive::new().folder("a/b").link("x", "a/b").folder("x/c").folder("x/c/d");
    insta::assert_snapshot!(refusal(&Image::of(&[by_link]), limits), @r#"layer 1 of the image: entry "x/c/d": it lies deeper than 3 folders"#);
}

#[test]
fn a_bomb_is_called_one() {
    let zeros = gzip(&vec![0; 80 << 20]);
    // Behind the archive's end, where nothing is written.
    let bomb = [gzip(&Archive::new().file("a", "").bytes()), zeros].concat();
    let image = Image::packed(bomb, Packing::Gzip, None);
    insta::assert_snapshot!(refusal(&image, Limits::default()), @"layer 1 of the image: it unpacks to more than 250 times its size");
}

#[test]
fn whiteouts_do_not_look_for_ever() {
    let files = |archive: Archive| {
        (0..150).fold(archive, |archive, number| archive.file(&format!("d/{number}"), ""))
    };
    let marks =
        |count| (0..count).fold(files(Archive::new()), |archive, _| archive.file(".wh.d", ""));
    let limits = Limits { entries: 300, ..Limits::default() };
    World::new().unpack(&Image::of(&[marks(10)]), limits).unwrap();
    insta::assert_snapshot!(refusal(&Image::of(&[marks(149)]), limits), @"layer 1 of the image: its whiteouts look at more than 4800 files");
}
