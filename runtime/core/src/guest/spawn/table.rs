//! Who runs in a session, who waits for whom, and what ends with what. Pure, save that a task ends when
//! it is dropped.

use std::collections::BTreeMap;
use std::task::Waker;

use wasmtime_wasi::p1::types::Errno;

use crate::executor::Task;

/// How many processes one exec may have at once, those included that nobody has waited for yet.
pub(super) const MOST_PROCESSES: usize = 64;

/// What ends by Ctrl-C, in a shell's words: 128 and SIGINT.
const INTERRUPTED: u8 = 130;

/// A process's number.
pub(super) type Pid = i32;

/// The container's own program has 1.
pub(super) const ROOT: Pid = 2;

/// The parent of those whose parent has ended.
const NOBODY: Pid = 0;

/// The processes of a session.
#[derive(Default)]
pub(super) struct Table {
    processes: BTreeMap<Pid, Entry>,
    last: Pid,
    over: bool,
    waiting: Vec<Waker>,
    /// Whether the root takes interrupts itself, and how many came since it last asked.
    caught: Option<u32>,
}

struct Entry {
    parent: Pid,
    title: String,
    background: bool,
    life: Life,
}

enum Life {
    /// Its task is there once it has begun.
    Running(Option<Task<()>>),
    Ended(u8),
}

/// Whom a process waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Any,
    One(Pid),
}

/// What waiting has come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Waited {
    Ended(Pid, u8),
    /// There is such a child, and it runs.
    Runs,
    /// There is none.
    NoChild,
}

/// What was taken out of the table and has to be dropped outside of its lock.
#[must_use = "dropping it ends tasks: not under the lock"]
#[derive(Default)]
pub(super) struct Removed {
    pub(super) tasks: Vec<Task<()>>,
    woken: Vec<Waker>,
}

impl Removed {
    pub(super) fn wake(&mut self) {
        std::mem::take(&mut self.woken).into_iter().for_each(Waker::wake);
    }
}

impl Table {
    /// A table with its root, which is called `title`.
    pub(super) fn new(title: String) -> Self {
        let root = Entry { parent: NOBODY, title, background: false, life: Life::Running(None) };
        Self { processes: [(ROOT, root)].into(), last: ROOT, ..Self::default() }
    }

    /// A place for a child of `parent`.
    ///
    /// # Errors
    /// `again` when there are too many, or the session is over; `intr` for one of the foreground when
    /// Ctrl-C came and the root does not know of it yet: what it was to end is this.
    pub(super) fn add(&mut self, parent: Pid, background: bool) -> Result<Pid, Errno> {
        if self.over || self.processes.len() >= MOST_PROCESSES {
            return Err(Errno::Again);
        }
        let Some(of_parent) = self.processes.get(&parent) else { return Err(Errno::Again) };
        let background = background || of_parent.background;
        if !background && self.caught.is_some_and(|count| count > 0) {
            return Err(Errno::Intr);
        }
        let title = of_parent.title.clone();
        self.last = self.last.checked_add(1).unwrap_or(ROOT + 1);
        while self.processes.contains_key(&self.last) {
            self.last = self.last.checked_add(1).unwrap_or(ROOT + 1);
        }
        let entry = Entry { parent, title, background, life: Life::Running(None) };
        self.processes.insert(self.last, entry);
        Ok(self.last)
    }

    /// The child has begun. Gives the task back if it has ended since.
    pub(super) fn begin(&mut self, pid: Pid, task: Task<()>) -> Result<(), Task<()>> {
        match self.processes.get_mut(&pid).map(|entry| &mut entry.life) {
            Some(Life::Running(place)) => {
                *place = Some(task);
                Ok(())
            }
            Some(Life::Ended(_)) | None => Err(task),
        }
    }

    /// It could not begin.
    pub(super) fn forget(&mut self, pid: Pid) {
        self.processes.remove(&pid);
    }

    pub(super) fn set_title(&mut self, pid: Pid, title: String) {
        if let Some(entry) = self.processes.get_mut(&pid) {
            entry.title = title;
        }
    }

    /// A process has ended, or is to end, with this code. Its children stay, without a parent.
    pub(super) fn end(&mut self, pid: Pid, code: u8) -> Removed {
        let mut removed = Removed::default();
        self.end_one(pid, code, &mut removed);
        removed.woken = std::mem::take(&mut self.waiting);
        removed
    }

