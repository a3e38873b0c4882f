//! From the command line and the manifests to one [`Bundle`] for each Pod.

use std::path::{Path, PathBuf};

use serde_json::Value;
use wasmpod::manifest::{self, Manifest, PodManifest, Source};
use wasmpod::pod::{AddressLease, Folders};
use wasmpod_node::background::Published;

use super::bundle::{Bundle, Events, Logs, Neighbour, Show};
use super::publish;
use super::{imperative, node};
use crate::args::{DryRun, LogPrefix, OutputFormat, Restart, Run};
use crate::failure::Failure;
use crate::print::logs::Names;
use crate::print::problem;

/// The name of a manifest that was typed; its relative paths begin in the working folder.
const COMMAND_LINE: &str = "command line";

/// What the command asks for, as text to load.
pub(super) struct Wanted {
    pub(super) sources: Vec<Source>,
    /// The object as typed, where there is no manifest.
    pub(super) imperative: Option<Value>,
}

/// Nothing when the command names nothing.
pub(super) fn wanted(verb: &Run) -> Result<Option<Wanted>, Failure> {
    if let Some((name, image)) = typed_pod(verb)? {
        let restart = verb.imperative.restart.unwrap_or(match verb.dry_run {
            // A manifest is made to be kept running, what runs before one's eyes is not.
            DryRun::Client => Restart::Always,
            DryRun::None if super::behind::is_wanted(verb) => Restart::Always,
            DryRun::None => Restart::Never,
        });
        let object = imperative::pod(&name, &image, &verb.imperative, restart)?;
        let source =
            Source { name: COMMAND_LINE.to_owned(), bytes: object.to_string().into_bytes() };
        return Ok(Some(Wanted { sources: vec![source], imperative: Some(object) }));
    }
    let mut paths = verb.manifests.filenames.clone();
    paths.extend(verb.target.as_ref().map(PathBuf::from));
    if paths.is_empty() {
        return Ok(None);
    }
    if let Some(flag) = verb.imperative.given() {
        return Err(Failure::new(format!("{flag} is for a Pod without a manifest"))
            .hint("write it into the manifest, or name an `--image`"));
    }
    let sources = manifest::source::read(&paths, &mut std::io::stdin().lock())?;
    Ok(Some(Wanted { sources, imperative: None }))
}

/// Name and image of a Pod that is typed: `NAME --image=IMAGE`, or a program's file by itself.
fn typed_pod(verb: &Run) -> Result<Option<(String, String)>, Failure> {
    let target = verb.target.as_deref();
    let typed = target
        .filter(|target| [".wasm", ".wat"].iter().any(|extension| target.ends_with(extension)));
    if typed.is_some() && !verb.manifests.filenames.is_empty() {
        return Err(Failure::new("a program and `--filename` exclude each other"));
    }
    if let Some(image) = &verb.imperative.image {
        if !verb.manifests.filenames.is_empty() {
            return Err(Failure::new("`--image` and `--filename` exclude each other"));
        }
        let name = target.map_or_else(|| name_of(image), str::to_owned);
        return Ok(Some((name, image.clone())));
    }
    let Some(file) = typed else { return Ok(None) };
    // A Pod would wait for it to come. Who types its name has it, or means another.
    if verb.options.image_map.is_empty() && verb.dry_run == DryRun::None {
        std::fs::metadata(file).map_err(|error| Failure::because(file, &error))?;
    }
    Ok(Some((name_of(file), file.to_owned())))
}

/// A Pod's name from a program's: `./My_App.wasm` gives `my-app`.
fn name_of(image: &str) -> String {
    let stem = Path::new(image).file_stem().and_then(|stem| stem.to_str()).unwrap_or("pod");
    let name: String = stem
        .chars()
        .map(
            |letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' },
        )
        .collect();
    let name = name.trim_matches('-');
    if name.is_empty() { "pod".to_owned() } else { name.to_owned() }
}

