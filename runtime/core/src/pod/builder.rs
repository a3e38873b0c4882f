//! The embedding API: a Pod before it runs, and while it does.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use k8s_openapi::api::core::v1::PodStatus;

use super::admission::{Scheduler, admission};
use super::cgroup::{CgroupWish, contained};
use super::cpu::shared;
use super::eviction::evict_over_limit;
use super::folders::Folders;
use super::host::Host;
use super::presence::present;
use super::resize::{Resizer, resized};
use super::runtime::PodRuntime;
use super::stats::StatsReader;
use super::sweep;
use super::uid::{new_uid, seeded_uid};
use super::view::PodView;
use super::virtual_time::{VirtualTime, VirtualTimeError};
use crate::guest::Stdin;
use crate::image::ImageSource;
use crate::lifecycle::{PodFailure, Spec, SpecError};
use crate::logs::LogSink;
use crate::manifest::{Manifest, PodManifest};
use crate::resources::cgroup::CgroupPlan;
use crate::sandbox::network::EgressRuleError;
use crate::worker::{Finished, PodHandle, Worker};

/// A Pod before it runs.
///
/// ```no_run
/// use wasmpod::manifest::{self, Source};
/// use wasmpod::pod::{Folders, Host, PodBuilder};
///
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// let text = std::fs::read("pod.yaml")?;
/// let mut manifest = manifest::load(&[Source { name: "pod.yaml".into(), bytes: text }])?;
/// let pod = manifest.pods.remove(0);
///
/// let host = Host::builder(Folders::find(None)?).build()?;
/// let pod = PodBuilder::new(&host, pod).objects(manifest).build()?;
/// let finished = pod.run().await;
/// println!("exit code {}", finished.outcome.exit_code());
/// # Ok(()) }
/// ```
pub struct PodBuilder {
    pub(super) host: Host,
    pub(super) pod: PodManifest,
    pub(super) objects: Manifest,
    pub(super) images: Option<ImageSource>,
    pub(super) published: Vec<PublishedPort>,
    pub(super) allow_net: Vec<String>,
    pub(super) neighbours: Vec<Neighbour>,
    pub(super) place: Option<Neighbour>,
    pub(super) is_reachable: bool,
    pub(super) stdin: Option<(String, Stdin)>,
    pub(super) log_sink: Option<Arc<dyn LogSink>>,
    pub(super) cgroup: Option<CgroupWish>,
    pub(super) scheduler: Option<Arc<dyn Scheduler>>,
    uid: Option<String>,
    previous: Option<PodStatus>,
    virtual_time: Option<VirtualTime>,
    pub(super) on_note: Arc<dyn Fn(&str) + Send + Sync>,
}

/// A port of the host that stands for one of the Pod, as `hostPort` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedPort {
    /// Every address of the host when absent.
    pub host_ip: Option<IpAddr>,
    /// 0: any free one.
    pub host_port: u16,
    /// The port in the Pod.
    pub pod_port: u16,
    /// UDP in place of TCP.
    pub udp: bool,
}

/// A Pod that others can reach by name and address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `spec.hostname`, or the Pod's name.
    pub hostname: String,
    /// `spec.subdomain`
    pub subdomain: Option<String>,
    /// `status.podIPs`
    pub ips: [IpAddr; 2],
    /// The unix socket on which its process takes connections of other Pods.
    pub socket: PathBuf,
}

/// A Pod that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum PodError {
    /// The manifest did not come through validation.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// A rule for the network cannot be read.
    #[error("where guests may go")]
    NetworkRule {
        /// The rule as it was given, and what it should be.
        #[source]
        source: EgressRuleError,
    },
    /// It cannot live on virtual time.
    #[error(transparent)]
    VirtualTime(#[from] VirtualTimeError),
}

/// A Pod that is about to run.
pub struct Pod {
    worker: Worker<PodRuntime>,
    runtime: Arc<PodRuntime>,
    handle: PodHandle,
    folders: Folders,
}

impl PodBuilder {
    /// A Pod of `host`, from a checked manifest.
    pub fn new(host: &Host, pod: PodManifest) -> Self {
        Self {
            host: host.clone(),
            pod,
            objects: Manifest::default(),
            images: None,
            published: Vec::new(),
            allow_net: Vec::new(),
            neighbours: Vec::new(),
            place: None,
            is_reachable: false,
            stdin: None,
            log_sink: None,
            cgroup: None,
            scheduler: None,
            uid: None,
            previous: None,
            virtual_time: None,
            on_note: Arc::new(|_| {}),
        }
    }

    /// The ConfigMaps, Secrets and PersistentVolumeClaims that the Pod may refer to. Services are
    /// the machine's: see [`Services::announce`](super::Services::announce).
    #[must_use]
    pub fn objects(mut self, objects: Manifest) -> Self {
        self.objects = objects;
        self
    }