    /// As [`Table::end`], with all that it has begun and what that has: by force.
    pub(super) fn kill(&mut self, pid: Pid, code: u8) -> Removed {
        let mut doomed = vec![pid];
        let mut at = 0;
        while let Some(parent) = doomed.get(at).copied() {
            let children = self.processes.iter().filter(|(_, entry)| entry.parent == parent);
            doomed.extend(children.map(|(pid, _)| *pid));
            at += 1;
        }
        self.end_these(&doomed, code)
    }

    fn end_one(&mut self, pid: Pid, code: u8, removed: &mut Removed) {
        let Some(entry) = self.processes.get_mut(&pid) else { return };
        let Life::Running(task) = &mut entry.life else { return };
        removed.tasks.extend(task.take());
        entry.life = Life::Ended(code);
        let parent = entry.parent;
        let parent_runs = self
            .processes
            .get(&parent)
            .is_some_and(|parent| matches!(parent.life, Life::Running(_)));
        if !parent_runs {
            self.processes.remove(&pid);
        }
        self.processes.retain(|_, child| {
            if child.parent != pid {
                return true;
            }
            child.parent = NOBODY;
            matches!(child.life, Life::Running(_))
        });
    }

    /// Ends all but the root, for good.
    pub(super) fn end_all(&mut self) -> Removed {
        self.over = true;
        let pids: Vec<Pid> = self.processes.keys().copied().filter(|pid| *pid != ROOT).collect();
        self.end_these(&pids, INTERRUPTED)
    }

    fn end_these(&mut self, pids: &[Pid], code: u8) -> Removed {
        let mut removed = Removed::default();
        for pid in pids {
            self.end_one(*pid, code, &mut removed);
        }
        removed.woken = std::mem::take(&mut self.waiting);
        removed
    }

    /// Whether `parent` has such a child, and whether that has ended: then it is gone from here.
    pub(super) fn wait(&mut self, parent: Pid, awaited: Awaited) -> Waited {
        let is_meant = |pid: Pid| awaited == Awaited::Any || awaited == Awaited::One(pid);
        let mut children = self
            .processes
            .iter()
            .filter(|(pid, entry)| entry.parent == parent && is_meant(**pid))
            .peekable();
        if children.peek().is_none() {
            return Waited::NoChild;
        }
        let ended = children.find_map(|(pid, entry)| match entry.life {
            Life::Ended(code) => Some((*pid, code)),
            Life::Running(_) => None,
        });
        match ended {
            Some((pid, code)) => {
                self.processes.remove(&pid);
                Waited::Ended(pid, code)
            }
            None => Waited::Runs,
        }
    }

    /// Wakes `waker` at the next end of any process.
    pub(super) fn wake_at_end(&mut self, waker: &Waker) {
        if !self.waiting.iter().any(|known| known.will_wake(waker)) {
            self.waiting.push(waker.clone());
        }
    }

    /// # Errors
    /// `srch` when there is none of that number that runs.
    pub(super) fn check_runs(&self, pid: Pid) -> Result<(), Errno> {
        match self.processes.get(&pid).map(|entry| &entry.life) {
            Some(Life::Running(_)) => Ok(()),
            Some(Life::Ended(_)) | None => Err(Errno::Srch),
        }
    }

    /// How many interrupts came since this was last asked. From the first time on the root takes
    /// them.
    pub(super) fn interrupts(&mut self) -> u32 {
        self.caught.replace(0).unwrap_or(0)
    }

    /// Ctrl-C: what runs in the foreground below the root ends. `None` when the root does not take
    /// it: then it should end as well.
    pub(super) fn interrupt(&mut self) -> Option<Removed> {
        let count = self.caught.as_mut()?;
        *count = count.saturating_add(1);
        let foreground: Vec<Pid> = self
            .processes
            .iter()
            .filter(|(pid, entry)| **pid != ROOT && !entry.background)
            .map(|(pid, _)| *pid)
            .collect();
        Some(self.end_these(&foreground, INTERRUPTED))
    }

