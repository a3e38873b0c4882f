//! Images as builders and as attackers make them, and what becomes of them on the disk.

mod bounds;
mod fixture;
mod hostile;
mod layers;
mod program;
mod trees;
