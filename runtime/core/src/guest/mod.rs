//! Running code: one wasmtime Store for each run of a container.
//!
//! [`Engines`] hold the configurations, [`Program`] is an image made ready to run (deserialized and
//! linked once, shared by all runs), [`run()`] is one run as a future: dropping it is the kill. [`exec()`] is
//! a command beside it.

mod annotation;
mod clock;
mod command;
mod engine;
mod exec;
mod exit;
mod fuel;
mod http;
mod limiter;
mod limits;
mod link;
mod memory_policy;
mod pace;
mod program;
mod random;
mod reactor;
mod run;
mod spawn;
mod state;
mod stdio;
mod stop_export;
#[cfg(test)]
mod tests;
mod toolbox;
mod wasi;

pub use annotation::AnnotationError;
pub use clock::PodClock;
pub use engine::{Allocation, Engines, EnginesError, WASMTIME_VERSION};
pub use exec::{Loader, exec};
pub use exit::StartError;
pub use fuel::{FuelBudget, FuelTank};
pub use http::HttpSettings;
pub use limits::GuestLimits;
pub use link::{missing_interfaces, missing_modules};
pub use pace::Pace;
pub use program::{PrepareError, Program};
pub use random::PodRandom;
pub use run::{GuestHost, RunSpec, run};
pub use spawn::Interrupts;
pub use state::GuestState;
pub(crate) use stdio::TerminalOutput;
pub use stdio::{InputPipe, InputWriter, Output, OutputBuffer, Stdin, input_pipe};
pub use toolbox::Toolbox;
pub use wasi::WasiSetup;

pub use crate::resources::memory::{ContainerMemory, Exceeded, PodMemory};
