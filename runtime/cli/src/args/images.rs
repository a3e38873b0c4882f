//! Images of registries: names and flags are podman's and docker's.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use wasmpod_node::images::{ExposedPort, Protocol, Reference};

use super::InfoFormat;
use crate::verbs::completion::names;

const IMAGES_EXAMPLES: &str = "\
Examples:
  wasmpod images                        all of them
  wasmpod images localhost:5000/kuard   those of one repository
  wasmpod images --digests
  wasmpod images -q                     IDs only
  wasmpod images -o json                also which of them a Pod uses

An ID is the beginning of the digest of the image's manifest.

Exit status: 0, or 1 when the store cannot be read.";

#[derive(Debug, Args)]
#[command(after_help = IMAGES_EXAMPLES)]
pub(crate) struct Images {
    /// Repository, or one version of it, e.g. `kuard` or `kuard:blue`
    #[arg(value_name = "REFERENCE", add = names::images())]
    pub(crate) reference: Option<Reference>,

    /// In which form
    #[arg(short, long, value_name = "FORMAT")]
    pub(crate) output: Option<ImagesFormat>,

    /// Show the digests by which registries know them
    #[arg(long)]
    pub(crate) digests: bool,

    /// Print IDs only
    #[arg(short, long, conflicts_with_all = ["output", "digests"])]
    pub(crate) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImagesFormat {
    Wide,
    Json,
    Yaml,
    Name,
}

const PULL_EXAMPLES: &str = "\
Examples:
  wasmpod pull ghcr.io/acme/web:1.2
  wasmpod pull localhost:5000/kuard:blue localhost:5000/kuard:green
  wasmpod pull kuard@sha256:4ba1…       of docker.io, by its digest

Credentials are those of `docker login`.

Exit status: 0 when all of them are here, 1 when one is not, 125 for what is no reference.";

#[derive(Debug, Args)]
#[command(after_help = PULL_EXAMPLES)]
pub(crate) struct Pull {
    /// Image to fetch
    #[arg(value_name = "REFERENCE", required = true, add = names::images())]
    pub(crate) references: Vec<Reference>,

    /// Do not show how it goes
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const PUSH_EXAMPLES: &str = "\
Examples:
  wasmpod push localhost:5000/kuard:blue
  wasmpod push kuard:blue ghcr.io/acme/kuard:blue   under another name

Exit status: 0 when it is there, else 1.";

#[derive(Debug, Args)]
#[command(after_help = PUSH_EXAMPLES)]
pub(crate) struct Push {
    /// Image to send
    #[arg(value_name = "NAME", add = names::images())]
    pub(crate) name: Reference,

    /// Where to, if its name does not say that
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: Option<Reference>,

    /// Do not show how it goes
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const TAG_EXAMPLES: &str = "\
Examples:
  wasmpod tag kuard:blue ghcr.io/acme/kuard:1.0
  wasmpod tag 3f2a9c81d0b7 kuard:blue   by its ID

Exit status: 0, or 1 when there is no such image.";

#[derive(Debug, Args)]
#[command(after_help = TAG_EXAMPLES)]
pub(crate) struct Tag {
    /// Image: a name or an ID
    #[arg(add = names::images())]
    pub(crate) source: String,

    /// Its new name
    #[arg(add = names::images())]
    pub(crate) target: Reference,
}

const RMI_EXAMPLES: &str = "\
Examples:
  wasmpod rmi kuard:blue
  wasmpod rmi 3f2a9c81d0b7              by its ID
  wasmpod rmi --force kuard:blue        a Pod that has it keeps it until it ends

Exit status: 0, or 1 when an image is not there, or a Pod uses it.";

#[derive(Debug, Args)]
#[command(after_help = RMI_EXAMPLES)]
pub(crate) struct Rmi {
    /// Image: a name or an ID
    #[arg(value_name = "REFERENCE", required = true, add = names::images())]
    pub(crate) images: Vec<String>,

    /// Take the name from an image that a Pod uses, too, and all names from one named by its ID
    #[arg(short, long)]
    pub(crate) force: bool,
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  wasmpod inspect kuard:blue            how it is stored, what it starts, what its program imports
  wasmpod inspect ./kuard.wasm          the same of a file, as far as it has it
  wasmpod inspect kuard:blue -o json

What begins with `/`, `./` or `../`, or ends in `.wasm` or `.wat`, is a file.

Exit status: 0, or 1 when there is no such image or file, or it holds no WebAssembly.";

#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXAMPLES)]
pub(crate) struct Inspect {
    /// Image (a name or an ID), or a file of WebAssembly
    #[arg(value_name = "REFERENCE|FILE", add = names::images_or_files())]
    pub(crate) target: String,

    /// In which form
    #[arg(short, long, value_name = "FORMAT", default_value = "yaml")]
    pub(crate) output: InfoFormat,
}

const SAVE_EXAMPLES: &str = "\
Examples:
  wasmpod save kuard:blue -o kuard.tar
  wasmpod save kuard:blue kuard:green | ssh there wasmpod load

It is an OCI archive, which skopeo, podman and docker read.

Exit status: 0, or 1 when an image is not there; 125 when nothing may be written.";

#[derive(Debug, Args)]
#[command(after_help = SAVE_EXAMPLES)]
pub(crate) struct Save {
    /// Image to write
    #[arg(value_name = "REFERENCE", required = true, add = names::images())]
    pub(crate) references: Vec<Reference>,

