//! The store as its users see it.

mod deleting;
mod events;
mod failing;
mod model;
mod watching;
mod world;
mod writing;
