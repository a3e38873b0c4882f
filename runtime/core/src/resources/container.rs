//! A container's requests and limits as figures. Rule: Container `resources`.

use k8s_openapi::api::core::v1::{Container, ResourceRequirements};

use crate::executor::MilliCpu;
use crate::manifest::quantity::Quantity;

/// What a container asks for; `None` where it does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContainerResources {
    /// `requests.cpu`: its weight among the containers of its Pod.
    pub cpu_request: Option<MilliCpu>,
    /// `limits.cpu`: what it never exceeds.
    pub cpu_limit: Option<MilliCpu>,
    /// `limits.memory`, in bytes.
    pub memory_limit: Option<u64>,
}

impl ContainerResources {
    /// The figures of `container`; CPU is rounded up to a thousandth of a core.
    pub fn of(container: &Container) -> Self {
        container.resources.as_ref().map(Self::of_requirements).unwrap_or_default()
    }

    /// The same of what stands in its `resources`.
    pub fn of_requirements(resources: &ResourceRequirements) -> Self {
        let request = |name| quantity(resources.requests.as_ref()?.get(name)?);
        let limit = |name| quantity(resources.limits.as_ref()?.get(name)?);
        Self {
            cpu_request: request("cpu").and_then(milli),
            cpu_limit: limit("cpu").and_then(milli),
            memory_limit: limit("memory").map(Quantity::bytes),
        }
    }
}

fn quantity(text: &k8s_openapi::apimachinery::pkg::api::resource::Quantity) -> Option<Quantity> {
    text.0.parse().ok()
}

fn milli(cpu: Quantity) -> Option<MilliCpu> {
    let milli = cpu.milli_ceil().max(0);
    MilliCpu::new(u32::try_from(milli).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(resources: serde_json::Value) -> ContainerResources {
        let container = serde_json::json!({"name": "a", "resources": resources});
        ContainerResources::of(&serde_json::from_value(container).unwrap())
    }

    #[test]
    fn figures_are_thousandths_of_a_core_and_bytes() {
        let figures = of(serde_json::json!({
            "requests": {"cpu": "250m", "memory": "1Gi"},
            "limits": {"cpu": "1.5", "memory": "64Mi"},
        }));
        assert_eq!(figures.cpu_request, MilliCpu::new(250));
        assert_eq!(figures.cpu_limit, MilliCpu::new(1500));
        assert_eq!(figures.memory_limit, Some(64 << 20));
    }

    #[test]
    fn what_is_not_said_is_none() {
        assert_eq!(of(serde_json::json!({})), ContainerResources::default());
        // Nothing asked for is no weight, and nothing granted would be no container.
        let zero = of(serde_json::json!({"requests": {"cpu": "0"}, "limits": {"cpu": "0"}}));
        assert_eq!(zero, ContainerResources::default());
    }

    #[test]
    fn figures_beyond_any_machine_are_the_largest() {
        let huge = of(serde_json::json!({"limits": {"cpu": "9E", "memory": "9E"}}));
        assert_eq!(huge.cpu_limit, MilliCpu::new(u32::MAX));
        assert_eq!(huge.memory_limit, Some(9_000_000_000_000_000_000));
    }
}
