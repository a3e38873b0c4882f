//! What arguments cannot mean.

use thiserror::Error;

/// Why arguments name nothing.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ArgsError {
    /// No such type.
    #[error("the server doesn't have a resource type {0:?}")]
    NoSuchType(String),
    /// Some arguments are `type/name`, and some are not.
    #[error(
        "there is no need to specify a resource type as a separate argument when passing \
         arguments in resource/name form (e.g. 'wasmpod get resource/<resource_name>' instead of \
         'wasmpod get resource resource/<resource_name>'"
    )]
    MixedForms,
    /// `pod/a/b`
    #[error("arguments in resource/name form may not have more than one slash")]
    SeveralSlashes,
    /// `pod/`, `/web`, `pod,cm/web`
    #[error("arguments in resource/name form must have a single resource and name")]
    NotSingle,
    /// `all web`
    #[error("you must specify only one resource")]
    SeveralTypes,
    /// A type alone, where that does not mean all of them.
    #[error("resource(s) were provided, but no name was specified")]
    NoName,
    /// Nothing at all.
    #[error(
        "You must provide one or more resources by argument or filename.\n\
         Example resource specifications include:\n   '-f rsrc.yaml'\n   \
         '--filename=rsrc.json'\n   '<resource> <name>'\n   '<resource>'"
    )]
    Nothing,
    /// A selector alone.
    #[error("at least one resource must be specified to use a selector")]
    SelectorWithoutType,
    /// A selector and a name.
    #[error("name cannot be provided when a selector is specified")]
    SelectorWithName,
    /// A selector and `type/name`.
    #[error("selectors and the all flag cannot be used when passing resource/name arguments")]
    SelectorWithTypedName,
    /// `-A` and a name.
    #[error("a resource cannot be retrieved by name across all namespaces")]
    NameAcrossNamespaces,
}
