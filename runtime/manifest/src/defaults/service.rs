//! Defaults of a Service.

use k8s_openapi::api::core::v1::Service;

use super::objects;

/// Fills in a Service: its namespace.
pub fn service(service: &mut Service) {
    objects::metadata(&mut service.metadata);
}
