//! Scopes known only at run time.

use axum::Router;
use axum::routing::get;
use countersign_scope::{RequireScopes, RequirementError};
use http::StatusCode;

use crate::support::{get as ask, granted};

#[tokio::test]
async fn all_needs_every_scope_and_any_needs_one() {
    let all = RequireScopes::all(["a", "b"]).unwrap();
    let any = RequireScopes::any(vec!["a".to_owned(), "b".to_owned()]).unwrap();
    let one = RequireScopes::all(["a"]).unwrap();
    let cases = [
        ("", [false, false, false]),
        ("a", [false, true, true]),
        ("b", [false, true, false]),
        ("b a", [true, true, true]),
        ("A B", [false, false, false]),
        ("a:b", [false, false, false]),
    ];
    for (scopes, expected) in cases {
        for (guard, expected) in [&all, &any, &one].into_iter().zip(expected) {
            let app = Router::new()
                .route("/", get(|| async {}))
                .route_layer(guard.clone())
                .layer(granted(scopes));
            let passes = ask(&app, "/").await.status == StatusCode::OK;
            assert_eq!(passes, expected, "{guard:?} with {scopes:?}");
        }
    }
}

#[test]
fn no_scope_and_what_is_not_a_scope_are_refused() {
    for made in [
        RequireScopes::all::<String>([]),
        RequireScopes::any::<String>([]),
    ] {
        assert_eq!(made.unwrap_err(), RequirementError::Empty);
    }
    for bad in ["", " ", "a b", "a\"", "a\\", "a\n", "\u{e9}"] {
        for made in [
            RequireScopes::all(["good", bad]),
            RequireScopes::any(["good", bad]),
        ] {
            let Err(RequirementError::Invalid { scope, .. }) = made else {
                panic!("{bad:?}: {made:?}");
            };
            assert_eq!(scope, bad);
        }
    }
}

#[test]
fn the_errors_say_which_scope_it_is_and_what_a_scope_is() {
    let texts = [
        RequireScopes::any::<String>([]).unwrap_err().to_string(),
        RequireScopes::all(["two words"]).unwrap_err().to_string(),
    ];
    assert_eq!(
        texts,
        [
            "at least one scope must be named",
            "\"two words\" is not a scope: one or more printable ASCII characters, \
             without space, quote and backslash",
        ]
    );
}
