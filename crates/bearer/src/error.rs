use std::fmt;
use std::sync::Arc;

use countersign_jwks::JwksError;

/// Everything that is wrong with a configuration, all of it at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    problems: Vec<Problem>,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The setting's path, such as `issuers[1].algorithms[0]`.
    pub path: String,
    /// What is wrong with it.
    pub message: String,
}

impl Problem {
    /// A problem with the setting at this path.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl ConfigError {
    /// An error of these problems, if there are any.
    pub fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self { problems })
        }
    }

    /// Each of the problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl From<Problem> for ConfigError {
    fn from(problem: Problem) -> Self {
        Self {
            problems: vec![problem],
        }
    }
}

/// One line for each problem.
impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            fmt::Display::fmt(problem, f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

/// Why an authenticator could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The settings do not make sense; nothing was fetched.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys of a required issuer could not be had in time.
    #[error("no keys of the required issuer {issuer:?}: {source}")]
    Keys {
        /// The issuer's name.
        issuer: Arc<str>,
        /// What happened.
        source: JwksError,
    },
    /// The issuer was removed or replaced by somebody else while its keys were waited for; nothing was changed.
    #[error("the issuer {issuer:?} was changed by somebody else meanwhile")]
    Overtaken {
        /// The issuer's name.
        issuer: Arc<str>,
    },
}