    /// File to write, in place of standard output
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
}

const LOAD_EXAMPLES: &str = "\
Examples:
  wasmpod load -i kuard.tar
  wasmpod save kuard:blue | wasmpod load --root /srv/other

It reads OCI archives and those of `docker save`, packed by gzip or not.

Exit status: 0, or 1 when it is no such archive, or an image of it cannot run here.";

#[derive(Debug, Args)]
#[command(after_help = LOAD_EXAMPLES)]
pub(crate) struct Load {
    /// File to read, in place of standard input
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) input: Option<PathBuf>,
}

const IMAGE_EXAMPLES: &str = "\
Examples:
  wasmpod image pack hello.wasm -t localhost:5000/hello:1.0
  wasmpod image prune --all             remove images that no Pod uses

Exit status: 0, or 1 when it could not be done.";

#[derive(Debug, Args)]
#[command(after_help = IMAGE_EXAMPLES)]
pub(crate) struct ImageGroup {
    #[command(subcommand)]
    pub(crate) task: ImageTask,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageTask {
    /// Make an image of a WebAssembly program
    Pack(Box<ImagePack>),
    /// Remove images that nobody uses
    Prune(ImagePrune),
}

const PACK_EXAMPLES: &str = "\
Examples:
  wasmpod image pack hello.wasm -t localhost:5000/hello:1.0
  wasmpod image pack web.wasm -t web:1 -e PORT=80 --expose 80 -- public:/srv/public
  wasmpod image pack web.wasm -t web:1 --form container
  SOURCE_DATE_EPOCH=$(git log -1 --format=%ct) wasmpod image pack web.wasm -t web:1

Without --form it is an artifact (CNCF's layout: one program and nothing else), or a container
image of the platform wasi/wasm where there are files, variables, arguments, ports or a working
folder. The same files give the same digest.

Exit status: 0, or 1 when the files make no image.";

#[derive(Debug, Args)]
#[command(after_help = PACK_EXAMPLES)]
pub(crate) struct ImagePack {
    /// WebAssembly module or component
    #[arg(value_name = "MODULE", value_hint = ValueHint::FilePath)]
    pub(crate) module: PathBuf,

    /// Name of the image
    #[arg(short, long, value_name = "REFERENCE", add = names::images())]
    pub(crate) tag: Reference,

    /// Layout of the image
    #[arg(long)]
    pub(crate) form: Option<PackForm>,

    /// Variable of the environment
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) env: Vec<(String, String)>,

    /// Folder to start in
    #[arg(short, long, value_name = "DIR")]
    pub(crate) workdir: Option<String>,

    /// Argument that the program always gets: the ENTRYPOINT is the program and these
    #[arg(long = "arg", value_name = "ARG", allow_hyphen_values = true)]
    pub(crate) arguments: Vec<String>,

    /// Label (of an artifact: annotation)
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(crate) label: Vec<(String, String)>,

    /// Port that the program listens on, e.g. `80` or `53/udp`
    #[arg(long, value_name = "PORT", value_parser = port)]
    pub(crate) expose: Vec<ExposedPort>,

    /// File or folder of this machine, and its place in the image where that is not /NAME
    #[arg(last = true, value_name = "FILE[:PLACE]", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PackForm {
    Artifact,
    Container,
}

const IMAGE_PRUNE_EXAMPLES: &str = "\
Examples:
  wasmpod image prune                   what no name leads to any more
  wasmpod image prune --all             all that no Pod uses
  wasmpod image prune --all --dry-run   only show what would go

Images that a Pod uses, and their files, are never touched.

Exit status: 0, or 1 when something could not be removed.";

#[derive(Debug, Args)]
#[command(after_help = IMAGE_PRUNE_EXAMPLES)]
pub(crate) struct ImagePrune {
    /// All images that no Pod uses, too
    #[arg(short, long)]
    pub(crate) all: bool,

    /// Only show what would go
    #[arg(long)]
    pub(crate) dry_run: bool,
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn port(text: &str) -> Result<ExposedPort, String> {
    let (port, protocol) = match text.split_once('/') {
        None | Some((_, "tcp")) => (text.trim_end_matches("/tcp"), Protocol::Tcp),
        Some((port, "udp")) => (port, Protocol::Udp),
        Some((_, other)) => return Err(format!("{other:?} is neither tcp nor udp")),
    };
    match port.parse::<u16>() {
        Ok(port) if port > 0 => Ok(ExposedPort { port, protocol }),
        _ => Err("write a port from 1 to 65535".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_of_tcp_unless_they_say_otherwise() {
        let tcp = |port| Ok(ExposedPort { port, protocol: Protocol::Tcp });
        assert_eq!((port("80"), port("81/tcp")), (tcp(80), tcp(81)));
        assert_eq!(port("53/udp"), Ok(ExposedPort { port: 53, protocol: Protocol::Udp }));
        for wrong in ["0", "", "80/sctp", "70000", "x"] {
            assert!(port(wrong).is_err(), "{wrong}");
        }
    }
}
