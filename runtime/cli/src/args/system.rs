//! What wasmpod has on the disk of this machine.

use clap::{Args, Subcommand, ValueEnum};

const SYSTEM_EXAMPLES: &str = "\
Examples:
  wasmpod system df                 how much there is of what
  wasmpod system prune              remove what nothing needs
  wasmpod system reset              stop every Pod and remove all

Exit status: 0, or 125 when something could not be read or removed.";

#[derive(Debug, Args)]
#[command(after_help = SYSTEM_EXAMPLES)]
pub(crate) struct System {
    #[command(subcommand)]
    pub(crate) task: SystemTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SystemTask {
    /// Show what Pods, logs, volumes, images and compiled code take on the disk
    Df(SystemDf),
    /// Remove what nothing needs
    Prune(SystemPrune),
    /// Stop and delete every Pod, and remove all that belongs to them
    Reset(SystemReset),
}

const DF_EXAMPLES: &str = "\
Examples:
  wasmpod system df
  wasmpod system df -o json

RECLAIMABLE is what `wasmpod system prune --all --volumes` would free: folders of Pods that died,
logs of Pods that are no objects any more, images and code that no Pod uses, data of claims that
nothing names.

Exit status: 0, or 125 when something could not be read.";

#[derive(Debug, Args)]
#[command(after_help = DF_EXAMPLES)]
pub(crate) struct SystemDf {
    /// In which form
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<DfFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DfFormat {
    Json,
    Yaml,
}

const PRUNE_EXAMPLES: &str = "\
Examples:
  wasmpod system prune              what nothing needs, and code that was not used for a week
  wasmpod system prune --all        Pods that have ended, too, and all images and code that no Pod uses now
  wasmpod system prune --volumes    the data of claims that nothing names, too
  wasmpod system prune -af          without a question

Pods that run, and what they use, are never touched.

Exit status: 0, also where the answer was no; 125 when something could not be removed.";

#[derive(Debug, Args)]
#[command(after_help = PRUNE_EXAMPLES)]
pub(crate) struct SystemPrune {
    /// Pods that have ended, too, and all images and compiled code that no Pod uses now
    #[arg(short, long)]
    pub(crate) all: bool,

    /// The data of claims that are no objects and that no Pod names, too
    #[arg(long)]
    pub(crate) volumes: bool,

    /// Do not ask
    #[arg(short, long)]
    pub(crate) force: bool,
}

const RESET_EXAMPLES: &str = "\
Examples:
  wasmpod system reset
  wasmpod system reset --force      without a question

It works where the object store is damaged, or of a newer wasmpod. Compiled code stays, as it is
shared by all state folders: `wasmpod system prune --all` removes it.

Exit status: 0, also where the answer was no; 125 when something stays.";

#[derive(Debug, Args)]
#[command(after_help = RESET_EXAMPLES)]
pub(crate) struct SystemReset {
    /// Do not ask
    #[arg(short, long)]
    pub(crate) force: bool,
}
