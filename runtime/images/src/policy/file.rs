//! The file, and what it says of an image.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::{PolicyError, Unsigned};
use super::key::Key;
use super::pattern::Pattern;
use super::signature;
use crate::digest::Digest;
use crate::reference::Reference;
use crate::shown::beginning;

/// A policy with the keys that it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    default: Verdict,
    images: Vec<(Pattern, OfPattern)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum OfPattern {
    Verdict(Verdict),
    Signed(Signers),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Accept,
    Reject,
}

/// What a policy says of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule<'policy> {
    /// It may run.
    Accept,
    /// It may not.
    Reject {
        /// By this pattern, or else by default.
        pattern: Option<&'policy str>,
    },
    /// It may run if one of these has signed it.
    Signed(&'policy Signers),
}

/// Those of whom one must have signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers {
    pattern: String,
    keys: Vec<Key>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    // Required: neither is what everybody would expect.
    default: Verdict,
    #[serde(default)]
    images: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    pattern: String,
    key: Option<PathBuf>,
    keys: Option<Vec<PathBuf>>,
    policy: Option<Verdict>,
}

impl Policy {
    /// Reads a file and the keys that it names, which are sought from its folder.
    ///
    /// # Errors
    /// [`PolicyError`]
    pub fn read(file: &Path) -> Result<Self, PolicyError> {
        let folder = file.parent().unwrap_or(Path::new("."));
        let read = |path: &Path| {
            fs::read(path).map_err(|source| PolicyError::Read { path: path.to_owned(), source })
        };
        let yaml = String::from_utf8_lossy(&read(file)?).into_owned();
        Self::parse(&yaml, |key| {
            let path = folder.join(key);
            Key::parse(&path, &read(&path)?)
        })
    }

    fn parse(
        yaml: &str,
        read_key: impl Fn(&Path) -> Result<Key, PolicyError>,
    ) -> Result<Self, PolicyError> {
        let file: File = serde_saphyr::from_str(yaml)
            // Below its first line the parser draws the place in the file.
            .map_err(|error| {
                let text = error.to_string();
                PolicyError::Syntax(beginning(text.lines().next().unwrap_or_default()))
            })?;
        let mut images = Vec::new();
        for (index, entry) in file.images.into_iter().enumerate() {
            let pattern = Pattern::parse(&entry.pattern).map_err(|problem| {
                PolicyError::Pattern { index, pattern: entry.pattern.clone(), problem }
            })?;
            let keys = match (entry.key, entry.keys, entry.policy) {
                (None, None, Some(verdict)) => {
                    images.push((pattern, OfPattern::Verdict(verdict)));
                    continue;
                }
                (Some(key), None, None) => vec![key],
                (None, Some(keys), None) if !keys.is_empty() => keys,
                _ => return Err(PolicyError::Rule { index }),
            };
            let keys = keys.iter().map(|key| read_key(key)).collect::<Result<_, _>>()?;
            let signers = Signers { pattern: pattern.as_str().to_owned(), keys };
            images.push((pattern, OfPattern::Signed(signers)));
        }
        Ok(Self { default: file.default, images })
    }

    /// What it says of this image.
    pub fn rule(&self, reference: &Reference) -> Rule<'_> {
        let fitting = self.images.iter().find(|(pattern, _)| pattern.fits(reference));
        match (fitting, self.default) {
            (Some((_, OfPattern::Signed(signers))), _) => Rule::Signed(signers),
            (Some((_, OfPattern::Verdict(Verdict::Accept))), _) | (None, Verdict::Accept) => {
                Rule::Accept
            }
            (Some((pattern, OfPattern::Verdict(Verdict::Reject))), _) => {
                Rule::Reject { pattern: Some(pattern.as_str()) }
            }
            (None, Verdict::Reject) => Rule::Reject { pattern: None },
        }
    }
}

impl Signers {
    /// The pattern that asks for them.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// The key of them that has signed `payload`, if that says that `reference` may be the image of
    /// this digest.
    ///
    /// # Errors
    /// [`Unsigned`]
    pub fn verify(
        &self,
        reference: &Reference,
        digest: &Digest,
        payload: &[u8],
        signature: &[u8],
    ) -> Result<&Key, Unsigned> {
        // First: what nobody has signed is not read at all.
        let key = self.keys.iter().find(|key| key.made(signature, payload));
        let key = key.ok_or(Unsigned::OtherKey)?;
        signature::check(reference, digest, payload)?;
        Ok(key)
    }
}
