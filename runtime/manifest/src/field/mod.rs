//! Where a rule was broken, and how.
//!
//! A validator walks a value with a `Place` on its stack (nothing is allocated while all is
//! well) and notes what it finds in `Errors`. What comes out is a [`FieldError`] whose text is
//! the text of apimachinery's `field.Error`, so that a message can be looked up as it stands.

mod error;
mod path;
mod quote;

pub(crate) use error::Errors;
pub use error::{ErrorType, FieldError};
pub(crate) use path::Place;
pub use path::{FieldPath, Segment};
pub use quote::quote;
pub(crate) use quote::shortened;
