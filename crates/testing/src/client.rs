/// A client of the token endpoint.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) organization: Option<String>,
    pub(crate) scopes: Vec<String>,
}

impl Client {
    pub(crate) fn new(id: &str, secret: &str, organization: Option<&str>, scopes: &[&str]) -> Self {
        Self {
            id: id.to_owned(),
            secret: secret.to_owned(),
            organization: organization.map(str::to_owned),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        }
    }
}
