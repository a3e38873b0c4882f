//! What a Service is given as it is written: an address and node ports, which no other Service has, kept or
//! announced by a command.

use std::any::Any;

use k8s_openapi::api::core::v1::Service;
use serde::de::DeserializeOwned;
use serde_json::Value;
use wasmpod::error::chain;
use wasmpod::pod::{Folders, ServiceError, allocate_kept};
use wasmpod_objects::Resource;
use wasmpod_objects::resource::SERVICES;
use wasmpod_objects::status::ApiError;
use wasmpod_objects::store::Allocator;

/// Of one machine.
#[derive(Debug)]
pub(in crate::background) struct ServiceAllocator {
    folders: Folders,
}

impl ServiceAllocator {
    /// Of the machine whose state is in `folders`.
    pub(in crate::background) fn on(folders: &Folders) -> Self {
        Self { folders: folders.clone() }
    }
}

impl Allocator for ServiceAllocator {
    fn resource(&self) -> Resource {
        SERVICES
    }

    fn allocate(
        &self,
        object: &mut Value,
        before: Option<&Value>,
        others: Vec<Value>,
    ) -> Result<Box<dyn Any>, ApiError> {
        let mut service: Service = read(object.clone())?;
        let before = before.cloned().map(read::<Service>).transpose()?;
        let others = others.into_iter().map(read).collect::<Result<Vec<Service>, _>>()?;
        let allocation = allocate_kept(&self.folders, &mut service, before.as_ref(), &others)
            .map_err(refused)?;
        object["spec"] = serde_json::to_value(&service.spec).map_err(ApiError::internal)?;
        Ok(Box::new(allocation))
    }
}

fn read<Kind: DeserializeOwned>(object: Value) -> Result<Kind, ApiError> {
    serde_json::from_value(object).map_err(ApiError::internal)
}

fn refused(error: ServiceError) -> ApiError {
    match error {
        ServiceError::Exists { name } => ApiError::already_exists(SERVICES, &name),
        ServiceError::Invalid { name, error } => ApiError::invalid(SERVICES, &name, &[*error]),
        ServiceError::NodePort { .. }
        | ServiceError::Exhausted { .. }
        | ServiceError::Directory { .. } => ApiError::internal(chain(&error)),
    }
}
