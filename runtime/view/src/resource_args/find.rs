//! Which type a word means.

use super::error::ArgsError;
use super::types::ResourceType;

/// The type that `word` means among `types`: by its plural, singular or short name or its kind, in
/// any case; with a group (`deployments.apps`) or a version and a group (`pods.v1.`) behind it.
///
/// # Errors
/// There is no such type.
pub fn find_type<'types>(
    word: &str,
    types: &'types [ResourceType],
) -> Result<&'types ResourceType, ArgsError> {
    let word = word.to_lowercase();
    let (name, rest) = word.split_once('.').unwrap_or((&word, ""));
    let with_version = rest.split_once('.');
    let is_meant = |type_: &&ResourceType| {
        let by_group =
            rest.is_empty() && !word.contains('.') || rest == type_.group && !rest.is_empty();
        let by_version = with_version == Some((type_.version, type_.group));
        is_name_of(name, type_) && (by_group || by_version)
    };
    types.iter().find(is_meant).ok_or_else(|| ArgsError::NoSuchType(name.to_owned()))
}

fn is_name_of(name: &str, type_: &ResourceType) -> bool {
    [type_.plural, type_.singular].contains(&name)
        || type_.short_names.contains(&name)
        || type_.kind.to_lowercase() == name
}
