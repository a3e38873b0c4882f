//! What `--registry-config` says: mirrors, CAs, plain HTTP, and who we are at a registry.
//!
//! The file has the form of the `registries.yaml` of k3s and RKE2, which many clusters have already:
//!
//! ```yaml
//! mirrors:
//!   docker.io:                     # or "*": every registry without an entry of its own
//!     endpoint: ["https://mirror.example:5000/v2/hub", "http://10.0.0.5:5000"]
//! configs:
//!   mirror.example:5000:           # host and port of an endpoint
//!     auth: { username: u, password: p }      # or `auth: <base64>`, `identity_token`
//!     tls: { ca_file: /etc/ca.pem, cert_file: …, key_file: …, insecure_skip_verify: false }
//! ```
//!
//! Decided here: what the file may say. What a registry's endpoints are is decided in `endpoint`.
//! Other keys are refused, `rewrite` among them: a misspelt `ca_file` must not pass for none.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use crate::credentials::{Credential, decode_auth};

/// Mirrors, CAs and the like. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistryConfig {
    pub(crate) mirrors: BTreeMap<String, Mirror>,
    pub(crate) configs: BTreeMap<String, HostConfig>,
}

/// Where images of one registry come from instead.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mirror {
    pub(crate) endpoint: Vec<String>,
}

/// What is special about a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct HostConfig {
    auth: Option<Auth>,
    pub(crate) tls: Option<Tls>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Auth {
    username: Option<String>,
    password: Option<String>,
    auth: Option<String>,
    identity_token: Option<String>,
}

/// How a host shows who it is, and we to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tls {
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) cert_file: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
    pub(crate) insecure_skip_verify: bool,
}

/// The file cannot be used. `Display` goes on where the file's name ends.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is no YAML, or has keys that nobody knows.
    #[error("{0}")]
    Syntax(String),
    /// An endpoint is no address.
    #[error("mirrors.{registry:?}.endpoint: {endpoint:?} is not an http or https URL")]
    Endpoint {
        /// Whose.
        registry: String,
        /// What is written.
        endpoint: String,
    },
    /// What should say who we are does not.
    #[error("configs.{host:?}.auth: {problem}")]
    Auth {
        /// Whose.
        host: String,
        /// What is wrong.
        problem: String,
    },
}

impl RegistryConfig {
    /// Reads the text of a `registries.yaml`.
    ///
    /// # Errors
    /// [`ConfigError`]
    pub fn parse(yaml: &str) -> Result<Self, ConfigError> {
        if yaml.trim().is_empty() {
            return Ok(Self::default());
        }
        let config: Self =
            serde_saphyr::from_str(yaml).map_err(|error| ConfigError::Syntax(error.to_string()))?;
        for (registry, mirror) in &config.mirrors {
            if let Some(endpoint) = mirror.endpoint.iter().find(|text| endpoint_url(text).is_none())
            {
                let (registry, endpoint) = (registry.clone(), endpoint.clone());
                return Err(ConfigError::Endpoint { registry, endpoint });
            }
        }
        for (host, of_host) in &config.configs {
            of_host.credential().map_err(|problem| {
                let host = host.clone();
                ConfigError::Auth { host, problem }
            })?;
        }
        Ok(config)
    }
}

impl RegistryConfig {
    /// The files that it names.
    pub(crate) fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let tls = self.configs.values().filter_map(|of_host| of_host.tls.as_ref());
        tls.flat_map(|tls| [&tls.ca_file, &tls.cert_file, &tls.key_file]).flatten()
    }
}

impl HostConfig {
    /// Who we are there.
    pub(crate) fn credential(&self) -> Result<Option<Credential>, String> {
        let Some(auth) = &self.auth else { return Ok(None) };
        if let Some(token) = &auth.identity_token {
            return Ok(Some(Credential::IdentityToken(token.clone())));
        }
        match (&auth.username, &auth.password, &auth.auth) {
            (Some(username), Some(password), _) => {
                Ok(Some(Credential::password(username.clone(), password.clone())))
            }
            (_, _, Some(encoded)) => decode_auth(encoded).map(Some),
            _ => Err("needs username and password, auth, or identity_token".to_owned()),
        }
    }
}

/// An endpoint's address up to and with `/v2/`.
pub(crate) fn endpoint_url(text: &str) -> Option<Url> {
    // k3s takes a bare host for https.
    let with_scheme =
        if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let mut url: Url = with_scheme.parse().ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
        return None;
    }
    let path = url.path().trim_matches('/').to_owned();
    url.set_path(&match path.as_str() {
        "" | "v2" => "/v2/".to_owned(),
        // A path of its own goes before the repository, as containerd has it.
        path if path.starts_with("v2/") => format!("/{path}/"),
        path => format!("/{path}/v2/"),
    });
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_k3s_is_read() {
        let config = RegistryConfig::parse(
            "mirrors:\n  docker.io:\n    endpoint:\n      - https://mirror.example:5000/v2/hub\n\
             configs:\n  mirror.example:5000:\n    auth:\n      username: u\n      password: p\n    \
             tls:\n      ca_file: /etc/ca.pem\n",
        )
        .unwrap();
        let host = &config.configs["mirror.example:5000"];
        assert_eq!(host.credential().unwrap(), Some(Credential::password("u", "p")));
        assert_eq!(host.tls.as_ref().unwrap().ca_file, Some("/etc/ca.pem".into()));
        assert_eq!(
            RegistryConfig::parse("# nothing\n").unwrap_or_default(),
            RegistryConfig::default()
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        let texts: Vec<String> = [
            "mirrors: {a: {endpoint: [\"ftp://x\"]}}",
            "configs: {a: {auth: {username: u}}}",
            "configs: {a: {auth: {auth: '%'}}}",
            "configs: {a: {tls: {cafile: /x}}}",
            "mirrors: 1",
        ]
        .into_iter()
        .map(|yaml| {
            RegistryConfig::parse(yaml)
                .unwrap_err()
                .to_string()
                .lines()
                .next()
                .unwrap_or("")
                .to_owned()
        })
        .collect();
        insta::assert_snapshot!(texts.join("\n"), @r#"
        mirrors."a".endpoint: "ftp://x" is not an http or https URL
        configs."a".auth: needs username and password, auth, or identity_token
        configs."a".auth: auth is not base64
        error: line 1 column 21: unknown field `cafile`, expected one of ca_file, cert_file, key_file, insecure_skip_verify
        error: line 1 column 10: expected mapping start
        "#);
    }

    #[test]
    fn endpoints_lead_to_the_api() {
        let url = |text| endpoint_url(text).map(|url| url.to_string());
        let table = [
            ("https://a", "https://a/v2/"),
            ("http://a:5000/", "http://a:5000/v2/"),
            ("a:5000/v2", "https://a:5000/v2/"),
            ("https://a/v2/hub", "https://a/v2/hub/"),
            ("https://a/artifactory", "https://a/artifactory/v2/"),
        ];
        for (text, full) in table {
            assert_eq!(url(text).as_deref(), Some(full));
        }
        assert_eq!(url("https://"), None);
    }
}
