//! Between the paths of fields and their places in the tree, both ways.

use crate::field::{FieldPath, Segment};
use crate::node::{Node, Position, Value};

/// Where a field stands; for one that is absent, where the nearest thing that holds it stands.
///
/// A simple value is found where it is written, a list or a mapping at its key.
pub(crate) fn place_of(root: &Node, path: &FieldPath) -> Position {
    let mut at = root.at;
    let mut node = root;
    for segment in path.segments() {
        let entry = match segment {
            Segment::Field(name) => node.entry(name),
            Segment::Key(key) => node.entry(key),
            Segment::Index(index) => {
                let Some(item) = node.item(*index) else { break };
                (node, at) = (item, item.at);
                continue;
            }
        };
        let Some(entry) = entry else { break };
        node = &entry.value;
        at = match node.value {
            Value::Sequence(_) | Value::Mapping(_) | Value::Null => entry.key_at,
            _ => node.at,
        };
    }
    at
}

/// The path of the key at a place, as strict decoding prints it (map keys after a dot).
pub(crate) fn path_of_key(root: &Node, place: Position, key: &str) -> Option<String> {
    let mut path = String::new();
    find(root, place, key, &mut path).then_some(path)
}

fn find(node: &Node, place: Position, key: &str, path: &mut String) -> bool {
    let before = path.len();
    match &node.value {
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                if find(item, place, key, path) {
                    return true;
                }
                path.truncate(before);
            }
        }
        Value::Mapping(entries) => {
            for entry in entries {
                if before > 0 {
                    path.push('.');
                }
                path.push_str(&entry.key);
                let here = entry.key_at == place && entry.key == key;
                if here || find(&entry.value, place, key, path) {
                    return true;
                }
                path.truncate(before);
            }
        }
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => {}
    }
    false
}
