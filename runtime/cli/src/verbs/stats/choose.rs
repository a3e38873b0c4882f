//! Which Pods are shown. Pure.

use wasmpod_node::ledger::PodRecord;

/// Pods as they were named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    /// All namespaces when absent.
    pub(crate) namespace: Option<String>,
    /// All Pods when empty.
    pub(crate) names: Vec<String>,
}

impl Choice {
    /// `web` and `pod/web` name the same.
    pub(crate) fn new(namespace: Option<String>, names: &[String]) -> Self {
        let plain = |name: &String| {
            let kinds = ["pod/", "pods/", "po/"];
            let rest = kinds.iter().find_map(|kind| name.strip_prefix(kind));
            rest.unwrap_or(name).to_owned()
        };
        Self { namespace, names: names.iter().map(plain).collect() }
    }

    /// The chosen of `pods`, by namespace and name.
    pub(crate) fn of<'pods>(
        &self,
        pods: impl IntoIterator<Item = &'pods PodRecord>,
    ) -> Vec<&'pods PodRecord> {
        let mut chosen: Vec<_> = pods.into_iter().filter(|pod| self.is_chosen(pod)).collect();
        chosen
            .sort_by(|a, b| (&a.namespace, &a.name, &a.uid).cmp(&(&b.namespace, &b.name, &b.uid)));
        chosen
    }

    fn is_chosen(&self, pod: &PodRecord) -> bool {
        self.namespace.as_ref().is_none_or(|namespace| *namespace == pod.namespace)
            && (self.names.is_empty() || self.names.contains(&pod.name))
    }

    /// The first name that none of the `chosen` has.
    pub(crate) fn missing(&self, chosen: &[&PodRecord]) -> Option<&str> {
        let is_there = |name: &&String| !chosen.iter().any(|pod| pod.name == **name);
        self.names.iter().find(is_there).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(namespace: &str, name: &str) -> PodRecord {
        let nothing = serde_json::json!({ "milliCpu": 0, "memory": 0, "ephemeralStorage": 0 });
        serde_json::from_value(serde_json::json!({
            "uid": name, "name": name, "namespace": namespace, "qosClass": "BestEffort",
            "priority": 0, "requests": nothing, "containers": [], "socket": "/run/x.api", "pid": 1,
            "created": "2026-01-01T00:00:00.000000Z", "state": "Admitted",
        }))
        .unwrap()
    }

    #[test]
    fn pods_are_chosen_by_namespace_and_name() {
        let pods = [pod("b", "web"), pod("a", "web"), pod("a", "db")];
        let names = |namespace: Option<&str>, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let choice = Choice::new(namespace.map(str::to_owned), &names);
            let chosen = choice.of(&pods);
            let missing = choice.missing(&chosen).map(str::to_owned);
            (chosen.iter().map(|pod| pod.full_name()).collect::<Vec<_>>(), missing)
        };
        let chosen = |expected: &[&str]| expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(names(None, &[]), (chosen(&["a/db", "a/web", "b/web"]), None));
        assert_eq!(names(Some("a"), &[]), (chosen(&["a/db", "a/web"]), None));
        assert_eq!(names(None, &["pod/web"]), (chosen(&["a/web", "b/web"]), None));
        assert_eq!(names(Some("b"), &["web", "db"]), (chosen(&["b/web"]), Some("db".to_owned())));
    }
}
