//! What somebody who knows Kubernetes tries first, in the order of a book's chapter on Pods. `docs/tour.md`
//! walks through the same.
//!
//! | file | subject |
//! |---|---|
//! | `the_pod` | what the containers of a Pod share, and what they do not |
//! | `demo` | the demo Pod: create, look, reach, delete |
//! | `ends` | what is left of a Pod when it is deleted |
//! | `health` | probes and restarts |
//! | `resources` | requests and limits |
//!
//! A terminal's side of `exec -it` is in `shell`, CPU shares are measured by `cargo xtask cpu-table`.

mod demo;
mod ends;
mod health;
mod resources;
mod the_pod;
