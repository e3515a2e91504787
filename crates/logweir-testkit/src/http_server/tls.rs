//! Certificates made for one test.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// How many there were in this process.
static N_AUTHORITIES: AtomicUsize = AtomicUsize::new(0);

/// An authority that signs certificates of servers.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// Returns a new one, that nobody trusts yet.
    ///
    /// # Panics
    ///
    /// If no key can be made.
    #[expect(clippy::new_without_default, reason = "each is another")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names are no wrong names");
        // Two of the same name would be taken for one whose signature is wrong.
        let number = N_AUTHORITIES.fetch_add(1, Ordering::Relaxed);
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, format!("authority {number} of a test"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority signs itself"))
    }

    /// Returns its certificate in PEM: what makes a client trust those that it signs.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Returns what a server needs to be this host, a name or an address.
    ///
    /// # Panics
    ///
    /// If it can be no host.
    pub fn certify(&self, host: &str) -> Identity {
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("the host is one");
        let certificate = params.signed_by(&key, &self.0).expect("an authority can sign");
        Identity::new(certificate.der().clone(), &key)
    }
}

/// What a server needs to speak TLS.
#[derive(Clone, Debug)]
pub struct Identity(pub(super) Arc<ServerConfig>);

impl Identity {
    /// Returns one that no authority has signed.
    ///
    /// # Panics
    ///
    /// If that can be no host.
    pub fn self_signed(host: &str) -> Self {
        let key = KeyPair::generate().expect("a key can be made");
        let params = CertificateParams::new(vec![host.to_owned()]).expect("the host is one");
        let certificate = params.self_signed(&key).expect("a key signs itself");
        Self::new(certificate.der().clone(), &key)
    }

    fn new(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("the key is one");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider knows them")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("the key is the certificate's");
        Self(Arc::new(config))
    }
}
