use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Problem;

/// One table of a configuration, read member by member: what is wrong is noted with its path, and reading goes
/// on, so that all problems are found at once.
pub(super) struct Table<'p> {
    path: String,
    members: Map<String, Value>,
    problems: &'p mut Vec<Problem>,
}

impl<'p> Table<'p> {
    /// A table at this path; another value is noted and read as an empty table.
    pub(super) fn new(path: String, value: Value, problems: &'p mut Vec<Problem>) -> Self {
        let members = if let Value::Object(members) = value {
            members
        } else {
            problems.push(Problem::new(&path, "must be a table"));
            Map::new()
        };
        Self {
            path,
            members,
            problems,
        }
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.members.remove(name)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// The names of what has not been read yet.
    pub(super) fn names(&self) -> Vec<String> {
        self.members.keys().cloned().collect()
    }

    /// A nested table, if it is there.
    pub(super) fn table(&mut self, name: &str) -> Option<Table<'_>> {
        let value = self.take(name)?;
        Some(Table::new(self.path_of(name), value, self.problems))
    }

    /// The elements of an array, each with its path.
    pub(super) fn elements(&mut self, name: &str) -> Option<Vec<(String, Value)>> {
        match self.take(name)? {
            Value::Array(elements) => Some(
                elements
                    .into_iter()
                    .enumerate()
                    .map(|(index, value)| (format!("{}[{index}]", self.path_of(name)), value))
                    .collect(),
            ),
            _ => self.problem(name, "must be an array"),
        }
    }

    pub(super) fn string(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => self.problem(name, "must be a string"),
        }
    }

    /// A string that must be there.
    pub(super) fn required_string(&mut self, name: &str) -> Option<String> {
        if self.members.contains_key(name) {
            self.string(name)
        } else {
            self.problem(name, "is missing")
        }
    }

    pub(super) fn strings(&mut self, name: &str) -> Option<Vec<String>> {
        self.parsed_elements(name, |value| {
            let text = value.as_str().map(String::from);
            text.ok_or_else(|| "must be a string".into())
        })
    }

    /// The elements of an array, each read by `parse`; those that cannot be read are noted and left out.
    pub(super) fn parsed_elements<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let mut parsed = Vec::new();
        let elements = self.elements(name)?;
        for (path, value) in elements {
            match parse(&value) {
                Ok(value) => parsed.push(value),
                Err(message) => self.problems.push(Problem::new(path, message)),
            }
        }
        Some(parsed)
    }

    /// A value read by `parse`.
    pub(super) fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Option<T> {
        let value = self.take(name)?;
        parse(&value).map_or_else(|message| self.problem(name, message), Some)
    }

    pub(super) fn number(&mut self, name: &str) -> Option<u64> {
        self.parsed(name, |value| {
            value
                .as_u64()
                .ok_or_else(|| "must be a whole number".into())
        })
    }

    pub(super) fn seconds(&mut self, name: &str) -> Option<Duration> {
        self.number(name).map(Duration::from_secs)
    }

    pub(super) fn flag(&mut self, name: &str) -> bool {
        let flag = self.parsed(name, |value| {
            value
                .as_bool()
                .ok_or_else(|| "must be true or false".into())
        });
        flag.unwrap_or(false)
    }

    /// What has not been read yet, in the table's order.
    pub(super) fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.members)
    }

    /// Notes a problem with a member, of which there is then no value.
    fn problem<T>(&mut self, name: &str, message: impl Into<String>) -> Option<T> {
        self.note(name, message);
        None
    }

    /// Notes a problem with a member.
    pub(super) fn note(&mut self, name: &str, message: impl Into<String>) {
        self.problems
            .push(Problem::new(self.path_of(name), message));
    }

    /// Notes every member that nobody has read.
    pub(super) fn finish(mut self) {
        for (name, _) in self.rest() {
            self.note(&name, "is not a known setting");
        }
    }

    fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}
