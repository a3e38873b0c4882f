//! Putting right what killed processes left: for each command, before it looks.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{EventSource, Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use wasmpod::lifecycle::{Exit, Identity, Now};
use wasmpod::resources::cgroup::CgroupPlan;
use wasmpod::resources::qos_class;
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Namespaces, NewEvent};

use super::forget::forget;
use super::keep::write_status;
use super::launch::{self, Launch};
use super::lock::ProcessLock;
use super::lost::{Verdict, is_settled, judge};
use super::orphans;
use super::pods::{BackgroundError, BackgroundPods, identity};

/// What tells whether a Pod may be left alone.
#[derive(Deserialize)]
struct Glance {
    metadata: ObjectMeta,
    #[serde(default)]
    status: Phase,
}

#[derive(Default, Deserialize)]
struct Phase {
    phase: Option<String>,
}

impl From<Glance> for Pod {
    fn from(Glance { metadata, status: Phase { phase } }: Glance) -> Self {
        Self { metadata, status: Some(PodStatus { phase, ..PodStatus::default() }), spec: None }
    }
}

impl BackgroundPods {
    /// Sees to every Pod that has no process and should have one, or should be gone.
    ///
    /// # Errors
    /// The first of what could not be done; the others are done.
    pub fn mend(&self) -> Result<(), BackgroundError> {
        // Each command pays for this look: most Pods have a process, and little of them is read.
        let all = Selection::default();
        let pods = self.store.list_as::<Glance>(PODS, Namespaces::All, &all)?.items;
        let known = pods.iter().filter_map(|pod| pod.metadata.uid.as_deref()).collect();
        let orphans = orphans::candidates(&self.folders, &known).unwrap_or_else(|error| {
            tracing::warn!("what killed commands have left is not found: {error}");
            Vec::new()
        });
        // Before the Pods, which find Services as they start.
        let mut outcome = self.mend_services();
        for uid in orphans {
            let removed = orphans::remove(&self.folders, &self.store, &uid);
            outcome = outcome.and(removed.map_err(BackgroundError::from));
        }
        for pod in pods {
            outcome = outcome.and(self.mend_seen(&pod.into()));
        }
        outcome
    }

    /// The same for one Pod, as it was when somebody looked.
    ///
    /// # Errors
    /// [`BackgroundError`]
    pub fn mend_pod(&self, pod: Value) -> Result<(), BackgroundError> {
        serde_json::from_value(pod).map_or(Ok(()), |pod| self.mend_seen(&pod))
    }

    fn mend_seen(&self, pod: &Pod) -> Result<(), BackgroundError> {
        let identity = identity(pod);
        if is_settled(pod) || ProcessLock::is_held(&self.folders, &identity.uid) {
            return Ok(());
        }
        let lock = ProcessLock::try_take(&self.folders, &identity.uid);
        let lock = lock.map_err(|source| BackgroundError::lock(&identity, source))?;
        // Somebody else is at it.
        let Some(lock) = lock else { return Ok(()) };
        self.decide(&identity, lock)
    }

    /// With the lock held nobody changes what is decided on.
    fn decide(&self, identity: &Identity, lock: ProcessLock) -> Result<(), BackgroundError> {
        let key = Key::new(PODS, &identity.namespace, &identity.name);
        let mut pod: Pod = match self.store.get(&key) {
            Ok(pod) => match serde_json::from_value(pod) {
                Ok(pod) => pod,
                Err(_) => return Ok(()),
            },
            Err(error) if error.is_not_found() => return self.sweep_lock(identity, lock),
            Err(error) => return Err(error.into()),
        };
        if pod.metadata.uid.as_ref() != Some(&identity.uid) {
            return self.sweep_lock(identity, lock);
        }
        let launch = self.launch_of(identity)?;
        let now = Now { wall: Timestamp::now(), instant: Instant::now().into_std() };
        let lost = end_of_runs(&pod, launch.as_ref());
        match judge(&pod, launch.is_some(), &lost, now) {
            Verdict::Leave => Ok(()),
            Verdict::Forget => Ok(forget(&self.folders, &self.store, identity)?),
            Verdict::Over(status) => Ok(write_status(&self.store, identity, &status).map(drop)?),
            Verdict::Again(status) => {
                if write_status(&self.store, identity, &status)?.is_none() {
                    return self.sweep_lock(identity, lock);
                }
                self.store.record(&sandbox_changed(identity))?;
                pod.status = Some(*status);
                self.start(pod, launch.unwrap_or_default(), lock)
            }
        }
    }

    fn sweep_lock(&self, identity: &Identity, _lock: ProcessLock) -> Result<(), BackgroundError> {
        Ok(forget(&self.folders, &self.store, identity)?)
    }

    fn launch_of(&self, identity: &Identity) -> Result<Option<Launch>, BackgroundError> {
        match self.store.get(&launch::key(&identity.namespace, &identity.uid)) {
            Ok(object) => Ok(serde_json::from_value(object["spec"].clone()).ok()),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// How the runs of a Pod ended whose process was killed: nobody saw it, but the kernel may have noted why.
fn end_of_runs(pod: &Pod, launch: Option<&Launch>) -> Exit {
    let has_cgroup = launch.is_some_and(|launch| launch.cgroup);
    let Some(plan) = has_cgroup.then(|| CgroupPlan::find().ok()).flatten() else {
        return Exit::unknown();
    };
    let class = qos_class(&pod.spec.clone().unwrap_or_default());
    let uid = pod.metadata.uid.as_deref().unwrap_or_default();
    let kill = plan.oom_kill(uid, class);
    // The next process of the Pod begins to count anew.
    plan.remove(uid, class);
    kill.map_or_else(Exit::unknown, |kill| Exit::out_of_memory(kill.to_string()))
}

/// Rule: what the kubelet tells before it makes a new sandbox for a Pod whose old one is gone.
fn sandbox_changed(identity: &Identity) -> NewEvent {
    NewEvent {
        involved: identity.reference(),
        event_type: "Normal".to_owned(),
        reason: "SandboxChanged".to_owned(),
        message: "Pod sandbox changed, it will be killed and re-created.".to_owned(),
        source: EventSource { component: Some("kubelet".to_owned()), host: None },
    }
}
