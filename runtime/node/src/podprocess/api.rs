//! What the process of a Pod answers and does.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmpod::error::chain;
use wasmpod::lifecycle::PodFailure;
use wasmpod::pod::{PatchKind, PodView, ResizeError, Resized};

use super::route::{Route, Unroutable};

/// The longest body that is read; a manifest of Kubernetes is 1.5 MiB at most.
const LONGEST: usize = 2 << 20;

/// Why something is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eviction {
    /// What the status says of it.
    pub message: String,
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
}

/// Why a request is not done, as the API of Kubernetes says it.
struct Refusal {
    code: StatusCode,
    reason: &'static str,
    message: String,
}

impl Api {
    pub(super) fn new(pod: PodView) -> Self {
        Self { pod }
    }

    pub(super) async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        match self.carry_out(request).await {
            Ok(body) => response(StatusCode::OK, body),
            Err(refusal) => response(refusal.code, json(&refusal.status())),
        }
    }

    async fn carry_out(&self, request: Request<Incoming>) -> Result<Vec<u8>, Refusal> {
        let route = Route::of(request.method(), request.uri().path()).map_err(|unroutable| {
            let what = format!("{} {}", request.method(), request.uri().path());
            Refusal::unroutable(unroutable, &what)
        })?;
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
                Ok(json(&Status { status: Some("Success".to_owned()), ..Status::default() }))
            }
            Route::EvictContainer(name) => {
                let Eviction { message } = read(request).await?;
                if !self.pod.handle().out_of_memory(&name, message).await {
                    return Err(self.no_container(&name));
                }
                Ok(json(&Status { status: Some("Success".to_owned()), ..Status::default() }))
            }
        }
    }

    fn no_container(&self, name: &str) -> Refusal {
        let pod = &self.pod.identity().name;
        Refusal {
            code: StatusCode::NOT_FOUND,
            reason: "NotFound",
            message: format!("container {name} is not valid for pod {pod}"),
        }
    }
}

impl Refusal {
    fn unroutable(unroutable: Unroutable, what: &str) -> Self {
        let (code, reason, message) = match unroutable {
            Unroutable::NotFound => (
                StatusCode::NOT_FOUND,
                "NotFound",
                format!("the server could not find the requested resource ({what})"),
            ),
            Unroutable::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                format!("the server does not allow this method on the requested resource ({what})"),
            ),
        };
        Self { code, reason, message }
    }

    fn gone(pod: &str) -> Self {
        let message = format!("pods {pod:?} not found: it has ended");
        Self { code: StatusCode::GONE, reason: "Gone", message }
    }

    fn bad(why: impl std::fmt::Display) -> Self {
        let message = format!("the body of the request is not understood: {why}");
        Self { code: StatusCode::BAD_REQUEST, reason: "BadRequest", message }
    }

    fn status(self) -> Status {
        Status {
            status: Some("Failure".to_owned()),
            message: Some(self.message),
            reason: Some(self.reason.to_owned()),
            code: Some(self.code.as_u16().into()),
            ..Status::default()
        }
    }
}

impl From<&ResizeError> for Refusal {
    fn from(error: &ResizeError) -> Self {
        let (code, reason) = match error {
            ResizeError::Patch(_) | ResizeError::Decode { .. } => {
                (StatusCode::BAD_REQUEST, "BadRequest")
            }
            ResizeError::Invalid { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "Invalid"),
            ResizeError::Gone => (StatusCode::NOT_FOUND, "NotFound"),
        };
        Self { code, reason, message: chain(error) }
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

fn response(code: StatusCode, body: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = code;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
