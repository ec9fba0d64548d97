//! Settings that cannot work are told, all of them at once, before anything is asked.

use std::sync::Arc;

use countersign_bearer::ConfigError;
use countersign_introspection::{
    ClientAuthentication, Introspection, IntrospectionBuilder, IntrospectionEndpoint,
    IntrospectionPolicy,
};
use countersign_token::Issuer;

use crate::world::{API, ISSUER, Wire, s};

fn builder(
    issuer: Issuer,
    endpoint: IntrospectionEndpoint,
    authentication: ClientAuthentication,
) -> IntrospectionBuilder {
    Introspection::builder(issuer, endpoint, authentication).with_post(Arc::new(Wire::new()))
}

fn paths(builder: &IntrospectionBuilder) -> Vec<String> {
    let problems = builder.check().err();
    let problems = problems.iter().flat_map(ConfigError::problems);
    problems.map(|problem| problem.path.clone()).collect()
}

#[test]
fn each_problem_is_named_and_all_at_once() {
    let url = IntrospectionEndpoint::url;
    let basic = ClientAuthentication::secret_basic;
    let good = || Issuer::new(ISSUER, API);
    let endpoint = "https://as.acme.test/introspect";
    for (builder, expected) in [
        (builder(good(), url(endpoint), basic("api", "s")), vec![]),
        (
            builder(good(), url("http://127.0.0.1:9/i"), basic("api", "s")),
            vec![],
        ),
        (
            builder(good(), url("http://as.acme.test/i"), basic("api", "s")),
            vec!["endpoint"],
        ),
        (
            builder(good(), url("https://u:p@as.acme.test"), basic("api", "s")),
            vec!["endpoint"],
        ),
        (
            builder(good(), url("/introspect"), basic("api", "s")),
            vec!["endpoint"],
        ),
        (
            builder(good(), url(endpoint), basic("", "s")),
            vec!["client.id"],
        ),
        (
            builder(good(), url(endpoint), basic("api", "")),
            vec!["client.secret"],
        ),
        (
            builder(
                good(),
                url(endpoint),
                ClientAuthentication::secret_post("api", ""),
            ),
            vec!["client.secret"],
        ),
        (
            builder(Issuer::new("", API), url("x"), basic("", ""))
                .with_policy(IntrospectionPolicy::default().with_deadline(s(0))),
            vec!["issuer", "endpoint", "client.id", "policy"],
        ),
        (
            builder(
                Issuer::new("urn:acme", API),
                IntrospectionEndpoint::Discovery,
                basic("api", "s"),
            )
            .with_fetch(Arc::new(crate::discovery::Metadata::default())),
            vec!["endpoint"],
        ),
    ] {
        assert_eq!(paths(&builder), expected, "{builder:?}");
        assert_eq!(builder.clone().build().is_ok(), expected.is_empty());
    }
}

#[cfg(not(feature = "reqwest"))]
#[test]
fn without_a_client_there_is_nobody_to_ask_by() {
    let basic = || ClientAuthentication::secret_basic("api", "s");
    let by_url = Introspection::builder(
        Issuer::new(ISSUER, API),
        IntrospectionEndpoint::url("https://as.acme.test/introspect"),
        basic(),
    );
    assert_eq!(paths(&by_url), ["post"]);
    assert!(by_url.build().is_err());
    let discovered = IntrospectionEndpoint::Discovery;
    let discovered = builder(Issuer::new(ISSUER, API), discovered, basic());
    assert_eq!(paths(&discovered), ["post"], "nor to discover by");
}

#[cfg(feature = "reqwest")]
#[test]
fn with_the_feature_a_client_is_brought() {
    let built = Introspection::builder(
        Issuer::new(ISSUER, API),
        IntrospectionEndpoint::Discovery,
        ClientAuthentication::secret_basic("api", "s"),
    )
    .build();
    assert!(built.is_ok());
}
