//! The world of an end-to-end test: a state folder, a manifest, the real `wasmpod` binary, real
//! guests. Nothing here knows the insides of the product.
//!
//! ```no_run
//! use wasmpod_tests::{World, guest};
//!
//! let world = World::new();
//! let pod = world.pod("greeter", &[("hello", &guest("hello"))]);
//! let result = world.wasmpod(["run", &pod]).finish();
//! assert_eq!(result.code, 0, "{result}");
//! ```

mod binaries;
mod process;
mod world;

pub use binaries::{guest, wasmpod};
pub use process::{Finished, Invocation, Running};
pub use world::World;
