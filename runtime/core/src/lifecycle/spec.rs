//! What a Pod wants, with its texts turned into types once.
//!
//! Everything in `lifecycle` reads this and never the manifest: a restart policy is an enum here,
//! a container is known by its place, and the order of the list is the order of start.

use std::fmt;
use std::time::Duration;

use k8s_openapi::api::core::v1::{
    Container, ContainerRestartRule, ObjectReference, Pod, ResourceRequirements,
};

use super::backoff::MaxDelay;
use super::probe::{ProbeKind, ProbeSpec};
use crate::resources::{QosClass, qos_class};

/// A validated Pod as its life cycle sees it.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Who the Pod is.
    pub identity: Identity,
    /// The init containers in their order, then the app containers in theirs.
    pub containers: Vec<ContainerSpec>,
    /// `spec.terminationGracePeriodSeconds`.
    pub grace: Duration,
    /// `spec.activeDeadlineSeconds`.
    pub active_deadline: Option<Duration>,
    /// The condition types of `spec.readinessGates`.
    pub readiness_gates: Vec<String>,
    /// `status.qosClass`.
    pub qos_class: QosClass,
    /// The longest wait between two restarts of one container.
    pub max_restart_delay: MaxDelay,
    /// Whether it has to be given a place on the machine before anything begins.
    pub admission: Admission,
}

/// How a Pod comes by its place on the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// It asks for nothing that could be missing, or nobody keeps account.
    #[default]
    AtOnce,
    /// It asks for it, and waits until there is room.
    Asked,
}

/// The name, namespace and uid of a Pod; `Display` is the form in the kubelet's messages,
/// `name_namespace(uid)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.uid`.
    pub uid: String,
}

impl Identity {
    /// The Pod as other objects of the API refer to it.
    pub fn reference(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            uid: Some(self.uid.clone()),
            ..ObjectReference::default()
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_{}({})", self.name, self.namespace, self.uid)
    }
}

/// A container's place in [`Spec::containers`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContainerIndex(pub(crate) usize);

/// One container as its life cycle sees it.
#[derive(Clone, Debug)]
pub struct ContainerSpec {
    /// Its name, unique among the Pod's init and app containers.
    pub name: String,
    /// `image`, as written.
    pub image: String,
    /// What it is to the Pod.
    pub role: Role,
    /// When it starts again: its own policy, else the Pod's.
    pub restart_policy: RestartPolicy,
    /// `restartPolicyRules`, looked at before the policy.
    pub restart_rules: Vec<RestartRule>,
    /// Its probes, in the order of [`ProbeKind::ALL`].
    pub probes: Vec<(ProbeKind, ProbeSpec)>,
    /// Whether it has a hook for its start.
    pub post_start: bool,
    /// Whether it has a hook for its end.
    pub pre_stop: bool,
    /// `resources`
    pub resources: ResourceRequirements,
}

/// What a container is to its Pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Runs to success before anything after it starts.
    Init,
    /// An init container with `restartPolicy: Always`: runs beside the app containers.
    Sidecar,
    /// One of `spec.containers`.
    App,
}

/// `restartPolicy` of a Pod or container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RestartPolicy {
    /// Starts again after every end; an init container only after a failure.
    Always,
    /// Starts again after a failure.
    OnFailure,
    /// Never starts again.
    Never,
}

/// One of a container's `restartPolicyRules`: what to do when the exit code matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestartRule {
    /// What starts again.
    pub action: RestartAction,
    /// Whether a code in `codes` matches, or one outside of them.
    pub operator: ExitCodeOperator,
    /// The exit codes to compare with.
    pub codes: Vec<i32>,
}

/// `action` of a restart rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestartAction {
    /// The container itself.
    Restart,
    /// All containers of the Pod, from the first init container on; network and volumes stay.
    RestartAllContainers,
}

/// `exitCodes.operator` of a restart rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCodeOperator {
    /// The code is one of the values.
    In,
    /// The code is none of the values.
    NotIn,
}

/// Why a Pod has no life cycle: something that validation would have refused, or a rule that this
/// runtime does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// A Pod without `spec` or without a single app container.
    #[error("spec.containers: Required value")]
    NoContainers,
    /// Two containers of one name: their statuses could not be told apart.
    #[error("{path}.name: Duplicate value: {name:?}")]
    DuplicateName {
        /// The path of the second one.
        path: String,
        /// The name.
        name: String,
    },
    /// A text outside of its closed list.
    #[error("{path}: Unsupported value: {value:?}: supported values: {supported}")]
    Unsupported {
        /// The path of the field.
        path: String,
        /// What it holds.
        value: String,
        /// What it may hold.
        supported: &'static str,
    },
}

