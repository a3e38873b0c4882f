//! What an `image:` of a registry means: which registry, which repository, which version.
//!
//! Decided here: the grammar of `distribution/reference` with its short forms, and when an image is
//! asked for anew by default. Left alone: files, maps, and whether the registry has such an image.
//!
//! Rules: `distribution/reference` (`regexp.go`, `normalize.go`); the defaulting of
//! `imagePullPolicy` in Kubernetes (`pkg/apis/core/v1/defaults.go`).

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;

/// The registry of a name that has none.
pub const DEFAULT_REGISTRY: &str = "docker.io";

/// The tag of a name that has neither tag nor digest.
pub const DEFAULT_TAG: &str = "latest";

/// Characters of a repository's path, `library/` with it (`RepositoryNameTotalLengthMax`).
const MOST_PATH: usize = 255;

/// `imagePullPolicy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PullPolicy {
    /// Ask for a newer one at each start.
    Always,
    /// Fetch what is not here.
    IfNotPresent,
    /// Only what is here.
    Never,
}

/// An image's name, in the form in which two of them compare.
///
/// ```
/// # use wasmpod_images::reference::Reference;
/// let reference: Reference = "kuard:blue".parse()?;
/// assert_eq!(reference.to_string(), "docker.io/library/kuard:blue");
/// assert_eq!(reference.familiar(), "kuard:blue");
/// # Ok::<(), wasmpod_images::reference::InvalidReference>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

/// It is no reference; `Display` is what stands behind `couldn't parse image name "…": `.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid reference format: {detail}")]
pub struct InvalidReference {
    detail: String,
}

impl Reference {
    /// The registry as it is named: `docker.io`, `localhost:5000`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The host (and port) that answers for the registry: Docker's own is not where its name says.
    pub fn api_host(&self) -> &str {
        if self.registry == DEFAULT_REGISTRY { "registry-1.docker.io" } else { &self.registry }
    }

    /// The path within the registry: `library/kuard`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag as it was written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, which wins over the tag.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// Registry and repository: `docker.io/library/kuard`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The tag that is asked for if there is no digest.
    pub fn tag_or_default(&self) -> &str {
        self.tag().unwrap_or(DEFAULT_TAG)
    }

    /// The same, with the default tag where there is neither tag nor digest: the form that is
    /// stored and shown.
    #[must_use]
    pub fn with_default_tag(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The same repository at this digest, without a tag: `docker.io/library/kuard@sha256:…`.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// As people write it: without what goes without saying.
    pub fn familiar(&self) -> String {
        format!("{}{}", self.familiar_name(), self.version())
    }

    /// The same without tag and digest.
    pub fn familiar_name(&self) -> String {
        if self.registry == DEFAULT_REGISTRY {
            match self.repository.strip_prefix("library/") {
                // `library/a/b` is no short name.
                Some(short) if !short.contains('/') => short.to_owned(),
                // `docker.io/x.io/a` without its registry would be one of `x.io`.
                _ if self.repository.split('/').next().is_some_and(is_domain) => self.name(),
                _ => self.repository.clone(),
            }
        } else {
            self.name()
        }
    }

    /// The policy of a container that states none: `Always` for `latest`, which moves.
    pub fn default_pull_policy(&self) -> PullPolicy {
        match (&self.digest, self.tag_or_default()) {
            (None, DEFAULT_TAG) => PullPolicy::Always,
            // As Kubernetes: a tag of `latest` counts even beside a digest.
            (Some(_), _) if self.tag() == Some(DEFAULT_TAG) => PullPolicy::Always,
            _ => PullPolicy::IfNotPresent,
        }
    }

    fn version(&self) -> String {
        let tag = self.tag.iter().map(|tag| format!(":{tag}"));
        let digest = self.digest.iter().map(|digest| format!("@{digest}"));
        tag.chain(digest).collect()
    }
}

impl fmt::Display for Reference {
    /// The full form, without a default tag that was not written.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}{}", self.registry, self.repository, self.version())
    }
}

impl FromStr for Reference {
    type Err = InvalidReference;

