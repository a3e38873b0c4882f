//! Which file an `image:` means, until images come from registries.
//!
//! Decided here: a path (`/…`, `./…`, `../…`, `file:…`, or a name that ends in `.wasm` or `.wat`,
//! relative to the manifest), or a name that `--image-map` or an `images.yaml` beside the manifest
//! leads to a file. Left alone: whether the file is there and what it holds.
//!
//! A mapped name fits an image of the same reference; without tag and digest it fits all of them,
//! so that a manifest made for a cluster runs unchanged. The texts follow the kubelet's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::ImageError;

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

/// Where images of one manifest come from.
#[derive(Clone, Debug, Default)]
pub struct ImageSource {
    /// Looked through in order: the first hit counts.
    maps: Vec<Map>,
    /// The folder that relative paths start from.
    base: PathBuf,
}

#[derive(Clone, Debug)]
struct Map {
    /// What an error calls it.
    name: String,
    images: BTreeMap<String, PathBuf>,
}

impl ImageSource {
    /// The source for a manifest in the folder `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self { maps: Vec::new(), base: base.into() }
    }

    /// Adds a map from names to files; earlier maps win. `name` is what errors call it: `--image-map`
    /// or the path of an `images.yaml`. Relative files start from `base`.
    #[must_use]
    pub fn map(
        mut self,
        name: impl Into<String>,
        base: &Path,
        images: impl IntoIterator<Item = (String, PathBuf)>,
    ) -> Self {
        let images = images.into_iter().map(|(image, file)| (image, base.join(file))).collect();
        self.maps.push(Map { name: name.into(), images });
        self
    }

    /// The file for `image`.
    ///
    /// # Errors
    /// [`ImageError::InvalidName`] when it is neither path nor reference, [`ImageError::NeverPull`]
    /// or [`ImageError::NotFound`] when no map has it.
    pub fn resolve(&self, image: &str, policy: PullPolicy) -> Result<PathBuf, ImageError> {
        // Before anything else: a map may name an image as it likes.
        if let Some(file) = self.maps.iter().find_map(|map| map.images.get(image)) {
            return Ok(file.clone());
        }
        if let Some(path) = as_path(image) {
            return Ok(self.base.join(path));
        }
        let reference = Reference::parse(image)
            .map_err(|detail| ImageError::InvalidName { image: image.to_owned(), detail })?;
        self.maps
            .iter()
            .find_map(|map| map.find(&reference))
            .ok_or_else(|| self.missing(image, policy))
    }

    fn missing(&self, image: &str, policy: PullPolicy) -> ImageError {
        let image = image.to_owned();
        let looked = match self.maps.as_slice() {
            [] => "no image is mapped to a file".to_owned(),
            maps => {
                let places: Vec<String> = maps
                    .iter()
                    .map(|map| format!("{} ({} mapped)", map.name, map.images.len()))
                    .collect();
                format!("not in {}", places.join(", "))
            }
        };
        let hint = format!(
            "map it with `--image-map {image}=FILE.wasm` or in an `images.yaml` beside the \
             manifest, or give a path such as `./{}.wasm`",
            short_name(&image)
        );
        match policy {
            PullPolicy::Never => ImageError::NeverPull { image, looked, hint },
            PullPolicy::Always | PullPolicy::IfNotPresent => {
                ImageError::NotFound { image, looked, hint }
            }
        }
    }
}

impl Map {
    /// An exact reference wins over one without a tag.
    fn find(&self, wanted: &Reference<'_>) -> Option<PathBuf> {
        let mut untagged = None;
        for (name, file) in &self.images {
            let Ok(known) = Reference::parse(name) else { continue };
            if known.repository != wanted.repository {
                continue;
            }
            if known.version == wanted.version {
                return Some(file.clone());
            }
            if known.version == Version::Default {
                untagged = Some(file);
            }
        }
        untagged.cloned()
    }
}

/// `busybox` of `docker.io/library/busybox:1.36@sha256:…`.
fn short_name(image: &str) -> &str {
    let path = image.split('@').next().unwrap_or(image);
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split(':').next().unwrap_or(name)
}

fn as_path(image: &str) -> Option<&Path> {
    if let Some(path) = image.strip_prefix("file:") {
        // `file:///srv/a.wasm` is the URL form of `file:/srv/a.wasm`.
        return Some(Path::new(path.strip_prefix("//").unwrap_or(path)));
    }
    let marked = ["/", "./", "../"].iter().any(|start| image.starts_with(start));
    let named = [".wasm", ".wat", ".cwasm"].iter().any(|end| image.ends_with(end));
    (marked || named).then_some(Path::new(image))
}

/// An image reference, in the form in which two of them compare.
#[derive(Debug, PartialEq, Eq)]
struct Reference<'a> {
    repository: String,
    version: Version<'a>,
}

