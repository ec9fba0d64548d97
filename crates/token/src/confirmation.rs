use crate::dpop::sha256_of_text;
use crate::json::{Json, Object};
use crate::refusal::Refusal;

/// What a token is bound to ([RFC 7800](https://www.rfc-editor.org/rfc/rfc7800)): whoever presents it must prove to
/// hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Confirmation {
    /// The SHA-256 thumbprint of a public key, for a DPoP proof
    /// ([RFC 9449 §6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)).
    KeyThumbprint([u8; 32]),
    /// The SHA-256 of a certificate in DER, for mutual TLS
    /// ([RFC 8705 §3.1](https://www.rfc-editor.org/rfc/rfc8705#section-3.1)).
    CertificateThumbprint([u8; 32]),
}

impl Confirmation {
    /// The `cnf` of a payload. With a method that is not one of these, with several, or with what is no SHA-256,
    /// nobody can prove it: [`Refusal::UnprovenConfirmation`].
    pub(crate) fn read(payload: &Object<'_>) -> Result<Option<Self>, Refusal> {
        let methods = match payload.get("cnf") {
            None => return Ok(None),
            Some(Json::Object(methods)) => methods,
            Some(_) => return Err(Refusal::MalformedClaim),
        };
        let mut methods = methods.iter();
        let (Some((method, value)), None) = (methods.next(), methods.next()) else {
            return Err(Refusal::UnprovenConfirmation);
        };
        let of = match method {
            "jkt" => Self::KeyThumbprint,
            "x5t#S256" => Self::CertificateThumbprint,
            _ => return Err(Refusal::UnprovenConfirmation),
        };
        let thumbprint = value.as_str().and_then(sha256_of_text);
        thumbprint
            .map(|one| Some(of(one)))
            .ok_or(Refusal::UnprovenConfirmation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &str) -> Result<Option<Confirmation>, Refusal> {
        Confirmation::read(&Object::parse(payload, Vec::new()).unwrap())
    }

    #[test]
    fn one_known_method_with_a_thumbprint_is_a_confirmation_and_nothing_else() {
        let (zeros, ones) = ("A".repeat(43), format!("{}8", "_".repeat(42)));
        let of = |method: &str, value: &str| format!(r#"{{"cnf":{{"{method}":"{value}"}}}}"#);
        let good = [
            (of("jkt", &zeros), Confirmation::KeyThumbprint([0; 32])),
            (of("jkt", &ones), Confirmation::KeyThumbprint([255; 32])),
            (
                of("x5t#S256", &zeros),
                Confirmation::CertificateThumbprint([0; 32]),
            ),
        ];
        for (payload, expected) in good {
            assert_eq!(read(&payload), Ok(Some(expected)), "{payload}");
        }
        assert_eq!(read("{}"), Ok(None));
        let both = format!(r#"{{"cnf":{{"jkt":"{zeros}","x5t#S256":"{zeros}"}}}}"#);
        let more = format!(r#"{{"cnf":{{"jkt":"{zeros}","kid":"x"}}}}"#);
        for unproven in [
            r#"{"cnf":{}}"#,
            r#"{"cnf":{"jwk":{}}}"#,
            &of("JKT", &zeros),
            &both,
            &more,
        ] {
            assert_eq!(
                read(unproven),
                Err(Refusal::UnprovenConfirmation),
                "{unproven}"
            );
        }
        let not_canonical = format!("{}9", "_".repeat(42));
        for value in [
            "",
            &zeros[1..],
            &format!("{zeros}A"),
            &format!("{zeros}="),
            &not_canonical,
        ] {
            let payload = of("jkt", value);
            assert_eq!(
                read(&payload),
                Err(Refusal::UnprovenConfirmation),
                "{payload}"
            );
        }
        let number = r#"{"cnf":{"jkt":1}}"#;
        assert_eq!(read(number), Err(Refusal::UnprovenConfirmation));
        for payload in [r#"{"cnf":null}"#, r#"{"cnf":"x"}"#, r#"{"cnf":[]}"#] {
            assert_eq!(read(payload), Err(Refusal::MalformedClaim), "{payload}");
        }
    }
}
