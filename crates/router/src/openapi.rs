use std::collections::BTreeSet;

use countersign_bearer::Authenticator;
use http::Method;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{Components, ObjectBuilder};
use utoipa::openapi::security::{OpenIdConnect, SecurityScheme};
use utoipa::openapi::{
    Content, Header, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement,
    Type,
};

use crate::access::RouteAccess;
use crate::table::{RouteKind, RouteRow, RouteTable};

/// Where a document and a table disagree about what there is; [`RouteTable::describe`] finds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use = "an operation without a route was left without security"]
pub struct Unmatched {
    /// Routes that the document has no operation for, such as `GET /invoices`, in the order of the table.
    pub routes: Vec<String>,
    /// Operations that the table has no route for, in the order of the document. They were left as they were.
    pub operations: Vec<String>,
}

impl Unmatched {
    /// Whether document and table agree.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.operations.is_empty()
    }
}

impl RouteTable {
    /// Writes into an `OpenAPI` document what the table says of its operations.
    ///
    /// | route | `security` | responses |
    /// |---|---|---|
    /// | public | empty, whatever the document has for all | |
    /// | authenticated | each issuer, without scopes | 401, 503 |
    /// | scopes | each alternative of each issuer | 401, 403, 503 |
    ///
    /// Each issuer that is trusted at the moment becomes a security scheme of the kind `openIdConnect`, named by
    /// its host and path. Responses are `application/problem+json`, under `components`; one that an operation
    /// or the document has already by that status or name (`Unauthenticated`, `InsufficientScope`,
    /// `KeysUnavailable`) is kept. The security of an operation is replaced: the table is what is enforced.
    ///
    /// An operation belongs to the route of its method and path, where `{*rest}` of axum is `{rest}` here;
    /// what is under the path of a nested service belongs to that. Returned is what belongs nowhere: nested
    /// services, merged routers, the fallback and the metadata need no operation.
    ///
    /// ```
    /// use countersign_bearer::Authenticator;
    /// use countersign_router::{Authenticated, GuardedRouter};
    /// use utoipa::OpenApi;
    /// # use countersign_testing::TestIssuer;
    ///
    /// #[utoipa::path(get, path = "/whoami", responses((status = 200, body = String)))]
    /// async fn whoami() -> &'static str {
    ///     "you"
    /// }
    ///
    /// #[derive(OpenApi)]
    /// #[openapi(paths(whoami))]
    /// struct Document;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let issuer = TestIssuer::new("https://as.acme.test").trusted_for("https://api.acme.test");
    /// # let authenticator = Authenticator::builder().issuer(issuer).build().await?;
    /// let routes: GuardedRouter = GuardedRouter::new().get(Authenticated, "/whoami", whoami);
    ///
    /// let mut document = Document::openapi();
    /// let unmatched = routes.table().describe(&mut document, &authenticator);
    /// assert!(unmatched.is_empty(), "{unmatched:?}");
    /// # Ok(())
    /// # }
    /// ```
    pub fn describe(&self, document: &mut OpenApi, authenticator: &Authenticator) -> Unmatched {
        let schemes = security_schemes(authenticator);
        let names: Vec<_> = schemes.iter().map(|(name, _)| name.as_str()).collect();
        let mut matched = BTreeSet::new();
        let mut unmatched = Unmatched::default();
        let mut is_guarded = false;
        for (path, item) in &mut document.paths.paths {
            for (method, operation) in operations(item) {
                let Some(index) = self.row_of(&method, path) else {
                    unmatched.operations.push(format!("{method} {path}"));
                    continue;
                };
                matched.insert(index);
                let access = self.rows()[index].access();
                operation.security = Some(security(access, &names));
                describe_denials(operation, access);
                is_guarded |= access != RouteAccess::Public;
            }
        }
        if is_guarded {
            let components = document.components.get_or_insert_with(Components::new);
            components.add_security_schemes_from_iter(schemes);
            for denial in &DENIALS {
                let responses = &mut components.responses;
                responses
                    .entry(denial.name.into())
                    .or_insert_with(|| RefOr::T(denial.response()));
            }
        }
        let routes = self.rows().iter().enumerate();
        let routes = routes
            .filter(|(index, row)| row.kind() == RouteKind::Route && !matched.contains(index));
        unmatched.routes = routes.map(|(_, row)| row.label()).collect();
        unmatched
    }

    /// The row that answers requests of an operation.
    fn row_of(&self, method: &Method, path: &str) -> Option<usize> {
        let with = |method: Option<&Method>| {
            self.rows().iter().position(|row| {
                row.kind() == RouteKind::Route && row.method() == method && documented(row) == path
            })
        };
        with(Some(method))
            .or_else(|| (*method == Method::HEAD).then(|| with(Some(&Method::GET)))?)
            .or_else(|| with(None))
            .or_else(|| self.service_of(path))
    }

