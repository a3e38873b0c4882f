//! A second model of a Pod's life: slow, and written from the rules alone.
//!
//! It keeps everything that was ever done or happened, with its time, and after each step reads that
//! whole history anew to say what must be done now, when something is due next, and what has to be
//! shown. It shares no state and no rule with the code under test, only the words: [`Action`],
//! [`Event`](crate::lifecycle::Event) and [`Spec`]. Times are whole milliseconds since the Pod was
//! taken on.

mod end;
mod history;
mod life;
mod order;
mod probe;
mod restart;
mod show;

use std::time::{Duration, Instant};

use crate::lifecycle::{Action, ContainerIndex, Spec};
use history::Story;
use life::{Life, Run};

pub(super) use history::History;
pub(super) use show::Shown;

/// Milliseconds since the Pod was taken on.
type Millis = u64;

const SECOND: Millis = 1_000;

/// What a part of the Pod wants next.
enum Next {
    Nothing,
    Now(Action),
    At(Millis),
}

/// The history of a Pod as it reads at one moment.
pub(super) struct Model<'history> {
    spec: &'history Spec,
    began: Instant,
    now: Millis,
    /// The longest delay between two restarts.
    max_delay: Millis,
    story: Story,
}

impl<'history> Model<'history> {
    pub(super) fn read(spec: &'history Spec, history: &History, now: Instant) -> Self {
        Self {
            spec,
            began: history.began,
            now: history.millis(now),
            max_delay: history.max_delay,
            story: history.read(spec),
        }
    }

    /// All that must be done now, in no order, and when something is due next.
    pub(super) fn due(&self) -> (Vec<Action>, Option<Instant>) {
        let (mut actions, mut moments) = (Vec::new(), Vec::new());
        for next in self.wanted() {
            match next {
                Next::Nothing => {}
                Next::Now(action) => actions.push(action),
                Next::At(moment) => moments.push(moment),
            }
        }
        (actions, moments.into_iter().min().map(|moment| self.instant(moment)))
    }

    fn life(&self, container: ContainerIndex) -> &Life {
        &self.story.lives[container.0]
    }

    fn lives(&self) -> impl Iterator<Item = (ContainerIndex, &Life)> {
        self.spec.indices().map(|index| (index, self.life(index)))
    }

    /// The containers that run, each with its run.
    fn running(&self) -> impl Iterator<Item = (ContainerIndex, &Run)> {
        self.lives().filter_map(|(index, life)| Some((index, life.running()?)))
    }

    /// Now if `moment` has come.
    fn when(&self, moment: Millis, action: Action) -> Next {
        if moment <= self.now { Next::Now(action) } else { Next::At(moment) }
    }

    fn instant(&self, moment: Millis) -> Instant {
        self.began + Duration::from_millis(moment)
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap()
}
