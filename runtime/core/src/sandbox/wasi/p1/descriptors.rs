//! What a guest's descriptors stand for. Pure, save that sockets close when they are dropped.

use std::collections::BTreeSet;
use std::sync::Arc;

use wasmtime_wasi::p1::types::Errno;

use super::connection::{Connection, Listening};
use crate::sandbox::network::Listener;

/// The first descriptor after the standard streams.
const FIRST: u32 = 3;

/// A guest's table of descriptors.
#[derive(Default)]
pub struct Descriptors {
    slots: Vec<Option<Slot>>,
    free: BTreeSet<u32>,
    /// Below it are the standard streams, the listeners and the preopened directories.
    preopened: u32,
}

#[derive(Clone)]
pub(super) enum Slot {
    /// The number that the stock implementation has for it.
    Stock(u32),
    Socket(Socket),
}

#[derive(Clone)]
pub(super) enum Socket {
    Listener(Arc<Listening>),
    Connection(Arc<Connection>),
}

impl Descriptors {
    /// The table at the start of a run with so many preopened directories.
    pub fn new(listeners: Vec<Listener>, directories: usize) -> Self {
        let mut table = Self::default();
        for stream in 0..FIRST {
            table.insert(Slot::Stock(stream));
        }
        for listener in listeners {
            table.insert(Slot::Socket(Socket::Listener(Arc::new(Listening::new(listener)))));
        }
        for directory in 0..u32::try_from(directories).unwrap_or(u32::MAX - FIRST) {
            table.insert(Slot::Stock(FIRST + directory));
        }
        table.preopened = u32::try_from(table.slots.len()).unwrap_or(u32::MAX);
        table
    }

    /// Puts something under the lowest free number.
    pub(super) fn insert(&mut self, slot: Slot) -> u32 {
        match self.free.pop_first() {
            Some(number) => {
                self.slots[index(number)] = Some(slot);
                number
            }
            None => {
                self.slots.push(Some(slot));
                u32::try_from(self.slots.len() - 1).expect("no guest has room for 2^32 descriptors")
            }
        }
    }

    /// # Errors
    /// `badf` when nothing is there.
    pub(super) fn get(&self, number: i32) -> Result<&Slot, Errno> {
        let number = number.cast_unsigned();
        self.slots.get(index(number)).and_then(Option::as_ref).ok_or(Errno::Badf)
    }

    /// The stock implementation's number of a descriptor.
    ///
    /// # Errors
    /// `socket` when a socket is there, `badf` when nothing is.
    pub(super) fn stock(&self, number: i32, socket: Errno) -> Result<i32, Errno> {
        match self.get(number)? {
            Slot::Stock(stock) => Ok(stock.cast_signed()),
            Slot::Socket(_) => Err(socket),
        }
    }

    /// # Errors
    /// `notsock` when something else is there, `badf` when nothing is.
    pub(super) fn socket(&self, number: i32) -> Result<&Socket, Errno> {
        match self.get(number)? {
            Slot::Socket(socket) => Ok(socket),
            Slot::Stock(_) => Err(Errno::Notsock),
        }
    }

    /// Frees a number and gives back what was there.
    pub(super) fn remove(&mut self, number: i32) -> Result<Slot, Errno> {
        let number = number.cast_unsigned();
        let slot = self.slots.get_mut(index(number)).and_then(Option::take).ok_or(Errno::Badf)?;
        self.free.insert(number);
        Ok(slot)
    }

    /// Moves what is at `from` to `to`, which must be taken; gives back what was there.
    pub(super) fn renumber(&mut self, from: i32, to: i32) -> Result<Option<Slot>, Errno> {
        self.get(from)?;
        self.get(to)?;
        if from == to {
            return Ok(None);
        }
        let moved = self.remove(from)?;
        Ok(self.slots[index(to.cast_unsigned())].replace(moved))
    }

    /// Whether the scan for preopened directories passes over this number: a listener, or a gap
    /// that one left. At the first `badf` the scan would end, before the directories.
    pub(super) fn is_passed_over(&self, number: i32) -> bool {
        number.cast_unsigned() < self.preopened && !matches!(self.get(number), Ok(Slot::Stock(_)))
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(table: &Descriptors) -> String {
        let name = |slot: &Option<Slot>| match slot {
            None => "-".to_owned(),
            Some(Slot::Stock(stock)) => stock.to_string(),
            Some(Slot::Socket(_)) => "s".to_owned(),
        };
        table.slots.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_lowest_free_number_is_given_out() {
        let mut table = Descriptors::new(Vec::new(), 2);
        assert_eq!(numbers(&table), "0 1 2 3 4");
        assert_eq!(table.insert(Slot::Stock(5)), 5);
        table.remove(3).unwrap();
        table.remove(1).unwrap();
        assert_eq!(table.insert(Slot::Stock(9)), 1);
        assert_eq!(table.insert(Slot::Stock(8)), 3);
        assert_eq!(table.insert(Slot::Stock(7)), 6);
        assert_eq!(numbers(&table), "0 9 2 8 4 5 7");
    }

    #[test]
    fn renumbering_moves_and_returns_what_was_there() {
        let mut table = Descriptors::new(Vec::new(), 2);
        assert!(matches!(table.renumber(4, 0), Ok(Some(Slot::Stock(0)))));
        assert_eq!(numbers(&table), "4 1 2 3 -");
        assert!(matches!(table.renumber(3, 3), Ok(None)));
        assert!(matches!(table.renumber(3, 4), Err(Errno::Badf)));
        assert!(matches!(table.renumber(-1, 3), Err(Errno::Badf)));
        assert_eq!(numbers(&table), "4 1 2 3 -");
    }

    #[test]
    fn a_gap_among_the_preopened_does_not_end_the_scan() {
        let mut table = Descriptors::new(Vec::new(), 2);
        table.remove(3).unwrap();
        assert!(table.is_passed_over(3));
        assert!(!table.is_passed_over(4));
        assert!(!table.is_passed_over(5));
        assert!(!table.is_passed_over(-1));
    }
}
