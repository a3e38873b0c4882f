//! What busy Pods tell each other: one small file.
//!
//! It has a slot of [`SLOT`] bytes for each; a process writes its own, and reads all of them, once a
//! round while it is busy. A slot that was not written for a while is a dead process's, and free; so is
//! one whose process is idle. A file in memory is best (`/run`), a disk is not waited for.
//!
//! What to do about it is decided by [`fair_share`](super::fair_share).

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};

use super::fair_share::{FairShare, ROUND, Standing, Verdict, View};
use super::idle::IdleTime;
use crate::executor::clock::{MILLISECOND, Nanos};
use crate::executor::queue::Totals;
use crate::private_folder::make_private;

const SLOT: usize = 64;

/// Pods that can be busy at a time; those beyond take what the kernel gives them.
const SLOTS: usize = 512;

/// A slot that is older says nothing: its process is dead, or stopped.
const LASTS: Nanos = 4 * ROUND;

/// When it is tried again to meet the others after an error: a disk that is full may not stay so.
const AGAIN: Nanos = 10_000 * MILLISECOND;

/// A slot that is older is anybody's.
const LEFT: Nanos = 1_000 * MILLISECOND;

/// This Pod among the busy ones of the machine.
#[derive(Debug)]
pub(in crate::executor) struct Neighbours {
    path: PathBuf,
    id: u64,
    fair: FairShare,
    seat: Option<Seat>,
    broken_until: Nanos,
}

/// A place in the file, and what is known of the cores.
#[derive(Debug)]
struct Seat {
    file: File,
    slot: usize,
    idle: IdleTime,
}

/// A slot as it is in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    standing: Standing,
    /// When it was written; zero if its Pod is idle.
    at: Nanos,
}

impl Neighbours {
    /// Those who meet in the file `path`, which needs not exist. Touches nothing yet.
    pub(in crate::executor) fn new(
        path: PathBuf,
        id: u64,
        weight: u32,
        cores: fn() -> usize,
    ) -> Self {
        // Zero is an empty slot.
        let id = id.max(1);
        Self { path, id, fair: FairShare::new(weight, cores), seat: None, broken_until: 0 }
    }

    pub(in crate::executor) fn is_due(&self, now: Nanos) -> bool {
        now >= self.broken_until && self.fair.is_due(now)
    }

    /// How long until the next round, if this Pod has a place among the busy ones.
    pub(in crate::executor) fn next_round(&self, now: Nanos) -> Option<Nanos> {
        self.seat.as_ref().map(|_| self.fair.due_in(now))
    }

    /// Tells the others and hears them; what to do until the next round.
    pub(in crate::executor) fn round(&mut self, own: Totals, now: Nanos) -> Verdict {
        let others = self.others(now);
        // Who is alone need not know.
        let idle = match &self.seat {
            Some(seat) if !others.is_empty() => seat.idle.read(),
            Some(_) | None => 0,
        };
        let verdict = self.fair.round(View { now, own, others: &others, idle });
        let told = match verdict {
            Verdict::Quiet => {
                self.leave();
                Ok(())
            }
            Verdict::Free | Verdict::Held(_) => self.tell(now),
        };
        match told {
            Ok(()) => verdict,
            Err(error) => {
                tracing::debug!("Pods share the CPU as the kernel has it: {error}");
                (self.broken_until, self.seat) = (now.saturating_add(AGAIN), None);
                Verdict::Free
            }
        }
    }

    /// Gives the place up: this Pod is idle, or has ended.
    pub(in crate::executor) fn leave(&mut self) {
        if let Some(seat) = self.seat.take().filter(|seat| self.owns(seat)) {
            let entry = Entry { standing: self.fair.standing(self.id), at: 0 };
            // If that fails, it is soon too old.
            let _ = seat.file.write_all_at(&entry.encode(), offset(seat.slot));
        }
    }

    fn others(&self, now: Nanos) -> Vec<Standing> {
        let Some(seat) = &self.seat else { return Vec::new() };
        let entries = read(&seat.file).unwrap_or_default();
        let fresh = entries.into_iter().filter(|entry| entry.is_younger(LASTS, now));
        fresh.map(|entry| entry.standing).filter(|other| other.id != self.id).collect()
    }

