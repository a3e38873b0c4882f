//! One field of the table, found by the path that a user types.
//!
//! `spec.containers.image`, `pod.spec.containers[0].image` and `deployment.spec.template.spec` all
//! lead somewhere: indexes are optional, a kind may stand in front, and is Pod where none does. A
//! key of a map stands in brackets or behind a dot.

use std::collections::VecDeque;

use super::documentation::{self, FieldDocumentation};
use super::rows::{Values, Verdict};
use crate::kinds;
use crate::schema::{self, Field, Object, Shape, Support};
use crate::strict::nearest;

/// The kinds that can be explained, the Pod first.
pub(super) static KINDS: [&Object; 13] = [
    &schema::POD,
    &schema::CONFIG_MAP,
    &schema::CRON_JOB,
    &schema::DAEMON_SET,
    &schema::DEPLOYMENT,
    &schema::JOB,
    &schema::PERSISTENT_VOLUME_CLAIM,
    &schema::POD_TEMPLATE,
    &schema::REPLICA_SET,
    &schema::REPLICATION_CONTROLLER,
    &schema::SECRET,
    &schema::SERVICE,
    &schema::STATEFUL_SET,
];

/// What becomes of one field, and of the fields directly below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The kind of object that the path starts in.
    pub kind: &'static str,
    /// The version in which that is served: `v1`, `apps/v1`.
    pub api_version: &'static str,
    /// The field, as the table writes it: `spec.containers[].image`; empty for the object itself.
    pub path: String,
    /// Its type in the words of the API: `string`, `[]Container`.
    pub type_name: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// To which values the verdict applies.
    pub values: Values,
    /// The field above whose verdict it shares, where it does nothing by itself because that one
    /// does nothing.
    pub because_of: Option<String>,
    /// What Kubernetes says of the field, then of its type; empty where it says nothing.
    pub description: String,
    /// The fields of its type, or the keys of a map that are spoken of by name.
    pub fields: Vec<Entry>,
}

/// A field in the list of its parent's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The field's name; `*` for all other keys of a map.
    pub name: String,
    /// Its type in the words of the API.
    pub type_name: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// To which values the verdict applies.
    pub values: Values,
    /// Whether its object is not complete without it.
    pub required: bool,
    /// What Kubernetes says of it.
    pub description: String,
    /// The fields below it, where all were asked for.
    pub fields: Vec<Entry>,
}

/// How far down fields are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Those directly below.
    One,
    /// Those below them too.
    All,
}

/// A path that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", match within.as_str() {
    "" => format!("`{name}` is not a field of a {type_name}"),
    within => format!("`{name}` is not a field of `{within}`, which is a {type_name}"),
})]
pub struct UnknownField {
    /// The step that is not known.
    pub name: String,
    /// The path up to it.
    pub within: String,
    /// The type in which it was looked for.
    pub type_name: String,
    /// The whole path as it was probably meant.
    pub meant: Option<String>,
}

/// Looks a field up.
///
/// # Errors
/// [`UnknownField`] for a path that leads nowhere, with the nearest that does.
pub fn explain(field: &str, depth: Depth) -> Result<Explanation, UnknownField> {
    let mut steps = steps(field);
    let kind = take_kind(&mut steps);
    let mut at = Position::top(kind);
    while let Some(step) = steps.pop_front() {
        at = at.below(&step).map_err(|mut unknown| {
            if let Some(meant) = &mut unknown.meant {
                steps.iter().for_each(|rest| rest.append_to(meant));
            }
            unknown
        })?;
    }
    Ok(at.explanation(depth))
}

/// The names of the kinds that can be explained.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    /// What stands in brackets.
    Key(String),
}

impl Step {
    fn text(&self) -> &str {
        match self {
            Step::Name(text) | Step::Key(text) => text,
        }
    }

    fn append_to(&self, path: &mut String) {
        match self {
            Step::Name(name) if path.is_empty() => path.push_str(name),
            Step::Name(name) => path.extend([".", name]),
            Step::Key(key) => path.extend(["[", key, "]"]),
        }
    }
}

/// Splits at dots, but not at those in brackets: keys such as `app.kubernetes.io/name` have some.
fn steps(field: &str) -> VecDeque<Step> {
    let mut steps = VecDeque::new();
    let mut rest = field.trim();
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (key, after) = inside.split_once(']').unwrap_or((inside, ""));
            steps.push_back(Step::Key(key.trim_matches(['"', '\'']).to_owned()));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            if !name.is_empty() {
                steps.push_back(Step::Name(name.to_owned()));
            }
            rest = after.strip_prefix('.').unwrap_or(after);
        }
    }
    steps
}

