//! What a script is, once it is read.

use std::cell::OnceCell;
use std::rc::Rc;

/// Commands one after the other.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct List(pub(crate) Vec<Item>);

#[derive(Debug, PartialEq)]
pub(crate) struct Item {
    pub(crate) and_or: Rc<AndOr>,
    /// `&`
    pub(crate) background: bool,
}

/// `a && b || c`
#[derive(Debug, PartialEq)]
pub(crate) struct AndOr {
    pub(crate) first: Pipeline,
    pub(crate) rest: Vec<(Link, Pipeline)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link {
    And,
    Or,
}

/// `! a | b`
#[derive(Debug, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) negated: bool,
    pub(crate) commands: Vec<Rc<Command>>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Simple(Simple),
    Compound(Compound, Vec<Redirect>),
    Function(String, Rc<Command>),
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct Simple {
    pub(crate) assignments: Vec<(String, Word)>,
    pub(crate) words: Vec<Word>,
    pub(crate) redirects: Vec<Redirect>,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Compound {
    /// `{ … }`
    Group(List),
    /// `( … )`
    Subshell(Rc<List>),
    If {
        arms: Vec<(List, List)>,
        otherwise: Option<List>,
    },
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: List,
    },
    Loop {
        until: bool,
        condition: List,
        body: List,
    },
    Case {
        word: Word,
        arms: Vec<Arm>,
    },
}

/// `a|b) … ;;`
#[derive(Debug, PartialEq)]
pub(crate) struct Arm {
    pub(crate) patterns: Vec<Word>,
    pub(crate) body: List,
    /// `;&`: the next one's body follows.
    pub(crate) falls_through: bool,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Redirect {
    pub(crate) fd: u32,
    pub(crate) kind: RedirectKind,
    pub(crate) target: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectKind {
    Read,
    Write,
    /// `>|`
    Clobber,
    Append,
    ReadWrite,
    /// `<&`, `>&`
    Duplicate,
    /// `&>`, which is both standard output and error.
    Both,
    /// `&>>`
    BothAppend,
    /// `<<`, whose text is the target.
    HereDocument,
    /// `<<<`
    HereString,
}

/// One word before its expansion.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Word(pub(crate) Vec<Part>);

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Part {
    /// Not quoted: may hold characters of patterns.
    Plain(String),
    /// In single quotes, or behind a backslash.
    Quoted(String),
    /// In double quotes.
    Double(Vec<Part>),
    Parameter(Box<Parameter>),
    /// `$(…)`
    Command(Rc<List>),
    /// `$((…))`
    Arithmetic(Word),
    /// `~` or `~name` at the start.
    Tilde(String),
    /// The text of a here-document, which comes after the command.
    Document(Rc<OnceCell<Word>>),
}

/// `${name…}`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) action: Action,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Action {
    Value,
    /// `${#name}`
    Length,
    /// `-`, `=`, `?`, `+`; with a colon an empty value counts as none.
    Default {
        colon: bool,
        word: Word,
    },
    Assign {
        colon: bool,
        word: Word,
    },
    Error {
        colon: bool,
        word: Word,
    },
    Alternative {
        colon: bool,
        word: Word,
    },
    /// `#`, `##`, `%`, `%%`
    Remove {
        end: End,
        longest: bool,
        pattern: Word,
    },
    /// `/`, `//`
    Replace {
        all: bool,
        pattern: Word,
        by: Word,
    },
    /// `:offset:length`
    Slice {
        offset: Word,
        length: Option<Word>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Front,
    Back,
}

impl Word {
    /// A word of only these characters, not expanded.
    pub(crate) fn quoted(text: impl Into<String>) -> Self {
        Self(vec![Part::Quoted(text.into())])
    }

    /// The word as it was written, if nothing in it is quoted or expanded.
    pub(crate) fn as_plain(&self) -> Option<&str> {
        match &self.0[..] {
            [Part::Plain(text)] => Some(text),
            _ => None,
        }
    }
}
