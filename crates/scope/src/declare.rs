/// Declares scope policies: a unit type each, to guard routes with.
///
/// `&&` binds closer than `||`, and parentheses may group a conjunction. Every scope is checked against
/// RFC 6749 when it compiles.
///
/// ```
/// use countersign_scope::{ScopePolicy, scopes};
///
/// scopes! {
///     /// Read invoices.
///     pub ReadInvoices = "invoices:read";
///     /// Move money: both scopes are needed.
///     pub Transfer = "accounts:read" && "transfers:write";
///     /// Either scope will do; whoever has none is told of the first.
///     pub Audit = "audit:read" || "admin";
///     Export = "export" || ("invoices:read" && "accounts:read");
/// }
///
/// assert_eq!(Export::ALTERNATIVES, [&["export"][..], &["invoices:read", "accounts:read"]]);
/// ```
#[macro_export]
macro_rules! scopes {
    ($(
        $(#[$attribute:meta])*
        $visibility:vis $name:ident = $($first:tt $(&& $further:tt)*)||+;
    )+) => {$(
        $(#[$attribute])*
        #[derive(Clone, Copy, Debug)]
        $visibility struct $name;

        impl $crate::ScopePolicy for $name {
            const ALTERNATIVES: &'static [&'static [&'static str]] =
                &[$($crate::__alternative!($first $(&& $further)*)),+];
        }

        // Evaluated even where nothing uses the policy yet, so that a malformed scope never compiles.
        const _: &[&[&str]] = <$name as $crate::ScopePolicy>::ALTERNATIVES;
    )+};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __alternative {
    (($first:literal $(&& $further:literal)*)) => {
        $crate::__alternative!($first $(&& $further)*)
    };
    ($first:literal $(&& $further:literal)*) => {
        &[
            $crate::__checked($first, $crate::__not_a_scope!($first)),
            $($crate::__checked($further, $crate::__not_a_scope!($further))),*
        ]
    };
    ($($other:tt)*) => {
        compile_error!(concat!(
            "write a scope policy as alternatives of scope literals, such as \"a\" || (\"b\" && \"c\"); found: ",
            stringify!($($other)*)
        ))
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __not_a_scope {
    ($scope:literal) => {
        concat!(
            stringify!($scope),
            " is not a scope, which has one or more printable ASCII characters, without space, quote and \
             backslash; write several as \"a\" && \"b\" or \"a\" || \"b\""
        )
    };
}

/// Fails to compile with `message` for what is no scope token.
#[doc(hidden)]
#[track_caller] // The error then shows the policy and nothing of what is in here.
pub const fn __checked(scope: &'static str, message: &'static str) -> &'static str {
    // The message is not the format itself: braces are legal in a scope.
    assert!(countersign_token::is_scope_token(scope), "{}", message);
    scope
}
