//! What happens at a container's memory limit, as its manifest says. Pure.
//!
//! | annotation | value |
//! |---|---|
//! | `wasmpod.dev/memory-policy` | `deny` (the default), `oomkill`: of all containers of the Pod |
//! | `wasmpod.dev/memory-policy.<container>` | the same, of one |

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;

use super::annotation::{Annotation, AnnotationError};
use crate::manifest::annotation::{MEMORY_POLICY, MemoryPolicy, memory_policy};
use crate::resources::memory::Exceeded;

impl Exceeded {
    /// The policy of `container` in a Pod with these annotations.
    ///
    /// # Errors
    /// [`AnnotationError`] for a word that is neither of the two.
    pub fn of(
        annotations: Option<&BTreeMap<String, String>>,
        container: &Container,
    ) -> Result<Self, AnnotationError> {
        Annotation { grammar: MEMORY_POLICY, annotations, container: &container.name }
            .read(policy, Self::Deny)
    }
}

fn policy(text: &str) -> Option<Exceeded> {
    memory_policy(text).map(|policy| match policy {
        MemoryPolicy::Deny => Exceeded::Deny,
        MemoryPolicy::OomKill => Exceeded::Kill,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(annotations: &[(&str, &str)]) -> Result<Exceeded, String> {
        let annotations = annotations.iter();
        let annotations =
            annotations.map(|(name, value)| (format!("wasmpod.dev/{name}"), (*value).to_owned()));
        let container = Container { name: "web".to_owned(), ..Container::default() };
        Exceeded::of(Some(&annotations.collect()), &container).map_err(|error| error.to_string())
    }

    #[test]
    fn a_containers_own_policy_comes_before_the_pods() {
        let (all, web, other) = ("memory-policy", "memory-policy.web", "memory-policy.other");
        assert_eq!(policy(&[]), Ok(Exceeded::Deny));
        assert_eq!(policy(&[(all, "oomkill")]), Ok(Exceeded::Kill));
        assert_eq!(policy(&[(all, "oomkill"), (web, "deny")]), Ok(Exceeded::Deny));
        assert_eq!(policy(&[(web, " oomkill ")]), Ok(Exceeded::Kill));
        assert_eq!(policy(&[(other, "oomkill")]), Ok(Exceeded::Deny));
        assert_eq!(
            policy(&[(web, "OOMKill")]).unwrap_err(),
            "annotation `wasmpod.dev/memory-policy.web`: \"OOMKill\" is not `deny` or `oomkill`"
        );
    }
}
