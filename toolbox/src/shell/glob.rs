//! The names of files that fit a pattern.

use std::fs;

use super::pattern;

/// More than any command line should have.
const MOST: usize = 100_000;

/// The files that fit, in order; none if there are none.
pub(crate) fn files(pattern: &str) -> Vec<String> {
    let mut found = match pattern.starts_with('/') {
        true => vec!["/".to_owned()],
        false => vec![String::new()],
    };
    let parts: Vec<&str> = pattern.split('/').filter(|part| !part.is_empty()).collect();
    for (number, part) in parts.iter().enumerate() {
        let is_last = number + 1 == parts.len();
        let needs_folder = !is_last || pattern.ends_with('/');
        let mut next = Vec::new();
        for folder in found {
            for name in names(&folder, part) {
                let path = format!("{folder}{name}");
                let real = crate::path::absolute(&path);
                let fits = match needs_folder {
                    true => real.is_dir(),
                    false => real.symlink_metadata().is_ok(),
                };
                if fits && next.len() < MOST {
                    next.push(if needs_folder { format!("{path}/") } else { path });
                }
            }
        }
        found = next;
    }
    found
}

/// The names in a folder that fit one part of a path.
fn names(folder: &str, part: &str) -> Vec<String> {
    if !part.contains(['*', '?', '[']) {
        return vec![part.replace('\\', "")];
    }
    let Ok(entries) = fs::read_dir(crate::path::absolute(folder)) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names
        .filter(|name| !name.starts_with('.') || part.starts_with('.'))
        .filter(|name| pattern::matches(part, name))
        .collect();
    names.sort();
    names
}
