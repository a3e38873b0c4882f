//! Which limits a Pod has on what it writes, and whether it is over one. Pure.
//!
//! | what | counts | limit |
//! |---|---|---|
//! | an emptyDir | its files | `sizeLimit`; in memory no more than the Pod's memory limit |
//! | the Pod | roots and logs of its containers, emptyDirs on disk | the sum of its containers' limits, or its own |
//! | a container | its root and its logs | `limits.ephemeral-storage` |
//!
//! Rule: `emptyDirLimitEviction`, `podEphemeralStorageLimitEviction` and
//! `containerEphemeralStorageLimitEviction` of the kubelet, and for volumes in memory the size of their
//! tmpfs (`calculateEmptyDirMemorySize`).

use k8s_openapi::api::core::v1::{Container, Pod, PodSpec, Volume};

use super::sizes::Sizes;
use crate::manifest;
use crate::manifest::quantity::Quantity;
use crate::resources::PodResources;

/// The limits of a Pod, and what they are about.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    empty_dirs: Vec<EmptyDir>,
    pod: Option<Quantity>,
    /// Init containers, then app containers.
    containers: Vec<String>,
    /// Of app containers that have one.
    of_containers: Vec<(String, Quantity)>,
}

#[derive(Debug)]
struct EmptyDir {
    name: String,
    in_memory: bool,
    limit: Option<Quantity>,
    /// The only container that mounts it.
    mounted_by: Option<String>,
}

/// What to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    /// Volumes in memory.
    Memory,
}

