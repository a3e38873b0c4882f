//! The store as its users see it.

mod deleting;
mod events;
mod failing;
mod looking;
mod model;
mod patching;
mod watching;
mod world;
mod writing;
