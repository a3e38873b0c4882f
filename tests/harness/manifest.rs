//! The manifest of a Pod, container by container.

use std::fmt::Write as _;

use super::world::World;

/// A Pod's manifest on its way to a file. Texts go in as they would stand in the YAML.
#[derive(Debug)]
pub(crate) struct PodText {
    name: String,
    /// Lines of the metadata beside the name.
    metadata: String,
    restart_policy: &'static str,
    /// Lines of the spec beside its containers.
    spec: String,
    containers: String,
}

impl PodText {
    /// A Pod without containers yet: `restartPolicy: Never`, two seconds of grace.
    pub(crate) fn new(name: &str) -> Self {
        let (name, restart_policy) = (name.to_owned(), "Never");
        let (metadata, spec, containers) = (String::new(), String::new(), String::new());
        Self { name, metadata, restart_policy, spec, containers }
    }

    /// A further line of the metadata: `labels: {...}`.
    #[must_use]
    pub(crate) fn metadata(mut self, line: &str) -> Self {
        self.metadata += &format!("  {line}\n");
        self
    }

    /// In place of `Never`.
    #[must_use]
    pub(crate) fn restart_policy(mut self, policy: &'static str) -> Self {
        self.restart_policy = policy;
        self
    }

    /// A further line of the spec: `volumes: [...]`.
    #[must_use]
    pub(crate) fn spec(mut self, line: &str) -> Self {
        self.spec += &format!("  {line}\n");
        self
    }

    /// A further container; `arguments` may be none.
    #[must_use]
    pub(crate) fn container(mut self, name: &str, image: &str, arguments: &[&str]) -> Self {
        let arguments = serde_json::to_string(arguments).expect("text is JSON");
        let container = format!("  - name: {name}\n    image: {image:?}\n    args: {arguments}\n");
        self.containers += &container;
        self
    }

    /// A further line of the latest container: `stdin: true`.
    #[must_use]
    pub(crate) fn with(mut self, line: &str) -> Self {
        writeln!(self.containers, "    {line}").expect("a String takes every line");
        self
    }

    /// Writes the manifest; gives its path.
    #[track_caller]
    pub(crate) fn write(self, world: &World) -> String {
        world.file(&format!("{}.yaml", self.name), self.text())
    }

    /// The manifest.
    pub(crate) fn text(self) -> String {
        let Self { name, metadata, restart_policy, spec, containers } = self;
        let grace = if spec.contains("terminationGracePeriodSeconds") {
            ""
        } else {
            "  terminationGracePeriodSeconds: 2\n"
        };
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {name}\n{metadata}spec:\n  restartPolicy: {restart_policy}\n{grace}{spec}  containers:\n{containers}"
        )
    }
}
