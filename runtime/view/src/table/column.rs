//! What a table is made of.

use serde_json::Value;

/// Objects of one kind, with the columns that tell of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// From the left; some are shown with `-o wide` only.
    pub columns: Vec<Column>,
    /// In the order in which they are shown.
    pub rows: Vec<Row>,
}

/// A column of a [`Table`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// As the API server writes it: `Nominated Node`. Text has it in capitals.
    pub name: &'static str,
    /// Of the cells.
    pub type_: ColumnType,
    /// `name` in the column with the objects' names, else empty.
    pub format: &'static str,
    /// One sentence for people.
    pub description: &'static str,
    /// Above zero: for `-o wide` only.
    pub priority: i32,
}

/// The type of a column's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Text.
    String,
    /// A whole number.
    Integer,
}

impl ColumnType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
        }
    }
}

/// One object in a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// A text or a number for each column.
    pub cells: Vec<Value>,
    /// The object itself.
    pub object: Value,
    /// The phase of a Pod that has ended: `Succeeded` or `Failed`.
    pub ended: Option<&'static str>,
}

/// A column of text for every table.
pub(super) const fn column(name: &'static str, description: &'static str) -> Column {
    Column { name, type_: ColumnType::String, format: "", description, priority: 0 }
}

/// A column of numbers.
pub(super) const fn numbers(name: &'static str, description: &'static str) -> Column {
    Column { type_: ColumnType::Integer, ..column(name, description) }
}

impl Column {
    /// The column, for `-o wide` only.
    pub(super) const fn wide(self) -> Self {
        Self { priority: 1, ..self }
    }
}

pub(super) const NAME: Column = Column { format: "name", ..column("Name", "The object's name") };
pub(super) const AGE: Column = column("Age", "How long ago the object was created");
