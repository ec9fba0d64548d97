//! Whether the document says what the table says, and what the server does.

use std::error::Error;

use countersign::{RouteAccess, RouteTable};
use countersign_testing::TestIssuer;
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};

use crate::API;

/// Fails at the first thing that differs.
pub(crate) async fn check(
    url: &str,
    table: &RouteTable,
    issuer: &TestIssuer,
) -> Result<(), Box<dyn Error>> {
    let text = reqwest::get(format!("{url}/openapi.json"))
        .await?
        .text()
        .await?;
    let document: Value = serde_json::from_str(&text)?;
    equal("the version", &document["openapi"], &json!("3.1.0"))?;
    let scheme = check_scheme(&document, issuer).await?;
    for row in table.rows() {
        let (Some(method), path) = (row.method(), row.path()) else {
            return Err("every route of this API has a method".into());
        };
        let operation = &document["paths"][path][method.as_str().to_ascii_lowercase()];
        check_operation(operation, row.access(), &scheme)
            .map_err(|error| format!("{method} {path}: {error}"))?;
        let call = Call {
            url,
            issuer,
            method,
            path,
            operation,
        };
        call.check(row.access())
            .await
            .map_err(|error| format!("{method} {path}: {error}"))?;
        println!("{method} {path}: as documented");
    }
    let paths = document["paths"].as_object().into_iter().flatten();
    let documented = paths.filter_map(|(_, item)| item.as_object().map(serde_json::Map::len));
    equal(
        "operations",
        &json!(documented.sum::<usize>()),
        &json!(table.rows().len()),
    )?;

    let page = reqwest::get(format!("{url}/")).await?.text().await?;
    if page.contains("://") || !page.contains("openapi.json") {
        return Err("the page takes something from elsewhere".into());
    }
    println!("the page: in one piece");
    Ok(())
}

/// The one security scheme is the issuer, which describes itself where the document says; its name.
async fn check_scheme(document: &Value, issuer: &TestIssuer) -> Result<String, Box<dyn Error>> {
    let name = issuer
        .name()
        .trim_start_matches("http://")
        .replace(':', "_");
    let discovery = format!("{}/.well-known/openid-configuration", issuer.name());
    let schemes = &document["components"]["securitySchemes"];
    let expected = json!({ &name: { "type": "openIdConnect", "openIdConnectUrl": discovery } });
    equal("security schemes", schemes, &expected)?;
    let metadata: Value = reqwest::get(discovery).await?.json().await?;
    equal("the issuer", &metadata["issuer"], &json!(issuer.name()))?;
    println!("{name}: discovered as documented");
    Ok(name)
}

/// Security and denials are those of the table.
fn check_operation(operation: &Value, access: RouteAccess, scheme: &str) -> Result<(), String> {
    let (security, denials) = match access {
        RouteAccess::Public => (json!([]), &[][..]),
        RouteAccess::Authenticated => (json!([{ scheme: [] }]), &["401", "503"][..]),
        RouteAccess::Scopes(alternatives) => {
            let each = alternatives.iter().map(|all| json!({ scheme: all }));
            (each.collect(), &["401", "403", "503"][..])
        }
        _ => return Err(format!("nothing is known of {access}")),
    };
    equal("security", &operation["security"], &security)?;
    for status in ["401", "403", "503"] {
        let is_documented = operation["responses"][status].is_object();
        equal(
            status,
            &json!(is_documented),
            &json!(denials.contains(&status)),
        )?;
    }
    Ok(())
}

/// An operation that is called.
struct Call<'a> {
    url: &'a str,
    issuer: &'a TestIssuer,
    method: &'a Method,
    path: &'a str,
    operation: &'a Value,
}

impl Call<'_> {
    /// Without a token, with one that grants nothing, and with one for each requirement of the document.
    async fn check(&self, access: RouteAccess) -> Result<(), Box<dyn Error>> {
        let (without, unscoped) = match access {
            RouteAccess::Public => (200, 200),
            RouteAccess::Authenticated => (401, 200),
            _ => (401, 403),
        };
        self.expect("without a token", None, without).await?;
        self.expect("without a scope", Some(&[]), unscoped).await?;
        let done = if *self.method == Method::POST {
            201
        } else {
            200
        };
        for requirement in self.operation["security"].as_array().into_iter().flatten() {
            for scopes in requirement
                .as_object()
                .into_iter()
                .flat_map(|one| one.values())
            {
                let scopes: Vec<_> = scopes.as_array().into_iter().flatten().collect();
                let scopes: Vec<_> = scopes.into_iter().filter_map(Value::as_str).collect();
                self.expect("as required", Some(&scopes), done).await?;
            }
        }
        Ok(())
    }

    /// The answer to a token with these scopes, which must be one that the document knows.
    async fn expect(
        &self,
        case: &str,
        scopes: Option<&[&str]>,
        status: u16,
    ) -> Result<(), Box<dyn Error>> {
        let answer = self.send(scopes).await?.status().as_u16();
        equal(case, &json!(answer), &json!(status))?;
        let is_documented = self.operation["responses"][answer.to_string()].is_object();
        equal("its description", &json!(is_documented), &json!(true))?;
        Ok(())
    }

    async fn send(&self, scopes: Option<&[&str]>) -> reqwest::Result<Response> {
        let path = self.path.replace("{org_id}", "org_acme");
        let url = format!("{}{path}", self.url);
        let mut request = Client::new().request(self.method.clone(), url);
        if let Some(scopes) = scopes {
            let token = self.issuer.service_principal("m2m-acme").with_audience(API);
            let token = token.with_organization("org_acme").with_scopes(scopes);
            request = request.bearer_auth(token.mint());
        }
        if *self.method == Method::POST {
            request = request.json(&json!({ "text": "an invoice", "cents": 5 }));
        }
        request.send().await
    }
}

fn equal(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}: {found}, and not {expected}"))
}
