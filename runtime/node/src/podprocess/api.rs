//! What the process of a Pod answers and does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use wasmpod::lifecycle::PodFailure;
use wasmpod::pod::{PatchKind, PodView, Resized};

use super::query::Query;
use super::refusal::Refusal;
use super::route::Route;
use super::streams::{Opened, PROTOCOL, Stream};

/// The longest body that is read; a manifest of Kubernetes is 1.5 MiB at most.
const LONGEST: usize = 2 << 20;

/// Streams at once.
const MOST_STREAMS: usize = 256;

/// Why something is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eviction {
    /// What the status says of it.
    pub message: String,
}

/// How a Pod is to end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stop {
    /// In place of the Pod's own grace period, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period_seconds: Option<u64>,
}

/// A Pod after a patch of its resources.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Patched {
    /// Whether other resources are wanted for it than before.
    pub changed: bool,
    /// The Pod as it is wanted now.
    pub pod: Pod,
}

/// One Pod's side of the socket.
#[derive(Clone)]
pub(super) struct Api {
    pod: PodView,
    news: Arc<Notify>,
    streams: Arc<Semaphore>,
}

/// Where a connection finds the stream that it has become.
#[derive(Default)]
pub(super) struct Becomes(Mutex<Option<Opened>>);

impl Becomes {
    fn set(&self, opened: Opened) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
    }

    pub(super) fn take(&self) -> Option<Opened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Api {
    pub(super) fn new(pod: PodView, news: Arc<Notify>) -> Self {
        Self { pod, news, streams: Arc::new(Semaphore::new(MOST_STREAMS)) }
    }

    pub(super) async fn answer(
        &self,
        mut request: Request<Incoming>,
        becomes: &Becomes,
    ) -> Response<Full<Bytes>> {
        let route = Route::of(request.method(), request.uri().path());
        let answer = match route {
            Ok(route) if route.is_stream(request.uri().query()) => {
                let connection = hyper::upgrade::on(&mut request);
                self.open(route, &request).await.map(|(stream, place)| {
                    becomes.set(Opened { stream, connection, place });
                    switching()
                })
            }
            Ok(route) => {
                self.carry_out(route, request).await.map(|body| response(StatusCode::OK, body))
            }
            Err(unroutable) => {
                let what = format!("{} {}", request.method(), request.uri().path());
                Err(Refusal::unroutable(unroutable, &what))
            }
        };
        answer.unwrap_or_else(|refusal| {
            let code = refusal.code;
            response(code, json(&refusal.status()))
        })
    }

    async fn carry_out(
        &self,
        route: Route,
        request: Request<Incoming>,
    ) -> Result<Vec<u8>, Refusal> {
        match route {
            Route::Status => Ok(json(&self.pod.object())),
            Route::Stats => match self.pod.stats() {
                Some(stats) => Ok(json(&stats)),
                None => Err(Refusal::gone(&self.pod.identity().name)),
            },
            Route::Resize => {
                let kind = patch_kind(&request)?;
                let patch: Value = read(request).await?;
                let resized = self.pod.resizer().patch(&patch, kind);
                Ok(json(&match resized.map_err(|error| Refusal::from(&error))? {
                    Resized::Changed(pod) => Patched { changed: true, pod: *pod },
                    Resized::Unchanged(pod) => Patched { changed: false, pod: *pod },
                }))
            }
            Route::Evict => {
                let Eviction { message } = read(request).await?;
                self.pod.handle().fail(PodFailure::evicted(message)).await;
                Ok(done())
            }
            Route::EvictContainer(name) => {
                let Eviction { message } = read(request).await?;
                if !self.pod.handle().out_of_memory(&name, message).await {
                    return Err(Refusal::no_container(&name, &self.pod.identity().name));
                }
                Ok(done())
            }
            Route::Stop => {
                let Stop { grace_period_seconds } = read(request).await?;
                self.pod.handle().stop(grace_period_seconds.map(Duration::from_secs)).await;
                Ok(done())
            }
            Route::Kill => {
                self.pod.handle().kill().await;
                Ok(done())
            }
            Route::Sync => {
                self.news.notify_one();
                Ok(done())
            }
            Route::Download(name) => {
                let path = Query::of(request.uri().query()).path()?;
                Ok(json(&self.pod.files(&name)?.stat(path).await?))
            }
            Route::Exec(_) | Route::Attach(_) | Route::PortForward | Route::Upload(_) => {
                unreachable!("these are streams")
            }
        }
    }

    /// Begins a stream, if there is a place for it.
    async fn open<Body>(
        &self,
        route: Route,
        request: &Request<Body>,
    ) -> Result<(Stream, OwnedSemaphorePermit), Refusal> {
        if !asks_for_stream(request) {
            return Err(Refusal::no_stream());
        }
        let place = Arc::clone(&self.streams).try_acquire_owned();
        let place = place.map_err(|_| Refusal::too_many(MOST_STREAMS))?;
        let query = Query::of(request.uri().query());
        let stream = match route {
            Route::Exec(name) => Stream::Session(self.pod.exec(&name, query.exec()?)?),
            Route::Attach(name) => Stream::Session(self.pod.attach(&name, query.is_on("stdin")?)?),
            Route::PortForward => Stream::PortForward(self.pod.port_forward(query.port()?).await?),
            Route::Download(name) => Stream::Download(self.pod.files(&name)?.read(query.path()?)),
            Route::Upload(name) => Stream::Upload(self.pod.files(&name)?.write(query.path()?)),
            Route::Status => Stream::Watch(self.pod.clone()),
            Route::Stats
            | Route::Resize
            | Route::Evict
            | Route::EvictContainer(_)
            | Route::Stop
            | Route::Kill
            | Route::Sync => unreachable!("these have one answer"),
        };
        Ok((stream, place))
    }
}

/// A patch without a type is taken for the usual one.
fn patch_kind(request: &Request<Incoming>) -> Result<PatchKind, Refusal> {
    let Some(given) = request.headers().get(header::CONTENT_TYPE) else {
        return Ok(PatchKind::default());
    };
    let given = given.to_str().unwrap_or_default();
    PatchKind::of_content_type(given).ok_or_else(|| Refusal {
        code: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        reason: "UnsupportedMediaType",
        message: format!(
            "the body of the request was in an unknown format ({given}) - accepted media types include: {}, {}",
            PatchKind::Merge.content_type(),
            PatchKind::Strategic.content_type(),
        ),
    })
}

async fn read<Body: DeserializeOwned>(request: Request<Incoming>) -> Result<Body, Refusal> {
    let body = Limited::new(request.into_body(), LONGEST);
    let bytes = body.collect().await.map_err(Refusal::bad)?.to_bytes();
    serde_json::from_slice(&bytes).map_err(Refusal::bad)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("objects of the API are JSON")
}

fn done() -> Vec<u8> {
    json(&Status { status: Some("Success".to_owned()), ..Status::default() })
}

/// Whether the client wants the connection to become a stream, of the one protocol that there is.
fn asks_for_stream<Body>(request: &Request<Body>) -> bool {
    let wanted = request.headers().get(header::UPGRADE);
    wanted.is_some_and(|wanted| wanted.as_bytes().eq_ignore_ascii_case(PROTOCOL.as_bytes()))
}

fn switching() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, header::HeaderValue::from_static(PROTOCOL));
    response
}

fn response(code: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = code;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