impl Bounds {
    pub(super) fn of(pod: &Pod) -> Self {
        let Some(spec) = &pod.spec else { return Self::default() };
        let volumes = spec.volumes.iter().flatten().filter(|volume| volume.empty_dir.is_some());
        let of_container = |container: &Container| {
            let limits = container.resources.as_ref()?.limits.as_ref()?;
            let limit: Quantity = limits.get("ephemeral-storage")?.0.parse().ok()?;
            (!limit.is_zero()).then(|| (container.name.clone(), limit))
        };
        Self {
            empty_dirs: volumes.map(|volume| EmptyDir::of(volume, spec)).collect(),
            pod: PodResources::ephemeral_storage_limit(spec),
            containers: manifest::containers(spec).map(|each| each.name.clone()).collect(),
            of_containers: spec.containers.iter().filter_map(of_container).collect(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let bounded = |dir: &EmptyDir| dir.limit.is_some() || dir.in_memory;
        self.pod.is_none() && self.of_containers.is_empty() && !self.empty_dirs.iter().any(bounded)
    }

    pub(super) fn has_memory(&self) -> bool {
        self.empty_dirs.iter().any(|dir| dir.in_memory)
    }

    /// Volumes in memory, each with the container that alone mounts it.
    pub(super) fn in_memory(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let dirs = self.empty_dirs.iter().filter(|dir| dir.in_memory);
        dirs.map(|dir| (dir.name.as_str(), dir.mounted_by.as_deref()))
    }

    /// The kubelet's words for the first limit that is exceeded.
    pub(super) fn exceeded(&self, scope: Scope, sizes: &impl Sizes) -> Option<String> {
        let looked_at = |dir: &&EmptyDir| dir.in_memory || scope == Scope::All;
        let mut dirs = self.empty_dirs.iter().filter(looked_at);
        let of_dirs =
            dirs.find_map(|dir| over_limit(&dir.name, dir.limit?, sizes.volume(&dir.name)));
        if of_dirs.is_some() || scope == Scope::Memory {
            return of_dirs;
        }
        self.pod_exceeded(sizes).or_else(|| self.container_exceeded(sizes))
    }

    fn pod_exceeded(&self, sizes: &impl Sizes) -> Option<String> {
        let limit = self.pod?;
        let containers = self.containers.iter();
        let of_containers =
            containers.map(|name| sizes.root(name).saturating_add(sizes.logs(name)));
        let on_disk = self.empty_dirs.iter().filter(|dir| !dir.in_memory);
        let used = of_containers.chain(on_disk.map(|dir| sizes.volume(&dir.name)));
        (used.fold(0, u64::saturating_add) > limit.bytes()).then(|| {
            format!(
                "Pod ephemeral local storage usage exceeds the total limit of containers {limit}. "
            )
        })
    }

    fn container_exceeded(&self, sizes: &impl Sizes) -> Option<String> {
        self.of_containers.iter().find_map(|(name, limit)| {
            let used = sizes.root(name).saturating_add(sizes.logs(name));
            (used > limit.bytes()).then(|| {
                format!("Container {name} exceeded its local ephemeral storage limit \"{limit}\". ")
            })
        })
    }
}

fn over_limit(volume: &str, limit: Quantity, used: u64) -> Option<String> {
    (used > limit.bytes())
        .then(|| format!("Usage of EmptyDir volume {volume:?} exceeds the limit \"{limit}\". "))
}

impl EmptyDir {
    fn of(volume: &Volume, spec: &PodSpec) -> Self {
        let source = volume.empty_dir.as_ref();
        let in_memory = source.is_some_and(|source| source.medium.as_deref() == Some("Memory"));
        let own = source.and_then(|source| source.size_limit.as_ref()?.0.parse().ok());
        let own = own.filter(|limit: &Quantity| !limit.is_zero());
        let of_pod = PodResources::of(spec).memory_limit.filter(|_| in_memory);
        let of_pod = of_pod.map(Quantity::from_bytes);
        let limit = match (own, of_pod) {
            (Some(own), Some(of_pod)) => Some(own.min(of_pod)),
            (own, of_pod) => own.or(of_pod),
        };
        let mut mounting = manifest::containers(spec).filter(|container| {
            let mut mounts = container.volume_mounts.iter().flatten();
            mounts.any(|mount| mount.name == volume.name)
        });
        let mounted_by = match (mounting.next(), mounting.next()) {
            (Some(only), None) => Some(only.name.clone()),
            (None | Some(_), _) => None,
        };
        Self { name: volume.name.clone(), in_memory, limit, mounted_by }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// Bytes of `volume/NAME`, `root/NAME` and `logs/NAME`.
    struct Written(&'static [(&'static str, u64)]);

    impl Written {
        fn bytes(&self, kind: &str, name: &str) -> u64 {
            let written = self.0.iter().find(|(what, _)| *what == format!("{kind}/{name}"));
            written.map_or(0, |(_, bytes)| *bytes)
        }
    }

    impl Sizes for Written {
        fn volume(&self, name: &str) -> u64 {
            self.bytes("volume", name)
        }

        fn root(&self, container: &str) -> u64 {
            self.bytes("root", container)
        }

        fn logs(&self, container: &str) -> u64 {
            self.bytes("logs", container)
        }
    }

    fn bounds(spec: Value) -> Bounds {
        let pod = json!({ "metadata": { "name": "p" }, "spec": spec });
        Bounds::of(&serde_json::from_value(pod).unwrap())
    }

    fn said(bounds: &Bounds, written: &'static [(&'static str, u64)]) -> String {
        bounds.exceeded(Scope::All, &Written(written)).unwrap_or_default()
    }

    fn container(name: &str, limits: Value) -> Value {
        json!({ "name": name, "resources": { "limits": limits } })
    }

    #[test]
    fn a_container_counts_its_root_and_its_logs() {
        let web = container("web", json!({ "ephemeral-storage": "1Ki" }));
        let bounds = bounds(json!({ "containers": [web, container("db", json!({}))] }));
        assert!(!bounds.is_empty() && !bounds.has_memory());
        assert_eq!(said(&bounds, &[("root/web", 1000), ("logs/web", 24)]), "");
        // Of the whole Pod first: it has the limits of those that have one.
        insta::assert_snapshot!(said(&bounds, &[("root/web", 1000), ("logs/web", 25)]),
            @"Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. ");
    }

    #[test]
    fn of_several_containers_one_may_be_over() {
        let limits = || json!({ "ephemeral-storage": "1Gi" });
        let bounds = bounds(
            json!({ "containers": [container("web", limits()), container("db", limits())] }),
        );
        insta::assert_snapshot!(said(&bounds, &[("root/db", (1 << 30) + 1)]),
            @r#"Container db exceeded its local ephemeral storage limit "1Gi". "#);
    }

    #[test]
    fn the_pod_counts_volumes_on_disk_too() {
        let bounds = bounds(json!({
            "containers": [container("web", json!({ "ephemeral-storage": "1Ki" }))],
            "volumes": [
                { "name": "disk", "emptyDir": {} },
                { "name": "memory", "emptyDir": { "medium": "Memory" } },
                { "name": "map", "configMap": { "name": "m" } },
            ],
        }));
        assert_eq!(said(&bounds, &[("volume/memory", 5000), ("volume/map", 5000)]), "");
        insta::assert_snapshot!(said(&bounds, &[("volume/disk", 1025)]),
            @"Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. ");
    }

    #[test]
    fn a_volume_in_memory_is_no_larger_than_the_pods_memory() {
        let volume = |source: Value| json!([{ "name": "cache", "emptyDir": source }, { "name": "other", "emptyDir": {} }]);
        let mount = json!([{ "name": "cache", "mountPath": "/cache" }]);
        let mut web = container("web", json!({ "memory": "64Mi" }));
        web["volumeMounts"] = mount.clone();
        let pod = |containers: Value, source: Value| {
            bounds(json!({ "containers": containers, "volumes": volume(source) }))
        };
        let small = pod(json!([web]), json!({ "medium": "Memory", "sizeLimit": "1Mi" }));
        insta::assert_snapshot!(said(&small, &[("volume/cache", (1 << 20) + 1)]),
            @r#"Usage of EmptyDir volume "cache" exceeds the limit "1Mi". "#);
        assert_eq!(small.in_memory().collect::<Vec<_>>(), [("cache", Some("web"))]);
        let unsaid = pod(json!([web]), json!({ "medium": "Memory" }));
        assert_eq!(said(&unsaid, &[("volume/cache", 64 << 20)]), "");
        insta::assert_snapshot!(said(&unsaid, &[("volume/cache", (64 << 20) + 1)]),
            @r#"Usage of EmptyDir volume "cache" exceeds the limit "64Mi". "#);
        let mut other = container("other", json!({}));
        other["volumeMounts"] = mount;
        let shared = pod(json!([web, other]), json!({ "medium": "Memory" }));
        assert_eq!(said(&shared, &[("volume/cache", u64::MAX)]), "", "no limit of the whole");
        assert_eq!(shared.in_memory().collect::<Vec<_>>(), [("cache", None)]);
        assert!(shared.has_memory() && !shared.is_empty());
    }

    #[test]
    fn a_look_at_memory_passes_over_the_disk() {
        let bounds = bounds(json!({
            "containers": [container("web", json!({ "ephemeral-storage": "1Ki" }))],
            "volumes": [{ "name": "disk", "emptyDir": { "sizeLimit": "1Ki" } }],
        }));
        let written = Written(&[("volume/disk", 5000), ("root/web", 5000)]);
        assert_eq!(bounds.exceeded(Scope::Memory, &written), None);
        assert!(bounds.exceeded(Scope::All, &written).is_some());
    }

    #[test]
    fn a_pod_without_limits_is_not_looked_at() {
        let pod = json!({ "containers": [{ "name": "a" }], "volumes": [{ "name": "v", "emptyDir": {} }] });
        assert!(bounds(pod).is_empty());
    }
}
