use std::convert::Infallible;
use std::fmt;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::IntoResponse;
use axum::routing::{MethodFilter, MethodRouter, any, any_service, on};
use countersign_bearer::{Authenticator, ConfigError, Problem};
use http::Method;
use tower_service::Service;

use crate::check;
use crate::endpoint::{Endpoint, EndpointLayer, RouteLayer, endpoint_layer};
use crate::guard::{Guard, RouteGuard};
use crate::metadata;
use crate::table::{RouteKind, RouteRow, RouteTable};

/// Routes, each declared with its guard; [`build`](Self::build) makes axum's router of them.
///
/// `S` is the state that handlers still miss, as in axum's [`Router`].
///
/// | request | answer |
/// |---|---|
/// | a route that is declared | its guard's, then its handler's |
/// | `HEAD` where `GET` is declared | as `GET`, under the same guard, without the body |
/// | another method of a declared path | 405 with `Allow`, without authentication |
/// | an unknown path | 404 without authentication, or the [fallback](Self::with_fallback) |
///
/// So put a CORS layer around the router that `build` makes: a preflight request has no credential, and no
/// route declares `OPTIONS`.
#[derive(Clone)]
#[must_use = "routes serve nothing until they are built"]
pub struct GuardedRouter<S = ()> {
    routes: Vec<Declared<S>>,
    layers: Vec<EndpointLayer>,
    /// What was wrong already when it was declared.
    problems: Vec<Problem>,
}

/// A row, its guard, and what is inside of it.
#[derive(Clone)]
struct Declared<S> {
    row: RouteRow,
    guard: Guard,
    endpoint: Endpoint<S>,
    /// The innermost first.
    layers: Vec<EndpointLayer>,
}

macro_rules! methods {
    ($($name:ident $method:ident)*) => {$(
        #[doc = concat!("Routes `", stringify!($method), "` of a path to a handler, behind this guard.")]
        pub fn $name<G, H, T>(self, guard: G, path: &str, handler: H) -> Self
        where
            G: RouteGuard,
            H: Handler<T, S>,
            T: 'static,
        {
            let endpoint = Endpoint::Method(on(MethodFilter::$method, handler));
            self.declare(RouteKind::Route, Some(Method::$method), guard, path, endpoint)
        }
    )*};
}

/// Declaring.
impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// No routes yet.
    pub fn new() -> Self {
        Self {
            routes: Vec::new(),
            layers: Vec::new(),
            problems: Vec::new(),
        }
    }

    methods! {
        get GET
        post POST
        put PUT
        patch PATCH
        delete DELETE
        head HEAD
        options OPTIONS
    }

    /// Routes a path to a handler behind this guard, for every method that is not declared for the path.
    pub fn any<G, H, T>(self, guard: G, path: &str, handler: H) -> Self
    where
        G: RouteGuard,
        H: Handler<T, S>,
        T: 'static,
    {
        let endpoint = Endpoint::Any(any(handler));
        self.declare(RouteKind::Route, None, guard, path, endpoint)
    }

    /// Answers every path that nothing else is declared for, behind this guard. Default: 404 for everybody.
    ///
    /// It is the fallback of the whole: a router that has one can be merged, not nested.
    pub fn with_fallback<G, H, T>(self, guard: G, handler: H) -> Self
    where
        G: RouteGuard,
        H: Handler<T, S>,
        T: 'static,
    {
        let endpoint = Endpoint::Any(any(handler));
        self.declare(RouteKind::Fallback, None, guard, "", endpoint)
    }

    /// Hands a path and everything under it to a service, behind this guard. The service sees the path without
    /// this prefix, as in [`Router::nest_service`]. A gRPC service dispatches on its whole path, so that it
    /// belongs into [`merge_router`](Self::merge_router): `tonic::service::Routes::new(…).into_axum_router()`.
    pub fn nest_service<G, T>(mut self, guard: G, path: &str, service: T) -> Self
    where
        G: RouteGuard,
        T: Service<Request, Error = Infallible> + Clone + Send + Sync + 'static,
        T::Response: IntoResponse + 'static,
        T::Future: Send + 'static,
    {
        let endpoint = Endpoint::Any(any_service(service));
        let nothing_wrong_before = self.problems.len();
        self = self.declare(RouteKind::Service, None, guard, path, endpoint);
        if self.problems.len() == nothing_wrong_before {
            self.note(path, check::prefix_problem(path));
        }
        self
    }

    /// Adds all routes of a plain router behind one guard, which the description stands for in the table. Its
    /// fallback is left out.
    ///
    /// Nothing can be read off a plain router: where one of its routes is declared here as well, `build`
    /// panics, as [`Router::merge`] does.
    pub fn merge_router<G: RouteGuard>(
        self,
        guard: G,
        description: &str,
        router: Router<S>,
    ) -> Self {
        let endpoint = Endpoint::Router(router);
        self.declare(RouteKind::Router, None, guard, description, endpoint)
    }

    /// Adds the routes of another guarded router, each behind its own guard.
    pub fn merge(mut self, other: Self) -> Self {
        self.problems.extend(other.problems);
        self.routes.extend(other.routes.into_iter().map(|mut one| {
            // What was around the other router is around its routes, and around no others.
            one.layers.extend(other.layers.iter().cloned());
            one
        }));
        self
    }

    /// Adds the routes of another guarded router under a path, each behind its own guard.
    ///
    /// The paths are joined, and handlers see the whole path: nothing is taken off a request's URI. Refused by
    /// `build`: a router with a fallback, and a plain router among its routes, whose paths cannot be joined.
    pub fn nest(mut self, path: &str, mut other: Self) -> Self {
        self.note(path, check::prefix_problem(path));
        for Declared { row, .. } in &mut other.routes {
            match row.kind() {
                RouteKind::Fallback => self.note(path, Some("a nested router has a fallback")),
                RouteKind::Router => self.note(
                    path,
                    Some("a nested router has a plain router merged, which can only be merged"),
                ),
                _ => row.set_path(check::joined(path, row.path())),
            }
        }
        self.merge(other)
    }

    /// Puts a layer around every route, the fallback included, inside of its guard: also around those that are
    /// declared later. Of several, the last is the outermost.
    ///
    /// The requests that it sees have passed the guard. What answers 405, the 404 of no fallback and the
    /// metadata are outside.
    pub fn layer(mut self, layer: impl RouteLayer) -> Self {
        self.layers.push(endpoint_layer(layer));
        self
    }

    /// Gives the handlers so far their state.
    pub fn with_state<S2>(self, state: S) -> GuardedRouter<S2> {
        let routes = self.routes.into_iter().map(|one| Declared {
            endpoint: one.endpoint.with_state(state.clone()),
            row: one.row,
            guard: one.guard,
            layers: one.layers,
        });
        GuardedRouter {
            routes: routes.collect(),
            layers: self.layers,
            problems: self.problems,
        }
    }

    fn declare(
        mut self,
        kind: RouteKind,
        method: Option<Method>,
        guard: impl RouteGuard,
        path: &str,
        endpoint: Endpoint<S>,
    ) -> Self {
        let guard = guard.guard();
        let row = RouteRow::new(kind, method, path, guard.access());
        if !matches!(kind, RouteKind::Router | RouteKind::Fallback) {
            self.note(&row.label(), check::path_problem(path));
        }
        self.routes.push(Declared {
            row,
            guard,
            endpoint,
            layers: Vec::new(),
        });
        self
    }

    fn note(&mut self, path: &str, problem: Option<&str>) {
        self.problems
            .extend(problem.map(|message| Problem::new(path, message)));
    }
}