/// One bundle a Pod.
pub(super) fn bundles(
    verb: &Run,
    wanted: &Wanted,
    loaded: Manifest,
) -> Result<Vec<Bundle>, Failure> {
    let image_map = image_map(&verb.options.image_map)?;
    let published = publications(&verb.options.publish, &loaded.pods)?;
    let names = names(&loaded.pods);
    let events = match (verb.output, verb.quiet, verb.verbose) {
        (Some(OutputFormat::Json), _, _) => Events::Json,
        (Some(OutputFormat::Yaml | OutputFormat::Name), _, _) => {
            return Err(Failure::new("`--output yaml` and `name` go with `--dry-run=client`"));
        }
        (None, true, _) => Events::None,
        (None, false, true) => Events::All,
        (None, false, false) => Events::Warnings,
    };
    let reader = reader(&loaded.pods);
    let bundles = loaded.pods.into_iter().zip(names).zip(published).enumerate();
    Ok(bundles
        .map(|(index, ((pod, names), published))| Bundle {
            pod: pod.pod,
            source: pod.source,
            config_maps: loaded.config_maps.clone(),
            secrets: loaded.secrets.clone(),
            persistent_volume_claims: loaded.persistent_volume_claims.clone(),
            image_map: image_map.clone(),
            published,
            allow_net: verb.options.allow_net.clone(),
            cgroup: None,
            node: node::settings(&verb.options.node),
            eviction: node::eviction(&verb.options.node),
            neighbours: Vec::new(),
            place: None,
            parent: None,
            show: Show { logs: logs(verb, wanted, names), events },
            stdin: reader
                .as_ref()
                .filter(|reader| reader.0 == index)
                .map(|reader| reader.1.clone()),
        })
        .collect())
}

fn logs(verb: &Run, wanted: &Wanted, names: Names) -> Logs {
    match (verb.output, verb.log_prefix) {
        (Some(OutputFormat::Json), _) => Logs::Json,
        (_, LogPrefix::Never) => Logs::Raw,
        // One program that was typed needs no name in front, as with `kubectl run -i`.
        (_, LogPrefix::Auto) if wanted.imperative.is_some() => Logs::Raw,
        (_, LogPrefix::Auto | LogPrefix::Always) => Logs::Prefixed(names),
    }
}

/// The column of names of each Pod, as wide for all.
fn names(pods: &[PodManifest]) -> Vec<Names> {
    let mut all: Vec<Names> = Vec::new();
    for pod in pods {
        let colours_before = all.iter().map(|names| names.containers.len()).sum();
        let spec = pod.pod.spec.iter();
        let containers: Vec<String> =
            spec.flat_map(manifest::containers).map(|container| container.name.clone()).collect();
        let name = pod.pod.metadata.name.as_deref().unwrap_or_default();
        let pod = if pods.len() > 1 { format!("{name}/") } else { String::new() };
        all.push(Names { pod, containers, width: 0, colours_before });
    }
    let lengths = all.iter().flat_map(|names| {
        names.containers.iter().map(|container| names.pod.len() + container.len())
    });
    let width = lengths.max().unwrap_or(0);
    all.iter_mut().for_each(|names| names.width = width);
    all
}

/// The one container that reads standard input, with the place of its Pod. Where several want to,
/// none does: to share it out would be chance.
fn reader(pods: &[PodManifest]) -> Option<(usize, String)> {
    let mut readers = pods.iter().enumerate().flat_map(|(index, pod)| {
        pod.pod
            .spec
            .iter()
            .flat_map(|spec| &spec.containers)
            .filter(|container| container.stdin == Some(true))
            .map(move |container| (index, container.name.clone()))
    });
    let first = readers.next()?;
    let Some(second) = readers.next() else { return Some(first) };
    problem::note(&format!(
        "the containers `{}` and `{}` both have `stdin: true`, and there is one standard input: \
         neither gets it, both wait for clients that attach to them",
        first.1, second.1
    ));
    None
}

