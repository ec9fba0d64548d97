use countersign_jwks::Algorithm;
use http::HeaderName;
use serde_json::Value;

use super::issuer::algorithm;
use super::table::Table;
use crate::sender::{CertificateSource, ClientCertificates, Dpop, DpopNonces};

/// Whether a table's `mode` makes binding required.
fn is_required(table: &mut Table<'_>) -> Option<bool> {
    match table.required_string("mode")?.as_str() {
        "allowed" => Some(false),
        "required" => Some(true),
        _ => {
            table.note("mode", "must be \"allowed\" or \"required\"");
            None
        }
    }
}

pub(super) fn dpop(general: &mut Table<'_>) -> Option<Dpop> {
    let mut table = general.table("dpop")?;
    let required = is_required(&mut table);
    let base_url = table.required_string("base_url");
    let algorithms: Option<Vec<Algorithm>> = table.parsed_elements("algorithms", algorithm);
    let nonces = table.parsed("nonces", nonces).flatten();
    let max_proofs = table.parsed("max_proofs", count);
    let max_proofs_per_key = table.parsed("max_proofs_per_key", count);
    table.finish();
    let mut dpop = match (required?, base_url?) {
        (true, base_url) => Dpop::required(base_url),
        (false, base_url) => Dpop::allowed(base_url),
    };
    if let Some(algorithms) = algorithms {
        dpop = dpop.with_algorithms(algorithms);
    }
    if let Some(proofs) = max_proofs {
        dpop = dpop.with_max_proofs(proofs);
    }
    if let Some(proofs) = max_proofs_per_key {
        dpop = dpop.with_max_proofs_per_key(proofs);
    }
    if let Some(nonces) = nonces {
        dpop = dpop.with_nonces(nonces);
    }
    Some(dpop)
}

fn count(value: &Value) -> Result<usize, String> {
    let count = value.as_u64().and_then(|count| usize::try_from(count).ok());
    let count = count.filter(|count| *count > 0);
    count.ok_or_else(|| "must be a whole number above 0".into())
}

fn nonces(value: &Value) -> Result<Option<DpopNonces>, String> {
    let file = match value {
        Value::Bool(wanted) => return Ok(wanted.then(DpopNonces::random)),
        Value::Object(members) if members.len() == 1 => members.get("secret_file"),
        _ => None,
    };
    let Some(file) = file.and_then(Value::as_str) else {
        return Err("must be true, false or { secret_file = \"…\" }".into());
    };
    let secret = std::fs::read(file).map_err(|error| format!("{file}: {error}"))?;
    let nonces = DpopNonces::with_secret(&secret);
    nonces
        .map(Some)
        .ok_or_else(|| format!("{file}: must have 32 bytes or more"))
}

pub(super) fn client_certificates(general: &mut Table<'_>) -> Option<ClientCertificates> {
    let mut table = general.table("client_certificates")?;
    let required = is_required(&mut table);
    let structured = table.parsed("dangerous_header", header);
    let pem = table.parsed("dangerous_pem_header", header);
    if structured.is_some() && pem.is_some() {
        table.note(
            "dangerous_pem_header",
            "cannot stand beside dangerous_header",
        );
    }
    table.finish();
    let certificates = if required? {
        ClientCertificates::required()
    } else {
        ClientCertificates::allowed()
    };
    Some(match (structured, pem) {
        (Some(name), _) => {
            certificates.dangerous_from_header(CertificateSource::StructuredHeader(name))
        }
        (None, Some(name)) => {
            certificates.dangerous_from_header(CertificateSource::EscapedPemHeader(name))
        }
        (None, None) => certificates,
    })
}

pub(super) fn header(value: &Value) -> Result<HeaderName, String> {
    let name = value.as_str().map(HeaderName::try_from);
    name.and_then(Result::ok)
        .ok_or_else(|| "must be the name of a header".into())
}
