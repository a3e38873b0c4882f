//! The shell's variables. Pure.

use std::collections::BTreeMap;

/// What a name stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variable {
    /// None for one that is only marked.
    pub(crate) value: Option<String>,
    pub(crate) exported: bool,
    pub(crate) read_only: bool,
}

/// A variable that cannot be changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ReadOnly(pub(crate) String);

impl std::fmt::Display for ReadOnly {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: is read only", self.0)
    }
}

/// All variables, and those that functions have put aside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables {
    all: BTreeMap<String, Variable>,
    /// For each function that runs: what its local ones hide.
    hidden: Vec<Vec<(String, Option<Variable>)>>,
}

impl Variables {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all.get(name).and_then(|variable| variable.value.as_deref())
    }

    /// # Errors
    /// [`ReadOnly`]
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) -> Result<(), ReadOnly> {
        let variable = self.all.entry(name.to_owned()).or_default();
        if variable.read_only {
            return Err(ReadOnly(name.to_owned()));
        }
        variable.value = Some(value.into());
        Ok(())
    }

    /// # Errors
    /// [`ReadOnly`]
    pub(crate) fn unset(&mut self, name: &str) -> Result<(), ReadOnly> {
        if self.all.get(name).is_some_and(|variable| variable.read_only) {
            return Err(ReadOnly(name.to_owned()));
        }
        self.all.remove(name);
        Ok(())
    }

    pub(crate) fn export(&mut self, name: &str, exported: bool) {
        self.all.entry(name.to_owned()).or_default().exported = exported;
    }

    pub(crate) fn make_read_only(&mut self, name: &str) {
        self.all.entry(name.to_owned()).or_default().read_only = true;
    }

    /// Takes it out as it is, and puts another or none in its place.
    pub(crate) fn replace(&mut self, name: &str, by: Option<Variable>) -> Option<Variable> {
        match by {
            Some(variable) => self.all.insert(name.to_owned(), variable),
            None => self.all.remove(name),
        }
    }

    /// A function begins.
    pub(crate) fn enter(&mut self) {
        self.hidden.push(Vec::new());
    }

    /// It ends: what its local variables hid is back.
    pub(crate) fn leave(&mut self) {
        for (name, hidden) in self.hidden.pop().unwrap_or_default().into_iter().rev() {
            self.replace(&name, hidden);
        }
    }

    /// Makes `name` local to the function that runs; false outside of one.
    pub(crate) fn make_local(&mut self, name: &str) -> bool {
        let known = self.all.get(name).cloned();
        let Some(hidden) = self.hidden.last_mut() else { return false };
        if !hidden.iter().any(|(hidden, _)| hidden == name) {
            hidden.push((name.to_owned(), known));
        }
        true
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Variable)> {
        self.all.iter()
    }

    /// What children get.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let exported = self.all.iter().filter(|(_, variable)| variable.exported);
        exported
            .filter_map(|(name, variable)| Some((name.clone(), variable.value.clone()?)))
            .collect()
    }
}
