//! The CPU of a Pod as a whole: its limit, and its share beside other Pods.
//!
//! A limit is that of `spec.resources`: without one the containers' own are all there is, since none
//! exceeds its own. The share goes by the Pod's CPU request, among the busy Pods of this user on
//! this machine, in a cgroup of the host as well: the kernel keeps the shares of cgroups on each core,
//! but where it puts the threads is not exact (of four Pods with two busy threads each on two cores
//! one had a core to itself for seconds, and the others the rest).

use std::convert::Infallible;
use std::future::pending;
use std::num::NonZeroU32;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::{Pod, PodSpec};

use super::folders::Folders;
use super::runtime::PodRuntime;
use super::uid::seed;
use crate::executor::MilliCpu;
use crate::private_folder::make_private;
use crate::resources::cgroup::Figures;
use crate::resources::{PodResources, qos_class};

/// Who shares out the CPU among the Pods of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CpuSharing {
    /// The Pods themselves, by their requests: the busy ones tell each other in this file.
    Engines(PathBuf),
    /// The kernel alone, evenly among threads: there is no folder that is this user's alone.
    Kernel,
}

impl CpuSharing {
    /// As a Pod with its state in `folders` finds it, which may make the file's folder.
    pub fn of(folders: &Folders) -> Self {
        let file = folders.busy_pods();
        match file.parent().map(make_private) {
            Some(Ok(())) => Self::Engines(file),
            Some(Err(_)) | None => Self::Kernel,
        }
    }
}

/// What all containers of a Pod may use together, if it says so itself.
pub(super) fn limit(spec: &PodSpec) -> Option<MilliCpu> {
    let limits = spec.resources.as_ref()?.limits.as_ref()?;
    limits.get("cpu")?;
    let limit = PodResources::of(spec).cpu_limit?;
    MilliCpu::new(u32::try_from(limit).unwrap_or(u32::MAX))
}

/// Has the Pod share the machine with others; to be dropped with it.
pub(super) async fn shared(runtime: &PodRuntime) -> Infallible {
    if runtime.virtual_life.is_none()
        && let Some(spec) = &runtime.pod().spec
    {
        share(runtime, spec);
    }
    pending().await
}

/// Shares the machine by what `spec` requests from here on.
fn share(runtime: &PodRuntime, spec: &PodSpec) {
    let place = runtime.request.host.folders().busy_pods();
    let id = seed(&runtime.identity.uid);
    runtime.executor.share_machine(place, id, weight(spec));
}

/// The Pod requests other CPU than its manifest does.
pub(super) fn share_anew(runtime: &PodRuntime, pod: &Pod) {
    if runtime.virtual_life.is_none()
        && let Some(spec) = &pod.spec
    {
        share(runtime, spec);
    }
}

/// Shares as Kubernetes has them: 1024 for a core, at least 2.
fn weight(spec: &PodSpec) -> NonZeroU32 {
    let shares = Figures::of(qos_class(spec), PodResources::of(spec)).shares;
    u32::try_from(shares).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(resources: Value, containers: &[Value]) -> PodSpec {
        let container = |own: &Value| json!({"name": "a", "resources": own});
        let containers: Vec<_> = containers.iter().map(container).collect();
        serde_json::from_value(json!({"resources": resources, "containers": containers})).unwrap()
    }

    #[test]
    fn only_the_pods_own_limit_holds_all_containers_together() {
        let own = json!({"limits": {"cpu": "500m"}});
        assert_eq!(limit(&spec(json!({}), std::slice::from_ref(&own))), None);
        let pod = json!({"limits": {"cpu": "1500m"}});
        assert_eq!(limit(&spec(pod, &[own])), MilliCpu::new(1500));
        let memory = json!({"limits": {"memory": "1Gi"}});
        assert_eq!(limit(&spec(memory, &[json!({})])), None);
        let zero = json!({"limits": {"cpu": "0"}});
        assert_eq!(limit(&spec(zero, &[json!({})])), None);
    }

    #[test]
    fn requests_are_weights() {
        let asks = |cpu: &str| json!({"requests": {"cpu": cpu}});
        for (resources, containers, shares) in [
            (json!(null), vec![json!({})], 2),
            (json!(null), vec![asks("1m")], 2),
            (json!(null), vec![asks("250m"), asks("250m")], 512),
            (asks("2"), vec![asks("250m")], 2048),
        ] {
            assert_eq!(weight(&spec(resources, &containers)).get(), shares);
        }
    }
}