impl Spec {
    /// Reads the life cycle of a Pod that has been defaulted and validated.
    ///
    /// # Errors
    /// [`SpecError`] where validation has been skipped.
    pub fn new(pod: &Pod) -> Result<Self, SpecError> {
        let spec = pod.spec.as_ref().ok_or(SpecError::NoContainers)?;
        if spec.containers.is_empty() {
            return Err(SpecError::NoContainers);
        }
        let policy = match &spec.restart_policy {
            None => RestartPolicy::Always,
            Some(text) => RestartPolicy::parse("spec.restartPolicy", text)?,
        };
        let init = spec.init_containers.iter().flatten().enumerate().map(|(index, container)| {
            ContainerSpec::new(container, true, policy, format!("spec.initContainers[{index}]"))
        });
        let app = spec.containers.iter().enumerate().map(|(index, container)| {
            ContainerSpec::new(container, false, policy, format!("spec.containers[{index}]"))
        });
        let containers = init.chain(app).collect::<Result<Vec<_>, _>>()?;
        refuse_duplicate_names(&containers)?;
        Ok(Self {
            identity: Identity {
                name: pod.metadata.name.clone().unwrap_or_default(),
                namespace: pod.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
                uid: pod.metadata.uid.clone().unwrap_or_default(),
            },
            containers,
            grace: spec.termination_grace_period_seconds.map_or(Duration::from_secs(30), seconds),
            active_deadline: spec.active_deadline_seconds.map(seconds),
            readiness_gates: spec
                .readiness_gates
                .iter()
                .flatten()
                .map(|gate| gate.condition_type.clone())
                .collect(),
            qos_class: qos_class(spec),
            max_restart_delay: MaxDelay::default(),
            admission: Admission::default(),
        })
    }

    /// The places of all containers, in the order of start.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = ContainerIndex> + use<> {
        (0..self.containers.len()).map(ContainerIndex)
    }

    /// The container of that name.
    pub fn index_of(&self, name: &str) -> Option<ContainerIndex> {
        self.containers.iter().position(|container| container.name == name).map(ContainerIndex)
    }

    /// The container at `index`.
    ///
    /// # Panics
    /// When `index` comes from another Pod.
    pub fn container(&self, index: ContainerIndex) -> &ContainerSpec {
        &self.containers[index.0]
    }

    /// Whether there are init containers of any kind.
    pub fn has_init(&self) -> bool {
        self.containers.iter().any(|container| container.role != Role::App)
    }
}

impl ContainerSpec {
    fn new(
        container: &Container,
        init: bool,
        pod_policy: RestartPolicy,
        path: String,
    ) -> Result<Self, SpecError> {
        let own_policy = container
            .restart_policy
            .as_ref()
            .map(|text| RestartPolicy::parse(&format!("{path}.restartPolicy"), text))
            .transpose()?;
        let role = match (init, own_policy) {
            (true, Some(RestartPolicy::Always)) => Role::Sidecar,
            (true, _) => Role::Init,
            (false, _) => Role::App,
        };
        let restart_rules = container
            .restart_policy_rules
            .iter()
            .flatten()
            .enumerate()
            .map(|(index, rule)| {
                RestartRule::parse(rule, &format!("{path}.restartPolicyRules[{index}]"))
            })
            .collect::<Result<_, _>>()?;
        let lifecycle = container.lifecycle.as_ref();
        Ok(Self {
            name: container.name.clone(),
            image: container.image.clone().unwrap_or_default(),
            role,
            restart_policy: own_policy.unwrap_or(pod_policy),
            restart_rules,
            probes: ProbeKind::ALL
                .into_iter()
                .filter_map(|kind| Some((kind, ProbeSpec::new(kind.of(container)?))))
                .collect(),
            post_start: lifecycle.is_some_and(|hooks| hooks.post_start.is_some()),
            pre_stop: lifecycle.is_some_and(|hooks| hooks.pre_stop.is_some()),
            resources: container.resources.clone().unwrap_or_default(),
        })
    }

    /// Its probe of this kind.
    pub fn probe(&self, kind: ProbeKind) -> Option<&ProbeSpec> {
        self.probes.iter().find(|(known, _)| *known == kind).map(|(_, probe)| probe)
    }
}

