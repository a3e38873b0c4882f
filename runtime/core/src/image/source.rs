//! What an `image:` means: a file, or the name of an image in a registry.
//!
//! A file is meant by a path (`/…`, `./…`, `../…`, `file:…`, or a name that ends in `.wasm` or `.wat`,
//! relative to the manifest), and by a name that `--image-map` or an `images.yaml` beside the manifest
//! leads to one. Left alone: whether file or image are there and what they hold.
//!
//! A mapped name fits an image of the same reference; without tag and digest it fits all of them,
//! so that a manifest made for a cluster runs unchanged. The texts follow the kubelet's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use wasmpod_images::digest::Digest;
use wasmpod_images::reference::Reference;

use super::error::ImageError;

/// What an `image:` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meant {
    /// A file of this machine.
    File(PathBuf),
    /// An image of a registry.
    Image(Reference),
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
    images: BTreeMap<String, PathBuf>,
}

impl ImageSource {
    /// The source for a manifest in the folder `base`.
    pub fn new(base: impl Into<PathBuf>) -> Self {
        Self { maps: Vec::new(), base: base.into() }
    }

    /// Adds a map from names to files; earlier maps win. Relative files start from `base`.
    #[must_use]
    pub fn map(mut self, base: &Path, images: impl IntoIterator<Item = (String, PathBuf)>) -> Self {
        let images = images.into_iter().map(|(image, file)| (image, base.join(file))).collect();
        self.maps.push(Map { images });
        self
    }

    /// What `image` means.
    ///
    /// # Errors
    /// [`ImageError::InvalidName`] when it is neither path nor reference.
    pub fn resolve(&self, image: &str) -> Result<Meant, ImageError> {
        // Before anything else: a map may name an image as it likes.
        if let Some(file) = self.maps.iter().find_map(|map| map.images.get(image)) {
            return Ok(Meant::File(file.clone()));
        }
        if let Some(path) = as_path(image) {
            return Ok(Meant::File(self.base.join(path)));
        }
        let reference: Reference = image
            .parse()
            .map_err(|problem| ImageError::InvalidName { image: image.to_owned(), problem })?;
        match self.maps.iter().find_map(|map| map.find(&reference)) {
            Some(file) => Ok(Meant::File(file)),
            None => Ok(Meant::Image(reference)),
        }
    }
}

impl Map {
    /// An exact reference wins over one without a tag.
    fn find(&self, wanted: &Reference) -> Option<PathBuf> {
        let mut untagged = None;
        for (name, file) in &self.images {
            let Ok(known) = name.parse::<Reference>() else { continue };
            if known.name() != wanted.name() {
                continue;
            }
            if version(&known) == version(wanted) {
                return Some(file.clone());
            }
            if known.tag().is_none() && known.digest().is_none() {
                untagged = Some(file);
            }
        }
        untagged.cloned()
    }
}

/// The digest where there is one: then the tag says nothing.
fn version(reference: &Reference) -> (Option<&Digest>, Option<&str>) {
    match reference.digest() {
        Some(digest) => (Some(digest), None),
        None => (None, reference.tag()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn source() -> ImageSource {
        ImageSource::new("/srv/pods")
            .map(Path::new("/home/me"), [("kuard:blue".to_owned(), PathBuf::from("blue.wasm"))])
            .map(
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
            let meant = source().resolve(image).unwrap();
            assert_eq!(meant, Meant::File(file.into()), "{image}");
        }
    }

    #[test]
    fn other_names_are_those_of_images() {
        for (image, full) in [
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("localhost:5000/kuard:blue", "localhost:5000/kuard:blue"),
        ] {
            let meant = source().resolve(image).unwrap();
            assert!(
                matches!(&meant, Meant::Image(reference) if reference.to_string() == full),
                "{meant:?}"
            );
        }
        let texts: Vec<String> = ["Nginx", "nginx:", "a b", "", "nginx@sha256:12"]
            .into_iter()
            .map(|image| {
                let error = source().resolve(image).unwrap_err();
                format!("{}: {error}", error.reason().as_str())
            })
            .collect();
        insta::assert_snapshot!(texts.join("\n"), @r#"
        InvalidImageName: couldn't parse image name "Nginx": invalid reference format: repository name (Nginx) must be lowercase
        InvalidImageName: couldn't parse image name "nginx:": invalid reference format: "" is not a tag
        InvalidImageName: couldn't parse image name "a b": invalid reference format: "a b" in the repository name must be lower case alphanumeric characters, separated by `.`, `_`, `__` or `-`
        InvalidImageName: couldn't parse image name "": invalid reference format: the repository name is empty
        InvalidImageName: couldn't parse image name "nginx@sha256:12": invalid reference format: "sha256:12" is not a digest
        "#);
    }
}
