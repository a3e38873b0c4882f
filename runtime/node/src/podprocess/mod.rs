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
//! | `POST /stop` with `{"gracePeriodSeconds": ...}` or `{}` | the Pod ends gracefully |
//! | `POST /kill` with `{}` | it ends at once |
//! | `GET /containers/NAME/files?path=…&stat=1` | what is there: [`FileStat`](wasmpod::sandbox::filesystem::FileStat) |
//!
//! With the header `Upgrade: wasmpod-stream` a connection becomes a stream. The client waits for the
//! answer 101 before it sends anything.
//!
//! | request | stream |
//! |---|---|
//! | `GET /status?watch=1` | the Pod now and after each change, a JSON object a line |
//! | `POST /containers/NAME/exec?command=…&stdin=1&tty=1&rows=…&cols=…` | [frames](frame) |
//! | `POST /containers/NAME/attach?stdin=1` | frames |
//! | `POST /portforward?port=…` | the bytes of one connection to the Pod's loopback |
//! | `GET /containers/NAME/files?path=…` | frames with a tar archive as standard output |
//! | `PUT /containers/NAME/files?path=…` | frames with a tar archive as standard input, until its end |
//!
//! A stream of frames ends with a `Status`. There are 32 connections at once that ask for something, each
//! for 60 seconds at most, and 256 streams beside them. The log of a container is a file that anybody of
//! this user reads: [`wasmpod::logs`].
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `route` | which request means what | yes |
//! | `query` | what is behind its question mark | yes |
//! | `frame` | channels of a stream | yes |
//! | `api` | what is answered and done | |
//! | `refusal` | why something is not | yes |
//! | `streams` | what goes on after an answer | |
//! | `server` | connections, and their bounds | |
//! | `client` | asking | |

mod api;
mod client;
pub mod frame;
#[cfg(test)]
mod frame_tests;
mod query;
mod refusal;
mod route;
mod server;
mod streams;
#[cfg(test)]
pub(crate) mod tests;

pub use api::{Eviction, Patched, Stop};
pub use client::{
    ClientError, DownloadReader, PodClient, SessionEvent, SessionReader, SessionWriter, Sessioned,
    StatusWatch, UploadWriter,
};
pub use server::{ControlServer, ServeError};