    /// Where images are found; by default only paths are, relative to the manifest's folder.
    #[must_use]
    pub fn images(mut self, images: ImageSource) -> Self {
        self.images = Some(images);
        self
    }

    /// Listens on the host for ports of the Pod, beside the manifest's own `hostPort`s.
    #[must_use]
    pub fn publish(mut self, ports: impl IntoIterator<Item = PublishedPort>) -> Self {
        self.published.extend(ports);
        self
    }

    /// Lets guests go where they may not by default; the rules are those of the annotation
    /// `wasmpod.dev/allow-net`.
    #[must_use]
    pub fn allow_net(mut self, rules: impl IntoIterator<Item = String>) -> Self {
        self.allow_net.extend(rules);
        self
    }

    /// The Pods that this one can reach, and its own place as they know it.
    #[must_use]
    pub fn among(mut self, place: Neighbour, neighbours: Vec<Neighbour>) -> Self {
        self.place = Some(place);
        self.neighbours = neighbours;
        self
    }

    /// Lets every Pod of this machine reach this one by name and address, as one with labels can be.
    #[must_use]
    pub fn reachable(mut self) -> Self {
        self.is_reachable = true;
        self
    }

    /// What `container` reads from standard input.
    #[must_use]
    pub fn stdin(mut self, container: impl Into<String>, stdin: Stdin) -> Self {
        self.stdin = Some((container.into(), stdin));
        self
    }

    /// Who sees the containers' output beside their log files.
    #[must_use]
    pub fn log_sink(mut self, sink: Arc<dyn LogSink>) -> Self {
        self.log_sink = Some(sink);
        self
    }

    /// Moves this process, which must be the Pod and nothing else, into a cgroup of the host with the
    /// Pod's shares and bounds, and gives it its `oom_score_adj`, as far as the host lets it: below the
    /// cgroup that it was started in, if that is possible. It comes back at the Pod's end, in version 2
    /// into a leaf beside the Pod.
    #[must_use]
    pub fn cgroup(mut self) -> Self {
        self.cgroup = Some(CgroupWish::Find);
        self
    }

    /// As [`PodBuilder::cgroup`], where whoever started this process has found out what is possible.
    #[must_use]
    pub fn cgroup_by(mut self, plan: CgroupPlan) -> Self {
        self.cgroup = Some(CgroupWish::Planned(plan));
        self
    }

    /// Has a Pod that requests something ask there for its place, and wait until it has it.
    #[must_use]
    pub fn scheduler(mut self, scheduler: Arc<dyn Scheduler>) -> Self {
        self.scheduler = Some(scheduler);
        self
    }

    /// Gives the Pod the uid that somebody has written down for it. No other Pod of this machine may
    /// have it at the same time.
    #[must_use]
    pub fn uid(mut self, uid: impl Into<String>) -> Self {
        self.uid = Some(uid.into());
        self
    }

    /// Takes up a Pod whose process was lost, where its last status was `previous`: restart counts and
    /// logs go on, and what ran then starts again by its restart policy.
    #[must_use]
    pub fn resume(mut self, previous: PodStatus) -> Self {
        self.previous = Some(previous);
        self
    }

    /// Calls `tell` with what the user should know once: where a wish of the manifest could not be
    /// met in full, where a log cannot be written.
    #[must_use]
    pub fn on_note(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.on_note = Arc::new(tell);
        self
    }

