//! Which objects a verb is about.

use clap::Args;

use super::Filenames;
use crate::verbs::completion::names;

// The namespace of what a verb is about.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Namespace {
    /// Namespace of the objects [default: default]
    #[arg(short, long, value_name = "NAMESPACE", env = "WASMPOD_NAMESPACE", add = names::namespaces())]
    pub(crate) namespace: Option<String>,
}

impl Namespace {
    pub(crate) fn name(&self) -> &str {
        self.namespace.as_deref().unwrap_or("default")
    }
}

// Objects that a verb is about: of a kind, by name, of files, or by what they have.
#[derive(Debug, Clone, Args)]
pub(crate) struct Selection {
    /// TYPE, TYPE NAME ..., or TYPE/NAME ...: `pods`, `pod web db`, `pod/web configmap/settings`
    #[arg(value_name = "TYPE NAME", add = names::objects())]
    pub(crate) targets: Vec<String>,

    #[command(flatten)]
    pub(crate) manifests: Filenames,

    /// Those whose labels match, e.g. `app=web,tier!=back,env in (a,b)`
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    pub(crate) selector: Option<String>,

    /// Those whose fields match, e.g. `status.phase=Running`
    #[arg(long, value_name = "SELECTOR")]
    pub(crate) field_selector: Option<String>,

    #[command(flatten)]
    pub(crate) namespace: Namespace,

    /// Those of all namespaces
    #[arg(short = 'A', long, conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,
}
