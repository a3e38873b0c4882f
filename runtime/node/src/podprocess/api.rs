//! What the process of a Pod answers and does.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasmpod::lifecycle::PodFailure;
use wasmpod::pod::PodView;

use super::route::{Route, Unroutable};

/// The longest body that is read; a manifest of Kubernetes is 1.5 MiB at most.
const LONGEST: usize = 2 << 20;

/// Why something is to end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eviction {
    /// What the status says of it.
    pub message: String,
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
