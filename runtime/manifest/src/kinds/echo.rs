//! Which broken rules are only the echo of a problem that has been reported already.
//!
//! A value that was refused is not there for the rules, and a field that was misspelt is missing.
//! Looked up, not searched for: a wrong manifest may hold a problem in every line.

use std::collections::HashSet;

use crate::field::{ErrorType, FieldError};
use crate::problem::{Problem, ProblemKind};

/// The problems of one object before its rules were checked, ready to be looked up.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// Fields whose values were refused.
    refused: HashSet<String>,
    /// What holds a field of an unknown name.
    misspelt_in: HashSet<String>,
}

impl Earlier {
    pub(super) fn new(problems: &[Problem]) -> Self {
        let mut earlier = Self::default();
        for problem in problems {
            match problem.kind {
                ProblemKind::WrongType | ProblemKind::NotSupported => {
                    earlier.refused.insert(problem.path.clone());
                }
                ProblemKind::UnknownField => {
                    earlier.misspelt_in.insert(holder(&problem.path).to_owned());
                }
                _ => {}
            }
        }
        earlier
    }

    /// Whether `error`, at `path`, says nothing new.
    pub(super) fn explains(&self, path: &str, error: &FieldError) -> bool {
        let refused = || holders(path).any(|holder| self.refused.contains(holder));
        let misspelt = || match error.kind {
            // The field beside it, or the one that it should hold, may be the one that is meant.
            ErrorType::Required => {
                self.misspelt_in.contains(holder(path)) || self.misspelt_in.contains(path)
            }
            ErrorType::Invalid => self.misspelt_in.contains(path),
            _ => false,
        };
        refused() || misspelt()
    }
}

/// The path itself and all that leads to it.
fn holders(path: &str) -> impl Iterator<Item = &str> {
    let shorter = path
        .bytes()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, b'.' | b'['))
        .map(|(end, _)| &path[..end]);
    shorter.chain(std::iter::once(path))
}

fn holder(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(holder, _)| holder)
}
