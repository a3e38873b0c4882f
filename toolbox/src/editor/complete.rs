//! What a word may become. Pure but for the folders that are looked into.

use std::fs;

/// Where names come from.
pub(crate) trait Completer {
    /// Commands that are no files.
    fn commands(&self) -> Vec<String>;
    fn variables(&self) -> Vec<String>;
}

/// What may be put in place of the end of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Completion {
    /// What is behind the cursor already.
    pub(super) typed: String,
    /// What it may become, in order.
    pub(super) candidates: Vec<String>,
}

/// What the end of `before` may become.
pub(super) fn complete(before: &str, completer: &dyn Completer) -> Completion {
    let ends = |character: char| character.is_whitespace() || "|&;<>(){}\"'`=".contains(character);
    let start = before.rfind(ends).map_or(0, |at| at + 1);
    let (earlier, word) = before.split_at(start);
    let of = |typed: &str, mut candidates: Vec<String>| {
        candidates.retain(|candidate| candidate.starts_with(typed));
        candidates.sort();
        candidates.dedup();
        Completion { typed: typed.to_owned(), candidates }
    };
    if let Some(name) = word.strip_prefix('$') {
        let names = completer.variables().into_iter().map(|name| format!("{name} "));
        return of(name, names.collect());
    }
    let is_command = match earlier.trim_end() {
        "" => true,
        earlier => earlier.ends_with(['|', '&', ';', '(', '{', '`']),
    };
    if is_command && !word.contains('/') {
        let names = completer.commands().into_iter().map(|name| format!("{name} "));
        return of(word, names.collect());
    }
    let (folder, name) = word.rfind('/').map_or(("", word), |at| word.split_at(at + 1));
    of(name, files(folder, name.starts_with('.')))
}

/// The files of a folder, each with what comes after it.
fn files(folder: &str, hidden: bool) -> Vec<String> {
    let home = folder.strip_prefix("~/").map(|rest| format!("{}/{rest}", home()));
    let folder = crate::path::absolute(home.as_deref().unwrap_or(folder));
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let files = entries.flatten().filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        let end = if entry.path().is_dir() { '/' } else { ' ' };
        (hidden || !name.starts_with('.')).then(|| format!("{}{end}", name.replace(' ', "\\ ")))
    });
    files.collect()
}

fn home() -> String {
    std::env::var("HOME").unwrap_or_else(|_| "/".to_owned())
}

impl Completion {
    /// What all candidates add to what is typed.
    pub(super) fn common(&self) -> String {
        let Some((first, rest)) = self.candidates.split_first() else { return String::new() };
        let mut common = first.as_str();
        for candidate in rest {
            let same =
                common.chars().zip(candidate.chars()).take_while(|(one, other)| one == other);
            let length = same.map(|(one, _)| one.len_utf8()).sum();
            common = &common[..length];
        }
        common.get(self.typed.len()..).unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Names;

    impl Completer for Names {
        fn commands(&self) -> Vec<String> {
            ["cat", "cd", "clear", "echo"].map(str::to_owned).to_vec()
        }

        fn variables(&self) -> Vec<String> {
            ["HOME", "HOSTNAME"].map(str::to_owned).to_vec()
        }
    }

    #[test]
    fn names_are_completed_where_they_can_be() {
        let of = |before| complete(before, &Names);
        assert_eq!(of("c").candidates, ["cat ", "cd ", "clear "]);
        assert_eq!(of("c").common(), "");
        assert_eq!(of("ls | ec").common(), "ho ");
        assert_eq!(of("echo $HO").candidates, ["HOME ", "HOSTNAME "]);
        assert_eq!(of("echo $HOM").common(), "E ");
        assert!(of("xyz").candidates.is_empty());
    }

    #[test]
    fn files_are_completed_with_what_comes_after_them() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("logs")).unwrap();
        fs::write(folder.path().join("log one"), "").unwrap();
        fs::write(folder.path().join(".hidden"), "").unwrap();
        let of = |name: &str| complete(&format!("cat {}/{name}", folder.path().display()), &Names);
        assert_eq!(of("").candidates, ["log\\ one ", "logs/"]);
        assert_eq!(of("lo").common(), "g");
        assert_eq!(of(".").candidates, [".hidden "]);
    }
}
