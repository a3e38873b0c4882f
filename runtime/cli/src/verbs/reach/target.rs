//! Which Pod and container are meant, and how to speak to it.

use std::path::Path;

use k8s_openapi::api::core::v1::Pod;
use wasmpod_node::background::{BackgroundPods, ProcessLock};
use wasmpod_node::podprocess::{ClientError, PodClient};
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;

use super::logs::pick;
use crate::args::SessionOptions;
use crate::failure::Failure;
use crate::print::problem;
use crate::verbs::objects::machine;

/// A Pod that has a process.
pub(super) struct Target {
    pub(super) pod: Pod,
    pub(super) client: PodClient,
}

impl Target {
    /// The Pod `name` (or `pod/name`).
    ///
    /// # Errors
    /// There is none, or it has ended.
    pub(super) fn find(root: Option<&Path>, namespace: &str, name: &str) -> Result<Self, Failure> {
        let pods = machine::open(root)?;
        Self::among(&pods, namespace, name)
    }

    /// What the options of a session name, with its container.
    ///
    /// # Errors
    /// As of [`find`](Self::find) and [`container`](Self::container).
    pub(super) fn of_session(
        root: Option<&Path>,
        options: &SessionOptions,
    ) -> Result<(Self, String), Failure> {
        let target = Self::find(root, options.namespace.name(), &options.pod)?;
        let container = target.container(options.container.as_deref(), options.quiet)?;
        Ok((target, container))
    }

    fn among(pods: &BackgroundPods, namespace: &str, name: &str) -> Result<Self, Failure> {
        let name = pick::pod_name(name)?;
        let object = pods.store().get(&Key::new(PODS, namespace, name))?;
        let pod: Pod = serde_json::from_value(object)
            .map_err(|error| Failure::because(format!("pods {name:?}"), &error))?;
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        if !ProcessLock::is_held(pods.folders(), &uid) {
            let phase = pod.status.as_ref().and_then(|status| status.phase.clone());
            return Err(Failure::kubectl(format!(
                "cannot exec into a container in a completed pod; current phase is {}",
                phase.unwrap_or_default()
            )));
        }
        let client = PodClient::new(pods.folders().control_socket(&uid));
        Ok(Self { pod, client })
    }

    /// The container that is named, or the one that is meant when none is.
    ///
    /// # Errors
    /// The Pod has none of that name.
    pub(super) fn container(&self, named: Option<&str>, quiet: bool) -> Result<String, Failure> {
        let pod = self.pod.metadata.name.as_deref().unwrap_or_default();
        let (init, apps, ephemeral) = pick::names(&self.pod);
        match named {
            Some(name) => {
                let is_there = [&init, &apps, &ephemeral].iter().any(|all| all.contains(&name));
                if is_there {
                    Ok(name.to_owned())
                } else {
                    Err(Failure::kubectl(format!("container {name} is not valid for pod {pod}")))
                }
            }
            None => {
                if let Some(note) = pick::defaulted(&self.pod).filter(|_| !quiet) {
                    problem::plain(&note);
                }
                pick::default_container(&self.pod)
                    .map(str::to_owned)
                    .ok_or_else(|| Failure::kubectl(format!("pod {pod} has no containers")))
            }
        }
    }
}

/// What the Pod's process says, in its own words.
pub(super) fn refused(error: ClientError) -> Failure {
    match error {
        ClientError::Refused { message, .. } => Failure::kubectl(message),
        other => Failure::because("the Pod", &other),
    }
}
