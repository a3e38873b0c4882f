//! Who we are at a registry.
//!
//! One reader for docker's `config.json`, the Kubernetes Secret types `kubernetes.io/dockerconfigjson`
//! and `kubernetes.io/dockercfg`, and one rule of the kubelet for which of them fits an image.

mod file;
mod helper;
mod keyring;
mod matching;

pub use file::CredentialError;
pub use keyring::Keyring;

pub(crate) use file::decode_auth;

use std::fmt;

/// What shows a registry who we are.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A name and its password.
    Password {
        /// The name.
        username: String,
        /// The password.
        password: String,
    },
    /// What a token server takes for a name and password, as `docker login` stores it.
    IdentityToken(String),
    /// What the registry itself takes.
    RegistryToken(String),
}

impl Credential {
    /// A name and its password.
    pub fn password(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password { username: username.into(), password: password.into() }
    }
}

impl fmt::Debug for Credential {
    /// Without what nobody else may see.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password { username, .. } => write!(formatter, "Password({username:?}, …)"),
            Self::IdentityToken(_) => formatter.write_str("IdentityToken(…)"),
            Self::RegistryToken(_) => formatter.write_str("RegistryToken(…)"),
        }
    }
}
