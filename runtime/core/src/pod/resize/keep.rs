//! How other resources come true: the node is asked, the bounds of the containers are moved.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::time::Duration;

use k8s_openapi::api::core::v1::{
    Container, ContainerStatus, Pod, PodStatus, ResourceRequirements,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use super::admission::of_machine;
use crate::event::{Involved, PodEvent, Reason};
use crate::lifecycle::{Allocation, ResizeAnswer, ResizeStep, Resizing};
use crate::manifest::containers;
use crate::pod::cpu;
use crate::pod::runtime::PodRuntime;
use crate::resources::{ContainerResources, PodResources};
use crate::worker::PodHandle;

/// Carries out what is wanted as long as the Pod lives; to be dropped with it.
pub(in crate::pod) async fn resized(runtime: &PodRuntime, handle: &PodHandle) -> Infallible {
    runtime.resized.notified().await;
    let containers = runtime.containers().collect();
    let mut keeper = Keeper { runtime, handle, containers, runs: HashMap::new() };
    let mut resizing = Resizing::new(allocation(runtime.pod()));
    let mut status = handle.status();
    loop {
        let pod = runtime.wanted_pod();
        resizing.want(allocation(&pod));
        let wake = keeper.settle(&mut resizing, &pod).await;
        tokio::select! {
            biased;
            () = runtime.resized.notified() => {}
            Ok(()) = status.changed(), if !resizing.restarts().is_empty() => {
                keeper.see_restarts(&mut resizing, &status.borrow_and_update().clone());
            }
            () = sleep_until(wake) => {}
        }
    }
}

/// The resources of all containers, init containers first.
fn allocation(pod: &Pod) -> Allocation {
    let all = pod.spec.iter().flat_map(containers);
    all.map(|container| container.resources.clone().unwrap_or_default()).collect()
}

struct Keeper<'pod> {
    runtime: &'pod PodRuntime,
    handle: &'pod PodHandle,
    /// In the order of their resources.
    containers: Vec<&'pod Container>,
    /// By place, the run of a container that is to end for its other resources.
    runs: HashMap<usize, String>,
}

