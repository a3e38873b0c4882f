//! What a program says of itself.

use serde::{Deserialize, Serialize};

/// What can be told of a file of WebAssembly from its outline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// How it is run ([`GuestKind`](crate::image::GuestKind) in words), or why it cannot be.
    pub kind: Result<String, String>,
    /// Whether it is a component; otherwise it is a core module.
    pub is_component: bool,
    /// What it wants, in its order.
    pub imports: Vec<Item>,
    /// What it offers, in its order.
    pub exports: Vec<Item>,
}

/// Something that crosses the border of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its name: `wasi:cli/run@0.2.0`; of what a core module imports with the module's: `env.abort`.
    pub name: String,
    /// `func`, `memory`, `instance`, … as the text format has it.
    #[serde(rename = "type")]
    pub kind: String,
}

impl Description {
    /// The world that a component is made for, as WIT. Of a function or a type it has the name alone, in
    /// a comment; a core module has no world.
    pub fn world(&self) -> Option<String> {
        if !self.is_component {
            return None;
        }
        let items = |deed: &str, items: &[Item]| {
            let line = |item: &Item| match item.kind.as_str() {
                "instance" => format!("  {deed} {};\n", item.name),
                kind => format!("  // {deed} {}: {kind}\n", item.name),
            };
            items.iter().map(line).collect::<String>()
        };
        let (imports, exports) = (items("import", &self.imports), items("export", &self.exports));
        Some(format!("world root {{\n{imports}{exports}}}\n"))
    }
}