/// Takes the kind off the front, in the forms that `kubectl` takes: `pod`, `pods`, `po`.
fn take_kind(steps: &mut VecDeque<Step>) -> &'static Object {
    const SHORT: [(&str, &str); 9] = [
        ("cj", "CronJob"),
        ("cm", "ConfigMap"),
        ("deploy", "Deployment"),
        ("ds", "DaemonSet"),
        ("po", "Pod"),
        ("pvc", "PersistentVolumeClaim"),
        ("rs", "ReplicaSet"),
        ("sts", "StatefulSet"),
        ("svc", "Service"),
    ];
    let named = steps.front().and_then(|step| {
        let word = step.text().to_lowercase();
        let long = SHORT.iter().find(|(short, _)| *short == word).map(|(_, kind)| *kind);
        KINDS.into_iter().find(|kind| {
            let name = kind.name.to_lowercase();
            long == Some(kind.name) || word == name || word.strip_suffix('s') == Some(&*name)
        })
    });
    if named.is_some() {
        steps.pop_front();
    }
    named.unwrap_or(&schema::POD)
}

/// Where the walk stands.
struct Position {
    kind: &'static Object,
    path: String,
    shape: &'static Shape,
    support: Support,
    values: schema::Values,
    /// The outermost field without effect.
    because_of: Option<(String, Support)>,
    /// What Kubernetes says of the field itself.
    description: String,
}

impl Position {
    fn top(kind: &'static Object) -> Self {
        Position {
            kind,
            path: String::new(),
            shape: kind_shape(kind),
            support: Support::Honoured,
            values: schema::Values::All,
            because_of: None,
            description: String::new(),
        }
    }

    fn below(self, step: &Step) -> Result<Self, UnknownField> {
        match self.shape {
            Shape::Object(object) => match object.field(step.text()) {
                Some(field) => Ok(self.field(object, field)),
                None => Err(self.unknown(step, object.fields.iter().map(|field| field.name))),
            },
            // An index may be there or not.
            Shape::List(item) => {
                let element = Position { path: format!("{}[]", self.path), shape: item, ..self };
                match step {
                    Step::Key(_) => Ok(element),
                    Step::Name(_) => element.below(step),
                }
            }
            Shape::Map(value) => {
                let path = format!("{}[{}]", self.path, step.text());
                Ok(Position { path, shape: value, description: String::new(), ..self })
            }
            Shape::KeyedMap(keys) => {
                let key = step.text();
                let known = keys.known.iter().find(|known| known.name == key);
                let path = format!("{}[{key}]", self.path);
                let shape = known.map_or(&keys.shape, |known| &known.shape);
                let support = known.map_or(keys.support, |known| known.support);
                let values = known.map_or(schema::Values::All, |known| known.values);
                Ok(self.with(path, shape, support, values))
            }
            Shape::Bool
            | Shape::Int32
            | Shape::Int64
            | Shape::String
            | Shape::Quantity
            | Shape::IntOrString
            | Shape::Time
            | Shape::Bytes
            | Shape::Any => Err(self.unknown(step, [].into_iter())),
        }
    }

    fn field(self, object: &Object, field: &'static Field) -> Self {
        let path = join(&self.path, field.name);
        let description = documented(object, field).description;
        let below = self.with(path, &field.shape, field.support, field.values);
        Position { description, ..below }
    }

    fn with(
        self,
        path: String,
        shape: &'static Shape,
        support: Support,
        values: schema::Values,
    ) -> Self {
        let because_of = match self.support {
            Support::Honoured | Support::WithParent => self.because_of,
            // A verdict for some values is no verdict for what is below.
            _ if self.values != schema::Values::All => self.because_of,
            without_effect => self.because_of.or(Some((self.path, without_effect))),
        };
        let description = String::new();
        Position { kind: self.kind, path, shape, support, values, because_of, description }
    }

    fn unknown(&self, step: &Step, known: impl Iterator<Item = &'static str>) -> UnknownField {
        let name = step.text().to_owned();
        let meant = nearest(&name, known).map(|meant| {
            let mut path = self.kind.name.to_lowercase();
            Step::Name(join(&self.path, meant)).append_to(&mut path);
            path
        });
        UnknownField { name, within: self.path.clone(), type_name: type_name(self.shape), meant }
    }

    fn explanation(self, depth: Depth) -> Explanation {
        let above = self.because_of.as_ref().map(|(_, support)| *support);
        let (verdict, values) = verdict(self.support, self.values, above);
        let above_fields = effect_below(above, self.support, self.values);
        let of_type = object_of(self.shape)
            .and_then(|object| documentation::of_type(object.name))
            .map(|documented| documented.description());
        let mut said = vec![self.description];
        said.extend(of_type);
        said.retain(|text| !text.is_empty());
        Explanation {
            kind: self.kind.name,
            api_version: kinds::version_of(self.kind.name).unwrap_or("v1"),
            description: said.join("\n"),
            type_name: type_name(self.shape),
            verdict,
            values,
            because_of: self.because_of.map(|(path, _)| path),
            fields: Listing { above: above_fields, depth }.entries(self.shape),
            path: self.path,
        }
    }
}

