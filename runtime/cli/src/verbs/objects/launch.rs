//! What the options of a command say of the processes of its Pods.

use wasmpod::sandbox::network::EgressPolicy;
use wasmpod_node::background::Launch;

use crate::args::RunOptions;
use crate::failure::Failure;
use crate::verbs::run::{folder_of, image_map, node, publish};

/// Of the Pods of the manifest `source`, of which there are `pods` in the command.
///
/// # Errors
/// An option that cannot be read.
pub(super) fn of(options: &RunOptions, source: &str, pods: usize) -> Result<Launch, Failure> {
    if pods > 1 && !options.publish.is_empty() {
        return Err(Failure::new("`--publish` is for one Pod, and there are several")
            .hint("use hostPort in the manifest"));
    }
    EgressPolicy::parse(&options.allow_net)
        .map_err(|error| Failure::because("where guests may go", &error))?;
    let published = options.publish.iter().map(|rule| publish::parse(rule));
    Ok(Launch {
        folder: folder_of(source)?,
        image_map: image_map(&options.image_map)?,
        published: published.collect::<Result<_, _>>()?,
        allow_net: options.allow_net.clone(),
        cgroup: true,
        node: node::settings(&options.node),
        eviction: node::eviction(&options.node),
    })
}
