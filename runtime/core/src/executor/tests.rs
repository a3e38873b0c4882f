//! The executor as its users see it.
