//! How much a container may have of what no field of Kubernetes has a name for. Pure.
//!
//! | annotation | value | default |
//! |---|---|---|
//! | `wasmpod.dev/handles` | files, sockets, streams and what waits for them, of one instance | the container's share of the process's descriptors, at most 4096; 512 in an HTTP handler |
//! | `wasmpod.dev/sockets` | sockets and connections of the container | a quarter of its handles |
//!
//! With `.<container>` at the end they are of that container.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Container;
use rustix::process::{Resource, getrlimit};

use super::annotation::{Annotation, AnnotationError};
use crate::manifest::annotation::{self, HANDLES, SOCKETS};

/// What a Store may have unless its Pod says otherwise.
const MOST_HANDLES: usize = 4096;

/// The same for an instance of an HTTP handler: there are many at once.
const MOST_HANDLES_OF_HANDLER: usize = 512;

/// A socket with its streams and what waits for them takes about four handles. A guest is to be refused
/// its next socket, which it can cope with, before it runs out of handles: that ends it.
const HANDLES_OF_SOCKET: usize = 4;

/// What the Pod says of a container; `None` where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GuestLimits {
    /// Handles of one Store.
    pub handles: Option<usize>,
    /// Sockets and connections.
    pub sockets: Option<usize>,
}

impl GuestLimits {
    /// Those of `container` in a Pod with these annotations.
    ///
    /// # Errors
    /// [`AnnotationError`] for the first annotation with a bad value.
    pub fn of(
        annotations: Option<&BTreeMap<String, String>>,
        container: &Container,
    ) -> Result<Self, AnnotationError> {
        let read = |grammar, parse: fn(&str) -> Option<u32>| {
            let annotation = Annotation { grammar, annotations, container: &container.name };
            let value = annotation.read(|text| parse(text).map(Some), None)?;
            Ok(value.and_then(|value| usize::try_from(value).ok()))
        };
        Ok(Self {
            handles: read(HANDLES, annotation::handles)?,
            sockets: read(SOCKETS, annotation::sockets)?,
        })
    }

    /// How many handles one Store may have, in a Pod of so many containers.
    pub(crate) fn handles(self, containers: usize) -> usize {
        self.handles.unwrap_or_else(|| default_handles(containers).min(MOST_HANDLES))
    }

    /// The same for an instance of an HTTP handler.
    #[must_use]
    pub(crate) fn of_handler(self, containers: usize) -> Self {
        let handles = self.handles(containers);
        let handles = self.handles.unwrap_or(handles.min(MOST_HANDLES_OF_HANDLER));
        Self { handles: Some(handles), ..self }
    }

    /// How many sockets the container may have.
    pub(crate) fn sockets(self, containers: usize) -> usize {
        self.sockets.unwrap_or_else(|| (self.handles(containers) / HANDLES_OF_SOCKET).max(1))
    }
}

/// A container's share of the descriptors.
///
/// A file or a real socket is a descriptor of the Pod's process: all guests together must not use
/// them up, the host needs its own half.
fn default_handles(containers: usize) -> usize {
    let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    share_of_descriptors(descriptors, containers)
}

fn share_of_descriptors(descriptors: u64, containers: usize) -> usize {
    let half = usize::try_from(descriptors / 2).unwrap_or(usize::MAX);
    // With fewer no program gets as far as its first error message.
    (half / containers.max(1)).max(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(annotations: &[(&str, &str)]) -> Result<GuestLimits, String> {
        let annotations = annotations.iter();
        let annotations =
            annotations.map(|(name, value)| (format!("wasmpod.dev/{name}"), (*value).to_owned()));
        let container = Container { name: "web".to_owned(), ..Container::default() };
        GuestLimits::of(Some(&annotations.collect()), &container).map_err(|error| error.to_string())
    }

    #[test]
    fn handles_of_all_containers_leave_the_host_half_of_its_descriptors() {
        assert_eq!(share_of_descriptors(1024, 1), 512);
        assert_eq!(share_of_descriptors(4096, 4), 512);
        assert_eq!(share_of_descriptors(20, 0), 32);
        assert!(GuestLimits::default().handles(1) <= MOST_HANDLES);
    }

    #[test]
    fn what_a_pod_says_counts_for_one_or_for_all() {
        let both =
            limits(&[("handles", "100"), ("handles.web", "40000"), ("sockets", "7")]).unwrap();
        assert_eq!((both.handles(3), both.sockets(3)), (40_000, 7));
        assert_eq!(both.of_handler(3).handles(3), 40_000);
        let all = limits(&[("handles", "100"), ("handles.db", "200")]).unwrap();
        assert_eq!((all.handles(1), all.sockets(1)), (100, 25));
        let none = limits(&[]).unwrap();
        assert_eq!(none, GuestLimits::default());
        assert!(none.of_handler(1).handles(1) <= MOST_HANDLES_OF_HANDLER);
        assert_eq!(
            limits(&[("sockets.web", "many")]).unwrap_err(),
            "annotation `wasmpod.dev/sockets.web`: \"many\" is not a number of sockets, 1 to 250000"
        );
    }
}
