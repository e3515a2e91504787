//! Whom we trust.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

/// Whom we trust to be the server that we asked for.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub struct TlsConfig {
    /// A file with certificates in PEM of authorities that are trusted besides those of the system. `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name others in place of the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether any certificate of any host will do. What is sent can then be read and changed by whoever stands
    /// between: `ca_file` is the better way.
    pub insecure_skip_verify: bool,
}

/// Why the certificates of trusted authorities cannot be had.
#[derive(thiserror::Error, Debug)]
pub enum TlsError {
    /// The file cannot be read, or is no PEM.
    #[error("cannot read certificates from {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        source: pem::Error,
    },
    /// The file has no certificate in PEM.
    #[error("{} has no certificate in PEM", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A certificate of the file is none of an authority.
    #[error("{} has a certificate that is none of an authority", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What was wrong.
        source: Error,
    },
}

impl TlsConfig {
    /// Returns it as the library wants it, with the system's certificates read.
    pub(crate) fn load(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider knows the ciphers of TLS 1.2 and 1.3");
        let mut config = if self.insecure_skip_verify {
            let anybody = Arc::new(Anybody(provider));
            builder.dangerous().with_custom_certificate_verifier(anybody).with_no_client_auth()
        } else {
            builder.with_root_certificates(self.roots()?).with_no_client_auth()
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        // What cannot be read of the system's is not trusted, and whoever needs it is told so in the handshake.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let Some(path) = &self.ca_file else { return Ok(roots) };
        let read = |source| TlsError::Read { path: path.clone(), source };
        let mut n_own = 0;
        for certificate in CertificateDer::pem_file_iter(path).map_err(read)? {
            let added = roots.add(certificate.map_err(read)?);
            added.map_err(|source| TlsError::Unusable { path: path.clone(), source })?;
            n_own += 1;
        }
        if n_own == 0 {
            return Err(TlsError::Empty { path: path.clone() });
        }
        Ok(roots)
    }
}

/// Says what was wrong with a handshake in words that tell what to do about it.
pub(crate) fn explain(error: io::Error) -> io::Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let Some(Error::InvalidCertificate(refused)) = inner else { return error };
    let said = match refused {
        CertificateError::UnknownIssuer => {
            "its certificate is signed by nobody who is trusted here (`ca_file` names one more authority)"
                .to_owned()
        }
        other => format!("its certificate is refused: {other}"),
    };
    io::Error::new(error.kind(), said)
}

/// Takes any certificate, whoever signed it for whatever host. That the server has its key is checked.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