impl RestartPolicy {
    fn parse(path: &str, text: &str) -> Result<Self, SpecError> {
        match text {
            "Always" => Ok(Self::Always),
            "OnFailure" => Ok(Self::OnFailure),
            "Never" => Ok(Self::Never),
            _ => Err(unsupported(path, text, r#""Always", "Never", "OnFailure""#)),
        }
    }
}

impl RestartRule {
    fn parse(rule: &ContainerRestartRule, path: &str) -> Result<Self, SpecError> {
        let action = match rule.action.as_str() {
            "Restart" => RestartAction::Restart,
            "RestartAllContainers" => RestartAction::RestartAllContainers,
            other => {
                let supported = r#""Restart", "RestartAllContainers""#;
                return Err(unsupported(&format!("{path}.action"), other, supported));
            }
        };
        let (operator, codes) = match &rule.exit_codes {
            Some(exit_codes) => (exit_codes.operator.as_str(), exit_codes.values.clone()),
            None => ("", None),
        };
        let operator = match operator {
            "In" => ExitCodeOperator::In,
            "NotIn" => ExitCodeOperator::NotIn,
            other => {
                return Err(unsupported(
                    &format!("{path}.exitCodes.operator"),
                    other,
                    r#""In", "NotIn""#,
                ));
            }
        };
        Ok(Self { action, operator, codes: codes.unwrap_or_default() })
    }
}

fn unsupported(path: &str, value: &str, supported: &'static str) -> SpecError {
    SpecError::Unsupported { path: path.to_owned(), value: value.to_owned(), supported }
}

fn refuse_duplicate_names(containers: &[ContainerSpec]) -> Result<(), SpecError> {
    let inits = containers.iter().filter(|container| container.role != Role::App).count();
    for (index, container) in containers.iter().enumerate() {
        if containers[..index].iter().any(|earlier| earlier.name == container.name) {
            let path = match index.checked_sub(inits) {
                Some(app) => format!("spec.containers[{app}]"),
                None => format!("spec.initContainers[{index}]"),
            };
            return Err(SpecError::DuplicateName { path, name: container.name.clone() });
        }
    }
    Ok(())
}

/// A number of seconds that validation keeps from being negative.
fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(value: serde_json::Value) -> Result<Spec, SpecError> {
        Spec::new(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn texts_become_types() {
        let spec = spec(json!({
            "metadata": { "name": "web", "uid": "u1" },
            "spec": {
                "restartPolicy": "OnFailure",
                "activeDeadlineSeconds": 5,
                "initContainers": [
                    { "name": "migrate" },
                    { "name": "proxy", "restartPolicy": "Always" },
                ],
                "containers": [
                    { "name": "a", "image": "a.wasm" },
                    { "name": "b", "restartPolicy": "Never", "restartPolicyRules": [
                        { "action": "Restart", "exitCodes": { "operator": "In", "values": [42] } },
                    ] },
                ],
            },
        }))
        .unwrap();
        let containers: Vec<_> =
            spec.containers.iter().map(|c| (c.name.as_str(), c.role, c.restart_policy)).collect();
        assert_eq!(
            containers,
            [
                ("migrate", Role::Init, RestartPolicy::OnFailure),
                ("proxy", Role::Sidecar, RestartPolicy::Always),
                ("a", Role::App, RestartPolicy::OnFailure),
                ("b", Role::App, RestartPolicy::Never),
            ]
        );
        assert_eq!(spec.identity.to_string(), "web_default(u1)");
        assert_eq!(spec.grace, Duration::from_secs(30));
        assert_eq!(spec.active_deadline, Some(Duration::from_secs(5)));
    }

    #[test]
    fn what_validation_refuses_is_an_error_and_not_a_guess() {
        let table = [
            (json!({}), "spec.containers: Required value"),
            (json!({ "containers": [] }), "spec.containers: Required value"),
            (
                json!({ "containers": [{ "name": "a" }], "restartPolicy": "always" }),
                r#"spec.restartPolicy: Unsupported value: "always": supported values: "Always", "Never", "OnFailure""#,
            ),
            (
                json!({ "containers": [{ "name": "a" }], "initContainers": [{ "name": "a" }] }),
                r#"spec.containers[0].name: Duplicate value: "a""#,
            ),
            (
                json!({ "containers": [{ "name": "a", "restartPolicyRules": [{ "action": "Restart" }] }] }),
                r#"spec.containers[0].restartPolicyRules[0].exitCodes.operator: Unsupported value: "": supported values: "In", "NotIn""#,
            ),
        ];
        for (pod, message) in table {
            let error = spec(json!({ "spec": pod })).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
