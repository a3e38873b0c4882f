//! Patches as `kubectl` sends them, and laws that hold for whatever is sent.

mod apply;
mod plain;
mod strategic;
mod three_way;
