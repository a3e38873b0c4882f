//! The numbers by which one process knows what it reads and writes. Pure.

use std::collections::BTreeMap;

use wasmtime_wasi::p1::types::Errno;

use super::end::End;

/// More than any script has open.
const MOST: usize = 256;

/// A process's table; 0, 1 and 2 are its standard streams.
#[derive(Clone, Default)]
pub(super) struct Handles {
    ends: BTreeMap<i32, End>,
}

impl Handles {
    /// A table with these standard streams.
    pub(super) fn new(standard: [End; 3]) -> Self {
        Self { ends: (0..).zip(standard).collect() }
    }

    /// Puts something under the lowest free number.
    ///
    /// # Errors
    /// `mfile` when there are too many.
    pub(super) fn insert(&mut self, end: End) -> Result<i32, Errno> {
        if self.ends.len() >= MOST {
            return Err(Errno::Mfile);
        }
        let taken = self.ends.keys().zip(0..).take_while(|(number, at)| *number == at).count();
        let number = i32::try_from(taken).map_err(|_| Errno::Mfile)?;
        self.ends.insert(number, end);
        Ok(number)
    }

    /// # Errors
    /// `badf` when nothing is there.
    pub(super) fn get(&self, number: i32) -> Result<&End, Errno> {
        self.ends.get(&number).ok_or(Errno::Badf)
    }

    /// # Errors
    /// `badf` when nothing is there.
    pub(super) fn remove(&mut self, number: i32) -> Result<End, Errno> {
        self.ends.remove(&number).ok_or(Errno::Badf)
    }

    /// The table of a child that gets only those of these numbers that are there.
    pub(super) fn only(&self, numbers: &[i32]) -> Self {
        let kept = numbers.iter().filter_map(|number| Some((*number, self.ends.get(number)?)));
        Self { ends: kept.map(|(number, end)| (number, end.clone())).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guest::stdio::Stdin;

    fn end() -> End {
        End::Stdin { stdin: Stdin::Closed, terminal: false }
    }

    fn numbers(handles: &Handles) -> Vec<i32> {
        handles.ends.keys().copied().collect()
    }

    #[test]
    fn the_lowest_free_number_is_given_out() {
        let mut handles = Handles::new([end(), end(), end()]);
        assert_eq!(handles.insert(end()), Ok(3));
        assert_eq!(handles.insert(end()), Ok(4));
        assert!(handles.remove(1).is_ok());
        assert!(matches!(handles.remove(1), Err(Errno::Badf)));
        assert_eq!(handles.insert(end()), Ok(1));
        assert_eq!(handles.insert(end()), Ok(5));
        assert_eq!(numbers(&handles.only(&[4, 0, 9])), [0, 4]);
    }

    #[test]
    fn there_is_a_bound() {
        let mut handles = Handles::default();
        for number in 0..256 {
            assert_eq!(handles.insert(end()), Ok(number));
        }
        assert_eq!(handles.insert(end()), Err(Errno::Mfile));
    }
}
