//! The variables that tell a container where the Services of its namespace are.
//!
//! Rule: `pkg/kubelet/envvars/envvars.go`, and for which Services `getServiceEnvVarMap` of the
//! kubelet. The Service `kubernetes`, of which a cluster tells every Pod, does not exist here.

use std::net::{IpAddr, SocketAddr};

use k8s_openapi::api::core::v1::ServicePort;

/// A Service with a cluster IP, and what is told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceAddress {
    /// The Service's name.
    pub name: String,
    /// Its cluster IP, as written or as given out.
    pub cluster_ip: IpAddr,
    /// `spec.ports`, in their order: the first is the one without a name in the variables.
    pub ports: Vec<ServicePort>,
}

/// The variables for `services`, in their order.
///
/// ```
/// # use wasmpod_manifest::environment::{ServiceAddress, service_variables};
/// let web = ServiceAddress {
///     name: "my-web".to_owned(),
///     cluster_ip: [10, 96, 0, 5].into(),
///     ports: vec![k8s_openapi::api::core::v1::ServicePort { port: 80, ..Default::default() }],
/// };
/// let variables = service_variables(&[web]);
/// assert_eq!(variables[0], ("MY_WEB_SERVICE_HOST".to_owned(), "10.96.0.5".to_owned()));
/// assert_eq!(variables[2], ("MY_WEB_PORT".to_owned(), "tcp://10.96.0.5:80".to_owned()));
/// ```
pub fn service_variables(services: &[ServiceAddress]) -> Vec<(String, String)> {
    let mut variables = Vec::new();
    for service in services {
        let prefix = variable_name(&service.name);
        let mut set = |suffix: &str, value: String| {
            variables.push((format!("{prefix}_{suffix}"), value));
        };
        set("SERVICE_HOST", service.cluster_ip.to_string());
        if let Some(first) = service.ports.first() {
            set("SERVICE_PORT", first.port.to_string());
        }
        for port in &service.ports {
            if let Some(name) = port.name.as_deref().filter(|name| !name.is_empty()) {
                set(&format!("SERVICE_PORT_{}", variable_name(name)), port.port.to_string());
            }
        }
        // From here on as Docker told linked containers of each other.
        for (index, port) in service.ports.iter().enumerate() {
            let protocol = port.protocol.as_deref().filter(|protocol| !protocol.is_empty());
            let protocol = protocol.unwrap_or("TCP");
            let (upper, lower) = (protocol.to_uppercase(), protocol.to_lowercase());
            let url = format!("{lower}://{}", at_port(service.cluster_ip, port.port));
            let number = port.port;
            if index == 0 {
                set("PORT", url.clone());
            }
            set(&format!("PORT_{number}_{upper}"), url);
            set(&format!("PORT_{number}_{upper}_PROTO"), lower);
            set(&format!("PORT_{number}_{upper}_PORT"), number.to_string());
            set(&format!("PORT_{number}_{upper}_ADDR"), service.cluster_ip.to_string());
        }
    }
    variables
}

/// An address of the sixth version stands in brackets.
fn at_port(address: IpAddr, port: i32) -> String {
    match u16::try_from(port) {
        Ok(port) => SocketAddr::new(address, port).to_string(),
        Err(_) => format!("{address}:{port}"),
    }
}

fn variable_name(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn variables(cluster_ip: &str, ports: serde_json::Value) -> String {
        let web = ServiceAddress {
            name: "my-web".to_owned(),
            cluster_ip: cluster_ip.parse().unwrap(),
            ports: serde_json::from_value(ports).unwrap(),
        };
        service_variables(&[web]).iter().map(|(name, value)| format!("{name}={value}\n")).collect()
    }

    #[test]
    fn a_port_without_a_name() {
        insta::assert_snapshot!(
            variables("10.96.0.5", json!([{"port": 80, "targetPort": 8080}])),
            @r"
            MY_WEB_SERVICE_HOST=10.96.0.5
            MY_WEB_SERVICE_PORT=80
            MY_WEB_PORT=tcp://10.96.0.5:80
            MY_WEB_PORT_80_TCP=tcp://10.96.0.5:80
            MY_WEB_PORT_80_TCP_PROTO=tcp
            MY_WEB_PORT_80_TCP_PORT=80
            MY_WEB_PORT_80_TCP_ADDR=10.96.0.5
            "
        );
    }

    #[test]
    fn the_first_of_several_ports_stands_for_the_service() {
        insta::assert_snapshot!(
            variables(
                "fd00::5",
                json!([
                    {"name": "dns", "port": 53, "protocol": "UDP"},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP"},
                ]),
            ),
            @r"
            MY_WEB_SERVICE_HOST=fd00::5
            MY_WEB_SERVICE_PORT=53
            MY_WEB_SERVICE_PORT_DNS=53
            MY_WEB_SERVICE_PORT_DNS_TCP=53
            MY_WEB_PORT=udp://[fd00::5]:53
            MY_WEB_PORT_53_UDP=udp://[fd00::5]:53
            MY_WEB_PORT_53_UDP_PROTO=udp
            MY_WEB_PORT_53_UDP_PORT=53
            MY_WEB_PORT_53_UDP_ADDR=fd00::5
            MY_WEB_PORT_53_TCP=tcp://[fd00::5]:53
            MY_WEB_PORT_53_TCP_PROTO=tcp
            MY_WEB_PORT_53_TCP_PORT=53
            MY_WEB_PORT_53_TCP_ADDR=fd00::5
            "
        );
    }

    #[test]
    fn a_service_without_ports_has_an_address() {
        assert_eq!(variables("10.96.0.5", json!([])), "MY_WEB_SERVICE_HOST=10.96.0.5\n");
    }
}