    /// Has the Pod live on virtual time: an hour passes in a moment, and for one seed each run of it is
    /// the same, to the last line of its logs.
    ///
    /// Everything in the Pod goes by tokio's paused clock, which jumps to the next timer when
    /// nobody has anything left to do: clocks and sleeps of guests, probes, back-off, deadlines, the times
    /// in logs and status. A guest that computes uses up time by what it executes, so that it can
    /// miss the deadline of a probe. The Pod is built and run in one current-thread runtime whose
    /// clock is paused.
    ///
    /// The world outside does not wait for such a clock: the Pod reaches nobody and nobody
    /// reaches it but this process. Host ports of the manifest are not opened, which is told as a
    /// note.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    ///
    /// use wasmpod::manifest::{self, Source};
    /// use wasmpod::pod::{Folders, Host, PodBuilder, VirtualTime};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = std::env::temp_dir().join(format!("wasmpod-doc-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// // Ends with code 1 at once, and so every time that it is started again.
    /// std::fs::write(folder.join("crash.wat"), r#"(module
    ///     (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    ///     (memory (export "memory") 1)
    ///     (func (export "_start") (call $exit (i32.const 1))))"#)?;
    /// let text = "
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: crash}
    /// spec:
    ///   activeDeadlineSeconds: 3600
    ///   containers: [{name: crash, image: ./crash.wat}]";
    /// let name = folder.join("pod.yaml").display().to_string();
    /// let mut manifest = manifest::load(&[Source { name, bytes: text.into() }])?;
    /// let host = Host::builder(Folders::find(Some(&folder))?).build()?;
    ///
    /// // In a test of its own: #[tokio::test(start_paused = true)]
    /// let mut runtime = tokio::runtime::Builder::new_current_thread();
    /// let runtime = runtime.enable_time().start_paused(true).build()?;
    /// let finished = runtime.block_on(async {
    ///     let pod = PodBuilder::new(&host, manifest.pods.remove(0))
    ///         .virtual_time(VirtualTime::new(42))
    ///         .build()?;
    ///     Ok::<_, Box<dyn std::error::Error>>(pod.run().await)
    /// })?;
    ///
    /// // After 10, 20, 40, 80, 160 and then every 300 seconds.
    /// let containers = finished.status.container_statuses.unwrap_or_default();
    /// assert_eq!(containers[0].restart_count, 16);
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn virtual_time(mut self, time: VirtualTime) -> Self {
        self.virtual_time = Some(time);
        self
    }

    /// # Errors
    /// [`PodError`]
    pub fn build(mut self) -> Result<Pod, PodError> {
        let life = match self.virtual_time {
            Some(time) => {
                self.refuse_outside()?;
                Some(time.begin()?)
            }
            None => None,
        };
        let metadata = &mut self.pod.pod.metadata;
        let uid = match (&self.place, self.uid.take(), &life) {
            (Some(place), _, _) => place.uid.clone(),
            (None, Some(uid), _) => uid,
            (None, None, Some(life)) => {
                let name = metadata.name.as_deref().unwrap_or_default();
                seeded_uid(life.seed(), metadata.namespace.as_deref().unwrap_or("default"), name)
            }
            // A manifest that came from a cluster has one; two such Pods at once would clash.
            (None, None, None) => new_uid(),
        };
        let previous = self.previous.take();
        metadata.uid = Some(uid);
        let mut spec = Spec::new(&self.pod.pod)?;
        spec.admission = admission(&self.pod.pod, self.scheduler.as_deref());
        let folders = self.host.folders().clone();
        let runtime = Arc::new(PodRuntime::new(self, spec.identity.clone(), life)?);
        let (own, clock) = (Arc::clone(&runtime), runtime.clock());
        let (worker, handle) = match previous {
            Some(previous) => Worker::resumed(spec, &previous, own, clock),
            None => Worker::new(spec, own, clock),
        };
        Ok(Pod { worker, runtime, handle, folders })
    }

    /// # Errors
    /// The first of what was asked for that has a time of its own.
    fn refuse_outside(&self) -> Result<(), VirtualTimeError> {
        let asked = [
            (!self.published.is_empty(), "a published port"),
            (self.allow_net.iter().any(|rule| rule != "none"), "a way out to the network"),
            (self.place.is_some() || !self.neighbours.is_empty(), "a Pod among others"),
            (self.scheduler.is_some(), "a place on a machine"),
        ];
        match asked.into_iter().find(|(is_asked, _)| *is_asked) {
            Some((_, what)) => Err(VirtualTimeError::Outside { what }),
            None => Ok(()),
        }
    }
}

impl Pod {
    /// A hold on the Pod for others: its status, its events, its end.
    pub fn handle(&self) -> PodHandle {
        self.handle.clone()
    }

    /// What the Pod uses, for others to read while it runs.
    pub fn stats(&self) -> StatsReader {
        StatsReader::new(&self.runtime, &self.handle)
    }

    /// Gives the Pod other resources while it runs.
    pub fn resizer(&self) -> Resizer {
        Resizer::new(&self.runtime)
    }

    /// The Pod as others may see it.
    pub fn view(&self) -> PodView {
        PodView { runtime: Arc::clone(&self.runtime), handle: self.handle.clone() }
    }

    /// Runs the Pod to its end. On the way, what Pods left behind whose process was killed is
    /// removed from this machine. A Pod on virtual time that is run in another runtime than it was
    /// built in fails at once.
    ///
    /// # Cancel safety
    /// Dropping the future ends every run at once and leaves the Pod's folder to be swept; ask
    /// the [`PodHandle`] for a kill instead.
    pub async fn run(self) -> Finished {
        let Self { worker, runtime, handle, folders } = self;
        if let Err(error) = runtime.check_time() {
            handle.fail(PodFailure::rejected(&error)).await;
        }
        let life = async {
            tokio::select! {
                biased;
                finished = worker.run() => finished,
                never = evict_over_limit(&runtime, &handle) => match never {},
                never = contained(&runtime) => match never {},
                never = shared(&runtime) => match never {},
                never = present(&runtime, &handle) => match never {},
                never = resized(&runtime, &handle) => match never {},
            }
        };
        // Boxed, and within a box: a future that is handed to another is in that twice, and twice in the
        // one around it.
        let life = sweep::beside(folders, runtime.blocking(), Box::pin(life));
        runtime.executor.run_until(Box::pin(life)).await
    }
}
