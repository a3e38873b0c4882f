//! What `set` switches. Pure.

/// The options that a script may set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) exit_on_error: bool,
    pub(crate) no_unset: bool,
    pub(crate) trace: bool,
    pub(crate) no_glob: bool,
    pub(crate) no_clobber: bool,
    pub(crate) export_all: bool,
    pub(crate) no_exec: bool,
    pub(crate) pipe_fail: bool,
    pub(crate) interactive: bool,
}

const ALL: [(Option<char>, &str); 9] = [
    (Some('e'), "errexit"),
    (Some('u'), "nounset"),
    (Some('x'), "xtrace"),
    (Some('f'), "noglob"),
    (Some('C'), "noclobber"),
    (Some('a'), "allexport"),
    (Some('n'), "noexec"),
    (None, "pipefail"),
    (Some('i'), "interactive"),
];

impl Options {
    fn place(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "errexit" => &mut self.exit_on_error,
            "nounset" => &mut self.no_unset,
            "xtrace" => &mut self.trace,
            "noglob" => &mut self.no_glob,
            "noclobber" => &mut self.no_clobber,
            "allexport" => &mut self.export_all,
            "noexec" => &mut self.no_exec,
            "pipefail" => &mut self.pipe_fail,
            "interactive" => &mut self.interactive,
            _ => return None,
        })
    }

    /// Sets the option of a letter; false if there is none.
    pub(crate) fn set_letter(&mut self, letter: char, on: bool) -> bool {
        // What `sh` has besides and means nothing here.
        if "hbmvEH".contains(letter) {
            return true;
        }
        let named = ALL.iter().find(|(known, _)| *known == Some(letter));
        named.is_some_and(|(_, name)| self.set_name(name, on))
    }

    /// Sets the option of a name; false if there is none.
    pub(crate) fn set_name(&mut self, name: &str, on: bool) -> bool {
        match self.place(name) {
            Some(place) => {
                *place = on;
                true
            }
            None => matches!(name, "vi" | "emacs" | "monitor" | "ignoreeof" | "notify" | "posix"),
        }
    }

    /// The letters that are set: `$-`.
    pub(crate) fn letters(mut self) -> String {
        let set = |(letter, name): &(Option<char>, &str)| {
            letter.filter(|_| self.place(name).is_some_and(|set| *set))
        };
        ALL.iter().filter_map(set).collect()
    }

    /// Each name, and whether it is set.
    pub(crate) fn all(mut self) -> Vec<(&'static str, bool)> {
        ALL.iter().map(|(_, name)| (*name, self.place(name).is_some_and(|set| *set))).collect()
    }
}
