//! The words between whoever wants an image and the child that fetches it.
//!
//! A [`Request`] is one line of JSON on the child's standard input, which stays open: the child ends
//! with it. On its standard output come [`Message`]s, one a line, of which [`Message::Done`] is the last.
//!
//! Only the words: who starts the child and what it does are elsewhere, so that who asks is built
//! without a client of registries.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::shown::cut;

/// So many characters of an error are for people.
const MOST_MESSAGE: usize = 2000;

/// What the child is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Request {
    /// Bring an image into the layout, where it gets the reference as its name.
    Pull {
        /// The layout's folder, made if it is missing.
        layout: PathBuf,
        /// As the user wrote it.
        reference: String,
        /// Those of the Pod, tried before the user's own credentials.
        secrets: Vec<PullSecret>,
        /// The `registries.yaml`; none means that of the user or the machine, if there is one.
        config: Option<PathBuf>,
        /// The image policy; none means that every image may come.
        policy: Option<PathBuf>,
    },
    /// Bring an image of the layout to a registry.
    Push {
        /// The layout's folder.
        layout: PathBuf,
        /// What the layout calls it.
        name: String,
        /// Where it goes.
        reference: String,
        /// As for a pull.
        config: Option<PathBuf>,
    },
}

/// A Secret of `imagePullSecrets`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PullSecret {
    /// Its name, for messages.
    pub name: String,
    /// `Secret.type`; of another than Kubernetes has for images nothing is used.
    pub kind: String,
    /// Its data, decoded; base64 in the JSON.
    #[serde(with = "base64_values")]
    pub data: BTreeMap<String, Vec<u8>>,
}

impl fmt::Debug for PullSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PullSecret({:?}, {:?}, …)", self.name, self.kind)
    }
}

/// What the child says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// How it goes on. Of what is told faster than it is read, the newest stays.
    Progress(Progress),
    /// What came of it: the last.
    Done(Result<Fetched, FetchError>),
}

/// What happens to one blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Progress {
    /// It is wanted.
    Begins {
        /// Which.
        digest: Digest,
        /// Bytes.
        size: u64,
    },
    /// So much of it is here (there, for a push); less than before when it has to come anew.
    At {
        /// Which.
        digest: Digest,
        /// Bytes.
        bytes: u64,
    },
    /// Another process fetches it now.
    Waits {
        /// Which.
        digest: Digest,
    },
    /// It is here (there) and right, or was before.
    Done {
        /// Which.
        digest: Digest,
    },
}

impl Progress {
    /// Which blob it is about.
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Begins { digest, .. }
            | Self::At { digest, .. }
            | Self::Waits { digest }
            | Self::Done { digest } => digest,
        }
    }
}

/// An image that is where it should be, whole and under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// Its manifest.
    pub manifest: Digest,
    /// What the registry calls it, if that is another: the index that the manifest was chosen from.
    pub registry_digest: Option<Digest>,
    /// Bytes of the manifest, the config and the layers, as they are stored.
    pub size: u64,
    /// Bytes that came for it (went, for a push), with those that came in vain.
    pub bytes_fetched: u64,
    /// Whether nothing had to come (go).
    pub already_present: bool,
}

/// Why an image is not where it should be. `Display` is one line, in containerd's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("{message}")]
pub struct FetchError {
    /// What it means for the one who waits.
    pub kind: FetchErrorKind,
    /// The line.
    pub message: String,
}

impl FetchError {
    /// An error of this kind with this line, of which the beginning is kept: it goes into a status,
    /// events and logs, and what a registry has sent may be in it.
    pub fn new(kind: FetchErrorKind, message: impl AsRef<str>) -> Self {
        Self { kind, message: cut(message.as_ref(), MOST_MESSAGE) }
    }
}

/// What a failure means for the one who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchErrorKind {
    /// The reference is none: `InvalidImageName`.
    InvalidReference,
    /// There is no such image. There may be one later.
    NotFound,
    /// The registry wants to know who we are, or does not let us.
    Unauthorized,
    /// The registry cannot be reached, is too slow, has troubles of its own or enough of us for now:
    /// `RegistryUnavailable`.
    Unavailable,
    /// What the registry sends is not what it should be.
    Invalid,
    /// It is none that may run here: a container image of machine code, another kind of artifact, one
    /// larger than the limits, or without the signature that the image policy asks for.
    Refused,
    /// This machine: its disk, its settings, a program that should say who we are.
    Host,
}

