use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, IF_NONE_MATCH};
use http::{HeaderMap, Response};
use reqwest::{Certificate, Client, ClientBuilder, Proxy, RequestBuilder, Url, redirect};

use crate::clock::BoxFuture;
use crate::discovery;
use crate::fetch::{Fetch, FetchFailure, FetchRequest};

const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// [`Fetch`] by `reqwest`: no redirects, no compression, 2 s to connect, the body cut off at the limit.
///
/// TLS is rustls, with the platform's root certificates. The system's proxy settings are obeyed, except for
/// loopback hosts.
///
/// ```
/// use std::sync::Arc;
/// use countersign_jwks::{Algorithm, HttpFetch, Jwks, KeySource};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let fetch = Arc::new(HttpFetch::builder().with_proxy("http://proxy.internal:3128").build()?);
/// let builder = Jwks::builder("https://acme.example", KeySource::Discovery, Algorithm::RS256.into())
///     .with_fetch(fetch);
/// assert!(builder.problems().is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct HttpFetch {
    client: Client,
    /// For hosts on this machine, past any proxy.
    direct: Client,
}

impl HttpFetch {
    /// The defaults, as in [`HttpFetchBuilder`].
    pub fn new() -> Result<Self, HttpFetchError> {
        Self::builder().build()
    }

    /// Settings to start from.
    pub fn builder() -> HttpFetchBuilder {
        HttpFetchBuilder {
            proxy: None,
            root_certificates: Vec::new(),
            connect_timeout: Duration::from_secs(2),
        }
    }

    /// A client of your own, for everything.
    ///
    /// Its redirect policy should be [`none`](redirect::Policy::none): a response from another URL than the one asked
    /// for is refused as [`FetchFailure::Redirect`], but the request to that URL has then been made. Its
    /// connect timeout, proxies and root certificates are yours to set; the limit on the body, which counts what
    /// comes out of any decompression, and the deadline are kept as ever.
    pub fn from_client(client: Client) -> Self {
        Self {
            direct: client.clone(),
            client,
        }
    }

    /// Posts a body by the same rules; for what an authorization server is asked besides documents.
    pub fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        body: Bytes,
        max_bytes: usize,
        deadline: Duration,
    ) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        let Some(client) = self.client_for(url) else {
            return Box::pin(async { Err(FetchFailure::InsecureUrl) });
        };
        let request = client.post(url).headers(headers).body(body);
        Box::pin(Self::run(client, request.timeout(deadline), max_bytes))
    }

    /// The client that asks this URL, for an answer that is read piece by piece; `None` for a URL that is not asked.
    #[doc(hidden)]
    pub fn client_for(&self, url: &str) -> Option<Client> {
        let url = discovery::secure_url(url)?;
        let client = if discovery::is_loopback(&url) {
            &self.direct
        } else {
            &self.client
        };
        Some(client.clone())
    }

    async fn get(client: Client, request: FetchRequest) -> Result<Response<Bytes>, FetchFailure> {
        let mut builder = client
            .get(&request.url)
            .header(ACCEPT, request.accept)
            .timeout(request.deadline);
        if let Some(etag) = request.etag {
            builder = builder.header(IF_NONE_MATCH, etag);
        }
        Self::run(client, builder, request.max_bytes).await
    }

    async fn run(
        client: Client,
        builder: RequestBuilder,
        max_bytes: usize,
    ) -> Result<Response<Bytes>, FetchFailure> {
        let outgoing = builder.build().map_err(|error| failure(&error))?;
        let asked = without_fragment(outgoing.url());
        let mut response = client
            .execute(outgoing)
            .await
            .map_err(|error| failure(&error))?;
        if without_fragment(response.url()) != asked {
            return Err(FetchFailure::Redirect);
        }
        let mut outcome = Response::new(Bytes::new());
        *outcome.status_mut() = response.status();
        *outcome.headers_mut() = response.headers().clone();

        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if chunk.len() > max_bytes.saturating_sub(body.len()) {
                return Err(FetchFailure::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        *outcome.body_mut() = body.freeze();
        Ok(outcome)
    }
}

impl Fetch for HttpFetch {
    fn fetch(&self, request: FetchRequest) -> BoxFuture<Result<Response<Bytes>, FetchFailure>> {
        match self.client_for(&request.url) {
            None => Box::pin(async { Err(FetchFailure::InsecureUrl) }),
            Some(client) => Box::pin(Self::get(client, request)),
        }
    }
}

impl fmt::Debug for HttpFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFetch").finish_non_exhaustive()
    }
}

