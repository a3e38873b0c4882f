//! An hour in the life of a Pod on virtual time, with a probe every second: what the worker, the plan
//! and the status cost by themselves.
//!
//!     cargo bench --workspace --bench lifecycle
//!
//! The guest does nothing and the probe answers at once, so all that is measured is ours: 3,600
//! probes, each with a plan before it, an event, a plan and a status after it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::sleep;
use wasmpod::lifecycle::{
    Exit, Hook, ImageError, ImageInfo, ImageOrigin, Placement, PodFailure, ProbeAnswer, ProbeKind,
    Sandbox, SandboxError, Spec, StartError,
};
use wasmpod::worker::{Clock, ContainerRuntime, Finished, Run, RunControl, Worker};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Does all that it is asked for at once.
struct Instantly;

impl ContainerRuntime for Instantly {
    async fn schedule(&self, _refusal: Option<String>) -> Result<Placement, PodFailure> {
        Ok(Placement::Scheduled { node: "node".to_owned() })
    }

    async fn prepare_sandbox(&self) -> Result<Sandbox, SandboxError> {
        Ok(Sandbox::default())
    }

    async fn prepare_image(
        &self,
        _container: &str,
        _pulling: &(dyn Fn() + Sync),
    ) -> Result<ImageInfo, ImageError> {
        Ok(ImageInfo { id: "sha256:web".to_owned(), origin: ImageOrigin::Present })
    }

    async fn start(&self, _container: &str, attempt: u32) -> Result<Run, StartError> {
        let (kill, killed) = oneshot::channel();
        Ok(Run {
            id: attempt.to_string(),
            exit: Box::pin(async move { killed.await.unwrap_or_else(|_| Exit::killed()) }),
            control: Box::new(Control(Some(kill))),
        })
    }

    async fn probe(&self, _container: &str, _kind: ProbeKind) -> ProbeAnswer {
        ProbeAnswer::Success
    }

    async fn hook(&self, _container: &str, _hook: Hook) -> Result<(), String> {
        Ok(())
    }

    async fn teardown(&self) {}
}

struct Control(Option<oneshot::Sender<Exit>>);

impl RunControl for Control {
    fn stop(&mut self, _grace: Duration) {
        self.kill();
    }

    fn kill(&mut self) {
        if let Some(kill) = self.0.take() {
            let _ = kill.send(Exit::killed());
        }
    }
}

fn spec() -> Spec {
    let pod = json!({
        "metadata": { "name": "web", "uid": "u" },
        "spec": { "containers": [{
            "name": "web",
            "image": "web.wasm",
            "livenessProbe": { "tcpSocket": { "port": 80 }, "periodSeconds": 1 },
        }] },
    });
    let pod = serde_json::from_value(pod).expect("a Pod");
    Spec::new(&pod).expect("a valid Pod")
}

async fn live_for_an_hour(spec: Spec) -> Finished {
    let clock = Clock::starting_at(jiff::Timestamp::UNIX_EPOCH);
    let (worker, handle) = Worker::new(spec, Arc::new(Instantly), clock);
    let hour = async {
        sleep(HOUR).await;
        handle.kill().await;
    };
    tokio::join!(worker.run(), hour).0
}

/// So many Pods, side by side on one thread.
fn an_hour_of(pods: usize, spec: &Spec) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime of one thread").block_on(async {
        let mut lives = JoinSet::new();
        for _ in 0..pods {
            lives.spawn(live_for_an_hour(spec.clone()));
        }
        black_box(lives.join_all().await);
    });
}

fn lifecycle(criterion: &mut Criterion) {
    let spec = spec();
    let mut group = criterion.benchmark_group("an hour, probed every second");
    group.sample_size(10);
    for pods in [1, 100] {
        group.throughput(Throughput::Elements(pods as u64));
        group.bench_function(format!("{pods} Pods"), |bencher| {
            bencher.iter(|| an_hour_of(pods, &spec));
        });
    }
    group.finish();
}

criterion_group!(benches, lifecycle);
criterion_main!(benches);