    fn from_str(text: &str) -> Result<Self, InvalidReference> {
        parse(text).map_err(|detail| InvalidReference { detail })
    }
}

fn parse(text: &str) -> Result<Reference, String> {
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) => {
            (rest, Some(digest.parse::<Digest>().map_err(|error| error.to_string())?))
        }
        None => (text, None),
    };
    let (name, tag) = match rest.rsplit_once(':') {
        // A colon before the last slash belongs to a port.
        Some((name, tag)) if !tag.contains('/') => (name, Some(check_tag(tag)?)),
        _ => (rest, None),
    };
    let (registry, path) = match name.split_once('/') {
        Some((first, path)) if is_domain(first) => (check_domain(first)?, path),
        _ => (DEFAULT_REGISTRY, name),
    };
    check_path(path)?;
    let repository = if registry == DEFAULT_REGISTRY && !path.contains('/') {
        format!("library/{path}")
    } else {
        path.to_owned()
    };
    // As it is written down, or its full form could be none.
    if repository.len() > MOST_PATH {
        return Err(format!("repository name must not be more than {MOST_PATH} characters"));
    }
    Ok(Reference {
        registry: registry.to_owned(),
        repository,
        tag: tag.map(ToOwned::to_owned),
        digest,
    })
}

fn is_domain(first: &str) -> bool {
    first == "localhost"
        || first.contains(['.', ':'])
        || first.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn check_domain(domain: &str) -> Result<&str, String> {
    let (host, port) = domain.split_once(':').unwrap_or((domain, "0"));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    if host.split('.').all(label) && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) {
        // The old name of the same registry.
        Ok(if domain == "index.docker.io" { DEFAULT_REGISTRY } else { domain })
    } else {
        Err(format!("{domain:?} is not a registry's host name"))
    }
}

fn check_path(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("the repository name is empty".to_owned());
    }
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(format!("repository name ({path}) must be lowercase"));
    }
    match path.split('/').find(|component| !is_path_component(component)) {
        None => Ok(()),
        Some("") => Err(format!("repository name ({path}) has an empty component")),
        Some(component) => Err(format!(
            "{component:?} in the repository name must be lower case alphanumeric characters, \
             separated by `.`, `_`, `__` or `-`"
        )),
    }
}

fn is_path_component(component: &str) -> bool {
    let mut separator = String::new();
    let mut after_name = false;
    for character in component.chars() {
        if character.is_ascii_lowercase() || character.is_ascii_digit() {
            let joined = match separator.as_str() {
                "" => true,
                "." | "_" | "__" => after_name,
                dashes => after_name && dashes.bytes().all(|byte| byte == b'-'),
            };
            if !joined {
                return false;
            }
            separator.clear();
            after_name = true;
        } else if matches!(character, '.' | '_' | '-') {
            separator.push(character);
        } else {
            return false;
        }
    }
    after_name && separator.is_empty()
}