    /// The nested service that a path is under, unless there is a route for the path, which then answers 405.
    fn service_of(&self, path: &str) -> Option<usize> {
        let mut rows = self.rows().iter();
        if rows.any(|row| row.kind() == RouteKind::Route && documented(row) == path) {
            return None;
        }
        let rows = self.rows().iter().enumerate();
        let services = rows.filter(|(_, row)| row.kind() == RouteKind::Service);
        let around = services.filter(|(_, row)| {
            let prefix = row.path();
            let inside = path.strip_prefix(prefix.strip_suffix('/').unwrap_or(prefix));
            inside.is_some_and(|inside| inside.is_empty() || inside.starts_with('/'))
        });
        let innermost = around.max_by_key(|(_, row)| row.path().len());
        innermost.map(|(index, _)| index)
    }
}

/// The path of a row as `OpenAPI` writes it.
fn documented(row: &RouteRow) -> String {
    row.path().replace("{*", "{")
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let all = [
        (Method::GET, &mut item.get),
        (Method::HEAD, &mut item.head),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
        (Method::TRACE, &mut item.trace),
    ];
    let all = all.into_iter();
    all.filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// One scheme for each issuer, by a name that is a key of `components`: `[a-zA-Z0-9._-]+`.
fn security_schemes(authenticator: &Authenticator) -> Vec<(String, SecurityScheme)> {
    let mut names = BTreeSet::new();
    let issuers = authenticator.status().into_iter();
    let schemes = issuers.map(|(issuer, _)| {
        let issuer = issuer.trim_end_matches('/');
        let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
        let is_allowed = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '_' | '-');
        let name = rest.replace(|one| !is_allowed(one), "_");
        let mut unique = name.clone();
        let mut count = 1;
        while !names.insert(unique.clone()) {
            count += 1;
            unique = format!("{name}-{count}");
        }
        let url = format!("{issuer}/.well-known/openid-configuration");
        let scheme = SecurityScheme::OpenIdConnect(OpenIdConnect::new(url));
        (unique, scheme)
    });
    schemes.collect()
}

/// Any one of them suffices.
fn security(access: RouteAccess, schemes: &[&str]) -> Vec<SecurityRequirement> {
    let alternatives: &[&[&str]] = match access {
        RouteAccess::Public => &[],
        RouteAccess::Optional | RouteAccess::Authenticated => &[&[]],
        RouteAccess::Scopes(alternatives) => alternatives,
    };
    let all = alternatives.iter().flat_map(|scopes| {
        let scopes = scopes.iter().copied();
        schemes
            .iter()
            .map(move |scheme| SecurityRequirement::new(*scheme, scopes.clone()))
    });
    // An empty requirement says that it also goes without.
    let nothing = (access == RouteAccess::Optional).then(SecurityRequirement::default);
    nothing.into_iter().chain(all).collect()
}

fn describe_denials(operation: &mut Operation, access: RouteAccess) {
    let responses = &mut operation.responses.responses;
    for denial in &DENIALS {
        let can_be = match access {
            RouteAccess::Public => false,
            RouteAccess::Optional | RouteAccess::Authenticated => !denial.is_of_scopes,
            RouteAccess::Scopes(_) => true,
        };
        if can_be {
            responses
                .entry(denial.status.into())
                .or_insert_with(|| Ref::from_response_name(denial.name).into());
        }
    }
}

/// A response that guards give, under a name in `components`.
struct Denial {
    name: &'static str,
    status: &'static str,
    description: &'static str,
    /// What the client is told besides the body.
    header: &'static str,
    is_of_scopes: bool,
}

const DENIALS: [Denial; 3] = [
    Denial {
        name: "Unauthenticated",
        status: "401",
        description: "There is no token, or it is refused",
        header: "WWW-Authenticate",
        is_of_scopes: false,
    },
    Denial {
        name: "InsufficientScope",
        status: "403",
        description: "The token does not grant the scope that is needed",
        header: "WWW-Authenticate",
        is_of_scopes: true,
    },
    Denial {
        name: "KeysUnavailable",
        status: "503",
        description: "The token can be neither accepted nor refused at the moment",
        header: "Retry-After",
        is_of_scopes: false,
    },
];

impl Denial {
    fn response(&self) -> Response {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let problem = ObjectBuilder::new()
            .property("type", text())
            .property("title", text())
            .property("status", ObjectBuilder::new().schema_type(Type::Integer))
            .property("error", text())
            .property("error_description", text())
            .required("type")
            .required("title")
            .required("status");
        ResponseBuilder::new()
            .description(self.description)
            .header(self.header, Header::default())
            .content("application/problem+json", Content::new(Some(problem)))
            .build()
    }
}
