//! What a template is made of.

/// A piece of a template.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Section {
    /// Text outside of braces.
    Text(String),
    /// A path in braces.
    Path(Path),
    /// `{range path}`, and all up to its `{end}`.
    Range { over: Path, body: Vec<Self>, is_closed: bool },
    /// An `{end}` that ends nothing.
    StrayEnd,
}

/// Steps, one behind the other.
pub(super) type Path = Vec<Step>;

/// A step of a path: from values to values.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// `.name`
    Field(String),
    /// `.*`
    Wildcard,
    /// `..`
    Descent,
    /// `[1:3:2]`
    Slice(Slice),
    /// `[1,2]`, `['a','b']`
    Union(Vec<Path>),
    /// `[?(...)]`
    Filter(Filter),
    /// `"text"`
    Text(String),
    /// `1`
    Integer(i64),
    /// `1.5`
    Float(f64),
    /// `true`
    Bool(bool),
    /// A word.
    Identifier(String),
}

/// The numbers between square brackets, as far as they are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub(super) start: Option<i64>,
    pub(super) end: End,
    pub(super) step: Option<i64>,
}

/// Where a slice ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// There is no colon: behind the one at the start.
    AfterStart,
    /// Nothing behind the colon: where the list ends.
    Open,
    /// Before this one.
    Before(i64),
}

/// What values must fulfil to stay.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Filter {
    /// `?(@.a)`
    Exists(Path),
    /// `?(@.a=="b")`
    Compares { left: Path, operator: String, right: Path },
}
