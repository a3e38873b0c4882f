//! What the words before the cursor say: whose names are wanted.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::OnceLock;

use clap::{ArgMatches, CommandFactory as _};

use crate::args::CommandLine;

/// What was typed before the word that is to be completed.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) root: Option<PathBuf>,
    /// The verb, or none yet.
    pub(super) verb: String,
    pub(super) namespace: Option<String>,
    pub(super) all_namespaces: bool,
    /// The words that are no options, in their order.
    pub(super) words: Vec<String>,
}

// clap asks for the candidates of an argument by functions that know nothing else of the line.
static TYPED: OnceLock<Typed> = OnceLock::new();

impl Typed {
    /// What was typed; nothing where nobody asked for a completion.
    pub(super) fn get() -> &'static Self {
        TYPED.get_or_init(Self::default)
    }

    /// Reads `words`, the program's name first, for [`get`](Self::get).
    pub(super) fn remember(words: &[OsString]) {
        // A second time there is nothing else to remember.
        let _ = TYPED.set(Self::read(words));
    }

    fn read(words: &[OsString]) -> Self {
        // An unfinished line is full of errors.
        let command = CommandLine::command().ignore_errors(true);
        let Ok(all) = command.try_get_matches_from(words) else { return Self::default() };
        let Some((verb, given)) = all.subcommand() else {
            return Self { root: path(&all), ..Self::default() };
        };
        let positionals = ["target", "targets", "pod", "pods", "second", "ports", "source"];
        Self {
            root: path(given).or_else(|| path(&all)),
            verb: verb.to_owned(),
            namespace: texts(given, "namespace").pop(),
            all_namespaces: matches!(given.try_get_one::<bool>("all_namespaces"), Ok(Some(true))),
            words: positionals.iter().flat_map(|name| texts(given, name)).collect(),
        }
    }

    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }
}

fn path(given: &ArgMatches) -> Option<PathBuf> {
    given.try_get_one::<PathBuf>("root").ok().flatten().cloned()
}

/// The values of an argument, if the verb has one of that name.
fn texts(given: &ArgMatches, name: &str) -> Vec<String> {
    let values = given.try_get_many::<String>(name);
    values.ok().flatten().into_iter().flatten().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Typed {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        Typed::read(&words)
    }

    #[test]
    fn an_unfinished_line_is_read_as_far_as_it_goes() {
        let typed = read("wasmpod --root /x logs -n staging --tail 3 web -c");
        assert_eq!(typed.root.as_deref(), Some(std::path::Path::new("/x")));
        assert_eq!((typed.verb.as_str(), typed.namespace()), ("logs", "staging"));
        assert_eq!(typed.words, ["web"]);
        let typed = read("wasmpod get pod -l app=web db -n");
        assert_eq!((typed.verb.as_str(), typed.namespace()), ("get", "default"));
        assert_eq!(typed.words, ["pod", "db"]);
        assert!(read("wasmpod get pods -A").all_namespaces);
        assert_eq!(read("wasmpod port-forward web 80").words, ["web", "80"]);
        assert_eq!(read("wasmpod get --nonsense pod").verb, "get");
        assert_eq!(read("wasmpod").verb, "");
        assert_eq!(read("").verb, "");
    }
}
