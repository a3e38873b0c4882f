//! The command line: one definition gives parsing, help and shell completion.

mod change;
mod help;
mod images;
mod look;
mod machine;
mod reach;
mod run;
mod selection;
mod show;
mod system;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueHint};

pub(crate) use change::{
    Apply, Create, Delete, DeleteOptions, Diff, Edit, Mark, Patch, Replace, Subresource, Told,
};
pub(crate) use images::{
    ImageGroup, ImagePack, ImagePrune, ImageTask, Images, ImagesFormat, Inspect, Load, PackForm,
    Pull, Push, Rmi, Save, Tag,
};
pub(crate) use look::{
    Complete, Completion, Explain, Info, InfoFormat, Stats, StatsFormat, Validate, Version,
};
pub(crate) use machine::{Eviction, NodeOptions};
pub(crate) use reach::{Attach, Cp, Debug, Exec, Logs, PortForward, SessionOptions};
pub(crate) use run::{DryRun, Imperative, LogPrefix, OutputFormat, Restart, Run, RunOptions};
pub(crate) use selection::{Namespace, Selection};
pub(crate) use show::{Describe, Events, Get, Top, TopSort, Wait};
pub(crate) use system::{DfFormat, System, SystemDf, SystemPrune, SystemReset, SystemTask};

/// Run Kubernetes Pods whose containers are WebAssembly
#[derive(Debug, Parser)]
#[command(name = "wasmpod", version, arg_required_else_help = true, max_term_width = 100)]
#[command(help_template = help::PAGE, after_help = help::MORE)]
pub(crate) struct CommandLine {
    /// Folder for Pods, volumes and logs [default: $XDG_STATE_HOME/wasmpod, for root /var/lib/wasmpod]
    #[arg(long, global = true, value_name = "DIR", env = "WASMPOD_ROOT", value_hint = ValueHint::DirPath)]
    pub(crate) root: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) images: ImageFiles,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Files that say how images of registries are to be had.
#[derive(Debug, Args)]
pub(crate) struct ImageFiles {
    /// File with mirrors, certificates and names of registries [default: registries.yaml in
    /// /etc/wasmpod or $XDG_CONFIG_HOME/wasmpod]
    #[arg(long, global = true, value_name = "FILE", env = "WASMPOD_REGISTRY_CONFIG", value_hint = ValueHint::FilePath)]
    pub(crate) registry_config: Option<PathBuf>,

    /// File that says which images need whose signature
    #[arg(long, global = true, value_name = "FILE", env = "WASMPOD_IMAGE_POLICY", value_hint = ValueHint::FilePath)]
    pub(crate) image_policy: Option<PathBuf>,
}

impl From<ImageFiles> for crate::registry::Files {
    fn from(files: ImageFiles) -> Self {
        Self { registries: files.registry_config, policy: files.image_policy }
    }
}

// Deferred, here and below: a start pays for the arguments of its own verb only.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum Verb {
    /// Run the Pods of a manifest, or one image, in the foreground
    Run(Box<Run>),
    #[command(flatten)]
    Short(ShortVerb),
    /// Be the process of one Pod (called by wasmpod itself)
    #[command(name = "pod-process", hide = true)]
    PodProcess(PodProcess),
    /// Be the process of a Pod in the background (called by wasmpod itself)
    #[command(name = "background-pod", hide = true)]
    BackgroundPod(BackgroundPod),
    /// Be the process of Services that are kept (called by wasmpod itself)
    #[command(name = "service-process", hide = true)]
    ServiceProcess(ServiceProcess),
}

