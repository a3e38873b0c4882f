//! The containers of a Pod.

use k8s_openapi::api::core::v1::{
    Container, ContainerPort, ContainerState, ContainerStatus, EphemeralContainer, Pod,
    SeccompProfile,
};

use super::sheet::Sheet;
use super::surroundings::Surroundings;
use super::{environment, pod_resources, probe};

/// Containers of one kind, with what has become of them.
pub(super) struct Containers<'pod> {
    pub(super) title: &'static str,
    pub(super) containers: &'pod [Container],
    pub(super) statuses: &'pod [ContainerStatus],
    pub(super) pod: &'pod Pod,
    pub(super) around: &'pod Surroundings,
}

pub(super) fn describe(sheet: &mut Sheet, all: &Containers<'_>) {
    let none = if all.containers.is_empty() { " <none>" } else { "" };
    sheet.write(0, format!("{}:{none}\n", all.title));
    for container in all.containers {
        let status = all.statuses.iter().rfind(|status| status.name == container.name);
        basics(sheet, container, status);
        lines(sheet, "Command", container.command.as_deref().unwrap_or_default());
        lines(sheet, "Args", container.args.as_deref().unwrap_or_default());
        if let Some(status) = status {
            states(sheet, status, all.around);
        }
        if let Some(resources) = &container.resources {
            pod_resources::limits_and_requests(sheet, 2, resources);
        }
        for (name, probe) in [
            ("Liveness", &container.liveness_probe),
            ("Readiness", &container.readiness_probe),
            ("Startup", &container.startup_probe),
        ] {
            if let Some(probe) = probe {
                sheet.field(2, name, probe::line(probe));
            }
        }
        environment::describe(sheet, container, all.pod);
        mounts(sheet, container);
    }
}

fn basics(sheet: &mut Sheet, container: &Container, status: Option<&ContainerStatus>) {
    sheet.write(1, format!("{}:\n", container.name));
    if let Some(status) = status {
        sheet.field(2, "Container ID", status.container_id.as_deref().unwrap_or_default());
    }
    sheet.field(2, "Image", container.image.as_deref().unwrap_or_default());
    if let Some(status) = status {
        sheet.field(2, "Image ID", &status.image_id);
    }
    let list = container.ports.as_deref().unwrap_or_default();
    ports(sheet, "Port", list, |port| port.container_port);
    ports(sheet, "Host Port", list, |port| port.host_port.unwrap_or_default());
    if let Some(profile) =
        container.security_context.as_ref().and_then(|context| context.seccomp_profile.as_ref())
    {
        seccomp(sheet, 2, 3, profile);
    }
}

fn ports(
    sheet: &mut Sheet,
    name: &str,
    ports: &[ContainerPort],
    number: fn(&ContainerPort) -> i32,
) {
    let port = |port: &ContainerPort| {
        format!("{}/{}", number(port), port.protocol.as_deref().unwrap_or_default())
    };
    let texts: Vec<String> = ports.iter().map(port).collect();
    match texts.as_slice() {
        [] => sheet.field(2, name, "<none>"),
        [text] => sheet.field(2, name, text),
        texts => sheet.field(2, &format!("{name}s"), texts.join(", ")),
    }
}

/// The profile at one level, and the file of a local one at another.
pub(super) fn seccomp(
    sheet: &mut Sheet,
    level: usize,
    file_level: usize,
    profile: &SeccompProfile,
) {
    sheet.field(level, "SeccompProfile", &profile.type_);
    if profile.type_ == "Localhost" {
        let file = profile.localhost_profile.as_deref().unwrap_or_default();
        sheet.field(file_level, "LocalhostProfile", file);
    }
}

/// Arguments, line by line.
fn lines(sheet: &mut Sheet, title: &str, arguments: &[String]) {
    if !arguments.is_empty() {
        sheet.write(2, format!("{title}:\n"));
    }
    for line in arguments.iter().flat_map(|argument| argument.split('\n')) {
        sheet.write(3, format!("{line}\n"));
    }
}

fn states(sheet: &mut Sheet, status: &ContainerStatus, around: &Surroundings) {
    let nothing = ContainerState::default();
    state(sheet, "State", status.state.as_ref().unwrap_or(&nothing), around);
    if let Some(last) = status.last_state.as_ref().filter(|last| last.terminated.is_some()) {
        state(sheet, "Last State", last, around);
    }
    sheet.field(2, "Ready", if status.ready { "True" } else { "False" });
    sheet.field(2, "Restart Count", status.restart_count.to_string());
}

fn state(sheet: &mut Sheet, name: &str, state: &ContainerState, around: &Surroundings) {
    let optional = |sheet: &mut Sheet, name: &str, text: &Option<String>| {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            sheet.field(3, name, text);
        }
    };
    if let Some(running) = &state.running {
        sheet.field(2, name, "Running");
        sheet.field(3, "Started", around.date(running.started_at.as_ref()));
    } else if let Some(waiting) = &state.waiting {
        sheet.field(2, name, "Waiting");
        optional(sheet, "Reason", &waiting.reason);
    } else if let Some(terminated) = &state.terminated {
        sheet.field(2, name, "Terminated");
        optional(sheet, "Reason", &terminated.reason);
        optional(sheet, "Message", &terminated.message);
        sheet.field(3, "Exit Code", terminated.exit_code.to_string());
        if let Some(signal) = terminated.signal.filter(|signal| *signal > 0) {
            sheet.field(3, "Signal", signal.to_string());
        }
        sheet.field(3, "Started", around.date(terminated.started_at.as_ref()));
        sheet.field(3, "Finished", around.date(terminated.finished_at.as_ref()));
    } else {
        sheet.field(2, name, "Waiting");
    }
}

fn mounts(sheet: &mut Sheet, container: &Container) {
    let mut mounts = container.volume_mounts.clone().unwrap_or_default();
    mounts.sort_by(|one, other| one.mount_path.cmp(&other.mount_path));
    let none = if mounts.is_empty() { "\t<none>" } else { "" };
    sheet.write(2, format!("Mounts:{none}\n"));
    for mount in mounts {
        let access = if mount.read_only == Some(true) { "ro" } else { "rw" };
        let path = mount.sub_path.filter(|path| !path.is_empty());
        let path = path.map(|path| format!(",path={path:?}")).unwrap_or_default();
        sheet.write(3, format!("{} from {} ({access}{path})\n", mount.mount_path, mount.name));
    }
    let mut devices = container.volume_devices.clone().unwrap_or_default();
    devices.sort_by(|one, other| one.device_path.cmp(&other.device_path));
    if !devices.is_empty() {
        sheet.write(2, format!("Devices:{none}\n"));
    }
    for device in devices {
        sheet.write(3, format!("{} from {}\n", device.device_path, device.name));
    }
}

/// What an ephemeral container has in common with others.
pub(super) fn of_ephemeral(container: &EphemeralContainer) -> Container {
    let container = container.clone();
    Container {
        name: container.name,
        image: container.image,
        command: container.command,
        args: container.args,
        ports: container.ports,
        env_from: container.env_from,
        env: container.env,
        resources: container.resources,
        volume_mounts: container.volume_mounts,
        volume_devices: container.volume_devices,
        liveness_probe: container.liveness_probe,
        readiness_probe: container.readiness_probe,
        startup_probe: container.startup_probe,
        security_context: container.security_context,
        ..Container::default()
    }
}
