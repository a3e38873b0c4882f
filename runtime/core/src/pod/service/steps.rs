//! From the Services that are announced to those that are wanted, step by step. Pure.
//!
//! What goes is closed before anything is opened: a node port may pass from one Service to another. A
//! Service is published when its node ports are open, and withdrawn when they are closed, so that whoever
//! sees its record sees the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::sandbox::network::{ServicePort, ServiceRecord};

/// Services by their uids.
pub(super) type Records = BTreeMap<String, Arc<ServiceRecord>>;

/// One step. An unchanged Service is in none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// The node port is nobody's any more.
    Close(u16),
    /// The Service is gone.
    Withdraw(String),
    /// A Service wants the node port, which nobody listens at.
    Open(u16),
    /// The node port is open, and leads elsewhere from now on.
    Lead(u16),
    /// The Service is new, or another than it was.
    Publish(String),
}

/// The steps from `announced`, where the node ports of `open` are listened at, to `wanted`.
pub(super) fn steps(announced: &Records, open: &BTreeSet<u16>, wanted: &Records) -> Vec<Step> {
    let (before, after) = (node_ports(announced), node_ports(wanted));
    let is_changed = |uid: &String| announced.get(uid) != wanted.get(uid);
    let closed = open.iter().filter(|number| !after.contains_key(number));
    let mut steps: Vec<Step> = closed.copied().map(Step::Close).collect();
    let gone = announced.keys().filter(|uid| !wanted.contains_key(*uid));
    steps.extend(gone.cloned().map(Step::Withdraw));
    for (number, (uid, _)) in &after {
        if !open.contains(number) {
            steps.push(Step::Open(*number));
        } else if is_changed(uid) || before.get(number).is_none_or(|(owner, _)| owner != uid) {
            steps.push(Step::Lead(*number));
        }
    }
    steps.extend(wanted.keys().filter(|uid| is_changed(uid)).cloned().map(Step::Publish));
    steps
}

/// The node ports of Services, each with whose it is.
pub(super) fn node_ports(records: &Records) -> BTreeMap<u16, (String, ServicePort)> {
    let all = records.iter().flat_map(|(uid, record)| {
        record.ports.iter().map(move |port| (port.node_port, uid.clone(), port.clone()))
    });
    all.filter_map(|(number, uid, port)| Some((number?, (uid, port)))).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::record;
    use super::*;

    /// Services by uid, each with its target and node ports.
    fn records(services: &[(&str, u16, &[u16])]) -> Records {
        let record = |target: u16, node_ports: &[u16]| {
            let ports = node_ports.iter().enumerate().map(|(index, number)| {
                json!({ "name": format!("p{index}"), "port": 80 + index, "targetPort": target,
                        "nodePort": number })
            });
            let spec = json!({ "type": "NodePort", "clusterIP": "10.96.0.1",
                               "ports": ports.collect::<Vec<_>>() });
            let service = json!({ "metadata": { "name": "web" }, "spec": spec });
            Arc::new(record::kept(&serde_json::from_value(service).unwrap()))
        };
        let of = |(uid, target, ports): &(&str, u16, &[u16])| {
            ((*uid).to_owned(), record(*target, ports))
        };
        services.iter().map(of).collect()
    }

    fn told(before: &Records, open: &[u16], after: &Records) -> String {
        let steps = steps(before, &open.iter().copied().collect(), after);
        steps.iter().map(|step| format!("{step:?}\n")).collect()
    }

    #[test]
    fn what_is_unchanged_is_not_touched() {
        let there = records(&[("a", 80, &[30_001]), ("b", 80, &[])]);
        assert_eq!(told(&there, &[30_001], &there), "");
        // Somebody had it when it was to be opened.
        assert_eq!(told(&there, &[], &there), "Open(30001)\n");
    }

    #[test]
    fn what_goes_is_closed_before_anything_is_opened() {
        let before = records(&[("a", 80, &[30_001]), ("b", 80, &[30_002]), ("c", 80, &[])]);
        let after = records(&[("b", 81, &[30_002, 30_003]), ("c", 80, &[]), ("d", 80, &[30_001])]);
        insta::assert_snapshot!(told(&before, &[30_001, 30_002], &after), @r#"
        Withdraw("a")
        Lead(30001)
        Lead(30002)
        Open(30003)
        Publish("b")
        Publish("d")
        "#);
        insta::assert_snapshot!(told(&after, &[30_001, 30_002, 30_003], &records(&[])), @r#"
        Close(30001)
        Close(30002)
        Close(30003)
        Withdraw("b")
        Withdraw("c")
        Withdraw("d")
        "#);
    }

    fn any_records() -> impl Strategy<Value = Records> {
        // Node ports are given out once.
        let ports = prop::collection::vec((0_usize..4, 80_u16..82), 6);
        ports.prop_map(|owners| {
            let mut services: BTreeMap<&str, (u16, Vec<u16>)> = BTreeMap::new();
            for (number, (owner, target)) in (30_000..).zip(owners) {
                if let Some(uid) = ["a", "b", "c"].get(owner) {
                    let service = services.entry(uid).or_insert((target, Vec::new()));
                    service.1.push(number);
                }
            }
            let services: Vec<(&str, u16, &[u16])> =
                services.iter().map(|(uid, (target, ports))| (*uid, *target, &**ports)).collect();
            records(&services)
        })
    }

    proptest! {
        #[test]
        fn the_steps_lead_there(before in any_records(), after in any_records()) {
            let mut open: BTreeSet<u16> = node_ports(&before).into_keys().collect();
            let mut announced = before.clone();
            let mut leads: BTreeMap<u16, Arc<ServiceRecord>> = node_ports(&before)
                .into_iter().map(|(number, (uid, _))| (number, before[&uid].clone())).collect();
            let wanted_ports = node_ports(&after);
            for step in steps(&before, &open.clone(), &after) {
                match step {
                    Step::Close(number) => { prop_assert!(open.remove(&number)); leads.remove(&number); }
                    Step::Withdraw(uid) => { prop_assert!(announced.remove(&uid).is_some()); }
                    Step::Open(number) => {
                        prop_assert!(open.insert(number));
                        leads.insert(number, after[&wanted_ports[&number].0].clone());
                    }
                    Step::Lead(number) => {
                        prop_assert!(open.contains(&number));
                        leads.insert(number, after[&wanted_ports[&number].0].clone());
                    }
                    Step::Publish(uid) => { announced.insert(uid.clone(), after[&uid].clone()); }
                }
            }
            prop_assert_eq!(&announced, &after);
            for (number, (uid, _)) in &wanted_ports {
                prop_assert_eq!(&leads[number], &after[uid]);
            }
            prop_assert_eq!(leads.len(), wanted_ports.len());
        }
    }
}
