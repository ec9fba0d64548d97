use http::HeaderValue;

use crate::client::Client;
use crate::fault::{Endpoint, Fault};
use crate::fetches::Fetches;
use crate::issuer::TestIssuer;

/// What it serves, right and wrong.
impl TestIssuer {
    /// Lets everything it serves go wrong like this from now on; `None`: nothing any more.
    ///
    /// # Panics
    ///
    /// If the status is not one from 200 to 599.
    pub fn set_fault(&self, fault: Option<Fault>) {
        check(fault.as_ref());
        self.shared.state().faults.set(fault);
    }

    /// Lets one endpoint go wrong like this from now on, over what [`set_fault`](Self::set_fault) says for all;
    /// `None`: no longer.
    ///
    /// # Panics
    ///
    /// If the status is not one from 200 to 599.
    pub fn set_fault_at(&self, endpoint: Endpoint, fault: Option<Fault>) {
        check(fault.as_ref());
        self.shared.state().faults.set_at(endpoint, fault);
    }

    /// Calls this token, opaque or not, inactive from now on wherever the introspection endpoint is asked.
    pub fn revoke(&self, token: &str) {
        self.shared.state().revoked.insert(token.to_owned());
    }

    /// How often it was asked until now.
    pub fn fetches(&self) -> Fetches {
        self.shared.counters.read()
    }

    /// Serves metadata and keys with this `Cache-Control`. Default: none.
    ///
    /// # Panics
    ///
    /// If it is no header value.
    #[must_use]
    pub fn with_cache_control(self, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("Cache-Control is a header value");
        self.shared.state().cache_control = Some(value);
        self
    }

    /// Hands out tokens to this client at the token endpoint, with any of these scopes: those it asks for, or all.
    /// One without organization is a microservice. Any of them may ask at the introspection endpoint.
    #[must_use]
    pub fn with_client(
        self,
        id: &str,
        secret: &str,
        organization: Option<&str>,
        scopes: &[&str],
    ) -> Self {
        self.shared
            .state()
            .clients
            .push(Client::new(id, secret, organization, scopes));
        self
    }

    /// The audience of tokens that were asked for without `resource` and `audience`. Default: such a request is
    /// refused.
    #[must_use]
    pub fn with_default_audience(self, audience: &str) -> Self {
        self.shared.state().default_audience = Some(audience.to_owned());
        self
    }
}

fn check(fault: Option<&Fault>) {
    if let Some(Fault::Status(status)) = fault {
        assert!((200..600).contains(status), "{status} is no final status");
    }
}
