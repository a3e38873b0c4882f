//! What a manifest says about an HTTP handler. Pure.
//!
//! Kubernetes has no field for any of it, hence annotations of the Pod, with the container's name
//! at their end:
//!
//! | annotation | value | default |
//! |---|---|---|
//! | `wasmpod.dev/http-port.<container>` | 1 to 65535 | the container's first TCP port, else 8080 |
//! | `wasmpod.dev/http-reuse.<container>` | requests an instance may serve | 1: a fresh one each |
//! | `wasmpod.dev/http-instances.<container>` | instances at once, 1 to 984 | as many as there is memory for |
//! | `wasmpod.dev/http-timeout.<container>` | `500ms`, `30s`, `5m`, `2h`; `0` is none | `10m` |

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use k8s_openapi::api::core::v1::Container;

use crate::guest::annotation::{Annotation, AnnotationError};
use crate::manifest::annotation::{self, HTTP_INSTANCES, HTTP_PORT, HTTP_REUSE, HTTP_TIMEOUT};

const DEFAULT_PORT: u16 = 8080;

/// Longer than what most proxies in front of a server wait.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(600);

/// How a handler is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Where it listens, on all addresses of the Pod.
    pub port: u16,
    /// How many requests one instance serves, one after the other, before it is dropped.
    pub reuse: NonZeroU32,
    /// How many instances there may be at once; requests beyond wait.
    pub instances: Option<u32>,
    /// How long a request may take, until the last byte of its response.
    pub timeout: Option<Duration>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            port: DEFAULT_PORT,
            reuse: NonZeroU32::MIN,
            instances: None,
            timeout: Some(DEFAULT_TIMEOUT),
        }
    }
}

impl HttpSettings {
    /// The settings of `container` in a Pod with these annotations.
    ///
    /// # Errors
    /// [`AnnotationError`] for the first annotation with a bad value.
    pub fn of(
        annotations: Option<&BTreeMap<String, String>>,
        container: &Container,
    ) -> Result<Self, AnnotationError> {
        let defaults = Self { port: first_port(container), ..Self::default() };
        let read = |grammar| Annotation { grammar, annotations, container: &container.name };
        Ok(Self {
            port: read(HTTP_PORT).read(annotation::port, defaults.port)?,
            reuse: read(HTTP_REUSE).read(annotation::reuse, defaults.reuse)?,
            instances: read(HTTP_INSTANCES)
                .read(|text| annotation::instances(text).map(Some), defaults.instances)?,
            timeout: read(HTTP_TIMEOUT).read(annotation::timeout, defaults.timeout)?,
        })
    }
}

fn first_port(container: &Container) -> u16 {
    let ports = container.ports.iter().flatten();
    let mut tcp = ports.filter(|port| port.protocol.as_deref().is_none_or(|name| name == "TCP"));
    tcp.next().and_then(|port| u16::try_from(port.container_port).ok()).unwrap_or(DEFAULT_PORT)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ContainerPort;

    use super::*;

    fn port(number: i32, protocol: Option<&str>) -> ContainerPort {
        ContainerPort {
            container_port: number,
            protocol: protocol.map(str::to_owned),
            ..ContainerPort::default()
        }
    }

    fn container(ports: Vec<ContainerPort>) -> Container {
        Container { name: "web".to_owned(), ports: Some(ports), ..Container::default() }
    }

    fn annotated(name: &str, value: &str) -> Result<HttpSettings, AnnotationError> {
        let annotations = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        HttpSettings::of(Some(&annotations), &container(vec![port(80, Some("TCP"))]))
    }

    #[test]
    fn the_first_tcp_port_is_listened_on() {
        let of = |ports| HttpSettings::of(None, &container(ports)).unwrap().port;
        assert_eq!(of(vec![]), 8080);
        assert_eq!(of(vec![port(80, None), port(81, None)]), 80);
        assert_eq!(of(vec![port(53, Some("UDP")), port(8053, Some("TCP"))]), 8053);
    }

    #[test]
    fn annotations_of_this_container_are_read() {
        let seconds = |count| Some(Duration::from_secs(count));
        assert_eq!(annotated("wasmpod.dev/http-port.web", "9000").unwrap().port, 9000);
        assert_eq!(annotated("wasmpod.dev/http-port.other", "9000").unwrap().port, 80);
        assert_eq!(annotated("wasmpod.dev/http-reuse.web", "1000").unwrap().reuse.get(), 1000);
        for (text, timeout) in [
            ("0", None),
            ("0s", None),
            ("1500ms", Some(Duration::from_millis(1500))),
            ("30s", seconds(30)),
            (" 5m ", seconds(300)),
            ("2h", seconds(7200)),
        ] {
            let settings = annotated("wasmpod.dev/http-timeout.web", text).unwrap();
            assert_eq!(settings.timeout, timeout, "{text:?}");
        }
    }

    #[test]
    fn bad_values_are_named() {
        let mut errors = Vec::new();
        for (name, value) in [
            ("port", "http"),
            ("port", "0"),
            ("port", "65536"),
            ("reuse", "0"),
            ("reuse", "-1"),
            ("timeout", "30"),
            ("timeout", "5 minutes"),
            ("timeout", "18446744073709551615h"),
            ("timeout", ""),
        ] {
            let error = annotated(&format!("wasmpod.dev/http-{name}.web"), value).unwrap_err();
            errors.push(error.to_string());
        }
        insta::assert_snapshot!(errors.join("\n"), @r#"
        annotation `wasmpod.dev/http-port.web`: "http" is not a port, 1 to 65535
        annotation `wasmpod.dev/http-port.web`: "0" is not a port, 1 to 65535
        annotation `wasmpod.dev/http-port.web`: "65536" is not a port, 1 to 65535
        annotation `wasmpod.dev/http-reuse.web`: "0" is not a number of requests, 1 or more
        annotation `wasmpod.dev/http-reuse.web`: "-1" is not a number of requests, 1 or more
        annotation `wasmpod.dev/http-timeout.web`: "30" is not a duration such as 500ms, 30s, 5m or 2h, or 0 for none
        annotation `wasmpod.dev/http-timeout.web`: "5 minutes" is not a duration such as 500ms, 30s, 5m or 2h, or 0 for none
        annotation `wasmpod.dev/http-timeout.web`: "18446744073709551615h" is not a duration such as 500ms, 30s, 5m or 2h, or 0 for none
        annotation `wasmpod.dev/http-timeout.web`: "" is not a duration such as 500ms, 30s, 5m or 2h, or 0 for none
        "#);
    }
}
