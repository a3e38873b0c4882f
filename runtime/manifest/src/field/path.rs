//! Paths into a manifest: `spec.containers[0].image`.
//!
//! [`Place`] is the cheap one for the walk, [`FieldPath`] the owned one of an error. A few paths
//! that Kubernetes prints leave out an index (`volumeMounts.subPath`). The step is kept here all
//! the same, unprinted: whoever looks for line and column needs it.

use std::borrow::Cow;
use std::fmt;

/// One step of a [`FieldPath`].
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// A field of an object: `.image`.
    Field(Cow<'static, str>),
    /// An element of a list: `[0]`.
    Index(usize),
    /// An entry of a map, whose keys are the user's: `[app.kubernetes.io/name]`.
    Key(String),
}

/// The path of a field from the root of its document.
///
/// Prints as Kubernetes does: fields with dots, indexes and map keys in brackets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct FieldPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Step {
    segment: Segment,
    printed: bool,
}

impl FieldPath {
    /// The path of the document itself; prints as nothing.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path one step further down.
    #[must_use]
    pub fn then(mut self, segment: Segment) -> Self {
        self.0.push(Step { segment, printed: true });
        self
    }

    /// The path with its unprinted steps: the exact place, where Kubernetes prints a wider one.
    pub fn exact(&self) -> String {
        let steps = self.0.iter().map(|step| Step { printed: true, ..step.clone() });
        Self(steps.collect()).to_string()
    }

    /// Every step down to the field, the unprinted ones too: the way to find it in the document.
    ///
    /// The last steps may name what the document does not have (a missing field, for example):
    /// the longest part that exists is then the place to show.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.0.iter().map(|step| &step.segment)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for Step { segment, .. } in self.0.iter().filter(|step| step.printed) {
            match segment {
                Segment::Field(name) if first => formatter.write_str(name)?,
                Segment::Field(name) => write!(formatter, ".{name}")?,
                Segment::Index(index) => write!(formatter, "[{index}]")?,
                Segment::Key(key) => write!(formatter, "[{key}]")?,
            }
            first = false;
        }
        Ok(())
    }
}

/// Where a validator stands: a list on the stack, from the leaf to the root.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: BorrowedStep<'a>,
    printed: bool,
    /// These steps are not printed, counted from the root.
    hidden: (usize, usize),
}

#[derive(Clone, Copy, Debug)]
enum BorrowedStep<'a> {
    Field(&'static str),
    Index(usize),
    Key(&'a str),
}

impl Place<'static> {
    /// A field of the document itself, such as `spec`.
    pub(crate) const fn top(field: &'static str) -> Self {
        Self { parent: None, step: BorrowedStep::Field(field), printed: true, hidden: (0, 0) }
    }
}

impl<'a> Place<'a> {
    pub(crate) fn field<'s>(&'s self, name: &'static str) -> Place<'s> {
        self.then(BorrowedStep::Field(name), true)
    }

    pub(crate) fn index<'s>(&'s self, index: usize) -> Place<'s> {
        self.then(BorrowedStep::Index(index), true)
    }

    pub(crate) fn key<'s>(&'s self, key: &'s str) -> Place<'s> {
        self.then(BorrowedStep::Key(key), true)
    }

    /// The same place, with its last step left out when printed.
    pub(crate) fn unprinted(self) -> Place<'a> {
        Place { printed: false, ..self }
    }

    /// The same place, printed as `ancestor`, one of the places that lead to it.
    pub(crate) fn printed_as(self, ancestor: &Place<'_>) -> Place<'a> {
        Place { hidden: (ancestor.depth(), self.depth()), ..self }
    }

    /// The same place, printed as if its last step came right after `ancestor`.
    pub(crate) fn printed_after(self, ancestor: &Place<'_>) -> Place<'a> {
        Place { hidden: (ancestor.depth(), self.depth() - 1), ..self }
    }

    fn depth(&self) -> usize {
        std::iter::successors(Some(self), |place| place.parent).count()
    }

    fn then<'s>(&'s self, step: BorrowedStep<'s>, printed: bool) -> Place<'s> {
        Place { parent: Some(self), step, printed, hidden: self.hidden }
    }

    pub(crate) fn path(&self) -> FieldPath {
        let mut steps = Vec::new();
        let mut place = Some(self);
        while let Some(here) = place {
            let segment = match here.step {
                BorrowedStep::Field(name) => Segment::Field(Cow::Borrowed(name)),
                BorrowedStep::Index(index) => Segment::Index(index),
                BorrowedStep::Key(key) => Segment::Key(key.to_owned()),
            };
            steps.push(Step { segment, printed: here.printed });
            place = here.parent;
        }
        steps.reverse();
        let (from, to) = self.hidden;
        for step in steps.iter_mut().take(to).skip(from) {
            step.printed = false;
        }
        FieldPath(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_kubernetes_does() {
        let spec = Place::top("spec");
        let containers = spec.field("containers");
        let first = containers.index(0);
        let mounts = first.field("volumeMounts");
        let second = mounts.index(1);
        assert_eq!(
            second.field("name").path().to_string(),
            "spec.containers[0].volumeMounts[1].name"
        );
        let metadata = Place::top("metadata");
        let annotations = metadata.field("annotations");
        assert_eq!(annotations.key("a.b/c").path().to_string(), "metadata.annotations[a.b/c]");
    }

    #[test]
    fn an_unprinted_step_is_still_there_to_be_found() {
        let mounts = Place::top("volumeMounts");
        let path = mounts.index(3).unprinted().field("subPath").path();
        assert_eq!(path.to_string(), "volumeMounts.subPath");
        assert_eq!(path.segments().nth(1), Some(&Segment::Index(3)));
        assert_eq!(path.exact(), "volumeMounts[3].subPath");

        let volume = Place::top("projected");
        let sources = volume.field("sources");
        let path = sources.index(1).field("path").printed_as(&volume).path();
        assert_eq!(path.to_string(), "projected");
        assert_eq!(path.exact(), "projected.sources[1].path");
        let path = sources.index(1).field("path").printed_after(&volume).path();
        assert_eq!(path.to_string(), "projected.path");
    }
}
