//! From a container's spec to the variables and arguments that it starts with.

use std::collections::HashMap;

use k8s_openapi::api::core::v1::{
    ConfigMapKeySelector, Container, EnvFromSource, EnvVarSource, FileKeySelector, Pod,
    SecretKeySelector,
};

use super::{ConfigError, FileError, Objects, env_file, hostname, service_variables};
use crate::downward::{self, DownwardStatus};
use crate::expand::expand_within;

/// What Linux lets a program have of arguments and environment together, with its usual stack.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// What a container starts with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// The variables: `HOSTNAME`, then those of Services, of `envFrom` and of `env`. Each name
    /// once, where it came first, with the value that came last.
    pub variables: Vec<(String, String)>,
    /// `command`, expanded; empty when the spec has none.
    pub command: Vec<String>,
    /// `args`, expanded; empty when the spec has none.
    pub args: Vec<String>,
}

impl Environment {
    /// The arguments of the program, given what its image says.
    ///
    /// `command` replaces the image's entry point and its default arguments, `args` only the
    /// default arguments.
    pub fn argv(&self, entrypoint: &[String], default_args: &[String]) -> Vec<String> {
        let (program, default_args) = if self.command.is_empty() {
            (entrypoint, default_args)
        } else {
            (self.command.as_slice(), &[][..])
        };
        let args = if self.args.is_empty() { default_args } else { &self.args };
        [program, args].concat()
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

/// Puts together the environment and the arguments of `container`, a container of `pod`.
///
/// `HOSTNAME` is set by the runtime, not by the kubelet: `$(HOSTNAME)` does not see it, and a
/// variable of that name in the spec wins.
///
/// # Errors
/// [`ConfigError`] for the first reference that has no value and is not optional.
pub fn resolve(
    pod: &Pod,
    container: &Container,
    objects: &dyn Objects,
    status: &DownwardStatus,
) -> Result<Environment, ConfigError> {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let source = Source { pod, container, namespace, objects, status };
    let mut variables = Variables::default();

    if links_services(pod) {
        for (name, value) in service_variables(&objects.services(namespace)) {
            source.set(&mut variables, &name, value)?;
        }
    }
    for from in container.env_from.iter().flatten() {
        source.import(from, &mut variables)?;
    }
    for variable in container.env.iter().flatten() {
        let value = match (variable.value.as_deref(), &variable.value_from) {
            (Some(text), _) if !text.is_empty() => Some(source.expanded(text, &variables)?),
            (_, Some(from)) => source.value(&variable.name, from)?,
            (_, None) => Some(String::new()),
        };
        if let Some(value) = value {
            source.set(&mut variables, &variable.name, value)?;
        }
    }

    let mut bytes = variables.bytes;
    let mut expanded = |list: &Option<Vec<String>>| -> Result<Vec<String>, ConfigError> {
        let texts = list.iter().flatten();
        let expanded = texts.map(|text| {
            let text = source.expanded(text, &variables)?;
            bytes += text.len();
            if bytes > MOST_BYTES { Err(source.too_large()) } else { Ok(text) }
        });
        expanded.collect()
    };
    let command = expanded(&container.command)?;
    let args = expanded(&container.args)?;
    Ok(Environment { variables: variables.with_hostname(hostname(pod)), command, args })
}

/// Unless the Pod forbids it, its containers are told of Services.
fn links_services(pod: &Pod) -> bool {
    pod.spec.as_ref().and_then(|spec| spec.enable_service_links) != Some(false)
}

/// Variables in the order of their first appearance.
#[derive(Default)]
struct Variables {
    ordered: Vec<(String, String)>,
    positions: HashMap<String, usize>,
    /// Of all names and values that were ever set.
    bytes: usize,
}

impl Variables {
    fn get(&self, name: &str) -> Option<&str> {
        self.positions.get(name).map(|position| self.ordered[*position].1.as_str())
    }

    fn set(&mut self, name: &str, value: String) {
        self.bytes += name.len() + value.len();
        match self.positions.get(name) {
            Some(position) => self.ordered[*position].1 = value,
            None => {
                self.positions.insert(name.to_owned(), self.ordered.len());
                self.ordered.push((name.to_owned(), value));
            }
        }
    }

    fn with_hostname(mut self, hostname: String) -> Vec<(String, String)> {
        if !self.positions.contains_key("HOSTNAME") {
            self.ordered.insert(0, ("HOSTNAME".to_owned(), hostname));
        }
        self.ordered
    }
}

/// All that a reference may draw on.
struct Source<'a> {
    pod: &'a Pod,
    container: &'a Container,
    namespace: &'a str,
    objects: &'a dyn Objects,
    status: &'a DownwardStatus,
}

impl Source<'_> {
    fn expanded(&self, text: &str, variables: &Variables) -> Result<String, ConfigError> {
        expand_within(text, MOST_BYTES, |name| variables.get(name)).ok_or_else(|| self.too_large())
    }

