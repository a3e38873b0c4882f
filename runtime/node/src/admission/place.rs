//! One Pod's place: asked for, waited for, held as long as its process lives.

use std::cell::LazyCell;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use wasmpod::error::chain;
use wasmpod::lifecycle::{Placement, PodFailure, ResizeAnswer};
use wasmpod::pod::Scheduler;
use wasmpod::records::{Alone, Changes, Held};
use wasmpod::resources::{allocatable, node_name};

use super::decide::{Allocatable, decide};
use super::insufficient::Insufficient;
use crate::ledger::{ContainerRecord, PodRecord, Requests, State};
use crate::node::{Node, Settings};

/// Who looks whether there is room must be alone.
const LOCK: &str = "admission.lock";

/// How soon it is tried again while another one looks, which takes less; and how seldom at last, in case
/// that one has been stopped in the middle.
const TRY_AGAIN: Duration = Duration::from_millis(1);
const TRY_AGAIN_AT_LAST: Duration = Duration::from_millis(50);

/// The place of one Pod of a machine. Dropping it makes room.
#[derive(Debug)]
pub struct Place {
    node: Node,
    entry: Mutex<Option<Entry>>,
}

/// What others see of the Pod.
#[derive(Debug)]
struct Entry {
    record: PodRecord,
    held: Held,
}

