//! Every file, test and page that a page names is there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// What is built, installed or made up by machines.
const NOT_OURS: [&str; 6] = [
    ".git",
    "artifacts",
    "corpus",
    "node_modules",
    "target",
    "target-fuzz",
];

/// Where all that is named from the top begins.
const TOP: [&str; 5] = [".ci/", "crates/", "docs/", "examples/", "tests/"];

struct Repository {
    root: PathBuf,
    /// Relative to the root, with `/`.
    files: Vec<String>,
}

impl Repository {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a folder above")
            .to_owned();
        let mut files = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let is_ours = |name: &OsStr| NOT_OURS.iter().all(|other| name != *other);
                if path.is_dir() && path.file_name().is_some_and(is_ours) {
                    folders.push(path);
                } else if let Ok(inside) = path.strip_prefix(&root) {
                    files.push(inside.to_string_lossy().replace('\\', "/"));
                }
            }
        }
        Self { root, files }
    }

    fn pages(&self) -> impl Iterator<Item = Page> {
        let is_page = |file: &&String| Path::new(file).extension().is_some_and(|one| one == "md");
        let pages = self.files.iter().filter(is_page);
        pages.map(|name| Page {
            name: name.clone(),
            text: without_blocks(&self.text(name).expect("a page")),
        })
    }

    fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.root.join(file)).ok()
    }

    /// Whether there is such a file or folder: from the top where the path says so, else anywhere.
    fn has(&self, path: &str) -> bool {
        if TOP.iter().any(|top| format!("{path}/").starts_with(top))
            && self.root.join(path).exists()
        {
            return true;
        }
        let inside = format!("/{path}");
        self.files
            .iter()
            .any(|file| file == path || file.ends_with(&inside))
    }
}

struct Page {
    name: String,
    /// Without blocks of code.
    text: String,
}

impl Page {
    /// What stands between backticks.
    fn code(&self) -> impl Iterator<Item = &str> {
        self.text.split('`').skip(1).step_by(2)
    }

    /// The `path::function`s that it names.
    fn tests(&self) -> impl Iterator<Item = (&str, &str)> {
        self.code().filter_map(|code| code.split_once(".rs::"))
    }

    /// The files and folders that it names. A pattern names none.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let is_path = |one: char| one.is_ascii_alphanumeric() || "./_-".contains(one);
        self.code().filter(move |code| {
            let is_named = [".rs", ".md"].iter().any(|end| code.ends_with(end))
                || TOP.iter().any(|top| code.starts_with(top));
            is_named && code.chars().all(is_path)
        })
    }

    /// Where its links lead inside of the repository.
    fn links(&self) -> impl Iterator<Item = &str> {
        let inline = self.text.split("](").skip(1);
        let inline = inline.filter_map(|rest| rest.split([')', ' ']).next());
        let defined = self.text.lines().filter_map(|line| {
            let (_, target) = line.strip_prefix('[')?.split_once("]: ")?;
            target.split(' ').next()
        });
        let is_elsewhere = |link: &&str| link.contains("://") || link.starts_with("mailto:");
        inline
            .chain(defined)
            .filter(move |link| !is_elsewhere(link))
    }
}

fn without_blocks(text: &str) -> String {
    let mut is_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The names that headings get as targets of links.
fn anchors(text: &str) -> Vec<String> {
    let text = without_blocks(text);
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |one: &char| one.is_alphanumeric() || " -_".contains(*one);
            title
                .chars()
                .filter(kept)
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect()
}

/// The path of `link`, as it stands in `page`, from the top; `None` if it leads out of the repository.
fn target(page: &str, link: &str) -> Option<PathBuf> {
    let mut path = Path::new(page).to_owned();
    path.pop();
    for component in Path::new(link).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(name) => path.push(name),
            Component::ParentDir if path.pop() => {}
            _ => return None,
        }
    }
    Some(path)
}

fn assert_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_test_that_a_page_names_exists() {
    let repository = Repository::read();
    let (mut wrong, mut of_threats) = (Vec::new(), 0);
    for page in repository.pages() {
        for (path, name) in page.tests() {
            of_threats += usize::from(page.name == "docs/threat-model.md");
            let source = repository.text(&format!("{path}.rs")).unwrap_or_default();
            let is_test = source.contains("#[test]") || source.contains("#[tokio::test");
            if !is_test || !source.contains(&format!("fn {name}(")) {
                wrong.push(format!("{} names {path}.rs::{name}", page.name));
            }
        }
    }
    assert_none(&wrong);
    assert!(
        of_threats >= 60,
        "the threat model names {of_threats} tests"
    );
}

#[test]
fn every_file_that_a_page_names_exists() {
    let repository = Repository::read();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in repository.pages() {
        for path in page.paths() {
            count += 1;
            // Beside the page, or one up, as `../tests/` is meant.
            let inside = path.trim_start_matches("../").trim_end_matches('/');
            let is_beside =
                target(&page.name, path).is_some_and(|path| repository.root.join(path).exists());
            if !is_beside && !repository.has(inside) {
                wrong.push(format!("{} names {path}", page.name));
            }
        }
    }
    assert_none(&wrong);
    assert!(count >= 20, "{count} files are named");
}

#[test]
fn every_link_inside_the_repository_leads_somewhere() {
    let repository = Repository::read();
    let (mut wrong, mut count) = (Vec::new(), 0);
    for page in repository.pages() {
        for link in page.links() {
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let file = match path {
                "" => Some(PathBuf::from(&page.name)),
                path => target(&page.name, path),
            };
            let leads = file.is_some_and(|file| {
                let text = fs::read_to_string(repository.root.join(&file)).unwrap_or_default();
                repository.root.join(&file).exists()
                    && (anchor.is_empty() || anchors(&text).iter().any(|one| one == anchor))
            });
            if !leads {
                wrong.push(format!("{} links to {link}", page.name));
            }
        }
    }
    assert_none(&wrong);
    assert!(count >= 30, "{count} links");
}

#[test]
fn what_leads_nowhere_is_found() {
    let page = Page {
        name: "docs/a.md".into(),
        text: without_blocks(
            "[a](b.md#c) `d.rs` `crates/*/x.rs` `e f.rs` `docs/g`\n```\n`h.rs`\n```\n`i.rs::j`\n[k]: ../l\n[m](https://n.test/o)",
        ),
    };
    assert_eq!(page.links().collect::<Vec<_>>(), ["b.md#c", "../l"]);
    assert_eq!(page.paths().collect::<Vec<_>>(), ["d.rs", "docs/g"]);
    assert_eq!(page.tests().collect::<Vec<_>>(), [("i", "j")]);
    assert_eq!(anchors("# A b, `c`-d\n```\n# no\n```"), ["a-b-c-d"]);
    assert_eq!(target("docs/a.md", "../l"), Some("l".into()));
    assert_eq!(target("docs/a.md", "../../l"), None);
    let repository = Repository::read();
    assert!(repository.has("tests/tests/docs.rs") && repository.has("docs.rs"));
    assert!(!repository.has("ocs.rs") && !repository.has("tests/nothing"));
}