/// Settings of an [`HttpFetch`].
#[derive(Clone)]
#[must_use]
pub struct HttpFetchBuilder {
    proxy: Option<String>,
    root_certificates: Vec<Vec<u8>>,
    connect_timeout: Duration,
}

impl HttpFetchBuilder {
    /// A proxy (`http://` or `https://`, credentials may stand in the URL) instead of the system's, for all but
    /// loopback hosts.
    pub fn with_proxy(mut self, url: impl Into<String>) -> Self {
        self.proxy = Some(url.into());
        self
    }

    /// Trusts these root certificates (PEM, one or several) besides the platform's.
    pub fn with_root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates.push(pem.into());
        self
    }

    /// How long a connection, TLS included, may take: 2 s.
    pub fn with_connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Fails on a proxy that is no URL, on certificates that cannot be read and where TLS cannot be set up.
    pub fn build(self) -> Result<HttpFetch, HttpFetchError> {
        let mut certificates = Vec::new();
        for pem in &self.root_certificates {
            let bundle = Certificate::from_pem_bundle(pem)
                .ok()
                .filter(|bundle| !bundle.is_empty())
                .ok_or(HttpFetchError::Certificates)?;
            certificates.extend(bundle);
        }
        let base = || -> ClientBuilder {
            Client::builder()
                .user_agent(USER_AGENT)
                .redirect(redirect::Policy::none())
                .referer(false)
                .connect_timeout(self.connect_timeout)
                .tls_certs_merge(certificates.iter().cloned())
                // Another crate may have switched HTTP/2 on, where one answer that is cut short ends those of all
                // requests under way.
                .http1_only()
                // And these; a small body that unpacks to a large one is no gain.
                .no_gzip()
                .no_brotli()
                .no_deflate()
                .no_zstd()
        };
        let mut client = base();
        if let Some(proxy) = &self.proxy {
            client = client.proxy(Proxy::all(proxy).map_err(|_| HttpFetchError::Proxy)?);
        }
        Ok(HttpFetch {
            client: client.build().map_err(|_| HttpFetchError::Client)?,
            direct: base()
                .no_proxy()
                .build()
                .map_err(|_| HttpFetchError::Client)?,
        })
    }
}

impl fmt::Debug for HttpFetchBuilder {
    /// Without the proxy's URL, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpFetchBuilder")
            .field("proxy", &self.proxy.is_some())
            .field("root_certificates", &self.root_certificates.len())
            .field("connect_timeout", &self.connect_timeout)
            .finish()
    }
}

/// The HTTP client cannot be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpFetchError {
    /// The proxy is no URL.
    #[error("the proxy is no URL")]
    Proxy,
    /// The root certificates are not PEM, or there are none among them.
    #[error("the root certificates cannot be read")]
    Certificates,
    /// TLS cannot be set up, as where the platform has no root certificates.
    #[error("the HTTP client cannot be set up")]
    Client,
}

/// The part of the URL that is sent.
fn without_fragment(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    url
}

fn failure(error: &reqwest::Error) -> FetchFailure {
    if error.is_timeout() {
        FetchFailure::Timeout
    } else if error.is_redirect() {
        FetchFailure::Redirect
    } else if error.is_builder() {
        FetchFailure::InsecureUrl
    } else if error.is_connect() {
        FetchFailure::Connect
    } else {
        FetchFailure::Interrupted
    }
}
