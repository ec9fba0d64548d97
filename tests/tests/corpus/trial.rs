//! One case before its judge: the good token first, then the case in each of its variations.

use axum::http::HeaderMap;
use countersign::{DenialKind, FetchFailure, Refusal};

use crate::cases::{Case, Draft, Group, Sent, Stage};
use crate::judge::{Decided, Judge, bearer, headers};

/// What must come of one way to send a case.
struct Expected {
    kind: DenialKind,
    fetches: usize,
}

const fn refused(refusal: Refusal, fetches: usize) -> Expected {
    Expected {
        kind: DenialKind::InvalidToken(refusal),
        fetches,
    }
}

/// What is wrong with how a group's cases were judged, a line each.
pub(crate) async fn of_group(group: &Group) -> Vec<String> {
    let judge = match Judge::of(group).await {
        Ok(judge) => judge,
        Err(error) => return vec![format!("{}: not built: {error}", group.section)],
    };
    let mut wrong = Vec::new();
    let (_, status) = &judge.authenticator.status()[0];
    let failure = status.last_error.map(FetchFailure::as_str);
    if failure != group.failure {
        wrong.push(format!(
            "{}: {failure:?}, not {:?}",
            group.section, group.failure
        ));
    }
    let skipped: Vec<_> = status
        .skipped
        .iter()
        .map(|key| (key.index, key.reason.as_str()))
        .collect();
    if skipped != group.skipped {
        wrong.push(format!(
            "{}: keys skipped: {skipped:?}, not {:?}",
            group.section, group.skipped
        ));
    }
    for case in &group.cases {
        let mut trial = Trial {
            judge: &judge,
            group,
            case,
            wrong: Vec::new(),
        };
        trial.run().await;
        wrong.extend(trial.wrong);
    }
    wrong.extend(
        judge
            .network
            .elsewhere()
            .into_iter()
            .map(|url| format!("{}: fetched {url}", group.section)),
    );
    wrong
}

struct Trial<'a> {
    judge: &'a Judge,
    group: &'a Group,
    case: &'a Case,
    wrong: Vec<String>,
}

impl Trial<'_> {
    async fn run(&mut self) {
        let Case {
            sent,
            expected,
            stage,
            ..
        } = self.case;
        match &self.group.good {
            Some(good) => {
                let twin = self.case.twin.as_ref().unwrap_or(good);
                self.expect_a_pass(twin).await;
            }
            None => assert_eq!(*stage, Stage::NoKeys, "a group without a good token"),
        }
        let expected = Expected {
            kind: *expected,
            fetches: usize::from(matches!(stage, Stage::UnknownKey | Stage::NoKeys)),
        };
        match sent {
            Sent::Headers(sent) => self.expect("as sent", &headers(sent), &expected).await,
            Sent::Token(draft) => self.expect_of_token(draft, expected).await,
        }
    }

    async fn expect_a_pass(&mut self, good: &Draft) {
        let headers = bearer(&good.text()).expect("a good token fits into a header");
        let decided = self.judge.decide(&headers).await;
        let fetches = decided.fetches;
        let kind = self.guarded(decided);
        if kind.is_some() || fetches > 0 {
            self.fail("the good token", &format!("{kind:?}, {fetches} fetches"));
        }
    }

    async fn expect_of_token(&mut self, draft: &Draft, expected: Expected) {
        self.expect_text("as it is", &draft.text(), &expected).await;
        let stage = self.case.stage;
        let with_a_bad_signature = match stage {
            Stage::Claims => refused(Refusal::BadSignature, 0),
            _ => Expected { ..expected },
        };
        if let Some(text) = draft.with_a_bad_signature() {
            self.expect_text("badly signed", &text, &with_a_bad_signature)
                .await;
        }
        let with_an_unknown_key = match stage {
            Stage::Cheap => expected,
            Stage::Claims | Stage::Signature => refused(Refusal::UnknownKey, 1),
            Stage::KeyMismatch | Stage::UnknownKey | Stage::NoKeys => return,
        };
        if let Some(text) = draft.with_an_unknown_key() {
            self.expect_text("of an unknown key", &text, &with_an_unknown_key)
                .await;
        }
    }

    /// By the header, and without one.
    async fn expect_text(&mut self, how: &str, text: &str, expected: &Expected) {
        if let Some(headers) = bearer(text) {
            self.expect(how, &headers, expected).await;
        }
        if self.group.guard.is_some() && self.case.stage == Stage::Claims {
            return;
        }
        let kind = self
            .judge
            .verify(text)
            .await
            .err()
            .map(|denied| denied.kind());
        if kind != Some(expected.kind) {
            let expected = expected.kind;
            self.fail(how, &format!("{kind:?} without HTTP, not {expected:?}"));
        }
    }

    async fn expect(&mut self, how: &str, headers: &HeaderMap, expected: &Expected) {
        let decided = self.judge.decide(headers).await;
        let (fetches, at_once) = (decided.fetches, decided.at_once);
        let kind = self.guarded(decided);
        if kind != Some(expected.kind) {
            self.fail(how, &format!("{kind:?}, not {:?}", expected.kind));
        }
        if fetches != expected.fetches {
            self.fail(how, &format!("{fetches} fetches, not {}", expected.fetches));
        }
        if at_once != (expected.fetches == 0) {
            self.fail(how, &format!("decided at once: {at_once}"));
        }
    }

    /// The denial, by the group's guard where the token was accepted.
    fn guarded(&self, decided: Decided) -> Option<DenialKind> {
        let guard = self.group.guard.unwrap_or(|_| Ok(()));
        let result = decided.result.and_then(|principal| guard(&principal));
        result.err().map(|denied| denied.kind())
    }

    fn fail(&mut self, how: &str, what: &str) {
        let Case { name, rule, .. } = self.case;
        let section = self.group.section;
        self.wrong
            .push(format!("{section}: {name} ({rule}), {how}: {what}"));
    }
}
