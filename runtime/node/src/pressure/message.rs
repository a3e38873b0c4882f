//! What is said of an eviction. Pure.
//!
//! Rule: the kubelet's `evictionMessage`, each of whose sentences ends with a blank.

use wasmpod::manifest::quantity::Quantity;

use super::rank::Victim;
use super::watch::Memory;

pub(super) fn message(memory: &Memory, threshold: u64, victim: &Victim<'_>) -> String {
    let mut text = format!(
        "The node was low on resource: memory. Threshold quantity: {}, available: {}. ",
        Quantity::from_bytes(threshold),
        Quantity::from_bytes(memory.available),
    );
    for container in &victim.pod.containers {
        let is_meant = victim.container.is_none_or(|only| only == container.name);
        let request = victim.pod.request_of(&container.name);
        if is_meant && container.memory > request {
            text += &format!(
                "Container {} was using {}, request is {}, has larger consumption of memory. ",
                container.name,
                Quantity::from_bytes(container.memory),
                Quantity::from_bytes(request),
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pressure::rank::tests::pod;
    use crate::pressure::rank::{Policy, rank};

    #[test]
    fn it_says_how_short_memory_is_and_who_uses_too_much() {
        let pods = [pod("web", 0, &[("c", 0, 200), ("d", 50, 30), ("e", 1, 2)])];
        let memory = Memory { available: 60 << 20, capacity: 512 << 20 };
        let low = "The node was low on resource: memory. Threshold quantity: 100Mi, \
                   available: 60Mi. ";
        let c = "Container c was using 200Mi, request is 0, has larger consumption of memory. ";
        let e = "Container e was using 2Mi, request is 1Mi, has larger consumption of memory. ";
        let text = |policy| message(&memory, 100 << 20, &rank(policy, &pods)[0]);
        assert_eq!(text(Policy::Container), format!("{low}{c}"));
        assert_eq!(text(Policy::Pod), format!("{low}{c}{e}"));
    }
}
