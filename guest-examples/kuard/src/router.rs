//! Which path is whose.

use crate::http::{Request, Response, Status};
use crate::memory::Memory;
use crate::page::Tab;
use crate::probe::Probe;
use crate::{dns, environment, files, page, request_page};

/// All that changes while kuard runs.
pub(crate) struct Kuard {
    liveness: Probe,
    readiness: Probe,
    memory: Memory,
}

impl Kuard {
    pub(crate) fn new() -> Self {
        Self {
            liveness: Probe::new("/healthy", Tab::Liveness),
            readiness: Probe::new("/ready", Tab::Readiness),
            memory: Memory::default(),
        }
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Response {
        let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
        match (method, request.path.as_str()) {
            ("GET", "/") => request_page::page(request),

            ("GET", "/-/env") => environment::page(),
            ("GET", "/env/api") => environment::api(),

            ("GET", "/-/mem") => self.memory.page(),
            ("GET", "/mem/api") => self.memory.api(),
            ("POST", "/mem/api/alloc") => self.memory.allocate_api(request),
            ("POST", "/mem/api/clear") => self.memory.clear_api(),
            ("POST", "/-/mem") => self.memory.form(request),

            ("GET", "/healthy") => self.liveness.answer(request),
            ("GET" | "PUT", "/healthy/api") => self.liveness.api(request),
            ("GET", "/-/liveness") => self.liveness.page(),
            ("POST", "/-/liveness") => self.liveness.form(request),

            ("GET", "/ready") => self.readiness.answer(request),
            ("GET" | "PUT", "/ready/api") => self.readiness.api(request),
            ("GET", "/-/readiness") => self.readiness.page(),
            ("POST", "/-/readiness") => self.readiness.form(request),

            ("GET", "/-/dns") => dns::page(request),
            ("POST", "/dns/api") => dns::api(request),

            ("GET", path) if path == "/fs" || path.starts_with("/fs/") => files::answer(path),

            (_, path) if is_known(path) => Response::method_not_allowed(),
            (_, path) => page::not_found(path),
        }
    }
}

fn is_known(path: &str) -> bool {
    const KNOWN: [&str; 17] = [
        "/",
        "/-/env",
        "/env/api",
        "/-/mem",
        "/mem/api",
        "/mem/api/alloc",
        "/mem/api/clear",
        "/healthy",
        "/healthy/api",
        "/-/liveness",
        "/ready",
        "/ready/api",
        "/-/readiness",
        "/-/dns",
        "/dns/api",
        "/fs",
        "/fs/",
    ];
    KNOWN.contains(&path)
}

/// A form field or JSON member that is not what it should be.
pub(crate) fn bad_request(message: &str) -> Response {
    Response::text(Status::BadRequest, &format!("{message}\n"))
}
