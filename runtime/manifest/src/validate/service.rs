//! A Service.

use k8s_openapi::api::core::v1::Service;

use super::metadata;
use crate::field::{Errors, FieldError, Place};

/// Every rule that `service` breaks.
pub fn service(service: &Service) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&service.metadata, &Place::top("metadata"), &mut errors);
    errors.into_vec()
}
