//! The printed table.

use std::path::Path;

use super::*;

#[test]
fn the_page_in_docs_is_the_table() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/manifest-support.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(page.parent().unwrap()).unwrap();
        std::fs::write(&page, markdown()).unwrap();
    }
    let committed = std::fs::read_to_string(&page).unwrap_or_default();
    assert!(
        committed == markdown(),
        "docs/manifest-support.md is not the table any more: \
         UPDATE_DOCS=1 cargo test -p wasmpod-manifest support"
    );
}

fn verdict_of(path: &str) -> Verdict {
    rows().into_iter().find(|row| row.path == path).unwrap_or_else(|| panic!("{path}")).verdict
}

#[test]
fn rows_speak_of_what_a_user_knows_by_name() {
    assert_eq!(verdict_of("spec.containers[].image"), Verdict::Honoured);
    assert_eq!(verdict_of("spec.containers[].resources.limits[memory]"), Verdict::Honoured);
    assert!(matches!(verdict_of("spec.hostNetwork"), Verdict::Refused(_)));
    assert!(matches!(verdict_of("spec.volumes[].nfs"), Verdict::Refused(_)));
    assert!(matches!(verdict_of("spec.affinity"), Verdict::Ignored(_)));
    assert_eq!(verdict_of("status"), Verdict::SetBySystem);
}

#[test]
fn nothing_below_a_field_without_effect_has_a_row() {
    assert!(!rows().iter().any(|row| row.path.starts_with("spec.affinity.")));
}

#[test]
fn text_has_one_line_a_row() {
    assert_eq!(text().lines().count(), rows().len());
    assert!(text().lines().any(|line| line.contains("hostNetwork") && line.contains("refused")));
}
