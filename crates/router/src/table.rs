use std::collections::BTreeSet;
use std::fmt;

use http::Method;

use crate::access::RouteAccess;

/// What a row of a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RouteKind {
    /// A route, for one method or for any.
    Route,
    /// The metadata of the resource, which `build` adds.
    Metadata,
    /// A service, with everything under its path.
    Service,
    /// A plain router, with whatever routes it has.
    Router,
    /// Every path that nothing else is about.
    Fallback,
}

/// Who may call what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRow {
    kind: RouteKind,
    method: Option<Method>,
    path: String,
    access: RouteAccess,
}

impl RouteRow {
    pub(crate) fn new(
        kind: RouteKind,
        method: Option<Method>,
        path: impl Into<String>,
        access: RouteAccess,
    ) -> Self {
        let path = path.into();
        Self {
            kind,
            method,
            path,
            access,
        }
    }

    /// What the row is about.
    pub fn kind(&self) -> RouteKind {
        self.kind
    }

    /// The method, which for `GET` is `HEAD` as well unless that has a row of its own; `None`: every method
    /// that has no row of its own.
    pub fn method(&self) -> Option<&Method> {
        self.method.as_ref()
    }

    /// The path as axum has it; of a plain router its description, and nothing of a fallback.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Who may come.
    pub fn access(&self) -> RouteAccess {
        self.access
    }

    pub(crate) fn set_path(&mut self, path: String) {
        self.path = path;
    }

    /// How a problem and a list name the row, such as `GET /invoices`.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.method_text(), self.path_text())
    }

    fn method_text(&self) -> &str {
        self.method.as_ref().map_or("*", Method::as_str)
    }

    fn path_text(&self) -> String {
        match self.kind {
            RouteKind::Route | RouteKind::Metadata => self.path.clone(),
            RouteKind::Service => {
                format!("{}/*", self.path.strip_suffix('/').unwrap_or(&self.path))
            }
            RouteKind::Router => format!("({})", self.path),
            RouteKind::Fallback => "(any other path)".into(),
        }
    }

    /// Paths in their order, then what has none.
    fn sort_key(&self) -> (bool, RouteKind, &str, usize, &str) {
        let has_path = !matches!(self.kind, RouteKind::Router | RouteKind::Fallback);
        let kind = if has_path {
            RouteKind::Route
        } else {
            self.kind
        };
        let method = self.method_text();
        let rank = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
        let rank = rank.iter().position(|one| *one == method);
        // Those that are not ranked by their names, and any method last.
        let rank = rank.unwrap_or(if method == "*" { usize::MAX } else { 6 });
        (!has_path, kind, &self.path, rank, method)
    }
}

/// All routes of a [`GuardedRouter`](crate::GuardedRouter) and who may call them: to print, to hold to a test,
/// to publish.
///
/// ```
/// use countersign_router::{Authenticated, GuardedRouter, Public};
///
/// let routes: GuardedRouter = GuardedRouter::new()
///     .get(Authenticated, "/whoami", || async { "you" })
///     .get(Public, "/health", || async { "ok" });
/// assert_eq!(
///     routes.table().to_string(),
///     "\
/// GET  /health  public
/// GET  /whoami  authenticated"
/// );
/// ```
///
/// Its text is ordered by path and method, whatever order the routes were declared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTable {
    rows: Vec<RouteRow>,
}

impl RouteTable {
    pub(crate) fn new(mut rows: Vec<RouteRow>) -> Self {
        rows.sort_by(|one, other| one.sort_key().cmp(&other.sort_key()));
        Self { rows }
    }

    /// The rows, ordered by path and method; plain routers and the fallback come last.
    pub fn rows(&self) -> &[RouteRow] {
        &self.rows
    }

    /// Every scope that a route asks for, in ascending order, each once: the `scopes_supported` of
    /// [RFC 9728 §2](https://www.rfc-editor.org/rfc/rfc9728#section-2).
    pub fn scopes_supported(&self) -> impl Iterator<Item = &'static str> + use<> {
        let scopes: BTreeSet<_> = self
            .rows
            .iter()
            .flat_map(|row| row.access.scopes())
            .collect();
        scopes.into_iter()
    }
}

/// One line for each row, without one at the end: method, path, who may come.
impl fmt::Display for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths: Vec<_> = self.rows.iter().map(RouteRow::path_text).collect();
        let width = |texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let methods = width(&mut self.rows.iter().map(RouteRow::method_text));
        let widest = width(&mut paths.iter().map(String::as_str));
        for (index, (row, path)) in self.rows.iter().zip(&paths).enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let (method, access) = (row.method_text(), row.access);
            write!(f, "{method:methods$}  {path:widest$}  {access}")?;
        }
        Ok(())
    }
}
