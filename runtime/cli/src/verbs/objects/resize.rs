//! `wasmpod patch pod NAME --subresource resize`: other resources for a Pod that runs.

use serde_json::{Value, json};
use wasmpod::pod::PatchKind as ResizeKind;
use wasmpod_node::background::BackgroundPods;
use wasmpod_node::podprocess::{ClientError, PodClient};
use wasmpod_objects::patch::{PatchKind, patched};
use wasmpod_objects::resource::PODS;
use wasmpod_objects::status::ApiError;

use super::chosen::Chosen;
use super::patch::Patched;
use crate::args::{DryRun, Patch};
use crate::failure::Failure;

/// The Pod as it is wanted then.
///
/// # Errors
/// It is no Pod, does not run, or may not be changed so.
pub(super) fn resized(
    pods: &BackgroundPods,
    verb: &Patch,
    one: &Chosen,
    patch: &Value,
) -> Result<Patched, Failure> {
    if one.key.resource != PODS {
        return Err(Failure::kubectl(format!(
            "{} have no subresource \"resize\": only Pods do",
            one.key.resource.plural
        )));
    }
    if verb.told.dry_run != DryRun::None {
        return Err(Failure::kubectl("--dry-run and --subresource=resize exclude each other"));
    }
    let uid = one.object["metadata"]["uid"].as_str().unwrap_or_default();
    let client = PodClient::new(pods.folders().control_socket(uid));
    let runtime = crate::verbs::run::runtime()?;
    let resized = runtime.block_on(async {
        match verb.kind.kind() {
            PatchKind::Strategic => client.resize(patch, ResizeKind::Strategic).await,
            PatchKind::Merge => client.resize(patch, ResizeKind::Merge).await,
            PatchKind::Json => {
                // Operations say where in the Pod as it is.
                let pod = client.status().await?;
                let pod = serde_json::to_value(pod).unwrap_or_default();
                match patched(PODS, pod, PatchKind::Json, patch) {
                    Ok(pod) => {
                        client.resize(&json!({ "spec": pod["spec"] }), ResizeKind::Merge).await
                    }
                    Err(error) => return Ok(Err(ApiError::from(error))),
                }
            }
        }
        .map(Ok)
    });
    let resized = resized.map_err(|error| match error {
        // The API's own words stand alone.
        ClientError::Refused { message, .. } => Failure::kubectl(message),
        other => Failure::because(format!("pods {:?}", one.key.name), &other),
    })??;
    let object = serde_json::to_value(resized.pod);
    let object = object.map_err(|error| Failure::because("the Pod", &error))?;
    Ok(Patched { object, changed: resized.changed })
}
