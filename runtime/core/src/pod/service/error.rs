//! What keeps a Service from being had.

use std::io;
use std::path::PathBuf;

use serde_json::Value;

use crate::manifest::field::{ErrorType, FieldError, FieldPath};

/// A Service cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Its name is somebody's.
    #[error("services {name:?} already exists")]
    Exists {
        /// `metadata.name`
        name: String,
    },
    /// A field of it asks for what cannot be given.
    #[error("service {name:?}: {error}")]
    Invalid {
        /// `metadata.name`
        name: String,
        /// In the words of the API server.
        error: Box<FieldError>,
    },
    /// A port of the host cannot be taken.
    #[error("service {name:?}: cannot listen on node port {port}")]
    NodePort {
        /// `metadata.name`
        name: String,
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// No address or no port is left.
    #[error("service {name:?}: no {what} is free")]
    Exhausted {
        /// `metadata.name`
        name: String,
        /// Of what there is none.
        what: &'static str,
    },
    /// The directory of the machine cannot be written.
    #[error("cannot announce Services in {}", folder.display())]
    Directory {
        /// Where it is.
        folder: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl ServiceError {
    pub(super) fn invalid(name: &str, path: FieldPath, value: Value, detail: &str) -> Self {
        let (kind, detail) = (ErrorType::Invalid, detail.to_owned());
        let error = Box::new(FieldError { path, kind, value, detail, hint: None });
        Self::Invalid { name: name.to_owned(), error }
    }
}
