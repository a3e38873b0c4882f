//! What can be wrong with a template, and with the objects for it.

use thiserror::Error;

/// Why a template is none.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ParseError {
    /// A brace stays open.
    #[error("unclosed action")]
    UnclosedAction,
    /// No path has this.
    #[error("unrecognized character in action: U+{code:04X} '{character}'", code = u32::from(*.0), character = .0)]
    UnrecognizedCharacter(char),
    /// `....`
    #[error("invalid multiple recursive descent")]
    RepeatedDescent,
    /// `1.2.3`
    #[error("cannot parse number {0}")]
    Number(String),
    /// A square bracket stays open.
    #[error("unterminated array")]
    UnterminatedArray,
    /// What is in square brackets is neither a key in single quotes nor numbers.
    #[error("invalid array index {0}")]
    ArrayIndex(String),
    /// A number that is too large, or a sign without one.
    #[error("array index {0} is not a number")]
    ArrayNumber(String),
    /// `[?(` without `)`.
    #[error("unterminated filter")]
    UnterminatedFilter,
    /// `[?(...)` without `]`.
    #[error("unclosed array expect ]")]
    UnclosedFilter,
    /// A quote stays open.
    #[error("unterminated quoted string")]
    UnterminatedQuote,
    /// An escape that nobody knows.
    #[error("unquote string {0} error invalid syntax")]
    Unquote(String),
    /// Ranges inside each other without end.
    #[error("more than {0} ranges inside each other")]
    TooManyRanges(usize),
}

/// Why a template cannot be carried out on an object.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EvaluateError {
    /// A word that is neither `range` nor `end`.
    #[error("unrecognized identifier {0}")]
    UnrecognizedIdentifier(String),
    /// `{end}` without a range.
    #[error("not in range, nothing to end")]
    NotInRange,
    /// A key that no object has, where that is not allowed.
    #[error("{0} is not found")]
    NotFound(String),
    /// Square brackets behind something that is no list.
    #[error("{0} is not array or slice")]
    NotAList(&'static str),
    /// A filter behind something that is no list.
    #[error("{0} is not array or slice and cannot be filtered")]
    NotFilterable(String),
    /// An index outside of the list.
    #[error("array index out of bounds: index {index}, length {length}")]
    OutOfBounds {
        /// The index, counted from the front.
        index: i64,
        /// Of the list.
        length: usize,
    },
    /// `[2:1]`
    #[error("starting index {start} is greater than ending index {end}")]
    Backwards {
        /// Before the colon.
        start: i64,
        /// Behind it.
        end: i64,
    },
    /// `[::0]`
    #[error("step must be > 0")]
    Step,
    /// A side of a filter is several values.
    #[error("can only compare one element at a time")]
    CompareSeveral,
    /// `=` for `==`.
    #[error("unrecognized filter operator {0}")]
    UnrecognizedOperator(String),
    /// A text and a number, a whole number and another.
    #[error("incompatible types for comparison")]
    IncompatibleTypes,
    /// Maps and lists; truth values by their size.
    #[error("invalid type for comparison")]
    InvalidType,
}
