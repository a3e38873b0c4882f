//! TLS for `https`, by the certificates that the host trusts.
//!
//! Whoever runs the Pod decides whom it trusts, as for any program on the host: the system's store,
//! or the one that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.

use std::io;
use std::sync::{Arc, LazyLock};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};
use wasmtime_wasi_http::Error;

use super::error;

/// Made at the first request that needs it: reading the store takes milliseconds.
static HOST: LazyLock<Option<Arc<ClientConfig>>> = LazyLock::new(|| {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(error = error as &dyn std::error::Error, "the host's trusted certificates");
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    config(roots)
        .inspect_err(|error| tracing::warn!(error = error as &dyn std::error::Error, "no TLS"))
        .ok()
});

fn config(roots: RootCertStore) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Speaks TLS with `host` over `stream`.
///
/// # Errors
/// [`Error::TlsCertificateError`], [`Error::TlsAlertReceived`], [`Error::TlsProtocolError`], or
/// what became of the connection.
pub(super) async fn connect<Stream: AsyncRead + AsyncWrite + Unpin>(
    host: &str,
    stream: Stream,
) -> Result<TlsStream<Stream>, Error> {
    let config = HOST.as_ref().ok_or(Error::ConfigurationError)?;
    connect_by(config.clone(), host, stream).await
}

async fn connect_by<Stream: AsyncRead + AsyncWrite + Unpin>(
    config: Arc<ClientConfig>,
    host: &str,
    stream: Stream,
) -> Result<TlsStream<Stream>, Error> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::HttpRequestUriInvalid)?;
    TlsConnector::from(config).connect(name, stream).await.map_err(|error| of_tls(&error))
}

fn of_tls(error: &io::Error) -> Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            Error::TlsCertificateError
        }
        Some(rustls::Error::AlertReceived(alert)) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: Some(format!("{alert:?}")),
        },
        Some(_) => Error::TlsProtocolError,
        None => error::of_connection(error),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
    use tokio_rustls::TlsAcceptor;
    use tokio_rustls::rustls::ServerConfig;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    use super::*;

    /// A server for `web`, and a client that trusts it.
    fn server() -> (TlsAcceptor, Arc<ClientConfig>) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["web".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        (TlsAcceptor::from(Arc::new(server)), config(roots).unwrap())
    }

    async fn meet(
        config: Arc<ClientConfig>,
        acceptor: TlsAcceptor,
        host: &str,
    ) -> Result<TlsStream<DuplexStream>, Error> {
        let (near, far) = duplex(1 << 16);
        let serving = async move {
            if let Ok(mut stream) = acceptor.accept(far).await {
                stream.write_all(b"hello").await.unwrap();
                let _ = stream.shutdown().await;
            }
        };
        let (client, ()) = tokio::join!(connect_by(config, host, near), serving);
        client
    }

    #[tokio::test]
    async fn a_trusted_server_is_talked_to() {
        let (acceptor, config) = server();
        let mut stream = meet(config, acceptor, "web").await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello");
    }

    #[tokio::test]
    async fn others_are_told_apart() {
        let (acceptor, trusting) = server();
        let stranger = config(RootCertStore::empty()).unwrap();
        let error = meet(stranger, acceptor.clone(), "web").await.unwrap_err();
        assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
        let error = meet(trusting.clone(), acceptor.clone(), "other").await.unwrap_err();
        assert!(matches!(error, Error::TlsCertificateError), "{error:?}");
        let error = meet(trusting.clone(), acceptor, "no name").await.unwrap_err();
        assert!(matches!(error, Error::HttpRequestUriInvalid), "{error:?}");

        let (near, mut far) = duplex(1 << 16);
        far.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let error = connect_by(trusting.clone(), "web", near).await.unwrap_err();
        assert!(matches!(error, Error::TlsProtocolError), "{error:?}");
        let (near, far) = duplex(1 << 16);
        drop(far);
        let error = connect_by(trusting, "web", near).await.unwrap_err();
        assert!(matches!(error, Error::ConnectionTerminated), "{error:?}");
    }
}