/// A Pod does not get what it wants from now on.
#[derive(Debug, thiserror::Error)]
pub enum ResizeError {
    /// More than there is, whoever else is there.
    #[error("Node didn't have enough capacity: {0}")]
    Infeasible(#[source] Insufficient),
    /// More than there is beside the others.
    #[error("Node didn't have enough resource: {0}")]
    Deferred(#[source] Insufficient),
    /// The ledger cannot be read or written.
    #[error("the ledger of this machine")]
    Ledger(#[from] io::Error),
}

impl Place {
    /// A place for one more Pod, still to be had.
    pub fn new(node: Node) -> Self {
        Self { node, entry: Mutex::default() }
    }

    /// The machine that it is on.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Makes a Pod known that needed not ask for its place; one that did is known.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub(crate) fn make_known(&self, pod: &Pod) -> io::Result<()> {
        let mut entry = self.entry();
        if entry.is_none() {
            let record = self.record(pod, State::Admitted);
            let held = self.node.ledger().publish(&record)?;
            *entry = Some(Entry { record, held });
        }
        Ok(())
    }

    /// Sets other amounts aside for a Pod that has its place.
    ///
    /// # Errors
    /// [`ResizeError`]; then everything stays as it was.
    pub async fn resize(
        &self,
        requests: Requests,
        containers: Vec<ContainerRecord>,
    ) -> Result<(), ResizeError> {
        let _alone = self.alone().await?;
        let others = self.node.ledger().pods_now();
        let mut entry = self.entry();
        let Some(entry) = entry.as_mut() else { return Ok(()) };
        let wanted = PodRecord { requests, containers, ..entry.record.clone() };
        let allocatable = self.allocatable(requests);
        // What it has already is no question.
        let more = Requests {
            milli_cpu: if requests.milli_cpu > entry.record.requests.milli_cpu {
                requests.milli_cpu
            } else {
                0
            },
            memory: if requests.memory > entry.record.requests.memory {
                requests.memory
            } else {
                0
            },
            ephemeral_storage: 0,
        };
        let asked = PodRecord { requests: more, ..wanted.clone() };
        decide(&allocatable, &[], &asked).map_err(ResizeError::Infeasible)?;
        decide(&allocatable, &others, &asked).map_err(ResizeError::Deferred)?;
        entry.held.update(&wanted)?;
        entry.record = wanted;
        Ok(())
    }

    /// Looks whether there is room, and takes it.
    async fn look(&self, pod: &Pod) -> io::Result<Result<(), Insufficient>> {
        let _alone = self.alone().await?;
        let others = self.node.ledger().pods_now();
        let mut entry = self.entry();
        let known = entry.as_ref().map(|entry| entry.record.clone());
        let record = known.unwrap_or_else(|| self.record(pod, State::Waiting));
        let allocatable = self.allocatable(record.requests);
        let decision = decide(&allocatable, &others, &record);
        let state = if decision.is_ok() { State::Admitted } else { State::Waiting };
        let record = PodRecord { state, ..record };
        match entry.as_mut() {
            Some(entry) if entry.record == record => {}
            Some(entry) => {
                entry.held.update(&record)?;
                entry.record = record;
            }
            None => {
                let held = self.node.ledger().publish(&record)?;
                *entry = Some(Entry { record, held });
            }
        }
        Ok(decision)
    }

    /// What all Pods together may request. The machine is asked only for what was not said.
    fn allocatable(&self, wanted: Requests) -> Allocatable {
        let Settings { milli_cpu, memory } = *self.node.settings();
        let machine = LazyCell::new(|| allocatable(&self.node.folders().pods()));
        let cores = || u64::try_from(machine.cpu.milli_ceil()).unwrap_or(0);
        Allocatable {
            milli_cpu: milli_cpu.unwrap_or_else(cores),
            memory: memory.unwrap_or_else(|| machine.memory.bytes()),
            ephemeral_storage: match wanted.ephemeral_storage {
                0 => 0,
                _ => machine.ephemeral_storage.bytes(),
            },
        }
    }

    /// Waits until nobody else looks. Never in the kernel: Ctrl-C must be heard meanwhile.
    async fn alone(&self) -> io::Result<Alone> {
        let mut pause = TRY_AGAIN;
        loop {
            if let Some(alone) = self.node.ledger().try_alone(LOCK)? {
                return Ok(alone);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(TRY_AGAIN_AT_LAST);
        }
    }

    async fn take(&self, pod: &Pod, refusal: Option<&str>) -> io::Result<Placement> {
        // Before the first look: what changes after it is told.
        let mut changes = refusal.map(|_known| Changes::of(self.node.ledger().folder()));
        loop {
            match self.look(pod).await? {
                Ok(()) => return Ok(Placement::Scheduled { node: node_name() }),
                Err(insufficient) => {
                    let message = insufficient.to_string();
                    if refusal != Some(message.as_str()) {
                        return Ok(Placement::Unschedulable { message });
                    }
                }
            }
            match &mut changes {
                Some(changes) => changes.next().await,
                None => tokio::time::sleep(TRY_AGAIN_AT_LAST).await,
            }
        }
    }

    fn record(&self, pod: &Pod, state: State) -> PodRecord {
        let uid = pod.metadata.uid.as_deref().unwrap_or_default();
        let socket = self.node.folders().control_socket(uid);
        PodRecord::of(pod, socket, Timestamp::now(), state)
    }

    fn entry(&self) -> MutexGuard<'_, Option<Entry>> {
        // Each change is whole, or leaves the record that is published.
        self.entry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scheduler for Place {
    fn resize<'call>(&'call self, pod: &'call Pod) -> BoxFuture<'call, ResizeAnswer> {
        async move {
            let wanted = self.record(pod, State::Admitted);
            match Self::resize(self, wanted.requests, wanted.containers).await {
                Ok(()) => ResizeAnswer::Admitted,
                Err(error @ ResizeError::Infeasible(_)) => {
                    ResizeAnswer::Infeasible(error.to_string())
                }
                Err(error @ (ResizeError::Deferred(_) | ResizeError::Ledger(_))) => {
                    ResizeAnswer::Deferred(chain(&error))
                }
            }
        }
        .boxed()
    }

    fn schedule<'call>(
        &'call self,
        pod: &'call Pod,
        refusal: Option<&'call str>,
    ) -> BoxFuture<'call, Result<Placement, PodFailure>> {
        async move {
            self.take(pod, refusal).await.map_err(|error| {
                PodFailure::rejected(&format!("the ledger of this machine: {error}"))
            })
        }
        .boxed()
    }
}
