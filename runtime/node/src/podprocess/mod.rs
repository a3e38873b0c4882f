//! The process of a Pod as others of this machine deal with it: what it answers and what it does
//! when it is told to, over a unix socket of its own.
//!
//! HTTP/1.1 with JSON, errors as the `Status` of the Kubernetes API. The socket is for its user alone.
//!
//! | request | answer |
//! |---|---|
//! | `GET /status` | the Pod with its status |
//! | `GET /stats` | what it uses: [`PodStats`](wasmpod::resources::stats::PodStats) |
//! | `PATCH /resize` with a strategic or JSON merge patch | the Pod as it is wanted now, and whether that has changed it |
//! | `POST /containers/NAME/evict` with `{"message": ...}` | the container is OOMKilled with that message |
//! | `POST /evict` with `{"message": ...}` | the Pod fails as Evicted with that message |
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `route` | which request means what | yes |
//! | `api` | what is answered and done | |
//! | `server` | connections, and their bounds | |
//! | `client` | asking | |

mod api;
mod client;
mod route;
mod server;
#[cfg(test)]
pub(crate) mod tests;

pub use api::{Eviction, Patched};
pub use client::{ClientError, PodClient};
pub use server::{ControlServer, ServeError};
