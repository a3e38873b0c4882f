//! `wasmpod edit`: an object in the user's editor, and back.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::Value;
use wasmpod::manifest::Source;
use wasmpod_objects::patch::PatchKind;
use wasmpod_objects::store::{Part, PatchRequest, Update};
use wasmpod_view::output::{to_yaml, without_managed_fields};
use wasmpod_view::resource_args::NoName;

use super::chosen::{self, Chosen, Missing};
use super::desired::title;
use super::machine;
use crate::args::Edit;
use crate::failure::Failure;
use crate::print::out;

const HEAD: &str = "\
# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

/// # Errors
/// What is named and not there; an editor that cannot be run.
pub(crate) fn edit(verb: &Edit, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let wanted = chosen::wanted(&verb.selection, NoName::Error, false)?;
    let pods = machine::open(root)?;
    let mut found = wanted.find(&pods, Missing::Error)?;
    for one in std::mem::take(&mut found.objects) {
        let before = without_managed_fields(one.object.clone());
        match edited(&before, &one, |after| {
            let patch = difference(&before, after);
            let request =
                PatchRequest { kind: PatchKind::Merge, patch: &patch, part: Part::Object };
            pods.store().patch(&one.key, request, Update::default()).map_err(Failure::from)
        })? {
            Edited::Not => out::line("Edit cancelled, no changes made."),
            Edited::Done => {
                out::line(&format!("{} edited", title(one.key.resource, &one.key.name)));
            }
        }
    }
    machine::tell(&pods)?;
    found.settle()?;
    Ok(ExitCode::SUCCESS)
}

enum Edited {
    Done,
    Not,
}

/// Lets the user edit until what is written is accepted, or nothing is changed any more.
fn edited(
    before: &Value,
    one: &Chosen,
    accept: impl Fn(&Value) -> Result<Value, Failure>,
) -> Result<Edited, Failure> {
    let mut text = format!("{HEAD}{}", to_yaml(before));
    loop {
        let typed = in_editor(&text)?;
        if typed == text || typed.lines().all(|line| line.trim().is_empty() || is_comment(line)) {
            return Ok(Edited::Not);
        }
        let outcome = read(&typed).and_then(|after| match after == *before {
            true => Ok(None),
            false => accept(&after).map(Some),
        });
        match outcome {
            Ok(None) => return Ok(Edited::Not),
            Ok(Some(_)) => return Ok(Edited::Done),
            Err(failure) => {
                let why = failure.words();
                let title = title(one.key.resource, &one.key.name);
                let body: String = typed
                    .lines()
                    .filter(|line| !is_comment(line))
                    .map(|line| line.to_owned() + "\n")
                    .collect();
                let why: String = why.lines().map(|line| format!("# {line}\n")).collect();
                text = format!("{HEAD}# {title} was not valid:\n{why}#\n{body}");
            }
        }
    }
}

fn is_comment(line: &str) -> bool {
    line.starts_with('#')
}

fn read(text: &str) -> Result<Value, Failure> {
    let source = Source { name: "the edited object".to_owned(), bytes: text.as_bytes().to_vec() };
    Ok(wasmpod::manifest::read_value(&source)?)
}

/// The merge patch that makes one of the other.
fn difference(before: &Value, after: &Value) -> Value {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        return after.clone();
    };
    let mut patch = serde_json::Map::new();
    for (name, value) in new {
        match old.get(name) {
            Some(earlier) if earlier == value => {}
            Some(earlier) if earlier.is_object() && value.is_object() => {
                patch.insert(name.clone(), difference(earlier, value));
            }
            Some(_) | None => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// Rule: `KUBE_EDITOR`, `EDITOR`, else `vi`, as a command line of the shell.
fn in_editor(text: &str) -> Result<String, Failure> {
    let failed = |error: std::io::Error| Failure::because("the editor", &error);
    let folder = std::env::temp_dir();
    let name = format!("wasmpod-edit-{}.yaml", wasmpod::pod::new_uid());
    let path = folder.join(name);
    let mut options = std::fs::File::options();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.write(true).create_new(true).open(&path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    drop(file);
    let editor = ["KUBE_EDITOR", "EDITOR"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty()));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let ran =
        Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&path).status();
    let typed = std::fs::read_to_string(&path);
    // It may hold Secrets.
    let _ = std::fs::remove_file(&path);
    let status = ran.map_err(failed)?;
    if !status.success() {
        return Err(Failure::kubectl(format!("there was a problem with the editor {editor:?}")));
    }
    typed.map_err(failed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_is_what_differs() {
        let before = json!({ "a": 1, "b": { "c": [1], "d": 2 }, "e": 3 });
        let after = json!({ "a": 1, "b": { "c": [1, 2] }, "f": 4 });
        let patch = json!({ "b": { "c": [1, 2], "d": null }, "e": null, "f": 4 });
        assert_eq!(difference(&before, &after), patch);
    }
}