fn check_tag(tag: &str) -> Result<&str, String> {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let valid = tag.len() <= 128
        && tag.bytes().next().is_some_and(word)
        && tag.bytes().all(|byte| word(byte) || matches!(byte, b'.' | b'-'));
    if valid { Ok(tag) } else { Err(format!("{tag:?} is not a tag")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn reference(text: &str) -> Reference {
        text.parse().unwrap()
    }

    #[test]
    fn what_is_not_said_goes_without_saying() {
        let table = [
            ("a", "docker.io/library/a", "a"),
            ("a:1", "docker.io/library/a:1", "a:1"),
            ("library/a", "docker.io/library/a", "a"),
            ("a/b", "docker.io/a/b", "a/b"),
            ("index.docker.io/a/b", "docker.io/a/b", "a/b"),
            ("library/a/b", "docker.io/library/a/b", "library/a/b"),
            ("docker.io/x.io/a", "docker.io/x.io/a", "docker.io/x.io/a"),
            ("localhost/a", "localhost/a", "localhost/a"),
            ("localhost:5000/a:1", "localhost:5000/a:1", "localhost:5000/a:1"),
            ("127.0.0.1:5000/a", "127.0.0.1:5000/a", "127.0.0.1:5000/a"),
            ("ghcr.io/x/y_z/w--v:A.b-c", "ghcr.io/x/y_z/w--v:A.b-c", "ghcr.io/x/y_z/w--v:A.b-c"),
            ("EXAMPLE.com/a", "EXAMPLE.com/a", "EXAMPLE.com/a"),
        ];
        for (text, full, familiar) in table {
            assert_eq!(reference(text).to_string(), full, "{text}");
            assert_eq!(reference(text).familiar(), familiar, "{text}");
        }
        let both = reference(&format!("a:1@{DIGEST}"));
        assert_eq!(both.to_string(), format!("docker.io/library/a:1@{DIGEST}"));
        assert_eq!(both.at(both.digest().unwrap().clone()).familiar(), format!("a@{DIGEST}"));
        assert_eq!(reference("a").with_default_tag(), reference("a:latest"));
        assert_eq!(reference("a").api_host(), "registry-1.docker.io");
    }

    #[test]
    fn what_is_no_reference_says_why() {
        let long = "a".repeat(256);
        let texts: Vec<String> = [
            "Nginx",
            "nginx:",
            "a b",
            "",
            "nginx@sha256:12",
            "a//b",
            "a/",
            "-a",
            "a..b",
            "a___b",
            "a:-x",
            "http://a/b",
            "a_-b",
            "UPPER.io/a B",
            "-x.io/a",
            &long,
            // Too long with `library/` in front.
            &"a".repeat(250),
        ]
        .into_iter()
        .map(|text| text.parse::<Reference>().unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(texts.join("\n"), @r#"
        invalid reference format: repository name (Nginx) must be lowercase
        invalid reference format: "" is not a tag
        invalid reference format: "a b" in the repository name must be lower case alphanumeric characters, separated by `.`, `_`, `__` or `-`
        invalid reference format: the repository name is empty
        invalid reference format: "sha256:12" is not a digest
        invalid reference format: repository name (a//b) has an empty component
        invalid reference format: repository name (a/) has an empty component
        invalid reference format: "-a" in the repository name must be lower case alphanumeric characters, separated by `.`, `_`, `__` or `-`
        invalid reference format: "a..b" in the repository name must be lower case alphanumeric characters, separated by `.`, `_`, `__` or `-`
        invalid reference format: "a___b" in the repository name must be lower case alphanumeric characters, separated by `.`, `_`, `__` or `-`
        invalid reference format: "-x" is not a tag
        invalid reference format: "http:" is not a registry's host name
        invalid reference format: "a_-b" in the repository name must be lower case alphanumeric characters, separated by `.`, `_`, `__` or `-`
        invalid reference format: repository name (a B) must be lowercase
        invalid reference format: "-x.io" is not a registry's host name
        invalid reference format: repository name must not be more than 255 characters
        invalid reference format: repository name must not be more than 255 characters
        "#);
    }

    #[test]
    fn what_moves_is_asked_for_at_each_start() {
        let table = [
            ("a", PullPolicy::Always),
            ("a:latest", PullPolicy::Always),
            ("a:1", PullPolicy::IfNotPresent),
            (&format!("a@{DIGEST}"), PullPolicy::IfNotPresent),
            (&format!("a:1@{DIGEST}"), PullPolicy::IfNotPresent),
            (&format!("a:latest@{DIGEST}"), PullPolicy::Always),
        ];
        for (text, policy) in table {
            assert_eq!(reference(text).default_pull_policy(), policy, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = text.parse::<Reference>();
        }

        #[test]
        fn both_forms_mean_the_same(
            text in "([a-z]{1,5}\\.io(:[0-9]{1,4})?/|localhost/)?[a-z]{1,3}(\\.[a-z])?(/[a-z0-9]{1,3}){0,3}(:[a-z0-9.]{1,4})?"
        ) {
            if let Ok(parsed) = text.parse::<Reference>() {
                assert_eq!(reference(&parsed.to_string()), parsed);
                assert_eq!(reference(&parsed.familiar()), parsed);
            }
        }
    }
}
