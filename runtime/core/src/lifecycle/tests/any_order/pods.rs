//! Any Pod: up to seven containers of every role and policy, with probes, hooks and rules.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::lifecycle::{Admission, MaxDelay, Spec};

/// A Pod, and the longest delay between two restarts in it.
#[derive(Clone, Debug)]
pub(super) struct AnyPod {
    pub(super) spec: Spec,
    pub(super) max_delay: Duration,
}

pub(super) fn pod() -> impl Strategy<Value = AnyPod> {
    let policy = prop_oneof![Just("Always"), Just("OnFailure"), Just("Never")];
    let sidecar = care().prop_map(Init::Sidecar);
    let own_policy = prop::option::of(prop_oneof![Just("OnFailure"), Just("Never")]);
    let plain = (own_policy, rules()).prop_map(|(policy, rules)| Init::Plain { policy, rules });
    let init = prop::collection::vec(prop_oneof![sidecar, plain], 0..4);
    let container = (prop::option::of(policy.clone()), rules(), care());
    let app = prop::collection::vec(container, 1..4);
    let deadline = prop::option::weighted(0.2, 1..2_000_i64);
    let max_delay = prop_oneof![4 => Just(300_u64), 1 => 1..300_u64];
    let admission = prop_oneof![3 => Just(Admission::AtOnce), 1 => Just(Admission::Asked)];
    (policy, init, app, 0..35_i64, deadline, max_delay, admission).prop_map(
        |(policy, init, app, grace, deadline, max_delay, admission)| {
            let name = |list: &str, index: usize| format!("{list}{index}");
            let init: Vec<Value> = (init.into_iter().enumerate())
                .map(|(index, init)| init.named(&name("i", index)))
                .collect();
            let app: Vec<Value> = (app.into_iter().enumerate())
                .map(|(index, (policy, rules, care))| {
                    let mut container = json!({
                        "name": name("a", index),
                        "restartPolicy": policy,
                        "restartPolicyRules": rules,
                    });
                    care.add_to(&mut container);
                    container
                })
                .collect();
            let pod = json!({
                "metadata": { "name": "p", "uid": "u" },
                "spec": {
                    "restartPolicy": policy,
                    "terminationGracePeriodSeconds": grace,
                    "activeDeadlineSeconds": deadline,
                    "initContainers": init,
                    "containers": app,
                },
            });
            let mut spec = Spec::new(&serde_json::from_value(pod).unwrap()).unwrap();
            let max_delay = Duration::from_secs(max_delay);
            spec.max_restart_delay = MaxDelay::new(max_delay).unwrap();
            spec.admission = admission;
            AnyPod { spec, max_delay }
        },
    )
}

/// One of the init containers.
#[derive(Clone, Debug)]
enum Init {
    Sidecar(Care),
    Plain { policy: Option<&'static str>, rules: Option<Value> },
}

impl Init {
    fn named(self, name: &str) -> Value {
        match self {
            Self::Sidecar(care) => {
                let mut sidecar = json!({ "name": name, "restartPolicy": "Always" });
                care.add_to(&mut sidecar);
                sidecar
            }
            Self::Plain { policy, rules } => {
                json!({ "name": name, "restartPolicy": policy, "restartPolicyRules": rules })
            }
        }
    }
}

/// Mostly no rule; else one for a code that guests end with.
fn rules() -> impl Strategy<Value = Option<Value>> {
    let rule = |(all, not, code): (bool, bool, i32)| {
        json!([{
            "action": if all { "RestartAllContainers" } else { "Restart" },
            "exitCodes": { "operator": if not { "NotIn" } else { "In" }, "values": [code] },
        }])
    };
    let codes = (prop::bool::weighted(0.7), prop::bool::weighted(0.2), 0..3);
    prop::option::weighted(0.2, codes.prop_map(rule))
}

/// The probes and hooks of a container.
#[derive(Clone, Debug)]
struct Care {
    probes: Vec<Option<AnyProbe>>,
    hooks: [bool; 2],
}

#[derive(Clone, Debug)]
struct AnyProbe {
    period: i32,
    delay: i32,
    failures: i32,
    successes: i32,
    grace: Option<i64>,
}

fn care() -> impl Strategy<Value = Care> {
    let grace = prop::option::weighted(0.3, 0..20_i64);
    let probe = (1..30_i32, 0..30_i32, 1..4_i32, 1..3_i32, grace).prop_map(
        |(period, delay, failures, successes, grace)| AnyProbe {
            period,
            delay,
            failures,
            successes,
            grace,
        },
    );
    let hook = || prop::bool::weighted(0.3);
    (prop::collection::vec(prop::option::weighted(0.4, probe), 3), [hook(), hook()])
        .prop_map(|(probes, hooks)| Care { probes, hooks })
}

impl Care {
    fn add_to(self, container: &mut Value) {
        for (name, probe) in
            ["startupProbe", "livenessProbe", "readinessProbe"].iter().zip(self.probes)
        {
            if let Some(probe) = probe {
                // What validation leaves to each kind.
                let readiness = *name == "readinessProbe";
                container[name] = json!({
                    "tcpSocket": { "port": 80 },
                    "periodSeconds": probe.period,
                    "initialDelaySeconds": probe.delay,
                    "failureThreshold": probe.failures,
                    "successThreshold": if readiness { probe.successes } else { 1 },
                    "terminationGracePeriodSeconds": probe.grace.filter(|_| !readiness),
                });
            }
        }
        for (name, wanted) in ["postStart", "preStop"].iter().zip(self.hooks) {
            if wanted {
                container["lifecycle"][name] = json!({ "sleep": { "seconds": 5 } });
            }
        }
    }
}
