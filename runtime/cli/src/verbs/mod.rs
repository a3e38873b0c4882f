//! One file a verb, a folder for those that belong together: what it reads, what it prints, how it ends.

pub(crate) mod background_pod;
pub(crate) mod completion;
pub(crate) mod explain;
pub(crate) mod images;
pub(crate) mod info;
mod manifests;
pub(crate) mod objects;
pub(crate) mod pod_process;
pub(crate) mod reach;
pub(crate) mod run;
pub(crate) mod service_process;
pub(crate) mod stats;
pub(crate) mod system;
pub(crate) mod validate;
pub(crate) mod version;
