//! How much there is of what on the disk.

use std::path::Path;

use serde::Serialize;
use wasmpod::image::CodeUsage;
use wasmpod::logs::pod_folders;
use wasmpod::pod::Folders;
use wasmpod::sandbox::filesystem;
use wasmpod_objects::store::StoreError;

use super::known::{Known, claims};
use crate::background::BackgroundPods;
use crate::images::Images;

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// Folders of Pods: what their containers have written, and their volumes that go with them.
    Pods,
    /// Pods, ConfigMaps and other objects.
    Objects,
    /// What containers have said.
    Logs,
    /// The data of PersistentVolumeClaims.
    Volumes,
    /// Images of registries, with their unpacked roots.
    Images,
    /// What images were compiled to.
    Code,
    /// The shell and tools for commands in containers.
    Toolbox,
    /// Empty folders for the next Pods.
    Spare,
    /// Locks and words of the processes of Pods.
    Processes,
}

/// What one kind takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Of what.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// How many there are.
    pub total: u64,
    /// How many of them somebody needs now.
    pub active: u64,
    /// What all of them take on the disk.
    #[serde(rename = "sizeBytes")]
    pub bytes: u64,
    /// What of that could be removed without harm to anything that runs.
    #[serde(rename = "reclaimableBytes")]
    pub reclaimable: u64,
}

impl Part {
    fn none_of(kind: Kind) -> Self {
        Self { kind, total: 0, active: 0, bytes: 0, reclaimable: 0 }
    }

    fn add(&mut self, bytes: u64, is_active: bool) {
        self.total += 1;
        self.bytes += bytes;
        if is_active {
            self.active += 1;
        } else {
            self.reclaimable += bytes;
        }
    }
}

/// Measures what is on the disk, a part for each [`Kind`] in their order. Pods may come and go meanwhile.
///
/// # Errors
/// The store cannot be read.
pub fn usage(pods: &BackgroundPods) -> Result<Vec<Part>, StoreError> {
    let folders = pods.folders();
    let known = Known::read(folders, pods.store())?;
    Ok(vec![
        of_pods(folders, &known),
        Part {
            total: known.objects,
            active: known.objects,
            bytes: size(&folders.objects()),
            ..Part::none_of(Kind::Objects)
        },
        of_logs(folders, &known),
        of_volumes(folders, &known),
        of_images(folders),
        of_code(folders),
        of_toolbox(folders),
        of_spare(folders),
        of_processes(folders, &known),
    ])
}

/// What is at `path` and below; nothing there takes nothing.
pub(super) fn size(path: &Path) -> u64 {
    filesystem::usage(path).map_or(0, |usage| usage.bytes)
}

fn of_pods(folders: &Folders, known: &Known) -> Part {
    let pods = folders.pods();
    let dead = filesystem::dead(&pods).unwrap_or_default();
    Part {
        total: known.pods.len() as u64,
        active: known.pods.iter().filter(|pod| pod.has_process).count() as u64,
        bytes: size(&pods).saturating_sub(size(&pods.join(filesystem::SPARE))),
        reclaimable: dead.iter().map(|uid| size(&pods.join(uid))).sum(),
        ..Part::none_of(Kind::Pods)
    }
}

fn of_logs(folders: &Folders, known: &Known) -> Part {
    let mut part = Part::none_of(Kind::Logs);
    for (uid, folder) in pod_folders(&folders.logs()).unwrap_or_default() {
        part.add(size(&folder), known.is_needed(folders, &uid));
    }
    part
}

fn of_volumes(folders: &Folders, known: &Known) -> Part {
    let mut part = Part::none_of(Kind::Volumes);
    for (claim, folder) in claims(folders) {
        part.add(size(&folder), known.needs_claim(&claim));
    }
    part.active =
        claims(folders).iter().filter(|(claim, _)| known.uses_claim(claim)).count() as u64;
    part
}

fn of_images(folders: &Folders) -> Part {
    // A store that cannot be read is for `images` to tell of.
    let images = Images::new(folders).usage().unwrap_or_default();
    Part {
        total: images.images,
        active: images.in_use,
        bytes: images.bytes,
        reclaimable: images.reclaimable,
        kind: Kind::Images,
    }
}

fn of_code(folders: &Folders) -> Part {
    let code = CodeUsage::of(&folders.cache());
    Part {
        total: code.files,
        active: code.files_in_use,
        bytes: code.bytes,
        reclaimable: code.unused_bytes,
        kind: Kind::Code,
    }
}

fn of_toolbox(folders: &Folders) -> Part {
    let kept = folders.cache().join("kept");
    let total = std::fs::read_dir(&kept).map_or(0, |files| files.flatten().count()) as u64;
    let bytes = if total == 0 { 0 } else { size(&kept) };
    // Commands to come find it there.
    Part { total, active: total, bytes, ..Part::none_of(Kind::Toolbox) }
}

fn of_spare(folders: &Folders) -> Part {
    let mut part = Part::none_of(Kind::Spare);
    let spare = folders.pods().join(filesystem::SPARE);
    for entry in std::fs::read_dir(spare).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            part.add(size(&entry.path()), false);
        }
    }
    part
}

fn of_processes(folders: &Folders, known: &Known) -> Part {
    use std::os::unix::fs::MetadataExt as _;
    let mut part = Part::none_of(Kind::Processes);
    for entry in std::fs::read_dir(folders.processes()).into_iter().flatten().flatten() {
        let (name, metadata) = (entry.file_name(), entry.metadata());
        let bytes = metadata.map_or(0, |metadata| metadata.blocks() * 512);
        let Some((uid, kind)) = name.to_str().and_then(|name| name.rsplit_once('.')) else {
            continue;
        };
        let is_needed = known.is_needed(folders, uid);
        match kind {
            "lock" => part.add(bytes, is_needed),
            _ => {
                part.bytes += bytes;
                part.reclaimable += if is_needed { 0 } else { bytes };
            }
        }
    }
    part
}
