//! Changing an object by a patch, or by a manifest that is applied.

use serde_json::Value;

use super::update::check_request;
use super::{Create, Part, Persist, Store, StoreError, Update};
use crate::patch::apply::{self, Applied, Plan};
use crate::patch::{PatchKind, patched};
use crate::status::{ApiError, Reason};
use crate::{Key, Resource, metadata};

/// Somebody else may make or delete the object in between, but not for ever.
const TRIES: usize = 8;

/// A patch, and what it is for.
#[derive(Clone, Copy, Debug)]
pub struct PatchRequest<'patch> {
    /// How it is to be read.
    pub kind: PatchKind,
    /// The patch itself.
    pub patch: &'patch Value,
    /// What of the object it may change.
    pub part: Part,
}

impl Store {
    /// Applies a patch to an object as it is now, and returns what has become of it.
    ///
    /// A patch that sets `metadata.resourceVersion` or `metadata.uid` asks for that very object.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Invalid`, `BadRequest`, or another [`StoreError`]
    pub fn patch(
        &self,
        key: &Key,
        request: PatchRequest<'_>,
        options: Update,
    ) -> Result<Value, StoreError> {
        self.write(options.persist, |transaction| {
            let current = transaction.found(key)?.object;
            let mut object = patched(key.resource, current, request.kind, request.patch)
                .map_err(ApiError::from)?;
            check_request(key, &mut object)?;
            transaction.replace(key, object, request.part, options.origin)
        })
    }

    /// Does what `kubectl apply` does with a manifest: makes the object, or patches it.
    ///
    /// `namespace` is the one of the request. Returns what was done, and the object.
    ///
    /// # Errors
    /// As for [`Store::create`] and [`Store::patch`]
    pub fn apply(
        &self,
        resource: Resource,
        namespace: &str,
        manifest: &Value,
        persist: Persist,
    ) -> Result<(Applied, Value), StoreError> {
        let mut manifest = manifest.clone();
        crate::rules::check_kind(resource, &mut manifest)?;
        crate::rules::check_namespace(resource, namespace, &mut manifest)?;
        let name = metadata::text(&manifest, "name").to_owned();
        if name.is_empty() {
            // It could never be found again.
            let message = "cannot use generate name with apply";
            return Err(ApiError::bad_request(message).into());
        }
        let key = Key::new(resource, metadata::text(&manifest, "namespace"), &name);
        let mut tries = 0;
        loop {
            tries += 1;
            let current = match self.get(&key) {
                Ok(current) => Some(current),
                Err(error) if error.reason() == Some(Reason::NotFound) => None,
                Err(error) => return Err(error),
            };
            let plan = apply::plan(resource, &manifest, current.as_ref());
            let done = match plan.map_err(ApiError::from)? {
                Plan::Create(object) => self
                    .create(
                        resource,
                        &key.namespace,
                        object,
                        &Create { persist, ..Create::default() },
                    )
                    .map(|object| (Applied::Created, object)),
                Plan::Patch(patch) => {
                    let request = PatchRequest {
                        kind: PatchKind::Strategic,
                        patch: &patch,
                        part: Part::Object,
                    };
                    let options = Update { persist, ..Update::default() };
                    // `1000m` that is kept as `1` is no change, whatever the texts say.
                    let version =
                        |object: &Value| metadata::text(object, "resourceVersion").to_owned();
                    let before = current.as_ref().map(version);
                    self.patch(&key, request, options).map(|object| {
                        let is_same = before == Some(version(&object));
                        let done = if is_same { Applied::Unchanged } else { Applied::Configured };
                        (done, object)
                    })
                }
                Plan::Unchanged => Ok((Applied::Unchanged, current.unwrap_or_default())),
            };
            match done {
                // Somebody was faster: look again.
                Err(error) if tries < TRIES && is_outrun(&error) => {}
                done => return done,
            }
        }
    }
}

fn is_outrun(error: &StoreError) -> bool {
    matches!(error.reason(), Some(Reason::AlreadyExists | Reason::NotFound))
}
