//! `volumes` of a Pod: each of exactly one kind, each kind with rules of its own.

mod certificates;
mod files;
mod foreign;
mod foreign_block;
mod list;
mod node;
mod projected;
mod source;

pub(super) use list::volumes;
