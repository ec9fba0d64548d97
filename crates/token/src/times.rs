use std::time::Duration;

use crate::json::{Json, Object};
use crate::refusal::Refusal;

/// The last second of the year 9999; a later date is taken for an error rather than for a time.
const LATEST: f64 = 253_402_300_799.0;

/// When a token is valid: its `exp`, `nbf` and `iat`, in seconds since the Unix epoch
/// ([RFC 7519 §4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)).
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Times {
    /// `exp`: from then on the token is refused.
    pub expires_at: f64,
    /// `nbf`: until then the token is refused.
    pub not_before: Option<f64>,
    /// `iat`: when the token was issued.
    pub issued_at: Option<f64>,
}

impl Times {
    /// Times of something that expires and is valid from the beginning.
    pub const fn until(expires_at: f64) -> Self {
        Self {
            expires_at,
            not_before: None,
            issued_at: None,
        }
    }

    /// Reads them: each absent or a number from 0 to the end of the year 9999, `exp` required. One with
    /// another type is refused rather than ignored (CVE-2026-25537 ignored it).
    pub(crate) fn read(payload: &Object<'_>) -> Result<Self, Refusal> {
        let date = |name| match payload.get(name) {
            None => Ok(None),
            Some(Json::Number(text)) => match text.parse() {
                Ok(seconds) if (0.0..=LATEST).contains(&seconds) => Ok(Some(seconds)),
                _ => Err(Refusal::MalformedClaim),
            },
            Some(_) => Err(Refusal::MalformedClaim),
        };
        Ok(Self {
            expires_at: date("exp")?.ok_or(Refusal::MissingClaim)?,
            not_before: date("nbf")?,
            issued_at: date("iat")?,
        })
    }
}

/// How an issuer's times are compared with the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimeRules {
    pub(crate) leeway: Duration,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_lifetime: Option<Duration>,
}

impl TimeRules {
    /// `now` is the time since the Unix epoch.
    pub(crate) fn check(&self, times: &Times, now: Duration) -> Result<(), Refusal> {
        let (now, leeway) = (now.as_secs_f64(), self.leeway.as_secs_f64());
        if now >= times.expires_at + leeway {
            return Err(Refusal::Expired);
        }
        if times.not_before.is_some_and(|start| start > now + leeway) {
            return Err(Refusal::NotYetValid);
        }
        if times.issued_at.is_some_and(|issued| issued > now + leeway) {
            return Err(Refusal::IssuedInFuture);
        }
        if let Some(max_age) = self.max_age {
            let issued = times.issued_at.ok_or(Refusal::MissingClaim)?;
            if now > issued + max_age.as_secs_f64() + leeway {
                return Err(Refusal::TooOld);
            }
        }
        if let Some(max_lifetime) = self.max_lifetime {
            let issued = times.issued_at.ok_or(Refusal::MissingClaim)?;
            if times.expires_at - issued > max_lifetime.as_secs_f64() {
                return Err(Refusal::LifetimeTooLong);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: TimeRules = TimeRules {
        leeway: Duration::from_secs(30),
        max_age: None,
        max_lifetime: None,
    };

    fn times(payload: &str) -> Result<Times, Refusal> {
        Times::read(&Object::parse(payload, Vec::new()).unwrap())
    }

    fn check(rules: TimeRules, payload: &str, now: f64) -> Result<(), Refusal> {
        rules.check(&times(payload).unwrap(), Duration::from_secs_f64(now))
    }

    #[test]
    fn a_date_is_a_number_in_range_and_nothing_else() {
        for good in ["0", "1.5", "253402300799", "1e3", "-0"] {
            assert!(times(&format!(r#"{{"exp":{good}}}"#)).is_ok(), "{good}");
        }
        let bad = [
            r#""1000""#,
            "null",
            "true",
            "[1]",
            "{}",
            "-1",
            "-0.5",
            "253402300800",
            "1e300",
            r#""""#,
        ];
        for bad in bad {
            for name in ["exp", "nbf", "iat"] {
                let payload = match name {
                    "exp" => format!(r#"{{"exp":{bad}}}"#),
                    _ => format!(r#"{{"exp":1000,"{name}":{bad}}}"#),
                };
                assert_eq!(times(&payload), Err(Refusal::MalformedClaim), "{payload}");
            }
        }
        assert_eq!(times("{}"), Err(Refusal::MissingClaim));
    }

    #[test]
    fn each_edge_is_where_rfc_7519_and_the_leeway_put_it() {
        let cases = [
            (r#"{"exp":1000}"#, 1029.9, Ok(())),
            (r#"{"exp":1000}"#, 1030.0, Err(Refusal::Expired)),
            (r#"{"exp":1000.5}"#, 1030.4, Ok(())),
            (r#"{"exp":0}"#, 1000.0, Err(Refusal::Expired)),
            (r#"{"exp":5000,"nbf":1000}"#, 970.0, Ok(())),
            (
                r#"{"exp":5000,"nbf":1000}"#,
                969.9,
                Err(Refusal::NotYetValid),
            ),
            (r#"{"exp":5000,"iat":1000}"#, 970.0, Ok(())),
            (
                r#"{"exp":5000,"iat":1000}"#,
                969.9,
                Err(Refusal::IssuedInFuture),
            ),
            (r#"{"exp":1000,"nbf":2000}"#, 1500.0, Err(Refusal::Expired)),
        ];
        for (payload, now, expected) in cases {
            assert_eq!(check(RULES, payload, now), expected, "{payload} at {now}");
        }
    }

    #[test]
    fn a_maximum_age_and_lifetime_need_the_time_of_issue() {
        let aged = TimeRules {
            max_age: Some(Duration::from_secs(100)),
            ..RULES
        };
        let short = TimeRules {
            max_lifetime: Some(Duration::from_secs(100)),
            ..RULES
        };
        let cases = [
            (aged, r#"{"exp":5000,"iat":1000}"#, Ok(())),
            (aged, r#"{"exp":5000,"iat":969}"#, Err(Refusal::TooOld)),
            (aged, r#"{"exp":5000}"#, Err(Refusal::MissingClaim)),
            (short, r#"{"exp":1200,"iat":1100}"#, Ok(())),
            (
                short,
                r#"{"exp":1201,"iat":1100}"#,
                Err(Refusal::LifetimeTooLong),
            ),
            (short, r#"{"exp":1200}"#, Err(Refusal::MissingClaim)),
        ];
        for (rules, payload, expected) in cases {
            assert_eq!(check(rules, payload, 1100.0), expected, "{payload}");
        }
    }
}
