//! `wasmpod debug`: a shell, or a program of this machine, in a container that runs.
//!
//! kubectl adds an ephemeral container to the Pod for that, since the container's own image may have no
//! tools in it. Here every command in a container finds the toolbox, so a command is all it takes; a
//! program that is not in the container is copied there first.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wasmpod::error::chain;
use wasmpod::image::Meant;
use wasmpod_node::background::find_images;
use wasmpod_node::podprocess::PodClient;

use super::cp::upload::upload;
use super::exec::{Wanted, run};
use super::target::Target;
use crate::args::Debug;
use crate::failure::Failure;
use crate::verbs::run::image_map;

/// Where programs are put: the folder that every container can write to.
const FOLDER: &str = "/tmp";

/// The exit code is the command's.
///
/// # Errors
/// There is no such Pod, container or image, or it does not run.
pub(crate) fn debug(verb: &Debug, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let image = verb.image.as_deref().map(|image| resolved(image, &verb.image_map)).transpose()?;
    let target = Target::find(root, verb.namespace.name(), &verb.pod)?;
    let container = target.container(verb.target.as_deref(), verb.quiet)?;
    let runtime = crate::verbs::run::runtime()?;
    let code = runtime.block_on(async {
        let command = match &image {
            Some(image) => {
                let program = bring(&target.client, &container, image).await?;
                [vec![program], verb.command.clone()].concat()
            }
            None if verb.command.is_empty() => vec!["sh".to_owned()],
            None => verb.command.clone(),
        };
        let wanted = Wanted { stdin: verb.stdin, tty: verb.tty };
        run(&target.client, &container, command, wanted).await
    });
    // A thread that reads a terminal never ends.
    std::mem::forget(runtime);
    code
}

/// The file that an image's name stands for.
fn resolved(image: &str, typed: &[String]) -> Result<PathBuf, Failure> {
    let folder = std::env::current_dir();
    let folder = folder.map_err(|error| Failure::because("the working folder", &error))?;
    let images = find_images(&folder, &image_map(typed)?)?;
    let meant = images
        .resolve(image)
        .map_err(|error| Failure::new(format!("--image {image}: {}", chain(&error))))?;
    match meant {
        Meant::File(file) => Ok(file),
        Meant::Image(_) => {
            Err(Failure::new(format!("--image {image} is no file here")).hint(format!(
                "give a path such as `./tool.wasm`, or map it with `--image-map {image}=FILE.wasm`"
            )))
        }
    }
}

/// Copies a program into the container, and gives its path there.
async fn bring(client: &PodClient, container: &str, image: &Path) -> Result<String, Failure> {
    let name = image.file_name().unwrap_or_default().to_string_lossy();
    let path = format!("{FOLDER}/debug-{name}");
    upload(client, container, image, &path).await?;
    Ok(path)
}
