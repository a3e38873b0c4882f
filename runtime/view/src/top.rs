//! What Pods use, as `kubectl top pods` lists it.
//!
//! Rule: the metrics printer of kubectl: CPU in thousandths of a core, rounded up; memory in
//! mebibytes, rounded down.

use std::cmp::Reverse;

use crate::tabs;

/// What the containers of one Pod use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodUsage {
    /// Of the Pod.
    pub namespace: String,
    /// Of the Pod.
    pub name: String,
    /// Each container with what it uses.
    pub containers: Vec<ContainerUsage>,
}

/// What one container uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerUsage {
    /// Of the container.
    pub name: String,
    /// CPU time for each second, in billionths of one core.
    pub cpu_nanocores: u64,
    /// The working set.
    pub memory_bytes: u64,
}

/// By what the list is sorted, the most first: `--sort-by`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// CPU.
    Cpu,
    /// Memory.
    Memory,
}

/// How the list looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TopOptions {
    /// A line for each container: `--containers`.
    pub containers: bool,
    /// The namespace before everything: `-A`.
    pub namespace: bool,
    /// No names over the columns: `--no-headers`.
    pub no_headers: bool,
    /// By name where nothing is said.
    pub sort_by: Option<SortBy>,
    /// The total below: `--sum`.
    pub sum: bool,
}

#[derive(Clone, Copy, Default)]
struct Amounts {
    cpu_nanocores: u64,
    memory_bytes: u64,
}

impl Amounts {
    fn of(container: &ContainerUsage) -> Self {
        Self { cpu_nanocores: container.cpu_nanocores, memory_bytes: container.memory_bytes }
    }

    fn of_pod(pod: &PodUsage) -> Self {
        pod.containers.iter().map(Self::of).fold(Self::default(), Self::and)
    }

    fn and(self, other: Self) -> Self {
        Self {
            cpu_nanocores: self.cpu_nanocores.saturating_add(other.cpu_nanocores),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
        }
    }

    fn by(self, sort_by: SortBy) -> u64 {
        match sort_by {
            SortBy::Cpu => self.cpu_nanocores,
            SortBy::Memory => self.memory_bytes,
        }
    }

    /// Both cells. Each cell ends with a tab, the last one too.
    fn cells(self) -> String {
        let milli = self.cpu_nanocores.div_ceil(1_000_000);
        format!("{milli}m\t{}Mi\t", self.memory_bytes >> 20)
    }
}

/// The list; empty where there is nothing to list.
pub fn to_text(pods: &[PodUsage], options: TopOptions) -> String {
    if pods.is_empty() {
        return String::new();
    }
    let mut pods: Vec<&PodUsage> = pods.iter().collect();
    match options.sort_by {
        Some(sort_by) => pods.sort_by_key(|pod| Reverse(Amounts::of_pod(pod).by(sort_by))),
        None if options.namespace => pods.sort_by_key(|pod| (&pod.namespace, &pod.name)),
        None => pods.sort_by_key(|pod| &pod.name),
    }
    let mut text = String::new();
    if !options.no_headers {
        text += if options.namespace { "NAMESPACE\t" } else { "" };
        text += if options.containers { "POD\t" } else { "" };
        text += "NAME\tCPU(cores)\tMEMORY(bytes)\t\n";
    }
    for pod in &pods {
        let namespace =
            if options.namespace { format!("{}\t", pod.namespace) } else { String::new() };
        if options.containers {
            for container in containers(pod, options.sort_by) {
                let (name, cells) = (&container.name, Amounts::of(container).cells());
                text += &format!("{namespace}{}\t{name}\t{cells}\n", pod.name);
            }
        } else {
            text += &format!("{namespace}{}\t{}\n", pod.name, Amounts::of_pod(pod).cells());
        }
    }
    if options.sum {
        // kubectl counts the columns of its header, which may be missing.
        let extra = if options.no_headers {
            0
        } else {
            usize::from(options.namespace) + usize::from(options.containers)
        };
        let total =
            pods.iter().map(|pod| Amounts::of_pod(pod)).fold(Amounts::default(), Amounts::and);
        text += &format!("{}________\t________\t\n", "\t".repeat(1 + extra));
        text += &format!("{}\t{}\n", "\t".repeat(extra), total.cells());
    }
    tabs::TABLE.align(&text)
}

fn containers(pod: &PodUsage, sort_by: Option<SortBy>) -> Vec<&ContainerUsage> {
    let mut containers: Vec<&ContainerUsage> = pod.containers.iter().collect();
    match sort_by {
        Some(sort_by) => containers.sort_by_key(|it| Reverse(Amounts::of(it).by(sort_by))),
        None => containers.sort_by_key(|it| &it.name),
    }
    containers
}
