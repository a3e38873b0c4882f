//! docs/semantics.md names cases that exist.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

fn functions(folder: &Path, found: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            functions(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)?;
            let mut is_case = false;
            for line in text.lines().map(str::trim) {
                if let Some((_, rest)) = line.split_once("fn ")
                    && is_case
                {
                    found.extend(rest.split_once('(').map(|(name, _)| name.to_owned()));
                    is_case = false;
                }
                is_case |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            }
        }
    }
    Ok(())
}

#[test]
fn every_case_that_the_page_names_is_a_test() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut cases = BTreeSet::new();
    for folder in ["src", "../view/src", "../../tests"] {
        functions(&core.join(folder), &mut cases).unwrap();
    }
    let page = fs::read_to_string(core.join("../../docs/semantics.md")).unwrap();
    let named = page.split('`').skip(1).step_by(2);
    let named: Vec<&str> = named.filter(|name| name.contains('_')).collect();
    assert!(named.len() > 80, "{}", named.len());
    for name in named {
        assert!(cases.contains(name), "docs/semantics.md names `{name}`, and no test is called so");
    }
}
