//! What the API server asks of an object before it keeps it.
//!
//! Pure. The rules themselves are those of [`wasmpod_manifest::validate`]; here each kind gets its
//! own. A kind of which nothing is known is kept as it is.

mod kind;
mod request;
#[cfg(test)]
mod tests;

pub(crate) use kind::{for_create, for_update};
pub(crate) use request::{check_kind, check_namespace, required};
