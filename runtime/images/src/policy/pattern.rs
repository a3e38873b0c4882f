//! Patterns of repositories.

use crate::reference::{DEFAULT_REGISTRY, Reference};

/// The port that needs not be written.
const HTTPS: &str = ":443";

/// A pattern that names a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
}

impl Pattern {
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let Some((registry, path)) = text.split_once('/') else {
            return match text {
                "**" => Ok(Self { text: text.to_owned() }),
                _ => Err("names no registry: write docker.io/library/NAME"),
            };
        };
        let is_registry = registry == "localhost" || registry.contains(['.', ':', '*']);
        if !is_registry {
            return Err("names no registry: write docker.io/NAME");
        }
        if path.is_empty() {
            return Err("names no repository: write REGISTRY/**");
        }
        if path.contains([':', '@']) {
            return Err("has a tag or a digest: patterns are for repositories");
        }
        if path.chars().any(|letter| letter.is_ascii_uppercase()) {
            return Err("would never fit: repositories are in lower case");
        }
        Ok(Self { text: format!("{}/{path}", canonical(registry)) })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is for this image.
    pub(super) fn fits(&self, reference: &Reference) -> bool {
        let name = format!("{}/{}", canonical(reference.registry()), reference.repository());
        fits(self.text.as_bytes(), name.as_bytes())
    }
}

/// The same server under another spelling must not slip through.
fn canonical(registry: &str) -> String {
    let registry = registry.to_ascii_lowercase();
    let registry = registry.strip_suffix(HTTPS).unwrap_or(&registry);
    match registry {
        "index.docker.io" | "registry-1.docker.io" => DEFAULT_REGISTRY.to_owned(),
        other => other.to_owned(),
    }
}

/// Whether all of `text` fits. Each star of a pattern is tried at each place once at most.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    // For each beginning of the text: whether the pattern so far may end there.
    let mut ends = vec![false; text.len() + 1];
    ends[0] = true;
    let mut at = 0;
    while at < pattern.len() {
        let is_star = pattern[at] == b'*';
        let is_double = is_star && pattern.get(at + 1) == Some(&b'*');
        let mut next = vec![false; text.len() + 1];
        for place in 0..=text.len() {
            next[place] = if is_star {
                let goes_on = place > 0 && next[place - 1];
                ends[place] || (goes_on && (is_double || text[place - 1] != b'/'))
            } else {
                place > 0 && ends[place - 1] && text[place - 1] == pattern[at]
            };
        }
        ends = next;
        at += if is_double { 2 } else { 1 };
    }
    ends[text.len()]
}