/// Which file stands for an image, as typed.
///
/// # Errors
/// What is wrong with a rule, and what would be right.
pub(crate) fn image_map(rules: &[String]) -> Result<Vec<(String, PathBuf)>, Failure> {
    rules
        .iter()
        .map(|rule| match rule.split_once('=') {
            Some((name, path)) if !name.is_empty() && !path.is_empty() => {
                let path = std::path::absolute(path)
                    .map_err(|error| Failure::because(format!("--image-map {rule}"), &error))?;
                Ok((name.to_owned(), path))
            }
            _ => Err(Failure::new(format!("--image-map {rule}: expected NAME=PATH"))
                .hint("`--image-map registry.example/web:1=./web.wasm`")),
        })
        .collect()
}

/// Which Pod each published port belongs to: the one that declares it, where there are several.
fn publications(rules: &[String], pods: &[PodManifest]) -> Result<Vec<Vec<Published>>, Failure> {
    let mut published = vec![Vec::new(); pods.len()];
    for rule in rules {
        let port = publish::parse(rule)?;
        let mut owners = (0..pods.len())
            .filter(|index| pods.len() == 1 || declares(&pods[*index], port.pod_port));
        match (owners.next(), owners.next()) {
            (Some(owner), None) => published[owner].push(port),
            (None, _) => {
                return Err(Failure::new(format!(
                    "--publish {rule}: no Pod declares containerPort {}",
                    port.pod_port
                )));
            }
            (Some(_), Some(_)) => {
                return Err(Failure::new(format!(
                    "--publish {rule}: several Pods declare containerPort {}",
                    port.pod_port
                ))
                .hint("use hostPort in the manifest"));
            }
        }
    }
    Ok(published)
}

fn declares(pod: &PodManifest, port: u16) -> bool {
    let containers = pod.pod.spec.iter().flat_map(|spec| &spec.containers);
    containers
        .flat_map(|container| container.ports.iter().flatten())
        .any(|declared| declared.container_port == i32::from(port))
}

/// Gives each Pod its place and tells it of the others. The leases are held as long as they live.
pub(super) fn introduce(
    bundles: &mut [Bundle],
    root: Option<&Path>,
) -> Result<Vec<AddressLease>, Failure> {
    let folders = Folders::find(root).map_err(|error| Failure::because("cannot start", &error))?;
    let mut leases = Vec::new();
    let parent = i32::try_from(std::process::id()).ok();
    for bundle in bundles.iter_mut() {
        bundle.parent = parent;
        let place = Place::take(&folders, bundle).map_err(|error| {
            Failure::because(format!("cannot give the Pod {} an address", bundle.name()), &error)
        })?;
        bundle.place = Some(place.neighbour);
        leases.push(place.lease);
    }
    let all: Vec<Neighbour> = bundles.iter().filter_map(|bundle| bundle.place.clone()).collect();
    for bundle in bundles {
        let own = bundle.place.as_ref().map(|place| place.uid.clone());
        bundle.neighbours =
            all.iter().filter(|other| Some(&other.uid) != own.as_ref()).cloned().collect();
    }
    Ok(leases)
}

struct Place {
    neighbour: Neighbour,
    lease: AddressLease,
}

impl Place {
    fn take(folders: &Folders, bundle: &Bundle) -> std::io::Result<Self> {
        let uid = wasmpod::pod::new_uid();
        let lease = AddressLease::take(&folders.addresses(), &uid)?;
        let (pod, spec) = (&bundle.pod, bundle.pod.spec.as_ref());
        let neighbour = Neighbour {
            socket: folders.socket(&uid),
            uid,
            name: bundle.name().to_owned(),
            namespace: pod.metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            hostname: manifest::environment::hostname(pod),
            subdomain: spec.and_then(|spec| spec.subdomain.clone()),
            ips: lease.ips(),
        };
        Ok(Self { neighbour, lease })
    }
}
