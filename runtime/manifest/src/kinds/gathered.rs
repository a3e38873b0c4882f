//! What has been read so far, and which names are taken.

use std::collections::HashMap;

use crate::manifest::Manifest;
use crate::node::Position;
use crate::problem::ProblemKind;
use crate::report::Report;
use crate::validate::Allocated;

#[derive(Debug, Default)]
pub(crate) struct Gathered {
    pub(crate) manifest: Manifest,
    pub(crate) report: Report,
    /// Objects seen, whether or not anything came of them.
    pub(crate) objects: usize,
    /// Whether Pods and Services are kept as they are written, too.
    pub(crate) keeps_written: bool,
    pub(super) source: String,
    /// What Services have been given so far.
    pub(super) allocated: Allocated,
    /// Kind, namespace and name, and where each stands.
    names: HashMap<(String, String, String), String>,
}

impl Gathered {
    /// From here on objects come from this source.
    pub(crate) fn begin(&mut self, source: &str) {
        source.clone_into(&mut self.source);
        self.report.begin(source);
    }

    /// Takes a name for an object; a problem when another has it.
    pub(super) fn claim_name(&mut self, kind: &str, namespace: &str, name: &str, at: Position) {
        if name.is_empty() {
            return;
        }
        let place = format!("{}:{}", self.source, at.line);
        let key = (kind.to_owned(), namespace.to_owned(), name.to_owned());
        if let Some(first) = self.names.get(&key) {
            let message = format!(
                "{kind} \"{name}\" in namespace \"{namespace}\" stands twice: first at {first}"
            );
            self.report.problem(ProblemKind::DuplicateObject, at, String::new(), message, None);
            return;
        }
        self.names.insert(key, place);
    }
}
