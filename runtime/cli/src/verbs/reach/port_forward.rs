//! `wasmpod port-forward`: ports of this machine that lead into a Pod, while the command runs.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use k8s_openapi::api::core::v1::Pod;
use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use wasmpod_node::podprocess::PodClient;

use super::target::Target;
use crate::args::PortForward;
use crate::failure::Failure;
use crate::print::{out, problem};

/// Bytes on their way in each direction of a connection.
const BUFFER: usize = 256 << 10;

/// A port here, and the one in the Pod that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Forward {
    /// 0: any free one.
    local: u16,
    remote: u16,
}

/// # Errors
/// There is no such Pod, a port cannot be read, or none can be listened on.
pub(crate) fn port_forward(verb: &PortForward, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let target = Target::find(root, verb.namespace.name(), &verb.pod)?;
    if verb.ports.is_empty() {
        return Err(Failure::kubectl("at least 1 PORT is required for port-forward"));
    }
    let forwards = verb.ports.iter().map(|text| parse(text, &target.pod));
    let forwards = forwards.collect::<Result<Vec<_>, _>>()?;
    let addresses = addresses(&verb.address)?;
    let runtime = crate::verbs::run::runtime()?;
    runtime.block_on(forward(&target, &forwards, &addresses))
}

async fn forward(
    target: &Target,
    forwards: &[Forward],
    addresses: &[Address],
) -> Result<ExitCode, Failure> {
    let mut tasks = JoinSet::new();
    for forward in forwards {
        let listeners = listen(*forward, addresses).await?;
        for listener in listeners {
            let local = listener.local_addr();
            let local =
                local.map_err(|error| Failure::because("the port that was opened", &error))?;
            out::line(&format!("Forwarding from {local} -> {}", forward.remote));
            let client = target.client.clone();
            tasks.spawn(accept(listener, client, forward.remote));
        }
    }
    let mut watch = target.client.watch_status().await.map_err(super::target::refused)?;
    // Ends with the Pod; Ctrl-C ends the process itself.
    while let Ok(Some(_)) = watch.next().await {}
    tasks.shutdown().await;
    Err(Failure::kubectl("lost connection to pod"))
}

/// Where to listen, and whether it must succeed.
#[derive(Debug, Clone, Copy)]
struct Address {
    ip: IpAddr,
    is_needed: bool,
}

/// Rule: kubectl's `localhost` is both loopback addresses, of which one must do.
fn addresses(wanted: &[String]) -> Result<Vec<Address>, Failure> {
    let mut addresses = Vec::new();
    for text in wanted {
        if text == "localhost" {
            let own = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            addresses.extend(own.map(|ip| Address { ip, is_needed: ip.is_ipv4() }));
        } else {
            let ip =
                text.parse().map_err(|_| Failure::kubectl(format!("{text} is not a valid IP")))?;
            addresses.push(Address { ip, is_needed: true });
        }
    }
    Ok(addresses)
}

async fn listen(forward: Forward, addresses: &[Address]) -> Result<Vec<TcpListener>, Failure> {
    let mut listeners: Vec<TcpListener> = Vec::new();
    let mut port = forward.local;
    for address in addresses {
        match TcpListener::bind(SocketAddr::new(address.ip, port)).await {
            Ok(listener) => {
                // All addresses get the same one.
                port = listener.local_addr().map_or(port, |local| local.port());
                listeners.push(listener);
            }
            Err(error) if address.is_needed => {
                return Err(Failure::kubectl(format!(
                    "unable to listen on port {port}: {}: {error}",
                    SocketAddr::new(address.ip, port)
                )));
            }
            Err(_) => {}
        }
    }
    Ok(listeners)
}

async fn accept(listener: TcpListener, client: PodClient, remote: u16) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                while connections.try_join_next().is_some() {}
                out::line(&format!("Handling connection for {}", local_port(&listener)));
                connections.spawn(carry(stream, client.clone(), remote));
            }
            // Out of descriptors, most likely: others may close theirs.
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
        }
    }
}

fn local_port(listener: &TcpListener) -> u16 {
    listener.local_addr().map_or(0, |local| local.port())
}

async fn carry(mut here: TcpStream, client: PodClient, remote: u16) {
    // A round trip of small messages must not wait for more of them.
    let _ = here.set_nodelay(true);
    match client.port_forward(remote).await {
        Ok(mut there) => {
            // Whoever breaks off has its reasons.
            let _ = copy_bidirectional_with_sizes(&mut here, &mut there, BUFFER, BUFFER).await;
        }
        Err(error) => problem::plain(&format!(
            "error forwarding port {remote}: {}",
            wasmpod::error::chain(&error)
        )),
    }
}

/// `8080`, `8080:80`, `:80`, `0:80`, each with a name of a port in the Pod in place of its number.
fn parse(text: &str, pod: &Pod) -> Result<Forward, Failure> {
    let wrong =
        || Failure::kubectl(format!("invalid port format {text:?}: LOCAL:REMOTE, :REMOTE or PORT"));
    let (local, remote) = match text.split_once(':') {
        Some((local, remote)) => (Some(local), remote),
        None => (None, text),
    };
    let remote: u16 = match remote.parse() {
        Ok(port) => port,
        Err(_) => named(pod, remote).ok_or_else(wrong)?,
    };
    let local = match local {
        None => remote,
        Some("") => 0,
        Some(local) => local.parse().map_err(|_| wrong())?,
    };
    if remote == 0 { Err(wrong()) } else { Ok(Forward { local, remote }) }
}

fn named(pod: &Pod, name: &str) -> Option<u16> {
    let containers = pod.spec.iter().flat_map(|spec| &spec.containers);
    let mut ports = containers.flat_map(|container| container.ports.iter().flatten());
    let port = ports.find(|port| port.name.as_deref() == Some(name))?;
    u16::try_from(port.container_port).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ports_are_read_as_kubectl_reads_them() {
        let pod: Pod = serde_json::from_value(json!({ "spec": { "containers": [
            { "name": "web", "ports": [{ "name": "http", "containerPort": 8080 }] },
        ] } }))
        .unwrap();
        for (text, expected) in [
            ("80", Some((80, 80))),
            ("8080:80", Some((8080, 80))),
            (":80", Some((0, 80))),
            ("0:80", Some((0, 80))),
            ("9000:http", Some((9000, 8080))),
            ("http", Some((8080, 8080))),
            ("x", None),
            ("80:", None),
            ("80:0", None),
            ("70000:1", None),
            ("1:2:3", None),
        ] {
            let read = parse(text, &pod).ok().map(|forward| (forward.local, forward.remote));
            assert_eq!(read, expected, "{text}");
        }
    }
}
