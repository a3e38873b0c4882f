//! The objects that Pods draw on: ConfigMaps, Secrets and claims.

use k8s_openapi::Metadata;
use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;

use super::gathered::Gathered;
use super::generated_name;
use super::object::Here;
use super::pod::{self, Written};
use crate::decode::decode;
use crate::defaults;
use crate::field::FieldError;
use crate::node::Node;
use crate::schema::{CONFIG_MAP, Object, PERSISTENT_VOLUME_CLAIM, SECRET};
use crate::strict::{self, Path};
use crate::validate;

pub(super) fn config_map(node: &mut Node, here: &Here, gathered: &mut Gathered) {
    let read = read::<ConfigMap>(node, &CONFIG_MAP, here, gathered, |object| {
        defaults::config_map(object);
        validate::config_map(object)
    });
    if let Some(object) = read {
        claim_name(&CONFIG_MAP, &object.metadata, here, gathered);
        gathered.manifest.config_maps.push(object);
    }
}

pub(super) fn secret(node: &mut Node, here: &Here, gathered: &mut Gathered) {
    let read = read::<Secret>(node, &SECRET, here, gathered, |object| {
        defaults::secret(object);
        validate::secret(object)
    });
    if let Some(object) = read {
        claim_name(&SECRET, &object.metadata, here, gathered);
        gathered.manifest.secrets.push(object);
    }
}

pub(super) fn claim(node: &mut Node, here: &Here, gathered: &mut Gathered) {
    // What only the system writes is not part of what is wanted.
    node.remove("status");
    let read =
        read::<PersistentVolumeClaim>(node, &PERSISTENT_VOLUME_CLAIM, here, gathered, |object| {
            defaults::persistent_volume_claim(object);
            validate::persistent_volume_claim(object)
        });
    if let Some(object) = read {
        claim_name(&PERSISTENT_VOLUME_CLAIM, &object.metadata, here, gathered);
        gathered.manifest.persistent_volume_claims.push(object);
    }
}

pub(super) fn claim_name(
    object: &Object,
    metadata: &ObjectMeta,
    here: &Here,
    gathered: &mut Gathered,
) {
    let name = metadata.name.as_deref().unwrap_or_default();
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    gathered.claim_name(object.name, namespace, name, here.at);
}

pub(super) fn read<T: DeserializeOwned + Metadata<Ty = ObjectMeta>>(
    node: &mut Node,
    object: &'static Object,
    here: &Here,
    gathered: &mut Gathered,
    complete: impl FnOnce(&mut T) -> Vec<FieldError>,
) -> Option<T> {
    let first_problem = gathered.report.problems.len();
    strict::check(node, object, &Path::root(&here.prefix, object), &mut gathered.report);
    let mut read = match decode::<T>(node) {
        Ok(read) => read,
        Err(error) => {
            pod::undecodable(error.at.unwrap_or(here.at), &error.message, here, gathered);
            return None;
        }
    };
    generated_name::fill(read.metadata_mut(), here, gathered);
    let errors = complete(&mut read);
    let written = Written { template: node, path: "", first_problem };
    pod::report_errors(errors, &written, here, gathered);
    Some(read)
}
