//! What is wrong with a table of routes, found before axum panics at it.

use std::collections::HashSet;

use countersign_bearer::Problem;

use crate::access::RouteAccess;
use crate::table::{RouteKind, RouteRow};

/// What is wrong with a path of a route, by itself.
pub(crate) fn path_problem(path: &str) -> Option<&'static str> {
    if !path.starts_with('/') {
        return Some("the path must start with /");
    }
    if path
        .split('/')
        .any(|segment| segment.starts_with([':', '*']))
    {
        return Some("a parameter is written {name}, and the rest of a path {*name}");
    }
    None
}

/// What is wrong with a path that something is nested under.
pub(crate) fn prefix_problem(path: &str) -> Option<&'static str> {
    if path == "/" {
        return Some("nothing can be nested under /, only merged");
    }
    if path.split('/').any(|segment| segment.starts_with("{*")) {
        return Some("nothing can be nested under the rest of a path");
    }
    path_problem(path)
}

/// The path of a route that is nested under a prefix, as axum joins them.
pub(crate) fn joined(prefix: &str, path: &str) -> String {
    match prefix.strip_suffix('/') {
        Some(prefix) => format!("{prefix}{path}"),
        None if path == "/" => prefix.into(),
        None => format!("{prefix}{path}"),
    }
}

/// What is wrong with rows beside each other.
pub(crate) fn problems(rows: &[RouteRow]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut declared = HashSet::new();
    let mut paths = Paths::default();
    for row in rows {
        let mut problem = |message: String| problems.push(Problem::new(row.label(), message));
        if let RouteAccess::Scopes(alternatives) = row.access()
            && (alternatives.is_empty() || alternatives.iter().any(|all| all.is_empty()))
        {
            problem("the policy has an alternative that names no scope".into());
        }
        let has_path = match row.kind() {
            RouteKind::Router => continue,
            RouteKind::Fallback => false,
            RouteKind::Route | RouteKind::Metadata | RouteKind::Service => true,
        };
        if !declared.insert((has_path, row.method(), row.path())) {
            problem("is declared twice".into());
        } else if has_path
            // Of those that are malformed it was noted when they were declared.
            && path_problem(row.path()).is_none()
            && let Err(message) = paths.insert(row)
        {
            problem(message);
        }
    }
    problems
}

/// The paths so far, as axum keeps them.
#[derive(Default)]
struct Paths {
    tree: matchit::Router<()>,
    routes: HashSet<String>,
}

impl Paths {
    fn insert(&mut self, row: &RouteRow) -> Result<(), String> {
        let path = row.path();
        if row.kind() == RouteKind::Service {
            let inside = path.strip_suffix('/').unwrap_or(path);
            self.insert_path(&format!("{inside}/{{*rest}}"))?;
            self.insert_path(path)?;
            if !path.ends_with('/') {
                self.insert_path(&format!("{path}/"))?;
            }
            return Ok(());
        }
        // Methods of one path share it.
        if self.routes.insert(path.into()) {
            self.insert_path(path)?;
        }
        Ok(())
    }

    fn insert_path(&mut self, path: &str) -> Result<(), String> {
        self.tree.insert(path, ()).map_err(|error| match error {
            matchit::InsertError::Conflict { with } => format!("cannot stand beside {with}"),
            other => format!("the path is malformed: {other}"),
        })
    }
}