#[derive(Debug, PartialEq, Eq)]
enum Version<'a> {
    /// Neither tag nor digest, which means `latest`.
    Default,
    Tag(&'a str),
    Digest(&'a str),
}

impl<'a> Reference<'a> {
    /// The grammar of `distribution/reference`, with its reasons.
    fn parse(text: &'a str) -> Result<Self, String> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(check_digest(digest)?)),
            None => (text, None),
        };
        let (name, tag) = match rest.rsplit_once(':') {
            // A colon before the last slash belongs to a port.
            Some((name, tag)) if !tag.contains('/') => (name, Some(check_tag(tag)?)),
            _ => (rest, None),
        };
        let (domain, path) = match name.split_once('/') {
            Some((first, path)) if is_domain(first) => (check_domain(first)?, path),
            _ => ("docker.io", name),
        };
        check_path(path)?;
        let path = if domain == "docker.io" && !path.contains('/') {
            format!("library/{path}")
        } else {
            path.to_owned()
        };
        let version = match (digest, tag) {
            (Some(digest), _) => Version::Digest(digest),
            (None, Some(tag)) => Version::Tag(tag),
            (None, None) => Version::Default,
        };
        Ok(Self { repository: format!("{domain}/{path}"), version })
    }
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
        Ok(if domain == "index.docker.io" { "docker.io" } else { domain })
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
    if path.len() > 255 {
        return Err("repository name must not be more than 255 characters".to_owned());
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

fn check_digest(digest: &str) -> Result<&str, String> {
    let valid = digest.split_once(':').is_some_and(|(algorithm, hex)| {
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return false,
        };
        hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    });
    if valid { Ok(digest) } else { Err(format!("{digest:?} is not a digest")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> ImageSource {
        ImageSource::new("/srv/pods")
            .map(
                "--image-map",
                Path::new("/home/me"),
                [("kuard:blue".to_owned(), PathBuf::from("blue.wasm"))],
            )
            .map(
                "/srv/pods/images.yaml",
                Path::new("/srv/pods"),
                [
                    ("gcr.io/kuar-demo/kuard-amd64".to_owned(), PathBuf::from("kuard.wasm")),
                    ("kuard".to_owned(), PathBuf::from("/opt/kuard.wasm")),
                    ("Odd Name".to_owned(), PathBuf::from("odd.wasm")),
                ],
            )
    }

    #[test]
    fn paths_and_mapped_names_lead_to_files() {
        let table = [
            ("/abs/a.wasm", "/abs/a.wasm"),
            ("./a", "/srv/pods/./a"),
            ("../a.wat", "/srv/pods/../a.wat"),
            ("guests/a.wasm", "/srv/pods/guests/a.wasm"),
            ("file:a.wasm", "/srv/pods/a.wasm"),
            ("file:/abs/a", "/abs/a"),
            ("file:///abs/a", "/abs/a"),
            ("kuard:blue", "/home/me/blue.wasm"),
            ("docker.io/library/kuard:blue", "/home/me/blue.wasm"),
            ("kuard:green", "/opt/kuard.wasm"),
            ("kuard", "/opt/kuard.wasm"),
            ("gcr.io/kuar-demo/kuard-amd64:blue", "/srv/pods/kuard.wasm"),
            ("Odd Name", "/srv/pods/odd.wasm"),
        ];
        for (image, file) in table {
            let resolved = source().resolve(image, PullPolicy::Always);
            assert_eq!(resolved.unwrap(), Path::new(file), "{image}");
        }
    }

    #[test]
    fn a_name_that_is_nowhere_says_where_it_was_looked_for() {
        let texts: Vec<String> = [
            ("nginx:1.27", PullPolicy::IfNotPresent),
            ("nginx:1.27", PullPolicy::Never),
            ("Nginx", PullPolicy::Always),
            ("nginx:", PullPolicy::Always),
            ("a b", PullPolicy::Always),
            ("", PullPolicy::Always),
            ("nginx@sha256:12", PullPolicy::Always),
        ]
        .into_iter()
        .map(|(image, policy)| {
            let error = source().resolve(image, policy).unwrap_err();
            format!("{}: {error}", error.reason().as_str())
        })
        .collect();
        insta::assert_snapshot!(texts.join("\n"), @r#"
    ErrImagePull: container image "nginx:1.27" was not found (not in --image-map (1 mapped), /srv/pods/images.yaml (3 mapped)), and pulling from a registry is not supported yet; map it with `--image-map nginx:1.27=FILE.wasm` or in an `images.yaml` beside the manifest, or give a path such as `./nginx.wasm`
    ErrImageNeverPull: container image "nginx:1.27" is not present with pull policy of Never (not in --image-map (1 mapped), /srv/pods/images.yaml (3 mapped)); map it with `--image-map nginx:1.27=FILE.wasm` or in an `images.yaml` beside the manifest, or give a path such as `./nginx.wasm`
    InvalidImageName: couldn't parse image name "Nginx": invalid reference format: repository name (Nginx) must be lowercase
    InvalidImageName: couldn't parse image name "nginx:": invalid reference format: "" is not a tag
    InvalidImageName: couldn't parse image name "a b": invalid reference format: "a b" in the repository name must be lower case alphanumeric characters, separated by `.`, `_`, `__` or `-`
    InvalidImageName: couldn't parse image name "": invalid reference format: the repository name is empty
    InvalidImageName: couldn't parse image name "nginx@sha256:12": invalid reference format: "sha256:12" is not a digest
    "#);
    }

    #[test]
    fn references_compare_in_their_full_form() {
        let repository = |text| Reference::parse(text).unwrap().repository;
        assert_eq!(repository("a"), "docker.io/library/a");
        assert_eq!(repository("index.docker.io/a/b"), "docker.io/a/b");
        assert_eq!(repository("localhost:5000/a:1"), "localhost:5000/a");
        assert_eq!(Reference::parse("localhost:5000/a:1").unwrap().version, Version::Tag("1"));
        for invalid in
            ["a//b", "a/", "-a", "a..b", "a___b", "a:-x", "http://a/b", "a_-b", "UPPER.io/a B"]
        {
            assert!(Reference::parse(invalid).is_err(), "{invalid}");
        }
        for valid in [
            "a__b",
            "a---b",
            "x/a.b_c-d/e",
            "EXAMPLE.com/a",
            "a@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ] {
            assert!(Reference::parse(valid).is_ok(), "{valid}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(image in "\\PC{0,40}") {
            let _ = source().resolve(&image, PullPolicy::Always);
        }
    }
}
