use std::time::Duration;

/// What is wrong with a served [`TestIssuer`](crate::TestIssuer); see
/// [`set_fault`](crate::TestIssuer::set_fault).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// New connections are dropped as soon as they are accepted, and open ones at their next request.
    Down,
    /// Requests are read and never answered, not even once the fault is over.
    Hang,
    /// Requests are answered as ever, after this time by the issuer's clock.
    Slow(Duration),
    /// This status with an empty body: 200 to 599.
    Status(u16),
    /// 429 with this `Retry-After`, in whole seconds.
    TooManyRequests(Duration),
    /// Status 200 with this content.
    Body {
        /// The `Content-Type`.
        content_type: String,
        /// The body.
        bytes: Vec<u8>,
    },
    /// 302 to this URL.
    Redirect(String),
}

/// What a served [`TestIssuer`](crate::TestIssuer) answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// The metadata, at both of its places.
    Discovery,
    /// The key set.
    Keys,
    /// The token endpoint.
    Token,
    /// The introspection endpoint.
    Introspection,
}

impl Endpoint {
    pub(crate) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/.well-known/openid-configuration" | "/.well-known/oauth-authorization-server" => {
                Self::Discovery
            }
            "/jwks" => Self::Keys,
            "/token" => Self::Token,
            "/introspect" => Self::Introspection,
            _ => return None,
        })
    }
}

/// The faults in force: one everywhere, or one for each endpoint.
#[derive(Default)]
pub(crate) struct Faults {
    everywhere: Option<Fault>,
    at: Vec<(Endpoint, Fault)>,
}

impl Faults {
    pub(crate) fn set(&mut self, fault: Option<Fault>) {
        self.everywhere = fault;
        self.at.clear();
    }

    pub(crate) fn set_at(&mut self, endpoint: Endpoint, fault: Option<Fault>) {
        self.at.retain(|(at, _)| *at != endpoint);
        self.at.extend(fault.map(|fault| (endpoint, fault)));
    }

    /// Whether no connection is wanted.
    pub(crate) fn is_down(&self) -> bool {
        self.everywhere == Some(Fault::Down)
    }

    pub(crate) fn at(&self, endpoint: Option<Endpoint>) -> Option<Fault> {
        self.at
            .iter()
            .find(|(at, _)| Some(*at) == endpoint)
            .map(|(_, fault)| fault)
            .or(self.everywhere.as_ref())
            .cloned()
    }
}
