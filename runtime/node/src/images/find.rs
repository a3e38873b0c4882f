//! Which image is meant by what somebody types.

use wasmpod_images::digest::Digest;
use wasmpod_images::layout::{Image, Layout};
use wasmpod_images::reference::Reference;

use super::error::Problem;

/// Fewer digits are no ID.
const SHORTEST_ID: usize = 3;

/// An image, and how it was called.
#[derive(Debug)]
pub(super) enum Found {
    /// By a name that it has.
    Named(Box<(Reference, Image)>),
    /// By its ID, with all its entries in the layout: one at least.
    Id(Vec<Image>),
}

impl Found {
    pub(super) fn image(&self) -> Option<&Image> {
        match self {
            Self::Named(named) => Some(&named.1),
            Self::Id(images) => images.first(),
        }
    }
}

/// The image that `text` names: a name goes before an ID.
pub(super) fn find(layout: &Layout, text: &str) -> Result<Found, Problem> {
    if let Ok(reference) = text.parse::<Reference>()
        && let Some(image) = layout.resolve(&reference)?
    {
        return Ok(Found::Named(Box::new((reference.with_default_tag(), image))));
    }
    let id = text.strip_prefix("sha256:").unwrap_or(text);
    let is_id = id.len() >= SHORTEST_ID && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Err(Problem::NotFound(text.to_owned()));
    }
    let fitting: Vec<Image> =
        layout.images()?.into_iter().filter(|image| image.digest.hex().starts_with(id)).collect();
    let mut digests: Vec<&Digest> = fitting.iter().map(|image| &image.digest).collect();
    digests.sort_unstable();
    digests.dedup();
    match digests.len() {
        0 => Err(Problem::NotFound(text.to_owned())),
        1 => Ok(Found::Id(fitting)),
        count => Err(Problem::Ambiguous { text: text.to_owned(), count }),
    }
}

/// The image that `text` names, where there may never have been any.
pub(super) fn find_in(layout: Option<&Layout>, text: &str) -> Result<Image, Problem> {
    let not_found = || Problem::NotFound(text.to_owned());
    let found = find(layout.ok_or_else(not_found)?, text)?;
    found.image().cloned().ok_or_else(not_found)
}