/// The verdict of a field, below a field without effect that one's.
fn verdict(own: Support, values: schema::Values, above: Option<Support>) -> (Verdict, Values) {
    let (support, values) = above.map_or((own, values), |above| (above, schema::Values::All));
    let verdict = match support {
        Support::Honoured | Support::WithParent => Verdict::Honoured,
        Support::System => Verdict::SetBySystem,
        Support::Ignored(reason) => Verdict::Ignored(reason),
        Support::Refused(reason) => Verdict::Refused(reason),
    };
    (verdict, values.into())
}

/// What without effect a field is below, if it is.
fn effect_below(above: Option<Support>, own: Support, values: schema::Values) -> Option<Support> {
    above.or(match own {
        Support::Honoured | Support::WithParent => None,
        // A verdict for some values is no verdict for what is below.
        _ if values != schema::Values::All => None,
        without_effect => Some(without_effect),
    })
}

/// How the fields below a field are listed.
#[derive(Clone, Copy)]
struct Listing {
    /// Of a field without effect above them.
    above: Option<Support>,
    depth: Depth,
}

impl Listing {
    fn entries(self, shape: &'static Shape) -> Vec<Entry> {
        match shape {
            Shape::Object(object) => {
                let entry = |field: &'static Field| self.field(field, documented(object, field));
                object.fields.iter().map(entry).collect()
            }
            Shape::KeyedMap(keys) => {
                let nothing = FieldDocumentation::default;
                let known = keys.known.iter().map(|key| self.field(key, nothing()));
                let all = schema::Values::All;
                let others = self.entry("*", &keys.shape, keys.support, all, nothing());
                known.chain([others]).collect()
            }
            Shape::List(item) | Shape::Map(item) => self.entries(item),
            Shape::Bool
            | Shape::Int32
            | Shape::Int64
            | Shape::String
            | Shape::Quantity
            | Shape::IntOrString
            | Shape::Time
            | Shape::Bytes
            | Shape::Any => Vec::new(),
        }
    }

    fn field(self, field: &'static Field, said: FieldDocumentation) -> Entry {
        self.entry(field.name, &field.shape, field.support, field.values, said)
    }

    fn entry(
        self,
        name: &str,
        shape: &'static Shape,
        support: Support,
        values: schema::Values,
        said: FieldDocumentation,
    ) -> Entry {
        let below = Self { above: effect_below(self.above, support, values), ..self };
        let (verdict, values) = verdict(support, values, self.above);
        Entry {
            name: name.to_owned(),
            type_name: type_name(shape),
            verdict,
            values,
            required: said.required,
            description: said.description,
            fields: match self.depth {
                Depth::One => Vec::new(),
                Depth::All => below.entries(shape),
            },
        }
    }
}

/// What Kubernetes says of a field of a type.
fn documented(object: &Object, field: &Field) -> FieldDocumentation {
    let of_type = documentation::of_type(object.name);
    of_type.and_then(|of_type| of_type.field(field.name)).unwrap_or_default()
}

/// The type whose fields are listed.
fn object_of(shape: &'static Shape) -> Option<&'static Object> {
    match shape {
        Shape::Object(object) => Some(object),
        Shape::List(item) | Shape::Map(item) => object_of(item),
        Shape::KeyedMap(_)
        | Shape::Bool
        | Shape::Int32
        | Shape::Int64
        | Shape::String
        | Shape::Quantity
        | Shape::IntOrString
        | Shape::Time
        | Shape::Bytes
        | Shape::Any => None,
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn kind_shape(kind: &'static Object) -> &'static Shape {
    // One shape for each kind, since a shape refers to its object and lives as long.
    static SHAPES: [Shape; KINDS.len()] = {
        let mut shapes = [const { Shape::Any }; KINDS.len()];
        let mut index = 0;
        while index < shapes.len() {
            shapes[index] = Shape::Object(KINDS[index]);
            index += 1;
        }
        shapes
    };
    let index = KINDS.iter().position(|known| std::ptr::eq(*known, kind));
    &SHAPES[index.expect("a kind comes from the list")]
}

fn type_name(shape: &Shape) -> String {
    match shape {
        Shape::Bool => "boolean".to_owned(),
        Shape::Int32 | Shape::Int64 => "integer".to_owned(),
        Shape::String => "string".to_owned(),
        Shape::Quantity => "Quantity".to_owned(),
        Shape::IntOrString => "IntOrString".to_owned(),
        Shape::Time => "Time".to_owned(),
        Shape::Bytes => "base64".to_owned(),
        Shape::Any => "Object".to_owned(),
        Shape::Object(object) => object.name.to_owned(),
        Shape::List(item) => format!("[]{}", type_name(item)),
        Shape::Map(value) => format!("map[string]{}", type_name(value)),
        Shape::KeyedMap(keys) => format!("map[string]{}", type_name(&keys.shape)),
    }
}
