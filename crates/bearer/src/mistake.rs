use countersign_jwks::suite::Seldom;

use crate::denied::DenialKind;

/// Tells the log what the program got wrong, if this is the denial of a mistake: once a minute each, and at level debug
/// otherwise. It happens at every request to a route, and whoever gets there, without a credential even, would fill the
/// log with a line that says nothing new. Counting is left to audit and metrics.
pub(crate) fn report(kind: DenialKind) {
    static NO_LAYER: Seldom = Seldom::new();
    static NO_PATH_PARAMETER: Seldom = Seldom::new();
    static NO_INTROSPECTION: Seldom = Seldom::new();
    let (told, mistake) = match kind {
        DenialKind::MissingLayer => (
            &NO_LAYER,
            "a guard or extractor runs on a route without an authentication layer: \
             add `.layer(authenticator.layer())` to its router, after its routes and after its guards; \
             in a `GuardedRouter`, the route is `Public`",
        ),
        DenialKind::MissingPathParameter => (
            &NO_PATH_PARAMETER,
            "a handler asks for the tenant in the path, and its route has no such parameter: \
             name one `{org_id}`, or set `with_path_parameters`",
        ),
        DenialKind::MissingIntrospection => (
            &NO_INTROSPECTION,
            "a route has `require_active()`, and there is nobody to ask about tokens of the caller's issuer: \
             add `.with_introspection(..)` to the authenticator's builder",
        ),
        _ => return,
    };
    if told.is_due_now() {
        tracing::error!("{mistake} (told once a minute at most)");
    } else {
        tracing::debug!("{mistake}");
    }
}
