//! From arguments to what they ask for.

use super::error::ArgsError;
use super::find::find_type;
use super::types::ResourceType;

/// What the flags beside the arguments say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArgsOptions {
    /// A label or field selector is given, or `--all`.
    pub selector: bool,
    /// `-A`
    pub all_namespaces: bool,
    /// What a type without a name means.
    pub no_name: NoName,
}

/// What a type without a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoName {
    /// All objects of the type: `get`, `describe`.
    All,
    /// An oversight: `delete`, `wait`.
    Error,
}

/// What the arguments ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked<'types> {
    /// The objects of these types: all, or those that the selector takes.
    Types(Vec<&'types ResourceType>),
    /// These objects, in this order.
    Named(Vec<Named<'types>>),
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named<'types> {
    /// Its type.
    pub type_: &'types ResourceType,
    /// Its name.
    pub name: String,
}

/// Reads the arguments.
///
/// # Errors
/// See [`ArgsError`].
pub fn parse<'types>(
    args: &[String],
    types: &'types [ResourceType],
    options: ArgsOptions,
) -> Result<Asked<'types>, ArgsError> {
    let args = with_each_type(args);
    let typed = args.iter().filter(|arg| arg.contains('/')).count();
    match (typed, args.split_first()) {
        (0, None) if options.selector => Err(ArgsError::SelectorWithoutType),
        (0, None) => Err(ArgsError::Nothing),
        (0, Some((types_arg, names))) => untyped(types_arg, names, types, options),
        (_, _) if typed < args.len() => Err(ArgsError::MixedForms),
        (_, _) => {
            let split: Vec<(&str, &str)> =
                args.iter().map(|arg| split(arg)).collect::<Result<_, _>>()?;
            if options.selector {
                return Err(ArgsError::SelectorWithTypedName);
            }
            let named = |(word, name)| named(find_type(word, types)?, name, options);
            Ok(Asked::Named(split.into_iter().map(named).collect::<Result<_, _>>()?))
        }
    }
}

/// `po,cm web` means `po/web cm/web`.
fn with_each_type(args: &[String]) -> Vec<String> {
    let Some((first, names)) = args.split_first() else { return Vec::new() };
    let words = words(first);
    if words.len() < 2 || names.is_empty() {
        return args.to_vec();
    }
    let each = |word: &&str| names.iter().map(|name| format!("{word}/{name}")).collect::<Vec<_>>();
    words.iter().flat_map(each).collect()
}

/// Each word between commas once.
fn words(arg: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in arg.split(',') {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn split(arg: &str) -> Result<(&str, &str), ArgsError> {
    let (word, name) = arg.split_once('/').unwrap_or((arg, ""));
    if name.contains('/') {
        return Err(ArgsError::SeveralSlashes);
    }
    if word.is_empty() || name.is_empty() || words(word).len() != 1 {
        return Err(ArgsError::NotSingle);
    }
    Ok((word, name))
}

fn untyped<'types>(
    types_arg: &str,
    names: &[String],
    types: &'types [ResourceType],
    options: ArgsOptions,
) -> Result<Asked<'types>, ArgsError> {
    if options.selector && !names.is_empty() {
        return Err(ArgsError::SelectorWithName);
    }
    let mut found: Vec<&ResourceType> = Vec::new();
    for word in words(types_arg) {
        let category: Vec<&ResourceType> =
            types.iter().filter(|type_| type_.categories.contains(&word)).collect();
        let meant = if category.is_empty() { vec![find_type(word, types)?] } else { category };
        for type_ in meant {
            if !found.contains(&type_) {
                found.push(type_);
            }
        }
    }
    match (names, found.as_slice()) {
        ([], _) if options.selector || options.no_name == NoName::All => Ok(Asked::Types(found)),
        ([], _) => Err(ArgsError::NoName),
        (names, [type_]) => {
            let named = names.iter().map(|name| named(type_, name, options));
            Ok(Asked::Named(named.collect::<Result<_, _>>()?))
        }
        (_, _) => Err(ArgsError::SeveralTypes),
    }
}

fn named<'types>(
    type_: &'types ResourceType,
    name: &str,
    options: ArgsOptions,
) -> Result<Named<'types>, ArgsError> {
    if options.all_namespaces && type_.namespaced {
        return Err(ArgsError::NameAcrossNamespaces);
    }
    Ok(Named { type_, name: name.to_owned() })
}
