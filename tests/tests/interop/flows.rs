//! Obtaining tokens as a client does: client credentials, and authorization code with PKCE.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{RequestBuilder, Response, Url};
use serde_json::Value;

use crate::provider::Provider;

pub(crate) const API: &str = "https://api.acme.test";
pub(crate) const ALL_SCOPES: &str = "invoices:read invoices:write reports:read admin";

const APP: &str = "app-ledger";
const CALLBACK: &str = "http://127.0.0.1/callback";

pub(crate) struct UserTokens {
    pub(crate) access: String,
    pub(crate) id: String,
}

impl Provider {
    /// An access token for the API with every scope the client may have.
    pub(crate) async fn machine_token(&self, client: &str) -> String {
        self.machine_token_for(client, API, ALL_SCOPES).await
    }

    pub(crate) async fn machine_token_for(&self, client: &str, api: &str, scope: &str) -> String {
        let request = self
            .token_request(&[
                ("grant_type", "client_credentials"),
                ("resource", api),
                ("scope", scope),
            ])
            .basic_auth(client, Some(format!("{client}-secret")));
        text(&token_answer(request).await, "access_token")
    }

    /// Signs `account` in, consents, and redeems the code.
    pub(crate) async fn user_tokens(&self, account: &str, scope: &str) -> UserTokens {
        self.user_tokens_for(account, API, scope).await
    }

    pub(crate) async fn user_tokens_for(
        &self,
        account: &str,
        api: &str,
        scope: &str,
    ) -> UserTokens {
        let verifier = random(32);
        let challenge = BASE64.encode(digest(&SHA256, verifier.as_bytes()));
        let state = random(16);
        let start = with_query(
            &format!("{}/auth", self.issuer),
            &[
                ("client_id", APP),
                ("redirect_uri", CALLBACK),
                ("response_type", "code"),
                ("scope", &format!("openid {scope}")),
                ("resource", api),
                ("state", &state),
                ("nonce", &random(16)),
                ("code_challenge", &challenge),
                ("code_challenge_method", "S256"),
                ("login_hint", account),
            ],
        );
        let callback = self.browse(start).await;
        let answer: BTreeMap<_, _> = callback.query_pairs().into_owned().collect();
        assert_eq!(answer.get("state"), Some(&state), "{callback}");
        assert_eq!(answer.get("iss"), Some(&self.issuer), "{callback}");
        let tokens = token_answer(self.token_request(&[
            ("grant_type", "authorization_code"),
            ("client_id", APP),
            ("redirect_uri", CALLBACK),
            ("code", &answer["code"]),
            ("code_verifier", &verifier),
            ("resource", api),
        ]))
        .await;
        UserTokens {
            access: text(&tokens, "access_token"),
            id: text(&tokens, "id_token"),
        }
    }

    /// Follows redirects with cookies, as a browser would, until one leads to the app.
    async fn browse(&self, start: Url) -> Url {
        let mut cookies = BTreeMap::new();
        let mut page = start;
        for _ in 0..10 {
            let header: Vec<String> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let request = self
                .http
                .get(page.clone())
                .header(COOKIE, header.join("; "));
            let answer = request.send().await.unwrap();
            keep_cookies(&answer, &mut cookies);
            let status = answer.status();
            let Some(location) = answer.headers().get(LOCATION) else {
                panic!("{page}: {status} {}", answer.text().await.unwrap());
            };
            page = page.join(location.to_str().unwrap()).unwrap();
            if page.as_str().starts_with(CALLBACK) {
                return page;
            }
        }
        panic!("still being redirected: {page}");
    }

    /// Revokes a token, as the client that it was given to.
    pub(crate) async fn revoke(&self, client: &str, token: &str) {
        let request = match client {
            APP => self.form("/token/revocation", &[("token", token), ("client_id", APP)]),
            _ => self
                .form("/token/revocation", &[("token", token)])
                .basic_auth(client, Some(format!("{client}-secret"))),
        };
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "not revoked: {answer:?}");
    }

    pub(crate) fn token_request(&self, form: &[(&str, &str)]) -> RequestBuilder {
        self.form("/token", form)
    }

    fn form(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}{path}", self.issuer);
        let body = with_query(&url, form).query().unwrap().to_owned();
        self.http
            .post(url)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body)
    }
}

/// What a token claims, unverified.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// A token's header, unverified.
pub(crate) fn header(token: &str) -> Value {
    part(token, 0)
}

pub(crate) fn random(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    aws_lc_rs::rand::fill(&mut buffer).unwrap();
    BASE64.encode(buffer)
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

fn with_query(url: &str, pairs: &[(&str, &str)]) -> Url {
    Url::parse_with_params(url, pairs).unwrap()
}

/// An empty value deletes. Paths do not matter here: no two cookies of this server share a name.
fn keep_cookies(answer: &Response, cookies: &mut BTreeMap<String, String>) {
    for cookie in answer.headers().get_all(SET_COOKIE) {
        let pair = cookie.to_str().unwrap().split(';').next().unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        if value.is_empty() {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}

async fn token_answer(request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert!(status.is_success(), "no token: {status} {body}");
    body
}

fn text(answer: &Value, member: &str) -> String {
    let value = answer[member].as_str();
    value
        .unwrap_or_else(|| panic!("no {member}: {answer}"))
        .to_owned()
}