/// A verb that runs no Pod.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub(crate) enum ShortVerb {
    /// Make or change what manifests describe: Pods in the background, Services, ConfigMaps, Secrets, claims
    Apply(Box<Apply>),
    /// Make what manifests describe
    Create(Box<Create>),
    /// Show objects
    Get(Box<Get>),
    /// Show all that there is to know of objects
    Describe(Box<Describe>),
    /// Delete objects
    Delete(Box<Delete>),
    /// Wait for something to be true of objects
    Wait(Box<Wait>),
    /// Show what has happened
    Events(Box<Events>),
    /// Show what Pods use, once
    Top(Box<Top>),
    /// Change the labels of objects
    Label(Box<Mark>),
    /// Change the annotations of objects
    Annotate(Box<Mark>),
    /// Put what manifests describe in the place of what is there
    Replace(Box<Replace>),
    /// Change an object in an editor
    Edit(Box<Edit>),
    /// Show what `apply` would change
    Diff(Box<Diff>),
    /// Show what containers have said
    Logs(Box<Logs>),
    /// Run a command in a container
    Exec(Box<Exec>),
    /// Run a shell, or a program of this machine, in a container
    Debug(Box<Debug>),
    /// Attach to what runs in a container
    Attach(Box<Attach>),
    /// Open ports of this machine that lead into a Pod
    PortForward(Box<PortForward>),
    /// Copy files to and from a container
    Cp(Box<Cp>),
    /// Show what the Pods that run use
    Stats(Stats),
    /// Change fields of objects by a patch
    Patch(Box<Patch>),
    /// Check manifests without running anything
    Validate(Validate),
    /// Tell what a manifest's fields mean, and what becomes of them
    Explain(Explain),
    /// Show what a Pod finds on this machine: engine, cores, memory, cgroups, folders
    Info(Info),
    /// Show and remove what wasmpod has on the disk
    System(System),
    /// Show the images that are here
    Images(Images),
    /// Fetch images from registries
    Pull(Pull),
    /// Bring an image to a registry
    Push(Box<Push>),
    /// Give an image another name
    Tag(Tag),
    /// Take names from images, and remove those that have none left
    Rmi(Rmi),
    /// Show what an image or a WebAssembly file holds
    Inspect(Inspect),
    /// Write images to an archive
    Save(Save),
    /// Read images from an archive
    Load(Load),
    /// Make images, and remove those that nobody uses
    Image(ImageGroup),
    /// Tell the versions of wasmpod, of the API that it follows, and of wasmtime
    Version(Version),
    /// Write a completion script for a shell
    Completion(Completion),
    /// Complete a line of a shell (called by the scripts of `completion`)
    #[command(name = "__complete", hide = true)]
    Complete(Complete),
    /// Compile one WebAssembly file for the cache (called by wasmpod itself)
    #[cfg(feature = "compiler")]
    #[command(name = crate::compiler::VERB, hide = true)]
    CompileCode,
    /// Fetch an image as standard input says (called by wasmpod itself)
    #[cfg(feature = "registry")]
    #[command(name = crate::registry::VERB, hide = true)]
    FetchImage,
}

impl Verb {
    /// Whether nothing is to be printed but what containers print.
    pub(crate) fn is_quiet(&self) -> bool {
        match self {
            Self::Run(run) => run.quiet,
            Self::PodProcess(process) => process.quiet,
            Self::Short(_) | Self::BackgroundPod(_) | Self::ServiceProcess(_) => false,
        }
    }
}

// Where manifests come from, as in `kubectl -f`. This and all else that is flattened has no doc comment: clap
// would say it of each verb that has it, in place of the verb's own.
#[derive(Debug, Clone, Args)]
pub(crate) struct Filenames {
    /// Manifest to read: a file, a folder, or `-` for standard input
    #[arg(short = 'f', long = "filename", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) filenames: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct PodProcess {
    /// File with the Pod, its objects and what it needs of this machine
    pub(crate) bundle: PathBuf,

    /// As of `run`
    #[arg(long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServiceProcess {
    /// File that tells which open files were handed over
    pub(crate) handed: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BackgroundPod {
    /// File with the Pod, its objects and what it needs of this machine
    pub(crate) envelope: PathBuf,
}
