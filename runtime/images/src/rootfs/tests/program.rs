//! What a command means in a root.

use std::io::Read as _;
use std::path::Path;

use super::super::{Limits, open_program};
use super::fixture::{Archive, Image, World, chain};

#[test]
fn a_path_of_a_hundred_thousand_folders_is_looked_through_in_part() {
    let world = World::new();
    let archive = Archive::new().file("63/app.wasm", "near").file("64/far.wasm", "far");
    world.unpack(&Image::of(&[archive]), Limits::default()).unwrap();
    let path: Vec<String> = (0..100_000).map(|number| format!("/{number}")).collect();
    let path = path.join(":");
    let open = |name: &str| open_program(&world.root(), name, "/srv", Some(&path));
    assert_eq!(open("app.wasm").unwrap().1, Path::new("/63/app.wasm"));
    insta::assert_snapshot!(open("far.wasm").unwrap_err(), @r#"the image has no file "far.wasm": looked for "/0/far.wasm", "/1/far.wasm", "/2/far.wasm", "/3/far.wasm", "/4/far.wasm", "/5/far.wasm", "/6/far.wasm", "/7/far.wasm", and 57 more"#);
}

#[test]
fn a_program_is_found_within_its_root() {
    let world = World::new();
    let archive = Archive::new()
        .file("app.wasm", "root")
        .file("srv/app.wasm", "srv")
        .file("opt/tool/cli.wasm", "tool")
        .link("usr/bin/cli.wasm", "/opt/tool/cli.wasm")
        .folder("usr/bin/folder")
        .link("here", ".")
        .link("out", "here/../outside");
    world.unpack(&Image::of(&[archive]), Limits::default()).unwrap();
    let found = |name: &str, working_dir: &str| {
        let (mut file, path) =
            open_program(&world.root(), name, working_dir, None).map_err(|error| chain(&error))?;
        let mut content = String::new();
        file.read_to_string(&mut content).unwrap();
        Ok::<_, String>(format!("{content} at {}", path.display()))
    };
    assert_eq!(found("/app.wasm", "/srv").unwrap(), "root at /app.wasm");
    assert_eq!(found("./app.wasm", "/srv").unwrap(), "srv at /srv/app.wasm");
    assert_eq!(found("app.wasm", "/srv").unwrap(), "srv at /srv/app.wasm");
    assert_eq!(found("cli.wasm", "/").unwrap(), "tool at /usr/bin/cli.wasm");
    insta::assert_snapshot!(found("/bin/missing", "/").unwrap_err(), @r#"the image has no file "/bin/missing": looked for "/bin/missing""#);
    insta::assert_snapshot!(found("missing", "/srv").unwrap_err(), @r#"the image has no file "missing": looked for "/usr/local/sbin/missing", "/usr/local/bin/missing", "/usr/sbin/missing", "/usr/bin/missing", "/sbin/missing", "/bin/missing", "/srv/missing""#);
    insta::assert_snapshot!(found("folder", "/").unwrap_err(), @r#""/usr/bin/folder" of the image cannot be run: it is not a regular file"#);
    insta::assert_snapshot!(found("/", "/").unwrap_err(), @r#""/" of the image cannot be run: it is not a regular file"#);
    insta::assert_snapshot!(found("/out", "/").unwrap_err(), @r#""/out" of the image cannot be run: a path led outside of the filesystem"#);
}
