//! What a docker configuration says.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::Credential;

/// The user name by which `docker login` says that the password is an identity token.
const TOKEN_USER: &str = "<token>";

/// What should say who we are cannot be used. No text of it gives a secret away.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// It is not JSON of the form that it should have.
    #[error("{place}: {problem}")]
    Invalid {
        /// The file, or the key of the Secret.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// A Secret is of another type or lacks its key.
    #[error(
        "the Secret is of type {0:?}, not kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg with its key"
    )]
    NotForImages(String),
    /// The file cannot be read.
    #[error("cannot read {place}: {source}")]
    Read {
        /// The file.
        place: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A program of `credHelpers` or `credsStore` failed.
    #[error("docker-credential-{helper}: {problem}")]
    Helper {
        /// The part of its name that the file has.
        helper: String,
        /// What it said, or why it could not be started.
        problem: String,
    },
}

/// docker's `config.json`, of which the rest is not for us.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ConfigFile {
    pub(super) auths: BTreeMap<String, Entry>,
    pub(super) cred_helpers: BTreeMap<String, String>,
    pub(super) creds_store: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Entry {
    username: Option<String>,
    password: Option<String>,
    auth: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Entry(…)")
    }
}

impl Entry {
    /// `None` for an entry that says nothing: docker leaves such where a helper has the password.
    pub(super) fn credential(&self) -> Result<Option<Credential>, String> {
        let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&self.registrytoken) {
            return Ok(Some(Credential::RegistryToken(token)));
        }
        if let Some(token) = filled(&self.identitytoken) {
            return Ok(Some(Credential::IdentityToken(token)));
        }
        // As the kubelet: `auth` wins over what is written beside it.
        if let Some(encoded) = filled(&self.auth) {
            return decode_auth(&encoded).map(Some);
        }
        match (filled(&self.username), filled(&self.password)) {
            (Some(username), Some(password)) => Ok(Some(named(username, password))),
            _ => Ok(None),
        }
    }
}

pub(super) fn named(username: String, password: String) -> Credential {
    if username == TOKEN_USER {
        Credential::IdentityToken(password)
    } else {
        Credential::Password { username, password }
    }
}

/// The base64 of `name:password`, with padding or without.
pub(crate) fn decode_auth(encoded: &str) -> Result<Credential, String> {
    let lenient =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&alphabet::STANDARD, lenient)
        .decode(encoded.trim())
        .map_err(|_| "auth is not base64".to_owned())?;
    let text = String::from_utf8(bytes).map_err(|_| "auth is not text".to_owned())?;
    let (username, password) =
        text.split_once(':').ok_or_else(|| "auth is not name:password".to_owned())?;
    // docker pads passwords with zero bytes.
    Ok(named(username.to_owned(), password.trim_end_matches('\0').to_owned()))
}
