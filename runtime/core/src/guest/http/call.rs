//! The guest's part of a request: one call of its handler, as a future that owns the instance.
//!
//! Whoever polls it looks into the [`HeadSlot`] after each poll: the head of the response is put
//! there while the call goes on. The future ends when the guest has nothing more to do; dropping it
//! ends the guest.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Request, Response, Uri, header};
use hyper::body::Incoming;
use wasmtime::error::Context as _;
use wasmtime_wasi_http::p2::bindings::http::types as p2_types;
use wasmtime_wasi_http::{WasiBody, WasiHttpView as _, p2, p3};

use super::handler::Handler;
use super::instance::{Exports, Instance};
use crate::guest::run::Failure;
use crate::lifecycle::Exit;

/// A call under way. It fails with the end that a command would have had.
pub(crate) type Call = Pin<Box<dyn Future<Output = Result<(), Exit>> + Send>>;

/// The head of the response, with its body still to come, or the error code that the guest gave.
pub(crate) type Head = Result<Response<WasiBody>, String>;

/// Where the head is put. A plain slot: a channel would wake the task that is polling already.
#[derive(Clone, Default)]
pub(crate) struct HeadSlot(Arc<Mutex<Option<Head>>>);

impl HeadSlot {
    fn put(&self, head: Head) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(head);
    }

    pub(crate) fn take(&self) -> Option<Head> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Calls the handler with `request`, which has an authority or a Host header.
pub(crate) fn call(handler: Arc<Handler>, request: Request<Incoming>, head: HeadSlot) -> Call {
    Box::pin(async move {
        let mut instance = Instance::take(&handler).await?;
        let Instance { store, exports, .. } = &mut instance;
        let outcome = match exports {
            Exports::P2(proxy) => call_p2(store, proxy, request, head).await,
            Exports::P3(service) => call_p3(store, service, request, head).await,
        };
        match outcome {
            Ok(()) => {
                instance.give_back(&handler);
                Ok(())
            }
            Err(error) => Err(Failure::Run(error).into_exit(&instance.store)),
        }
    })
}

type Store = wasmtime::Store<crate::guest::GuestState>;

async fn call_p2(
    store: &mut Store,
    proxy: &p2::bindings::Proxy,
    request: Request<Incoming>,
    head: HeadSlot,
) -> wasmtime::Result<()> {
    let mut view = store.data_mut().http();
    let request = view.new_incoming_request(p2_types::Scheme::Http, request)?;
    let outparam = view.new_response_outparam_from_callback(move |response| {
        head.put(response.map_err(|code| format!("{code:?}")));
    })?;
    proxy.wasi_http_incoming_handler().call_handle(store, request, outparam).await
}

async fn call_p3(
    store: &mut Store,
    service: &p3::bindings::Service,
    request: Request<Incoming>,
    head: HeadSlot,
) -> wasmtime::Result<()> {
    let (request, received) =
        p3::Request::from_http(store.data_mut().http().hooks, with_absolute_uri(request));
    store
        .run_concurrent(async |accessor| {
            match service.handle(accessor, request).await? {
                Ok(response) => {
                    let response = accessor.with(|store| response.into_http(store, received))?;
                    head.put(Ok(response));
                }
                Err(code) => head.put(Err(format!("{code:?}"))),
            }
            // The tasks that write the body: it would be cut off without them.
            poll_fn(|context| accessor.poll_no_interesting_tasks(context)).await;
            wasmtime::Result::Ok(())
        })
        .await
        .context("in the event loop of the component")
        .flatten()
}

/// 0.3 reads scheme and authority from the URI, where HTTP/1.1 has them in a header.
fn with_absolute_uri(mut request: Request<Incoming>) -> Request<Incoming> {
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    parts.scheme.get_or_insert(Scheme::HTTP);
    if parts.authority.is_none() {
        parts.authority = host(request.headers());
    }
    parts.path_and_query.get_or_insert(PathAndQuery::from_static("/"));
    *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
    request
}

fn host(headers: &HeaderMap) -> Option<Authority> {
    Authority::try_from(headers.get(header::HOST)?.as_bytes()).ok()
}
