//! Where a registry's API is: its mirrors in their order, and at last the registry itself.
//!
//! Rules: containerd's `hosts` for k3s' `registries.yaml` (the registry itself is always the last);
//! docker's for plain HTTP (this machine only, unless the file says `http://`).

use std::net::IpAddr;

use url::{Host, Url};
use wasmpod_images::reference::Reference;

use crate::config::{HostConfig, RegistryConfig, Tls, endpoint_url};
use crate::credentials::Credential;
use crate::error::Failure;

/// A server that may have the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Up to and with `/v2/`.
    pub(crate) base: Url,
    /// The registry that it stands in for, if it is a mirror.
    pub(crate) mirror_of: Option<String>,
    /// Who we are there, if the file says so.
    pub(crate) credential: Option<Credential>,
}

/// The servers to ask for this image, in order.
pub(crate) fn endpoints(
    config: &RegistryConfig,
    reference: &Reference,
) -> Result<Vec<Endpoint>, Failure> {
    let registry = reference.registry();
    let mirror = config.mirrors.get(registry).or_else(|| config.mirrors.get("*"));
    let mut urls: Vec<(Url, Option<String>)> = Vec::new();
    for text in mirror.into_iter().flat_map(|mirror| &mirror.endpoint) {
        let url = endpoint_url(text)
            .ok_or_else(|| Failure::Config(format!("mirror {text:?} is not a URL")))?;
        urls.push((url, Some(registry.to_owned())));
    }
    // A registry that is its own endpoint is no mirror: `http://` was what the file wanted to say.
    for (url, mirror_of) in &mut urls {
        if is_host(reference.api_host(), url) {
            *mirror_of = None;
        }
    }
    if !urls.iter().any(|(_, mirror_of)| mirror_of.is_none()) {
        urls.push((itself(config, reference)?, None));
    }
    urls.into_iter()
        .map(|(base, mirror_of)| {
            let credential = match of_host(config, &base) {
                Some(host) => host.credential().map_err(Failure::Config)?,
                None => None,
            };
            Ok(Endpoint { base, mirror_of, credential })
        })
        .collect()
}

fn itself(config: &RegistryConfig, reference: &Reference) -> Result<Url, Failure> {
    let host = reference.api_host();
    let url = |scheme: &str| {
        Url::parse(&format!("{scheme}://{host}/v2/"))
            .map_err(|error| Failure::Config(format!("registry {host:?}: {error}")))
    };
    let https = url("https")?;
    let has_tls = of_host(config, &https).is_some_and(|config| config.tls.is_some());
    if is_loopback(&https) && !has_tls && !host.ends_with(":443") {
        return url("http");
    }
    Ok(https)
}

/// `localhost` and the addresses of this machine alone.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

/// What is special about the connection to this host.
pub(crate) fn tls_of(config: &RegistryConfig, url: &Url) -> Tls {
    of_host(config, url).and_then(|host| host.tls.clone()).unwrap_or_default()
}

fn of_host<'a>(config: &'a RegistryConfig, url: &Url) -> Option<&'a HostConfig> {
    config.configs.iter().find(|(host, _)| is_host(host, url)).map(|(_, config)| config)
}

/// Whether this host, with or without its port, is where the address leads. A port that is the
/// scheme's own may be written or not, on either side: an address forgets it.
fn is_host(host: &str, url: &Url) -> bool {
    let Ok(written) = Url::parse(&format!("{}://{host}", url.scheme())) else { return false };
    let place = |url: &Url| (url.host().map(|host| host.to_owned()), url.port_or_known_default());
    place(&written) == place(url) && written.path() == "/"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bases(yaml: &str, image: &str) -> Vec<String> {
        let config = RegistryConfig::parse(yaml).unwrap();
        let endpoints = endpoints(&config, &image.parse().unwrap()).unwrap();
        endpoints
            .into_iter()
            .map(|endpoint| format!("{} {}", endpoint.base, endpoint.mirror_of.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn mirrors_come_before_the_registry_itself() {
        let yaml =
            "mirrors: {docker.io: {endpoint: ['http://m:1']}, '*': {endpoint: ['https://all/x']}}";
        assert_eq!(
            bases(yaml, "a"),
            ["http://m:1/v2/ docker.io", "https://registry-1.docker.io/v2/ "]
        );
        assert_eq!(
            bases(yaml, "ghcr.io/a/b"),
            ["https://all/x/v2/ ghcr.io", "https://ghcr.io/v2/ "]
        );
        let itself = "mirrors: {'r.example:5000': {endpoint: ['http://r.example:5000']}}";
        assert_eq!(bases(itself, "r.example:5000/a"), ["http://r.example:5000/v2/ "]);
        let itself = "mirrors: {'r.example': {endpoint: ['http://r.example']}}";
        assert_eq!(bases(itself, "r.example/a"), ["http://r.example/v2/ "]);
    }

    #[test]
    fn a_default_port_may_be_written_or_not() {
        for written in ["r.example", "r.example:443", "R.example:443"] {
            let settings = format!(
                "mirrors: {{'r.example:443': {{endpoint: ['{written}']}}}}\n\
                 configs: {{'{written}': {{auth: {{identity_token: t}}, tls: {{ca_file: /x}}}}}}"
            );
            assert_eq!(bases(&settings, "r.example:443/a"), ["https://r.example/v2/ "]);
            let config = RegistryConfig::parse(&settings).unwrap();
            for image in ["r.example/a", "r.example:443/a"] {
                let endpoint = &endpoints(&config, &image.parse().unwrap()).unwrap()[0];
                assert!(endpoint.credential.is_some(), "{written} {image}");
                assert_eq!(tls_of(&config, &endpoint.base).ca_file, Some("/x".into()));
            }
        }
        let other = "configs: {'r.example:80': {tls: {ca_file: /x}}, 'r.example/x': {}}";
        let config = RegistryConfig::parse(other).unwrap();
        let tls = |url: &str| tls_of(&config, &url.parse().unwrap()).ca_file.is_some();
        assert!(tls("http://r.example/v2/") && tls("https://r.example:80/v2/"));
        assert!(!tls("https://r.example/v2/") && !tls("http://r.example:443/v2/"));
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        let table = [
            ("localhost:5000/a", "http://localhost:5000/v2/ "),
            ("localhost/a", "http://localhost/v2/ "),
            ("127.0.0.1:5000/a", "http://127.0.0.1:5000/v2/ "),
            ("10.0.0.1:5000/a", "https://10.0.0.1:5000/v2/ "),
            ("localhost.example:5000/a", "https://localhost.example:5000/v2/ "),
        ];
        for (image, base) in table {
            assert_eq!(bases("", image), [base]);
        }
        let tls = "configs: {'localhost:443': {tls: {ca_file: /x}}}";
        assert_eq!(bases(tls, "localhost/a"), ["https://localhost/v2/ "]);
        let tls = "configs: {'localhost:5000': {tls: {ca_file: /x}}}";
        assert_eq!(bases(tls, "localhost:5000/a"), ["https://localhost:5000/v2/ "]);
    }
}