/// A map of bytes as Kubernetes writes it in a Secret's `data`.
mod base64_values {
    use std::collections::BTreeMap;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<Out: Serializer>(
        data: &BTreeMap<String, Vec<u8>>,
        serializer: Out,
    ) -> Result<Out::Ok, Out::Error> {
        serializer.collect_map(data.iter().map(|(key, bytes)| (key, STANDARD.encode(bytes))))
    }

    pub(super) fn deserialize<'de, In: Deserializer<'de>>(
        deserializer: In,
    ) -> Result<BTreeMap<String, Vec<u8>>, In::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        let decode = |(key, text): (String, String)| match STANDARD.decode(&text) {
            Ok(bytes) => Ok((key, bytes)),
            // What it is must not be said: it is a secret.
            Err(_) => Err(In::Error::custom(format!("data.{key:?} is not base64"))),
        };
        texts.into_iter().map(decode).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> PullSecret {
        PullSecret {
            name: "regcred".to_owned(),
            kind: "kubernetes.io/dockerconfigjson".to_owned(),
            data: BTreeMap::from([(".dockerconfigjson".to_owned(), b"{\"auths\":{}}\n".to_vec())]),
        }
    }

    #[test]
    fn a_request_is_a_line() {
        let request = Request::Pull {
            layout: "/var/lib/images".into(),
            reference: "kuard:blue".to_owned(),
            secrets: vec![secret()],
            config: None,
            policy: None,
        };
        let line = serde_json::to_string(&request).unwrap();
        insta::assert_snapshot!(line, @r#"{"Pull":{"layout":"/var/lib/images","reference":"kuard:blue","secrets":[{"name":"regcred","kind":"kubernetes.io/dockerconfigjson","data":{".dockerconfigjson":"eyJhdXRocyI6e319Cg=="}}],"config":null,"policy":null}}"#);
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
    }

    #[test]
    fn a_secret_stays_one() {
        insta::assert_snapshot!(format!("{:?}", secret()), @r#"PullSecret("regcred", "kubernetes.io/dockerconfigjson", …)"#);
        let broken = r#"{"name":"a","kind":"b","data":{"c":"hunter2!"}}"#;
        insta::assert_snapshot!(serde_json::from_str::<PullSecret>(broken).unwrap_err(), @r#"data."c" is not base64 at line 1 column 47"#);
    }

    #[test]
    fn an_error_is_one_line_that_ends() {
        let error = FetchError::new(FetchErrorKind::Invalid, "a\nb\u{1b}[2J");
        assert_eq!(error.message, r"a\nb\u{1b}[2J");
        let error = FetchError::new(FetchErrorKind::Invalid, "x".repeat(1 << 20));
        assert_eq!(error.message, "x".repeat(2000) + "…");
    }

    #[test]
    fn messages_are_lines() {
        let digest = Digest::sha256(b"{}");
        let fetched = Fetched {
            manifest: digest.clone(),
            registry_digest: None,
            size: 7,
            bytes_fetched: 0,
            already_present: true,
        };
        let error = FetchError::new(FetchErrorKind::NotFound, "kuard:blue: not found");
        assert_eq!(error.to_string(), "kuard:blue: not found");
        let messages = [
            Message::Progress(Progress::Begins { digest: digest.clone(), size: 2 }),
            Message::Progress(Progress::At { digest: digest.clone(), bytes: 1 }),
            Message::Progress(Progress::Waits { digest: digest.clone() }),
            Message::Progress(Progress::Done { digest }),
            Message::Done(Ok(fetched)),
            Message::Done(Err(error)),
        ];
        let lines = messages.map(|message| {
            let line = serde_json::to_string(&message).unwrap();
            assert_eq!(serde_json::from_str::<Message>(&line).unwrap(), message);
            line.replace(Digest::sha256(b"{}").hex(), "HEX")
        });
        insta::assert_snapshot!(lines.join("\n"), @r#"
        {"Progress":{"Begins":{"digest":"sha256:HEX","size":2}}}
        {"Progress":{"At":{"digest":"sha256:HEX","bytes":1}}}
        {"Progress":{"Waits":{"digest":"sha256:HEX"}}}
        {"Progress":{"Done":{"digest":"sha256:HEX"}}}
        {"Done":{"Ok":{"manifest":"sha256:HEX","registry_digest":null,"size":7,"bytes_fetched":0,"already_present":true}}}
        {"Done":{"Err":{"kind":"NotFound","message":"kuard:blue: not found"}}}
        "#);
    }
}
