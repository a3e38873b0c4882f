//! Where wasmtime-wasi-http asks us.

use std::sync::{Arc, LazyLock};

use http::{HeaderName, Request, Response};
use http_body::Body as _;
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody,
    WasiHttpHooks,
};

use super::client::{joined, send};
use crate::executor::Account;
use crate::sandbox::network::Endpoint;

/// Writes that a guest may be ahead of its response's or request's reader: it is polled again only
/// when they are gone.
const CHUNKS_AHEAD: usize = 16;

/// The largest of these writes.
const CHUNK: usize = 16 << 10;

/// What a guest can have written of one body that nobody has read.
pub(super) const BODY: usize = CHUNKS_AHEAD * CHUNK;

/// Bodies of one Store that are begun and not sent, each with so much; a guest that begins more has one
/// small write of each.
const UNSENT: usize = 8;

/// One Store's way to the Pod's network.
pub struct PodHttp {
    endpoint: Arc<Endpoint>,
    account: Account,
    /// Bodies that were begun and not sent with a request.
    unsent: usize,
}

impl PodHttp {
    /// Requests go out from `endpoint`; the work for them is done on `account`.
    pub fn new(endpoint: Arc<Endpoint>, account: Account) -> Self {
        Self { endpoint, account, unsent: 0 }
    }

    /// A response is sent: what was begun for it is not this Store's any more.
    pub fn forget_bodies(&mut self) {
        self.unsent = 0;
    }
}

fn is_forbidden(name: &HeaderName) -> bool {
    DEFAULT_FORBIDDEN_HEADERS.contains(name)
}

type Sent = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for PodHttp {
    // The default makes an allocation for each header.
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        is_forbidden(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        static FILTER: LazyLock<ForbiddenHeaderFilter> = LazyLock::new(|| Arc::new(is_forbidden));
        FILTER.clone()
    }

    /// Asked once for each body that is begun.
    fn p2_outgoing_body_buffer_chunks(&mut self) -> usize {
        self.unsent += 1;
        if self.unsent > UNSENT { 1 } else { CHUNKS_AHEAD }
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        if self.unsent > UNSENT { CHUNK / 4 } else { CHUNK }
    }

    fn p3_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _response_read: Sent,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Sent), Error>> + Send> {
        // One without a body was never begun.
        if !request.body().is_end_stream() {
            self.unsent = self.unsent.saturating_sub(1);
        }
        let (endpoint, account) = (self.endpoint.clone(), self.account.clone());
        let options = options.unwrap_or_default();
        Box::new(async move {
            let (response, rest) = send(endpoint, account, request, options).await?;
            Ok((response, Box::new(joined(rest)) as Sent))
        })
    }
}
