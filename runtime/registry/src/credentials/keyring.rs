//! All that we have to show, and what of it fits an image.

use std::collections::BTreeMap;
use std::env;
use std::io;
use std::path::{Path, PathBuf};

use wasmpod_images::reference::{DEFAULT_REGISTRY, Reference};

use super::file::{ConfigFile, CredentialError, Entry};
use super::matching::{DEFAULT_KEY, fits, key};
use super::{Credential, helper};

/// Docker's registry, as its helpers know it.
const DOCKER_SERVER: &str = "https://index.docker.io/v1/";

/// The key of a Secret of type `kubernetes.io/dockerconfigjson`.
const CONFIG_JSON: &str = ".dockerconfigjson";

/// The key of a Secret of type `kubernetes.io/dockercfg`.
const CONFIG: &str = ".dockercfg";

/// Who we are where. The default is nobody anywhere.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    entries: Vec<(String, Credential)>,
    /// A host and its helper.
    helpers: Vec<(String, String)>,
    stores: Vec<String>,
    /// A helper that was asked before and failed, and what it said.
    failed: Option<(String, String)>,
}

impl Keyring {
    /// Reads a docker `config.json`. `place` is what an error calls it.
    ///
    /// # Errors
    /// [`CredentialError::Invalid`]
    pub fn from_config_json(place: &str, json: &[u8]) -> Result<Self, CredentialError> {
        let file: ConfigFile = parse(place, json)?;
        let mut keyring = Self::from_entries(place, &file.auths)?;
        keyring.helpers = file.cred_helpers.into_iter().collect();
        keyring.stores = file.creds_store.into_iter().filter(|store| !store.is_empty()).collect();
        Ok(keyring)
    }

    /// Reads the older form, which is the `auths` of the newer alone.
    ///
    /// # Errors
    /// [`CredentialError::Invalid`]
    pub fn from_dockercfg(place: &str, json: &[u8]) -> Result<Self, CredentialError> {
        Self::from_entries(place, &parse(place, json)?)
    }

