//! What somebody meant who wrote a field that does not exist.
//!
//! In this order: the same field one or more levels up, the same field one level down, the word of
//! another tool, and the nearest spelling.

use super::path::Path;
use crate::schema::{Field, Object, Shape};

/// Words of Docker, Compose and other places.
const SYNONYMS: &[(&str, &str)] = &[
    ("arguments", "args"),
    ("cmd", "command"),
    ("entrypoint", "command"),
    ("environment", "env"),
    ("mounts", "volumeMounts"),
    ("workdir", "workingDir"),
];

/// A sentence for the hint of an unknown field of `object`, which stands at `path`.
pub(super) fn for_unknown(name: &str, object: &'static Object, path: &Path<'_>) -> Option<String> {
    let above = path
        .ancestors()
        .find(|ancestor| ancestor.object.is_some_and(|object| object.field(name).is_some()));
    if let Some(above) = above {
        let holder = above.to_string();
        return Some(if holder.is_empty() {
            format!("`{name}` belongs at the top of the object")
        } else {
            format!("`{name}` belongs in `{holder}`; is it indented too far?")
        });
    }
    if let Some(field) = holder_below(name, object) {
        return Some(format!("`{name}` belongs in `{}`", field.name));
    }
    let synonym = SYNONYMS.iter().find(|(word, _)| word.eq_ignore_ascii_case(name));
    if let Some((_, meant)) = synonym.filter(|(_, meant)| object.field(meant).is_some()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    nearest(name, object.fields.iter().map(|field| field.name))
        .map(|meant| format!("did you mean `{meant}`?"))
}

/// The one field of `object` in whose value `name` would be known.
fn holder_below(name: &str, object: &'static Object) -> Option<&'static Field> {
    let mut holders = object.fields.iter().filter(|field| {
        inner_object(&field.shape).is_some_and(|inner| inner.field(name).is_some())
    });
    match (holders.next(), holders.next()) {
        (Some(field), None) => Some(field),
        _ => None,
    }
}

fn inner_object(shape: &'static Shape) -> Option<&'static Object> {
    match shape {
        Shape::Object(object) => Some(object),
        Shape::List(item) => inner_object(item),
        _ => None,
    }
}

/// The known word that differs least, when the difference is that of a slip.
pub(crate) fn nearest(
    word: &str,
    known: impl Iterator<Item = &'static str>,
) -> Option<&'static str> {
    // Longer than any field: comparing costs the product of the lengths.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let lower = word.to_lowercase();
    let allowed = match word.len() {
        0..=2 => 0,
        3..=5 => 1,
        6..=9 => 2,
        _ => 3,
    };
    known
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
