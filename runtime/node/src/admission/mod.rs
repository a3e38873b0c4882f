//! Whether there is room for a Pod on this machine.
//!
//! The sum of what Pods request never exceeds what there is. Nobody decides for others: each Pod's
//! process reads what all of them ask for, alone, and takes its place or waits in the queue. Those
//! that wait have their turn by priority, then by age; one for which there is no room holds nobody up.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `decide` | is there room, and is it this Pod's turn | yes |
//! | `insufficient` | what there is too little of, in the words of the scheduler | yes |
//! | `place` | asking, waiting, holding the place | |

mod decide;
mod insufficient;
mod place;

pub use decide::{Allocatable, decide};
pub use insufficient::{Insufficient, Resource};
pub use place::{Place, ResizeError};