    /// Reads a Secret of `imagePullSecrets`. Helpers in it are left out: a Secret starts no program.
    ///
    /// # Errors
    /// [`CredentialError::NotForImages`], [`CredentialError::Invalid`]
    pub fn from_secret(
        kind: &str,
        data: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Self, CredentialError> {
        match (kind, data.get(CONFIG_JSON), data.get(CONFIG)) {
            ("kubernetes.io/dockerconfigjson", Some(json), _) => {
                let keyring = Self::from_config_json(CONFIG_JSON, json)?;
                Ok(Self { entries: keyring.entries, ..Self::default() })
            }
            ("kubernetes.io/dockercfg", _, Some(json)) => Self::from_dockercfg(CONFIG, json),
            _ => Err(CredentialError::NotForImages(kind.to_owned())),
        }
    }

    /// That of this user: `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`; empty if there is
    /// none. Blocks for as long as it takes to read a small file.
    ///
    /// # Errors
    /// [`CredentialError::Read`], [`CredentialError::Invalid`]
    pub fn of_user() -> Result<Self, CredentialError> {
        let home = || env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
        match env::var_os("DOCKER_CONFIG").map(PathBuf::from).or_else(home) {
            Some(folder) => Self::read(&folder.join("config.json")),
            None => Ok(Self::default()),
        }
    }

    /// As [`Keyring::of_user`], from this file.
    ///
    /// # Errors
    /// As [`Keyring::of_user`].
    pub fn read(file: &Path) -> Result<Self, CredentialError> {
        let place = file.display().to_string();
        match std::fs::read(file) {
            Ok(json) => Self::from_config_json(&place, &json),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(CredentialError::Read { place, source }),
        }
    }

    /// Puts what the other has behind what is here: however particular, it is tried later.
    pub fn extend(&mut self, other: Self) {
        self.entries.extend(other.entries);
        self.helpers.extend(other.helpers);
        self.stores.extend(other.stores);
        self.failed = self.failed.take().or(other.failed);
    }

    /// Puts what the other has among what is here, as the kubelet does with the Secrets of one Pod: the
    /// most particular is tried first, whichever it is in.
    pub fn merge(&mut self, other: Self) {
        self.extend(other);
        self.sort();
    }

    /// Whether a program has to be asked who we are.
    pub(crate) fn has_helpers(&self) -> bool {
        !self.helpers.is_empty() || !self.stores.is_empty()
    }

    /// What is left of it for this image once its helpers were asked: no program runs any more.
    ///
    /// # Cancel safety
    /// Safe: a helper that runs is ended.
    pub(crate) async fn settled(self, reference: &Reference) -> Self {
        match self.find(reference).await {
            Ok(found) => {
                // The image's own name fits it in any case, and the order of equals stays.
                let key = reference.name();
                let entries = found.into_iter().map(|credential| (key.clone(), credential));
                Self { entries: entries.collect(), ..Self::default() }
            }
            // It counts where somebody wants to know: a mirror does not.
            Err(CredentialError::Helper { helper, problem }) => {
                Self { failed: Some((helper, problem)), ..Self::default() }
            }
            Err(
                CredentialError::Invalid { .. }
                | CredentialError::NotForImages(_)
                | CredentialError::Read { .. },
            ) => self,
        }
    }

    /// All that fits this image, the most particular first, and what helpers know last: they are tried
    /// in turn, as the kubelet does. None means that nobody is who we are.
    ///
    /// # Errors
    /// [`CredentialError::Helper`], if nothing else was found: that of the user's must not hold up who
    /// has a Secret.
    ///
    /// # Cancel safety
    /// Safe: a helper that runs is ended.
    pub async fn find(&self, reference: &Reference) -> Result<Vec<Credential>, CredentialError> {
        let registry = reference.registry();
        let is_default = registry == DEFAULT_REGISTRY;
        let server = if is_default { DOCKER_SERVER } else { registry };
        let fitting = self
            .entries
            .iter()
            .filter(|(key, _)| fits(key, reference) || (is_default && key == DEFAULT_KEY));
        let mut found: Vec<_> = fitting.map(|(_, credential)| credential.clone()).collect();
        let of_host = self
            .helpers
            .iter()
            .filter(|(host, _)| host == registry || (is_default && key(host) == DEFAULT_KEY));
        let failed = self.failed.clone();
        let mut failed =
            failed.map(|(helper, problem)| CredentialError::Helper { helper, problem });
        for (_, helper) in of_host {
            match helper::ask(helper, server).await {
                Ok(credential) => found.extend(credential),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        // A store knows all registries: asked only when nothing nearer is at hand.
        if found.is_empty() {
            for store in &self.stores {
                match helper::ask(store, server).await {
                    Ok(credential) => found.extend(credential),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
        match failed {
            Some(error) if found.is_empty() => Err(error),
            Some(_) | None => Ok(found),
        }
    }

    fn from_entries(
        place: &str,
        entries: &BTreeMap<String, Entry>,
    ) -> Result<Self, CredentialError> {
        let mut keyring = Self::default();
        for (entry, of_entry) in entries {
            let credential = of_entry.credential().map_err(|problem| {
                let problem = format!("auths.{entry:?}: {problem}");
                CredentialError::Invalid { place: place.to_owned(), problem }
            })?;
            keyring.entries.extend(credential.map(|credential| (key(entry), credential)));
        }
        keyring.sort();
        Ok(keyring)
    }

    /// Backwards by key: a longer path comes before the shorter one that begins it.
    fn sort(&mut self) {
        self.entries.sort_by(|a, b| b.0.cmp(&a.0));
    }
}

fn parse<Form: serde::de::DeserializeOwned>(
    place: &str,
    json: &[u8],
) -> Result<Form, CredentialError> {
    // Only where, not what: the text around a mistake may be a password.
    serde_json::from_slice(json).map_err(|error| CredentialError::Invalid {
        place: place.to_owned(),
        problem: format!(
            "is not the JSON it should be, line {} column {}",
            error.line(),
            error.column()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn found(keyring: &Keyring, image: &str) -> Vec<String> {
        let found = keyring.find(&image.parse().unwrap()).await.unwrap();
        found.iter().map(|credential| format!("{credential:?}")).collect()
    }

    #[tokio::test]
    async fn the_most_particular_entry_comes_first() {
        let json = br#"{ "auths": {
            "quay.io": { "username": "all", "password": "p" },
            "quay.io/team": { "auth": "dGVhbTpw" },
            "*.io": { "identitytoken": "t" },
            "https://index.docker.io/v1/": { "auth": "aHViOnA" },
            "empty.io": {}
        }, "other": 1 }"#;
        let keyring = Keyring::from_config_json("config.json", json).unwrap();
        assert_eq!(
            found(&keyring, "quay.io/team/a").await,
            [r#"Password("team", …)"#, r#"Password("all", …)"#, "IdentityToken(…)"]
        );
        assert_eq!(
            found(&keyring, "quay.io/b").await,
            [r#"Password("all", …)"#, "IdentityToken(…)"]
        );
        assert_eq!(found(&keyring, "a:1").await[0], r#"Password("hub", …)"#);
        assert_eq!(found(&keyring, "localhost:5000/a").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn the_pod_comes_first_however_particular_the_users_are() {
        let of = |entry: &str, username: &str| {
            let json = format!(
                r#"{{"auths":{{"{entry}":{{"username":"{username}","password":"p"}}}},
                     "credHelpers":{{"r.io":"surely-not-there"}}}}"#
            );
            Keyring::from_config_json("config.json", json.as_bytes()).unwrap()
        };
        let mut keyring = Keyring::default();
        keyring.merge(of("r.io", "first"));
        keyring.merge(of("r.io/team", "second"));
        keyring.extend(of("r.io/team/app", "user"));
        // Helpers that fail hold nobody up who has something else.
        assert_eq!(
            found(&keyring, "r.io/team/app").await,
            [r#"Password("second", …)"#, r#"Password("first", …)"#, r#"Password("user", …)"#]
        );
        let settled = keyring.settled(&"r.io/team/app".parse().unwrap()).await;
        assert_eq!(found(&settled, "r.io/team/app").await.len(), 3);
    }

    #[tokio::test]
    async fn a_secret_of_either_type_is_read() {
        let json = br#"{ "localhost:5000": { "username": "u", "password": "p" } }"#.to_vec();
        let new = [br#"{"auths":"#.as_slice(), &json, br#","credsStore":"evil"}"#].concat();
        let data = BTreeMap::from([(CONFIG_JSON.to_owned(), new), (CONFIG.to_owned(), json)]);
        for kind in ["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"] {
            let keyring = Keyring::from_secret(kind, &data).unwrap();
            assert_eq!(found(&keyring, "localhost:5000/a").await, [r#"Password("u", …)"#]);
            assert_eq!(found(&keyring, "other/a").await, Vec::<String>::new());
        }
        assert!(Keyring::from_secret("Opaque", &data).is_err());
    }

    #[test]
    fn an_error_gives_no_secret_away() {
        let texts: Vec<String> = [
            r#"{"auths":{"a":{"auth":"secret!"}}}"#,
            r#"{"auths":{"a":{"auth":"c2VjcmV0"}}}"#,
            r#"{"auths":{"a":"secret"}}"#,
            "secret",
        ]
        .into_iter()
        .map(|json| Keyring::from_config_json("c.json", json.as_bytes()).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(texts.join("\n"), @r#"
        c.json: auths."a": auth is not base64
        c.json: auths."a": auth is not name:password
        c.json: is not the JSON it should be, line 1 column 22
        c.json: is not the JSON it should be, line 1 column 1
        "#);
    }

    #[tokio::test]
    async fn a_helper_is_a_program_of_docker_and_no_other() {
        let json = br#"{"credHelpers":{"a.io":"../../bin/sh","b.io":"surely-not-there"}}"#;
        let keyring = Keyring::from_config_json("c.json", json).unwrap();
        let mut texts = Vec::new();
        for image in ["a.io/a", "b.io/a"] {
            texts.push(keyring.find(&image.parse().unwrap()).await.unwrap_err().to_string());
        }
        insta::assert_snapshot!(texts.join("\n"), @r"
        docker-credential-../../bin/sh: is not the name of a helper
        docker-credential-surely-not-there: No such file or directory (os error 2)
        ");
    }
}
