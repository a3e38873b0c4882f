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
        let mut tries = 0;
        loop {
            tries += 1;
            if let Some(done) = self.reconcile(resource, namespace, manifest, persist)? {
                return Ok(done);
            }
            let (key, manifest) = requested(resource, namespace, manifest)?;
            let object = apply::annotated(&manifest).map_err(ApiError::from)?;
            let options = Create { persist, ..Create::default() };
            match self.create(resource, &key.namespace, object, &options) {
                // Somebody was faster: look again.
                Err(error) if tries < TRIES && error.reason() == Some(Reason::AlreadyExists) => {}
                created => return Ok((Applied::Created, created?)),
            }
        }
    }

    /// The same for an object that is there; nothing where it is not: whoever makes it may have more to do
    /// for it.
    ///
    /// # Errors
    /// As for [`Store::patch`]
    pub fn reconcile(
        &self,
        resource: Resource,
        namespace: &str,
        manifest: &Value,
        persist: Persist,
    ) -> Result<Option<(Applied, Value)>, StoreError> {
        let (key, manifest) = requested(resource, namespace, manifest)?;
        let current = match self.get(&key) {
            Ok(current) => current,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let plan = apply::plan(resource, &manifest, &current).map_err(ApiError::from)?;
        let Plan::Patch(patch) = plan else { return Ok(Some((Applied::Unchanged, current))) };
        let request =
            PatchRequest { kind: PatchKind::Strategic, patch: &patch, part: Part::Object };
        // `1000m` that is kept as `1` is no change, whatever the texts say.
        let version = |object: &Value| metadata::text(object, "resourceVersion").to_owned();
        match self.patch(&key, request, Update { persist, ..Update::default() }) {
            Ok(object) => {
                let is_same = version(&current) == version(&object);
                let done = if is_same { Applied::Unchanged } else { Applied::Configured };
                Ok(Some((done, object)))
            }
            // It has gone meanwhile.
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The key of the object that a manifest describes, and the manifest with what a request says of it.
fn requested(
    resource: Resource,
    namespace: &str,
    manifest: &Value,
) -> Result<(Key, Value), StoreError> {
    let mut manifest = manifest.clone();
    crate::rules::check_kind(resource, &mut manifest)?;
    crate::rules::check_namespace(resource, namespace, &mut manifest)?;
    let name = metadata::text(&manifest, "name").to_owned();
    if name.is_empty() {
        // It could never be found again.
        let message = "cannot use generate name with apply";
        return Err(ApiError::bad_request(message).into());
    }
    Ok((Key::new(resource, metadata::text(&manifest, "namespace"), &name), manifest))
}
