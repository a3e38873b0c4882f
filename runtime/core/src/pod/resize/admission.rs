//! Whether there is room for a Pod with other resources, where no
//! [`Scheduler`](crate::pod::Scheduler) keeps account of the machine's. Pure but for the question what
//! the machine has.

use std::path::Path;

use k8s_openapi::api::core::v1::Pod;

use crate::lifecycle::ResizeAnswer;
use crate::manifest::downward::Allocatable;
use crate::resources::{PodResources, allocatable};

/// What the machine could give at all is given.
pub(super) fn of_machine(pod: &Pod, folder: &Path) -> ResizeAnswer {
    answer(pod.spec.as_ref().map(PodResources::of).unwrap_or_default(), &allocatable(folder))
}

/// Rule: `canResizePod` of the kubelet, in its words.
fn answer(wanted: PodResources, machine: &Allocatable) -> ResizeAnswer {
    let capacity = "Node didn't have enough capacity";
    let (memory, cpu) = (machine.memory.bytes(), machine.cpu.milli_ceil());
    if wanted.memory_request > memory {
        let requested = wanted.memory_request;
        return ResizeAnswer::Infeasible(format!(
            "{capacity}: memory, requested: {requested}, capacity: {memory}"
        ));
    }
    let cpu = u64::try_from(cpu).unwrap_or(0);
    if wanted.cpu_request > cpu {
        let requested = wanted.cpu_request;
        return ResizeAnswer::Infeasible(format!(
            "{capacity}: cpu, requested: {requested}, capacity: {cpu}"
        ));
    }
    ResizeAnswer::Admitted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::quantity::Quantity;

    #[test]
    fn more_than_the_machine_has_is_never_given() {
        let machine = Allocatable {
            cpu: Quantity::units(2),
            memory: Quantity::from_bytes(1 << 30),
            ephemeral_storage: Quantity::ZERO,
        };
        let wanted = |cpu_request, memory_request| PodResources {
            cpu_request,
            memory_request,
            ..PodResources::default()
        };
        assert_eq!(answer(wanted(2000, 1 << 30), &machine), ResizeAnswer::Admitted);
        let never = |message: &str| ResizeAnswer::Infeasible(message.to_owned());
        assert_eq!(
            answer(wanted(2001, 0), &machine),
            never("Node didn't have enough capacity: cpu, requested: 2001, capacity: 2000")
        );
        assert_eq!(
            answer(wanted(2001, (1 << 30) + 1), &machine),
            never(
                "Node didn't have enough capacity: memory, requested: 1073741825, capacity: 1073741824"
            )
        );
    }
}