impl Keeper<'_> {
    /// Does all that can be done now; when to go on if nothing happens before.
    async fn settle(&mut self, resizing: &mut Resizing, pod: &Pod) -> Instant {
        loop {
            let now = Instant::now();
            let was_in_progress = resizing.is_in_progress();
            match resizing.step(now.into_std()) {
                ResizeStep::Ask => {
                    let answer = self.ask(pod).await;
                    self.tell_answer(resizing, &answer);
                    resizing.answered(answer, Instant::now().into_std());
                }
                ResizeStep::Actuate => {
                    let outcome = self.actuate(resizing);
                    let restarts = outcome.clone().unwrap_or_default();
                    if let Err(error) = &outcome {
                        self.tell_error(resizing, error);
                    }
                    resizing.actuated(outcome, now.into_std());
                    for place in restarts {
                        self.handle.restart_to_resize(place).await;
                    }
                }
                step @ (ResizeStep::Wait(_) | ResizeStep::Rest) => {
                    self.handle.show_resources(resizing.shown()).await;
                    // Far away is never.
                    let never = now + Duration::from_secs(30 * 365 * 24 * 60 * 60);
                    let ResizeStep::Wait(at) = step else { return never };
                    return Instant::from_std(at);
                }
            }
            if was_in_progress && !resizing.is_in_progress() {
                self.tell(Reason::ResizeCompleted, "Pod resize completed", resizing, None);
            }
            self.handle.show_resources(resizing.shown()).await;
        }
    }

    async fn ask(&self, pod: &Pod) -> ResizeAnswer {
        match &self.runtime.request.scheduler {
            Some(scheduler) => scheduler.resize(pod).await,
            None => of_machine(pod, &self.runtime.request.host.folders().pods()),
        }
    }

    /// Moves the bounds of the containers that go on; gives the places of those that have to start
    /// again first.
    ///
    /// Growth is denied to a container that uses more than its new limit; that is an error until it
    /// uses less.
    fn actuate(&mut self, resizing: &Resizing) -> Result<Vec<usize>, String> {
        let status = self.handle.status().borrow().clone();
        let mut restarts = Vec::new();
        let mut too_much = Vec::new();
        for (place, container) in self.containers.iter().enumerate() {
            let (Some(allocated), Some(actual)) =
                (resizing.allocated.get(place), resizing.actual.get(place))
            else {
                continue;
            };
            self.runtime.set_allocated(container, allocated.clone());
            let resources = ContainerResources::of_requirements(allocated);
            let Some(meter) = self.runtime.runs.meter(&container.name) else { continue };
            if allocated == actual {
                // Something else may have been allocated meanwhile, and be taken back.
                meter.hold_to(resources);
                continue;
            }
            if let Some(run) = run_of(&status, &container.name)
                && needs_restart(container, actual, allocated)
            {
                self.runs.insert(place, run.to_owned());
                restarts.push(place);
                continue;
            }
            meter.hold_to(resources);
            let used = meter.memory_of_run().map_or(0, |memory| memory.used());
            let used = u64::try_from(used).unwrap_or(u64::MAX);
            if let Some(limit) = resources.memory_limit.filter(|limit| *limit < used) {
                too_much.push(format!(
                    "attempting to set container {:?} memory limit ({limit}) below current usage ({used})",
                    container.name
                ));
            }
        }
        let allocated = self.allocated_pod(resizing);
        cpu::share_anew(self.runtime, &allocated);
        let resources = allocated.spec.as_ref().map(PodResources::of);
        self.runtime.bounds.send_replace(resources);
        match too_much.as_slice() {
            [] => Ok(restarts),
            [one] => Err(format!("cannot decrease memory limits: {one}")),
            several => Err(format!("cannot decrease memory limits: [{}]", several.join(", "))),
        }
    }

    /// The Pod with what its containers have been allocated, which may be less than is wanted.
    fn allocated_pod(&self, resizing: &Resizing) -> Pod {
        let mut pod = self.runtime.pod().clone();
        if let Some(spec) = &mut pod.spec {
            let init = spec.init_containers.iter_mut().flatten();
            for (container, allocated) in init.chain(&mut spec.containers).zip(&resizing.allocated)
            {
                container.resources = Some(allocated.clone());
            }
        }
        pod
    }

    /// Containers that have started again have what was allocated.
    fn see_restarts(&self, resizing: &mut Resizing, status: &PodStatus) {
        let has_restarted = |place: &usize| {
            let run = run_of(status, &self.containers[*place].name);
            run.is_some_and(|run| self.runs.get(place).is_none_or(|before| before != run))
        };
        let restarted: Vec<usize> =
            resizing.restarts().iter().copied().filter(has_restarted).collect();
        for place in restarted {
            resizing.restarted(place);
        }
        if !resizing.is_in_progress() {
            self.tell(Reason::ResizeCompleted, "Pod resize completed", resizing, None);
        }
    }

    fn tell_answer(&self, resizing: &Resizing, answer: &ResizeAnswer) {
        match answer {
            ResizeAnswer::Admitted => {
                self.tell(Reason::ResizeStarted, "Pod resize started", resizing, None);
            }
            ResizeAnswer::Deferred(why) => {
                self.tell(Reason::ResizeDeferred, "Pod resize Deferred", resizing, Some(why));
            }
            ResizeAnswer::Infeasible(why) => {
                self.tell(Reason::ResizeInfeasible, "Pod resize Infeasible", resizing, Some(why));
            }
        }
    }

    fn tell_error(&self, resizing: &Resizing, error: &str) {
        self.tell(Reason::ResizeError, "Pod resize error", resizing, Some(error));
    }

    /// Rule: `podResizeMessage` of the kubelet.
    fn tell(&self, reason: Reason, what: &str, resizing: &Resizing, error: Option<&str>) {
        #[derive(Serialize)]
        struct Told<'told> {
            containers: Vec<Resources<'told>>,
            generation: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            error: Option<&'told str>,
        }
        #[derive(Serialize)]
        struct Resources<'told> {
            name: &'told str,
            resources: &'told ResourceRequirements,
        }
        let all = self.containers.iter().zip(&resizing.wanted);
        let all = all.filter(|(_, resources)| **resources != ResourceRequirements::default());
        let told = Told {
            containers: all
                .map(|(container, resources)| Resources { name: &container.name, resources })
                .collect(),
            generation: resizing.generation,
            error,
        };
        let told = serde_json::to_string(&told).unwrap_or_default();
        let message = format!("{what}: {told}");
        let event = match error {
            None => PodEvent::normal(reason, Involved::Pod, message),
            Some(_) => PodEvent::warning(reason, Involved::Pod, message),
        };
        self.handle.events().record(event, self.runtime.clock().wall());
    }
}

/// The `containerID` of the run of `container` that is in progress.
fn run_of<'status>(status: &'status PodStatus, container: &str) -> Option<&'status str> {
    let init = status.init_container_statuses.iter().flatten();
    let mut all = init.chain(status.container_statuses.iter().flatten());
    let is_running = |status: &&ContainerStatus| {
        status.name == container
            && status.state.as_ref().is_some_and(|state| state.running.is_some())
    };
    all.find(is_running)?.container_id.as_deref()
}

/// Rule: `resizePolicy` of a container, `NotRequired` where it says nothing.
fn needs_restart(
    container: &Container,
    actual: &ResourceRequirements,
    allocated: &ResourceRequirements,
) -> bool {
    let differs = |name: &str| {
        let amounts = |resources: &ResourceRequirements| {
            let of = |list: &Option<BTreeMap<String, Quantity>>| {
                list.as_ref().and_then(|list| list.get(name)).cloned()
            };
            (of(&resources.requests), of(&resources.limits))
        };
        amounts(actual) != amounts(allocated)
    };
    container
        .resize_policy
        .iter()
        .flatten()
        .any(|policy| policy.restart_policy == "RestartContainer" && differs(&policy.resource_name))
}
