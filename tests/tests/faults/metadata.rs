//! Metadata that leads elsewhere, or nowhere.

use countersign::FetchFailure::{InsecureUrl, IssuerMismatch, Malformed, OtherOrigin, Status};
use serde_json::json;

use crate::outage::{Fault, Place, faults, hold};
use crate::server::{self, Answer};
use crate::world::{KEYS, METADATA, metadata};

/// The issuer's metadata, with its keys at this URL.
fn leading(at: &Place<'_>, jwks_uri: &str) -> Answer {
    document(&metadata(&at.origin.url(""), jwks_uri).to_string())
}

fn document(text: &str) -> Answer {
    Answer::Bytes(server::json(text))
}

const FAULTS: &[Fault] = faults! {
    "no metadata at either place":
        |_| Answer::Bytes(server::response("404 Not Found", "")) => Status(404),
    "another issuer's":
        |at| document(&metadata("https://as.acme.test", &at.origin.url(KEYS)).to_string())
            => IssuerMismatch,
    "the issuer with a slash":
        |at| document(&metadata(&at.origin.url("/"), &at.origin.url(KEYS)).to_string())
            => IssuerMismatch,
    "no issuer": |at| document(&json!({ "jwks_uri": at.origin.url(KEYS) }).to_string()) => Malformed,
    "two issuers": |at| {
        let own = at.origin.url("");
        document(&format!(r#"{{"issuer":"{own}","issuer":"{own}","jwks_uri":"{own}/keys"}}"#))
    } => Malformed,
    "no key set": |at| document(&json!({ "issuer": at.origin.url("") }).to_string()) => Malformed,
    "a key set that is a list": |at| {
        document(&json!({ "issuer": at.origin.url(""), "jwks_uri": [at.origin.url(KEYS)] }).to_string())
    } => Malformed,
    "keys on another server": |at| leading(at, &at.elsewhere.url(KEYS)) => OtherOrigin,
    "keys at the metadata service of the cloud":
        |at| leading(at, "http://169.254.169.254/latest/meta-data/") => InsecureUrl,
    "keys there by another name":
        |at| leading(at, "http://[::ffff:169.254.169.254]/latest/meta-data/") => InsecureUrl,
    "keys there by https": |at| leading(at, "https://169.254.169.254/") => OtherOrigin,
    "keys within the network": |at| leading(at, "http://10.0.0.1/keys") => InsecureUrl,
    "keys without TLS": |at| leading(at, "http://as.acme.test/keys") => InsecureUrl,
    "keys in a file": |at| leading(at, "file:///etc/passwd") => InsecureUrl,
    "keys in the URL": |at| leading(at, "data:application/json,{}") => InsecureUrl,
    "keys behind a password": |at| {
        leading(at, &at.origin.url(KEYS).replace("//", "//user:password@"))
    } => InsecureUrl,
    "keys on a host that only looks like this machine":
        |at| leading(at, "http://127.0.0.1.acme.test/keys") => InsecureUrl,
};

#[tokio::test]
async fn metadata_that_leads_elsewhere_is_not_followed_and_stops_no_caller_whose_key_is_known() {
    hold(FAULTS, METADATA).await;
    println!("faults: {} cases at {METADATA}", FAULTS.len());
}
