//! Connections: one pool for all hosts, and one for each that shows who it is in its own way.
//!
//! Redirects are not followed here, since what may be sent along is decided in `session`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::redirect::Policy;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use url::Url;

use crate::config::Tls;
use crate::endpoint::is_loopback;
use crate::error::Failure;
use crate::options::Limits;

/// Connections by what their host needs. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clients(Arc<Mutex<BTreeMap<(Tls, bool), reqwest::Client>>>);

impl Clients {
    /// The one for this address.
    pub(crate) fn get(
        &self,
        url: &Url,
        tls: &Tls,
        limits: Limits,
    ) -> Result<reqwest::Client, Failure> {
        let key = (tls.clone(), is_loopback(url));
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let builder = reqwest::Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(limits.connect)
            .user_agent(concat!("wasmpod/", env!("CARGO_PKG_VERSION")))
            .tls_backend_preconfigured(tls_config(tls)?);
        // What runs on this machine is reached by no proxy.
        let builder = if key.1 { builder.no_proxy() } else { builder };
        let client = builder.build().map_err(|error| Failure::Config(error.to_string()))?;
        clients.insert(key, client.clone());
        Ok(client)
    }
}

fn tls_config(tls: &Tls) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::Config(error.to_string()))?;
    let builder = if tls.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyServer::of(&provider)))
    } else {
        builder.with_root_certificates(roots(tls)?)
    };
    match (&tls.cert_file, &tls.key_file) {
        (Some(certificate), Some(key)) => {
            let invalid = |error: &dyn std::fmt::Display| unusable(key, error);
            let private = PrivateKeyDer::from_pem_file(key).map_err(|error| invalid(&error))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, private)
                .map_err(|error| invalid(&error))
        }
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(_), None) | (None, Some(_)) => {
            Err(Failure::Config("tls: cert_file and key_file belong together".to_owned()))
        }
    }
}

/// Those of the machine and the one that the file names.
fn roots(tls: &Tls) -> Result<RootCertStore, Failure> {
    let mut roots = RootCertStore::empty();
    // What cannot be read of the machine's is missed only by whoever needs it.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &tls.ca_file {
        for certificate in certificates(file)? {
            roots.add(certificate).map_err(|error| unusable(file, &error))?;
        }
    }
    Ok(roots)
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let text = fs::read(file).map_err(|error| unusable(file, &error))?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match all.map_err(|error| unusable(file, &error))? {
        none if none.is_empty() => Err(unusable(file, &"it has no certificate")),
        all => Ok(all),
    }
}

fn unusable(file: &Path, problem: &dyn std::fmt::Display) -> Failure {
    Failure::Config(format!("tls: {}: {problem}", file.display()))
}

/// Takes any certificate, as `insecure_skip_verify` wants it.
#[derive(Debug)]
struct AnyServer(WebPkiSupportedAlgorithms);

impl AnyServer {
    fn of(provider: &CryptoProvider) -> Self {
        Self(provider.signature_verification_algorithms)
    }
}

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