/// Reading.
impl<S> GuardedRouter<S> {
    /// What was declared, and who may call it.
    pub fn table(&self) -> RouteTable {
        RouteTable::new(self.rows().cloned().collect())
    }

    /// The same, with what [`build`](GuardedRouter::build) adds for this authenticator: the metadata of its
    /// resource.
    pub fn table_for(&self, authenticator: &Authenticator) -> RouteTable {
        let rows = self.rows().cloned().chain(metadata::row(authenticator));
        RouteTable::new(rows.collect())
    }

    fn rows(&self) -> impl Iterator<Item = &RouteRow> {
        self.routes.iter().map(|one| &one.row)
    }
}

/// Building.
impl GuardedRouter {
    /// Makes axum's router: every route behind its guard, and if the authenticator has a resource, its metadata
    /// for everybody.
    ///
    /// Refused, all of it at once: a method of a path that is declared twice, paths that axum cannot tell
    /// apart or read, and policies made by hand that name no scope. State comes first:
    /// [`with_state`](Self::with_state).
    ///
    /// Routes that are added to the router afterwards are not guarded: make this the last step.
    pub fn build(self, authenticator: &Authenticator) -> Result<Router, ConfigError> {
        let metadata = metadata::row(authenticator);
        let rows: Vec<_> = self.rows().cloned().chain(metadata.clone()).collect();
        let mut problems = self.problems;
        problems.extend(check::problems(&rows));
        ConfigError::of(problems)?;

        let table = RouteTable::new(rows);
        let mut router = Router::new();
        if let Some(row) = metadata {
            router = router.route(row.path(), metadata::route(authenticator, &table));
        }
        for one in self.routes {
            let layers = one.layers.iter().chain(&self.layers);
            let inside = layers.fold(one.endpoint, |endpoint, layer| layer(endpoint));
            let guarded = one.guard.apply(inside, authenticator);
            router = mount(router, &one.row, guarded);
        }
        Ok(router)
    }
}

fn mount(router: Router, row: &RouteRow, endpoint: Endpoint) -> Router {
    let route: MethodRouter = match endpoint {
        // Its fallback would answer for all of the router, and two cannot be merged.
        Endpoint::Router(plain) => return router.merge(plain.reset_fallback()),
        Endpoint::Method(route) | Endpoint::Any(route) => route,
    };
    match row.kind() {
        RouteKind::Service => router.nest_service(row.path(), route),
        RouteKind::Fallback => router.fallback_service(route),
        _ => router.route(row.path(), route),
    }
}

impl<S: Clone + Send + Sync + 'static> Default for GuardedRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

/// Its rows.
impl<S> fmt::Debug for GuardedRouter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rows()).finish()
    }
}
