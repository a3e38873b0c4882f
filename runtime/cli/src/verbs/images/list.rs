//! `wasmpod images`: what is here.

use std::path::Path;
use std::process::ExitCode;

use jiff::Timestamp;
use wasmpod_node::images::{ListedImage, Reference, short_id};

use super::{open, print};
use crate::args::{Images, ImagesFormat, InfoFormat};
use crate::failure::Failure;
use crate::print::{out, table, units};

const NONE: &str = "<none>";

/// # Errors
/// The store cannot be read.
pub(crate) fn images(verb: &Images, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let mut images = open(root)?.list()?;
    if let Some(wanted) = &verb.reference {
        images = images.into_iter().filter_map(|image| image.called(wanted)).collect();
    }
    if verb.quiet {
        images.iter().for_each(|image| out::line(short_id(&image.digest)));
        return Ok(ExitCode::SUCCESS);
    }
    match verb.output {
        None => print_table(&images, verb.digests, false),
        Some(ImagesFormat::Wide) => print_table(&images, true, true),
        Some(ImagesFormat::Json) => print(&images, InfoFormat::Json)?,
        Some(ImagesFormat::Yaml) => print(&images, InfoFormat::Yaml)?,
        Some(ImagesFormat::Name) => {
            let names = images.iter().flat_map(ListedImage::references);
            names.for_each(|name| out::line(&name.familiar()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print_table(images: &[ListedImage], digests: bool, wide: bool) {
    let now = Timestamp::now();
    let mut header = vec!["REPOSITORY", "TAG", "DIGEST", "IMAGE ID", "CREATED", "SIZE", "IN USE"];
    let mut rows: Vec<Vec<String>> = images.iter().flat_map(|image| rows_of(image, now)).collect();
    // From the back: what stands before keeps its place.
    for (column, is_shown) in [(6, wide), (2, digests)] {
        if !is_shown {
            header.remove(column);
            rows.iter_mut().for_each(|row| drop(row.remove(column)));
        }
    }
    table::columns(&header, &rows).iter().for_each(|line| out::line(line));
}

/// A row for each name.
fn rows_of(image: &ListedImage, now: Timestamp) -> Vec<Vec<String>> {
    let references: Vec<Option<Reference>> =
        image.names.iter().map(|name| name.parse().ok()).collect();
    let references = if references.is_empty() { vec![None] } else { references };
    references.iter().map(|name| row(image, name.as_ref(), now)).collect()
}

fn row(image: &ListedImage, name: Option<&Reference>, now: Timestamp) -> Vec<String> {
    let none = || NONE.to_owned();
    let of_repository =
        |known: &&String| name.is_some_and(|name| known.starts_with(&format!("{}@", name.name())));
    let digest = image.registry_digests.iter().find(of_repository);
    let digest = digest.and_then(|known| known.split_once('@')).map(|(_, digest)| digest);
    let age = |created: Timestamp| units::ago(now.duration_since(created).as_secs());
    vec![
        name.map_or_else(none, Reference::familiar_name),
        name.and_then(Reference::tag).map_or_else(none, str::to_owned),
        digest.map_or_else(|| image.digest.to_string(), str::to_owned),
        short_id(&image.digest).to_owned(),
        image.created.map_or_else(|| "N/A".to_owned(), age),
        units::bytes(image.size_bytes),
        if image.in_use { "yes" } else { "no" }.to_owned(),
    ]
}
