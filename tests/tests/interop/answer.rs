//! An answer of `resource_server`, and what a refusal must look like.

use std::collections::BTreeMap;

use reqwest::Response;
use reqwest::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, RETRY_AFTER, WWW_AUTHENTICATE};
use serde_json::Value;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `null` where the body is not JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Self {
            status,
            headers,
            body,
        }
    }

    /// Whole and successful, or the test fails.
    pub(crate) fn expect(self, status: u16, case: &str) -> Value {
        assert_eq!(self.status, status, "{case}: {}", self.describe());
        self.body
    }

    /// A refusal as the rules for denials have it: the status and the word in the body, a problem document, not to be stored.
    pub(crate) fn expect_refusal(&self, status: u16, error: Option<&str>, case: &str) {
        let seen = self.describe();
        assert_eq!(self.status, status, "{case}: {seen}");
        assert_eq!(
            self.header(CONTENT_TYPE),
            Some("application/problem+json"),
            "{case}: {seen}"
        );
        assert_eq!(
            self.header(CACHE_CONTROL),
            Some("no-store"),
            "{case}: {seen}"
        );
        assert_eq!(self.body["status"], status, "{case}: {seen}");
        assert!(self.body["type"].is_string(), "{case}: {seen}");
        assert!(self.body["title"].is_string(), "{case}: {seen}");
        if let Some(error) = error {
            assert_eq!(self.body["error"], error, "{case}: {seen}");
            assert!(self.body["error_description"].is_string(), "{case}: {seen}");
        }
    }

    /// A refusal with a challenge that names the error and where the resource describes itself.
    pub(crate) fn expect_challenge(
        &self,
        status: u16,
        error: &str,
        case: &str,
    ) -> BTreeMap<String, String> {
        self.expect_refusal(status, Some(error), case);
        let challenge = self.challenge(case);
        assert_eq!(
            challenge.get("error").map(String::as_str),
            Some(error),
            "{case}: {challenge:?}"
        );
        challenge
    }

    /// A refusal that tells the caller nothing about how to do better.
    pub(crate) fn expect_no_challenge(&self, status: u16, error: Option<&str>, case: &str) {
        self.expect_refusal(status, error, case);
        assert_eq!(
            self.header(WWW_AUTHENTICATE),
            None,
            "{case}: {}",
            self.describe()
        );
    }

    /// "Come back later": the keys cannot be reached.
    pub(crate) fn expect_unavailable(&self, case: &str) {
        self.expect_no_challenge(503, None, case);
        let seconds = self.header(RETRY_AFTER).map(str::parse::<u64>);
        assert!(
            matches!(seconds, Some(Ok(_))),
            "{case}: {}",
            self.describe()
        );
    }

    /// The parameters of the one `Bearer` challenge, each of which says where the resource's metadata is.
    pub(crate) fn challenge(&self, case: &str) -> BTreeMap<String, String> {
        let challenges: Vec<_> = self.headers.get_all(WWW_AUTHENTICATE).iter().collect();
        let [challenge] = challenges[..] else {
            panic!("{case}: not one challenge: {challenges:?}");
        };
        let parameters = challenge.to_str().unwrap().strip_prefix("Bearer ");
        let parameters = parse(parameters.unwrap_or_else(|| panic!("{case}: {challenge:?}")));
        assert_eq!(
            parameters.get("resource_metadata").map(String::as_str),
            Some("https://api.acme.test/.well-known/oauth-protected-resource"),
            "{case}: {challenge:?}"
        );
        parameters
    }

    pub(crate) fn describe(&self) -> String {
        format!("{} {:?} {}", self.status, self.headers, self.body)
    }

    fn header(&self, name: reqwest::header::HeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// `name="value", name="value"`; no value in these tests has an escaped quote inside.
fn parse(challenge: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    let mut rest = challenge;
    while let Some((name, value)) = rest.split_once("=\"") {
        let (value, after) = value.split_once('"').expect("a closing quote");
        parameters.insert(name.to_owned(), value.to_owned());
        rest = after.trim_start_matches([',', ' ']);
    }
    assert_eq!(rest, "", "not a challenge: {challenge}");
    parameters
}