    fn tell(&mut self, now: Nanos) -> io::Result<()> {
        let entry = Entry { standing: self.fair.standing(self.id), at: now };
        match &self.seat {
            // One that was stopped for long may have lost its place.
            Some(seat) if self.owns(seat) => {
                seat.file.write_all_at(&entry.encode(), offset(seat.slot))
            }
            Some(_) | None => {
                self.seat = take_seat(&self.path, entry)?;
                Ok(())
            }
        }
    }

    fn owns(&self, seat: &Seat) -> bool {
        let mut bytes = [0; SLOT];
        let read = seat.file.read_exact_at(&mut bytes, offset(seat.slot));
        read.is_ok() && Entry::decode(&bytes).is_some_and(|entry| entry.standing.id == self.id)
    }
}

impl Drop for Neighbours {
    fn drop(&mut self) {
        self.leave();
    }
}

/// Takes the first free slot; none if all are taken or somebody else is about to take one.
fn take_seat(path: &Path, entry: Entry) -> io::Result<Option<Seat>> {
    if let Some(folder) = path.parent() {
        make_private(folder)
            .map_err(|error| io::Error::other(format!("{} {error}", folder.display())))?;
    }
    let mut options = OpenOptions::new();
    let file =
        options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(None);
    }
    let entries = read_slots(&file)?;
    let is_free = |slot: &Option<Entry>| {
        slot.is_none_or(|found| {
            !found.is_younger(LEFT, entry.at) || found.standing.id == entry.standing.id
        })
    };
    let slot = entries.iter().position(is_free).unwrap_or(entries.len());
    if slot >= SLOTS {
        return Ok(None);
    }
    file.write_all_at(&entry.encode(), offset(slot))?;
    // The lock is not what makes the slot ours.
    flock(&file, FlockOperation::Unlock)?;
    Ok(Some(Seat { file, slot, idle: IdleTime::of_this_process() }))
}

fn read(file: &File) -> io::Result<Vec<Entry>> {
    Ok(read_slots(file)?.into_iter().flatten().collect())
}

fn read_slots(file: &File) -> io::Result<Vec<Option<Entry>>> {
    let mut bytes = vec![0; 4096];
    let mut length = 0;
    loop {
        match file.read_at(&mut bytes[length..], u64::try_from(length).unwrap_or(u64::MAX))? {
            0 => break,
            read => length += read,
        }
        if length == bytes.len() {
            if length >= SLOTS * SLOT {
                break;
            }
            bytes.resize(2 * length, 0);
        }
    }
    let (slots, _) = bytes[..length].as_chunks::<SLOT>();
    Ok(slots.iter().map(Entry::decode).collect())
}

fn offset(slot: usize) -> u64 {
    u64::try_from(slot * SLOT).unwrap_or(u64::MAX)
}

impl Entry {
    fn is_younger(&self, age: Nanos, now: Nanos) -> bool {
        // The clock of another boot may be ahead.
        self.at != 0 && self.at.abs_diff(now) < age
    }

    /// Eight words: what a standing has, the time, and a sum by which half a write is told from one.
    fn encode(&self) -> [u8; SLOT] {
        let Standing { id, weight, demand, cpu, ahead } = self.standing;
        let halves = (u64::from(weight) << 32) | u64::from(demand);
        let words = [id, self.at, halves, cpu, ahead.unwrap_or(i64::MAX).cast_unsigned(), 0, 0];
        let mut bytes = [0; SLOT];
        let sum = check(&words);
        for (place, word) in bytes.chunks_exact_mut(8).zip(words.into_iter().chain([sum])) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8; SLOT]) -> Option<Self> {
        let (words, _) = bytes.as_chunks::<8>();
        let words: Vec<u64> = words.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let &[id, at, halves, cpu, ahead, _, _, sum] = words.as_slice() else { return None };
        if id == 0 || sum != check(&words[..7]) {
            return None;
        }
        let ahead = Some(ahead.cast_signed()).filter(|ahead| *ahead != i64::MAX);
        let weight = u32::try_from(halves >> 32).ok()?;
        let demand = u32::try_from(halves & u64::from(u32::MAX)).ok()?;
        Some(Self { standing: Standing { id, weight, demand, cpu, ahead }, at })
    }
}

