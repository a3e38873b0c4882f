//! How pulls and pushes are done.

use std::sync::Arc;
use std::time::Duration;

use wasmpod_images::policy::Policy;

use crate::client::Clients;
use crate::config::RegistryConfig;
use crate::credentials::Keyring;

/// What a registry may cost us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one image, as they are stored. Images of WebAssembly are small; 8 GiB is more than
    /// the largest with a model beside it.
    pub image_bytes: u64,
    /// Layers that are fetched at a time; the kubelet's runtimes take three.
    pub parallel_layers: usize,
    /// How long a connection may take until it stands.
    pub connect: Duration,
    /// How long an answer may take until it begins, and a manifest or token until it is here.
    pub answer: Duration,
    /// In each such span of time [`Limits::stall_bytes`] of a body must come.
    pub stall: Duration,
    /// See [`Limits::stall`].
    pub stall_bytes: u64,
    /// How often in a row something is tried that fails for a reason that may pass.
    pub attempts: u32,
    /// How long to wait before the second attempt; each further wait is twice as long.
    pub back_off: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            image_bytes: 8 << 30,
            parallel_layers: 3,
            connect: Duration::from_secs(10),
            answer: Duration::from_secs(60),
            stall: Duration::from_secs(30),
            stall_bytes: 32 << 10,
            attempts: 4,
            back_off: Duration::from_millis(200),
        }
    }
}

/// How pulls and pushes are done. Clones share their connections.
#[derive(Clone, Debug)]
pub struct Options {
    /// Mirrors, CAs and the like.
    pub(crate) config: RegistryConfig,
    /// Who we are.
    pub(crate) keyring: Keyring,
    /// What a registry may cost us.
    pub limits: Limits,
    pub(crate) clients: Clients,
    pub(crate) policy: Option<Arc<Policy>>,
}

impl Options {
    /// With the default limits.
    pub fn new(config: RegistryConfig, keyring: Keyring) -> Self {
        Self {
            config,
            keyring,
            limits: Limits::default(),
            clients: Clients::default(),
            policy: None,
        }
    }

    /// The same for a machine on which not every image may run: what a pull brings is what this lets
    /// come.
    #[must_use]
    pub fn with_policy(self, policy: Policy) -> Self {
        Self { policy: Some(Arc::new(policy)), ..self }
    }

    /// The same for somebody else: a Pod with `imagePullSecrets`. The connections are shared.
    #[must_use]
    pub fn with_keyring(&self, keyring: Keyring) -> Self {
        Self { keyring, ..self.clone() }
    }
}