    /// Number, parent, state and title of each, a line each.
    pub(super) fn list(&self) -> String {
        let line = |(pid, entry): (&Pid, &Entry)| {
            let state = match entry.life {
                Life::Running(_) => 'S',
                Life::Ended(_) => 'Z',
            };
            format!("{pid}\t{}\t{state}\t{}\n", entry.parent, entry.title)
        };
        self.processes.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new("sh".to_owned())
    }

    #[test]
    fn a_parent_learns_how_its_children_ended_once() {
        let mut table = table();
        let one = table.add(ROOT, false).unwrap();
        let two = table.add(ROOT, false).unwrap();
        assert_eq!(table.wait(ROOT, Awaited::Any), Waited::Runs);
        drop(table.end(two, 7));
        assert_eq!(table.wait(one, Awaited::Any), Waited::NoChild);
        assert_eq!(table.wait(ROOT, Awaited::One(one)), Waited::Runs);
        assert_eq!(table.wait(ROOT, Awaited::Any), Waited::Ended(two, 7));
        assert_eq!(table.wait(ROOT, Awaited::One(two)), Waited::NoChild);
        assert_eq!(table.check_runs(two), Err(Errno::Srch));
    }

    #[test]
    fn the_first_end_counts() {
        let mut table = table();
        let child = table.add(ROOT, false).unwrap();
        drop(table.end(child, 141));
        drop(table.end(child, 0));
        assert_eq!(table.wait(ROOT, Awaited::Any), Waited::Ended(child, 141));
    }

    #[test]
    fn orphans_are_forgotten_when_they_end() {
        let mut table = table();
        let child = table.add(ROOT, false).unwrap();
        let grandchild = table.add(child, false).unwrap();
        drop(table.end(child, 0));
        assert_eq!(table.wait(ROOT, Awaited::Any), Waited::Ended(child, 0));
        assert!(table.check_runs(grandchild).is_ok());
        drop(table.end(grandchild, 0));
        assert_eq!(table.processes.len(), 1);
    }

    #[test]
    fn a_kill_takes_all_that_is_below() {
        let mut table = table();
        let child = table.add(ROOT, false).unwrap();
        let grandchild = table.add(child, false).unwrap();
        let last = table.add(grandchild, false).unwrap();
        let other = table.add(ROOT, false).unwrap();
        drop(table.kill(child, 137));
        assert_eq!(table.wait(ROOT, Awaited::Any), Waited::Ended(child, 137));
        assert_eq!(table.check_runs(last), Err(Errno::Srch));
        assert!(table.check_runs(other).is_ok());
        assert_eq!(table.processes.len(), 2);
    }

    #[test]
    fn there_is_a_bound_and_an_end() {
        let mut table = table();
        let children: Vec<_> = (1..MOST_PROCESSES).map(|_| table.add(ROOT, true)).collect();
        assert!(children.iter().all(Result::is_ok));
        assert_eq!(table.add(ROOT, true), Err(Errno::Again));
        drop(table.end(children[0].unwrap(), 0));
        // Nobody has waited for it.
        assert_eq!(table.add(ROOT, true), Err(Errno::Again));
        assert!(matches!(table.wait(ROOT, Awaited::Any), Waited::Ended(_, 0)));
        assert!(table.add(ROOT, true).is_ok());
        drop(table.end_all());
        assert_eq!(table.wait(ROOT, Awaited::Any), Waited::Ended(children[1].unwrap(), 130));
        assert_eq!(table.add(ROOT, true), Err(Errno::Again));
    }

    #[test]
    fn an_interrupt_ends_the_foreground_if_the_root_takes_it() {
        let mut table = table();
        assert!(table.interrupt().is_none());
        assert_eq!(table.interrupts(), 0);
        let background = table.add(ROOT, true).unwrap();
        let below = table.add(background, false).unwrap();
        let foreground = table.add(ROOT, false).unwrap();
        assert!(table.interrupt().is_some());
        assert!(table.check_runs(background).is_ok());
        assert!(table.check_runs(below).is_ok());
        assert_eq!(table.wait(ROOT, Awaited::One(foreground)), Waited::Ended(foreground, 130));
        // Until the root has heard of it, what it begins would not end by it.
        assert_eq!(table.add(ROOT, false), Err(Errno::Intr));
        assert!(table.add(ROOT, true).is_ok());
        assert_eq!((table.interrupts(), table.interrupts()), (1, 0));
        assert!(table.add(ROOT, false).is_ok());
    }
}