fn check(words: &[u64]) -> u64 {
    words.iter().fold(0x5741_534d_504f_4401, |sum, word| sum.rotate_left(7) ^ word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(id: u64) -> Standing {
        Standing { id, weight: 512, demand: 2000, cpu: 7 << 40, ahead: Some(-5) }
    }

    #[test]
    fn a_slot_is_read_as_it_was_written() {
        for ahead in [None, Some(0), Some(-1), Some(i64::MIN)] {
            let entry = Entry { standing: Standing { ahead, ..standing(3) }, at: 99 };
            assert_eq!(Entry::decode(&entry.encode()), Some(entry));
        }
        assert_eq!(Entry::decode(&[0; SLOT]), None);
        let mut torn = Entry { standing: standing(3), at: 99 }.encode();
        torn[8] ^= 1;
        assert_eq!(Entry::decode(&torn), None);
    }

    /// A Pod that uses all of a core.
    struct Busy {
        neighbours: Neighbours,
        own: Totals,
    }

    impl Busy {
        fn new(path: &Path, id: u64) -> Self {
            Self {
                neighbours: Neighbours::new(path.to_owned(), id, 512, || 1),
                own: Totals::default(),
            }
        }

        fn round(&mut self, now: Nanos) -> Verdict {
            self.own.cpu += ROUND;
            self.neighbours.round(self.own, now)
        }

        fn others(&self, now: Nanos) -> Vec<u64> {
            self.neighbours.others(now).into_iter().map(|other| other.id).collect()
        }
    }

    #[test]
    fn busy_pods_see_each_other_as_long_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/cpu");
        let (mut first, mut second) = (Busy::new(&path, 1), Busy::new(&path, 2));
        let mut now = 1 << 40;
        first.round(now);
        assert!(!path.exists(), "a Pod that is not busy for long leaves no trace");
        second.round(now);
        now += ROUND;
        assert_eq!(first.round(now), Verdict::Free);
        second.round(now);
        assert_eq!((first.others(now), second.others(now)), (vec![2], vec![1]));

        // It dies: nobody hears of it, and soon nobody cares.
        let last_words = now;
        now += ROUND;
        first.round(now);
        assert_eq!(first.others(now), [2]);
        assert!(first.others(last_words + LASTS).is_empty());
        // One that is idle says so.
        second.round(now);
        now += ROUND;
        assert_eq!(second.neighbours.round(second.own, now), Verdict::Quiet);
        first.round(now);
        assert!(first.others(now).is_empty());
        assert_eq!(second.neighbours.next_round(now), None);
    }

    #[test]
    fn slots_of_the_dead_are_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cpu");
        let entry = |id, at| Entry { standing: standing(id), at };
        let now = 1 << 40;
        for (id, at, slot) in [
            (1, now, 0),
            (2, now + 1, 1),
            (1, now + 2, 0),
            (3, now + LEFT, 2),
            (4, now + LEFT + 1, 1),
            (5, 10, 0),
        ] {
            let seat = take_seat(&path, entry(id, at)).unwrap().unwrap();
            assert_eq!(seat.slot, slot, "{id}");
        }
    }

    #[test]
    fn who_has_lost_its_slot_takes_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cpu");
        let mut pod = Busy::new(&path, 1);
        let mut now = 1 << 40;
        for _ in 0..2 {
            now += ROUND;
            pod.round(now);
        }
        now += 2 * LEFT;
        take_seat(&path, Entry { standing: standing(9), at: now }).unwrap().unwrap();
        for _ in 0..2 {
            now += ROUND;
            pod.round(now);
        }
        assert_eq!(pod.others(now), [9]);
        assert_eq!(pod.neighbours.seat.as_ref().map(|seat| seat.slot), Some(1));
    }

    #[test]
    fn rubbish_is_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cpu");
        std::fs::write(&path, vec![0xa5; 1000]).unwrap();
        let mut pod = Busy::new(&path, 1);
        for round in 1..10 {
            pod.round((1 << 40) + round * ROUND);
        }
        assert!(pod.others((1 << 40) + 9 * ROUND).is_empty());
        assert!(pod.neighbours.seat.is_some());
    }
}