    fn set(&self, variables: &mut Variables, name: &str, value: String) -> Result<(), ConfigError> {
        variables.set(name, value);
        if variables.bytes > MOST_BYTES { Err(self.too_large()) } else { Ok(()) }
    }

    fn too_large(&self) -> ConfigError {
        ConfigError::TooLarge { container: self.container.name.clone() }
    }

    /// Every key is a variable: a key of a ConfigMap is always a name that Kubernetes allows.
    fn import(&self, from: &EnvFromSource, variables: &mut Variables) -> Result<(), ConfigError> {
        let prefix = from.prefix.as_deref().unwrap_or_default();
        if let Some(reference) = &from.config_map_ref {
            let name = &reference.name;
            match self.objects.config_map(self.namespace, name) {
                Some(object) => {
                    for (key, value) in object.data.iter().flatten() {
                        self.set(variables, &format!("{prefix}{key}"), value.clone())?;
                    }
                }
                None if reference.optional == Some(true) => {}
                None => return Err(ConfigError::ConfigMapNotFound { name: name.clone() }),
            }
        }
        if let Some(reference) = &from.secret_ref {
            let name = &reference.name;
            match self.objects.secret(self.namespace, name) {
                Some(object) => {
                    for (key, value) in object.data.iter().flatten() {
                        let value = self.text(&value.0, key, name)?;
                        self.set(variables, &format!("{prefix}{key}"), value)?;
                    }
                }
                None if reference.optional == Some(true) => {}
                None => return Err(ConfigError::SecretNotFound { name: name.clone() }),
            }
        }
        Ok(())
    }

    /// The value of a `valueFrom`; none when it is optional and not there.
    fn value(&self, variable: &str, from: &EnvVarSource) -> Result<Option<String>, ConfigError> {
        if let Some(selector) = &from.field_ref {
            Ok(Some(downward::field(self.pod, &selector.field_path, self.status)?))
        } else if let Some(selector) = &from.resource_field_ref {
            let own = Some(self.container);
            Ok(Some(downward::resource(self.pod, own, selector, self.status)?))
        } else if let Some(selector) = &from.config_map_key_ref {
            self.config_map_key(selector)
        } else if let Some(selector) = &from.secret_key_ref {
            self.secret_key(selector)
        } else if let Some(selector) = &from.file_key_ref {
            self.file_key(variable, selector)
        } else {
            Ok(Some(String::new()))
        }
    }

    fn config_map_key(
        &self,
        selector: &ConfigMapKeySelector,
    ) -> Result<Option<String>, ConfigError> {
        let ConfigMapKeySelector { key, name, optional } = selector;
        let missing = match self.objects.config_map(self.namespace, name) {
            Some(object) => match object.data.as_ref().and_then(|data| data.get(key)) {
                Some(value) => return Ok(Some(value.clone())),
                None => self.key_not_found("ConfigMap", key, name),
            },
            None => ConfigError::ConfigMapNotFound { name: name.clone() },
        };
        if *optional == Some(true) { Ok(None) } else { Err(missing) }
    }

    fn secret_key(&self, selector: &SecretKeySelector) -> Result<Option<String>, ConfigError> {
        let SecretKeySelector { key, name, optional } = selector;
        let missing = match self.objects.secret(self.namespace, name) {
            Some(object) => match object.data.as_ref().and_then(|data| data.get(key)) {
                Some(value) => return self.text(&value.0, key, name).map(Some),
                None => self.key_not_found("Secret", key, name),
            },
            None => ConfigError::SecretNotFound { name: name.clone() },
        };
        if *optional == Some(true) { Ok(None) } else { Err(missing) }
    }

    fn file_key(
        &self,
        variable: &str,
        selector: &FileKeySelector,
    ) -> Result<Option<String>, ConfigError> {
        let FileKeySelector { key, optional, path, volume_name } = selector;
        let optional = *optional == Some(true);
        let failed = |source| ConfigError::File {
            variable: variable.to_owned(),
            volume: volume_name.clone(),
            path: path.clone(),
            source,
        };
        let content = match self.objects.volume_file(volume_name, path) {
            Ok(content) => content,
            Err(FileError::NotFound) if optional => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        match env_file::value(&content, key).map_err(failed)? {
            None if !optional => {
                Err(ConfigError::FileKeyNotFound { key: key.clone(), path: path.clone() })
            }
            value => Ok(value),
        }
    }

    fn key_not_found(&self, kind: &'static str, key: &str, name: &str) -> ConfigError {
        ConfigError::KeyNotFound {
            key: key.to_owned(),
            kind,
            namespace: self.namespace.to_owned(),
            name: name.to_owned(),
        }
    }

    fn text(&self, value: &[u8], key: &str, name: &str) -> Result<String, ConfigError> {
        String::from_utf8(value.to_vec()).map_err(|_| ConfigError::NotText {
            key: key.to_owned(),
            namespace: self.namespace.to_owned(),
            name: name.to_owned(),
        })
    }
}
