use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64_simd::STANDARD;
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName};

use super::Mode;

/// The longest certificate that is looked at, in bytes of DER (fixed).
const MAX_CERTIFICATE_BYTES: usize = 16 * 1024;

/// The certificate that the caller's TLS connection was opened with, in DER: whoever accepts the connection puts it into
/// the request's extensions.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCertificate(Bytes);

/// Tokens bound to a client certificate ([RFC 8705](https://www.rfc-editor.org/rfc/rfc8705)), presented in the scheme
/// `Bearer` over a connection with that certificate. Off unless an authenticator is given one of these.
///
/// ```
/// use countersign_bearer::ClientCertificates;
///
/// let certificates = ClientCertificates::allowed();
/// ```
#[derive(Clone, Debug)]
#[must_use = "it takes effect once an authenticator has it"]
pub struct ClientCertificates {
    pub(super) mode: Mode,
    source: CertificateSource,
}

/// Where certificates come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CertificateSource {
    /// From the request's extensions, where the acceptor of the connection left a [`ClientCertificate`].
    #[default]
    Connection,
    /// From a header with a byte sequence of RFC 8941, as
    /// [RFC 9440](https://www.rfc-editor.org/rfc/rfc9440) has it in `Client-Cert`.
    StructuredHeader(HeaderName),
    /// From a header with PEM, percent-encoded, as nginx has it in `$ssl_client_escaped_cert`.
    EscapedPemHeader(HeaderName),
}

impl ClientCertificates {
    /// Accepts tokens bound to a certificate beside others.
    pub fn allowed() -> Self {
        Self {
            mode: Mode::Allowed,
            source: CertificateSource::Connection,
        }
    }

    /// The same, and refuses tokens that are not bound to a certificate.
    pub fn required() -> Self {
        Self {
            mode: Mode::Required,
            ..Self::allowed()
        }
    }

    /// Takes certificates from a header that a proxy sets. Only where every request comes through that proxy, and it
    /// takes the header off requests that bring one: whoever can set the header is whoever it says.
    pub fn dangerous_from_header(mut self, source: CertificateSource) -> Self {
        self.source = source;
        self
    }

    pub(crate) fn is_required(&self) -> bool {
        self.mode == Mode::Required
    }

    /// The certificate of a request; none where it cannot be read, or where there are two.
    pub(super) fn of(
        &self,
        headers: &HeaderMap,
        extensions: &Extensions,
    ) -> Option<ClientCertificate> {
        let only = |name: &HeaderName| {
            let mut values = headers.get_all(name).iter();
            let value = values.next()?.to_str().ok()?;
            values.next().is_none().then_some(value)
        };
        match &self.source {
            CertificateSource::Connection => extensions.get().cloned(),
            CertificateSource::StructuredHeader(name) => {
                let text = only(name)?.trim().strip_prefix(':')?.strip_suffix(':')?;
                ClientCertificate::of_base64(text.as_bytes())
            }
            CertificateSource::EscapedPemHeader(name) => of_pem(&percent_decoded(only(name)?)?),
        }
    }
}

impl ClientCertificate {
    /// A certificate in DER.
    pub fn new(der: impl Into<Bytes>) -> Self {
        Self(der.into())
    }

    /// Whether this is the SHA-256 of it.
    pub(super) fn has(&self, thumbprint: [u8; 32]) -> bool {
        digest(&SHA256, &self.0).as_ref() == thumbprint
    }

    fn of_base64(text: &[u8]) -> Option<Self> {
        if text.is_empty() || text.len() > MAX_CERTIFICATE_BYTES / 3 * 4 {
            return None;
        }
        STANDARD.decode_to_vec(text).ok().map(Self::new)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientCertificate({} bytes)", self.0.len())
    }
}

/// Exactly one certificate in PEM.
fn of_pem(pem: &[u8]) -> Option<ClientCertificate> {
    let pem = str::from_utf8(pem).ok()?.trim();
    let body = pem
        .strip_prefix("-----BEGIN CERTIFICATE-----")?
        .strip_suffix("-----END CERTIFICATE-----")?;
    let text: Vec<u8> = body
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    ClientCertificate::of_base64(&text)
}

fn percent_decoded(text: &str) -> Option<Vec<u8>> {
    if text.len() > 4 * MAX_CERTIFICATE_BYTES {
        return None;
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const NAME: HeaderName = HeaderName::from_static("client-cert");

    fn read(source: CertificateSource, values: &[&str]) -> Option<Bytes> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_str(value).unwrap());
        }
        let certificates = ClientCertificates::allowed().dangerous_from_header(source);
        certificates
            .of(&headers, &Extensions::new())
            .map(|one| one.0)
    }

    #[test]
    fn one_certificate_in_the_form_that_was_said_is_read_and_nothing_else() {
        let structured = CertificateSource::StructuredHeader(NAME);
        let escaped = CertificateSource::EscapedPemHeader(NAME);
        let pem = "-----BEGIN%20CERTIFICATE-----%0AaGVs%0AbG8%3D%0A-----END%20CERTIFICATE-----%0A";
        let good = [(&structured, ":aGVsbG8=:"), (&escaped, pem)];
        for (source, value) in good {
            let read_once = read(source.clone(), &[value]);
            assert_eq!(read_once.as_deref(), Some(&b"hello"[..]), "{value}");
            assert_eq!(read(source.clone(), &[value, value]), None, "twice {value}");
            assert_eq!(read(source.clone(), &[]), None);
        }
        let two = format!("{pem}{pem}");
        let bad = [
            (&structured, "aGVsbG8="),
            (&structured, "::"),
            (&structured, ":aGVsbG8:"),
            (&structured, ":aGVsbG8=:;x"),
            (&structured, pem),
            (&escaped, ":aGVsbG8=:"),
            (&escaped, "%"),
            (&escaped, "%zz"),
            (&escaped, &two),
        ];
        for (source, value) in bad {
            assert_eq!(read(source.clone(), &[value]), None, "{value}");
        }
    }

    #[test]
    fn what_is_longer_than_any_certificate_is_not_read() {
        let structured = CertificateSource::StructuredHeader(NAME);
        // 16,383 bytes, and three more.
        for (characters, is_read) in [(21_844, true), (21_848, false)] {
            let read = read(
                structured.clone(),
                &[&format!(":{}:", "A".repeat(characters))],
            );
            assert_eq!(read.is_some(), is_read, "{characters}");
        }
        let escaped = CertificateSource::EscapedPemHeader(NAME);
        let pem = "-----BEGIN%20CERTIFICATE-----%0AaGVsbG8=%0A-----END%20CERTIFICATE-----";
        for (length, is_read) in [(64 * 1024, true), (64 * 1024 + 1, false)] {
            let padded = format!("{}{pem}", " ".repeat(length - pem.len()));
            assert_eq!(
                read(escaped.clone(), &[&padded]).is_some(),
                is_read,
                "{length}"
            );
        }
    }

    #[test]
    fn a_header_counts_only_where_it_was_named() {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, HeaderValue::from_static(":aGVsbG8=:"));
        let from_connection = ClientCertificates::allowed();
        assert_eq!(from_connection.of(&headers, &Extensions::new()), None);
        let mut extensions = Extensions::new();
        extensions.insert(ClientCertificate::new(&b"world"[..]));
        let found = from_connection.of(&headers, &extensions).unwrap();
        assert_eq!(found, ClientCertificate::new(&b"world"[..]));
    }
}
