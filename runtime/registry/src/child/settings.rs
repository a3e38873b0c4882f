//! Who we are, and which registries are special.

use std::env;
use std::io;
use std::path::{Path, PathBuf};

use wasmpod_images::fetch::{FetchError, FetchErrorKind, PullSecret};
use wasmpod_images::policy::{Policy, PolicyError};

use crate::config::RegistryConfig;
use crate::credentials::{CredentialError, Keyring};
use crate::error::chain;

/// Below a folder of settings.
const FILE: &str = "wasmpod/registries.yaml";

/// Where settings of the machine are.
const MACHINE: &str = "/etc";

/// The file's settings; without one those of the user, else those of the machine, if there are any.
pub(super) fn config(file: Option<&Path>) -> Result<RegistryConfig, FetchError> {
    if let Some(file) = file {
        return read(file)?.ok_or_else(|| {
            host(format!("cannot read {}: No such file or directory", file.display()))
        });
    }
    for folder in user_folder().into_iter().chain([PathBuf::from(MACHINE)]) {
        if let Some(config) = read(&folder.join(FILE))? {
            return Ok(config);
        }
    }
    Ok(RegistryConfig::default())
}

/// Those of the Pod first, as the kubelet has it, then those of the user.
pub(super) fn keyring(secrets: &[PullSecret]) -> Result<Keyring, FetchError> {
    let mut keyring = Keyring::default();
    for secret in secrets {
        match Keyring::from_secret(&secret.kind, &secret.data) {
            Ok(of_secret) => keyring.merge(of_secret),
            // As in Kubernetes: what a cluster passes over must not fail here.
            Err(CredentialError::NotForImages(_)) => {}
            Err(error) => {
                return Err(host(format!("imagePullSecret {:?}: {error}", secret.name)));
            }
        }
    }
    let of_user = Keyring::of_user().map_err(|error| host(error.to_string()))?;
    keyring.extend(of_user);
    Ok(keyring)
}

/// The policy with its keys. One that cannot be read lets nothing come.
pub(super) fn policy(file: &Path) -> Result<Policy, FetchError> {
    Policy::read(file).map_err(|error| {
        let text = chain(&error);
        let place = file.display();
        host(match error {
            PolicyError::Read { .. } | PolicyError::Key { .. } => text,
            PolicyError::Syntax(_) | PolicyError::Pattern { .. } | PolicyError::Rule { .. } => {
                format!("{place}: {text}")
            }
        })
    })
}

/// By the XDG base directories.
fn user_folder() -> Option<PathBuf> {
    let set = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")))
}

fn read(file: &Path) -> Result<Option<RegistryConfig>, FetchError> {
    match std::fs::read_to_string(file) {
        Ok(text) => match RegistryConfig::parse(&text) {
            Ok(config) => Ok(Some(config)),
            Err(error) => Err(host(format!("{}: {error}", file.display()))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(host(format!("cannot read {}: {error}", file.display()))),
    }
}

fn host(message: String) -> FetchError {
    // A message of the parser may show the place in the file.
    let line = message.lines().next().unwrap_or_default();
    FetchError::new(FetchErrorKind::Host, line)
}
