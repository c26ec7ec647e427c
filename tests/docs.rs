//! The README is short, and what it and docs/ point to is there: files, headings, and the paths in blocks of code.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

const README_LINES: usize = 200;
/// How a path of this repository begins in a block of code.
const PATHS: [&str; 3] = ["./", "scripts/", "examples/"];

/// A page, its blocks of code apart.
struct Page {
    /// From the repository on.
    path: PathBuf,
    text: Vec<String>,
    code: Vec<String>,
}

impl Page {
    fn read(path: &Path) -> Self {
        let content = fs::read_to_string(root().join(path)).expect("a page");
        Self::parse(path, &content)
    }

    fn parse(path: &Path, content: &str) -> Self {
        let (mut text, mut code) = (Vec::new(), Vec::new());
        let mut is_code = false;
        for line in content.lines() {
            if line.trim_start().starts_with("```") {
                is_code = !is_code;
            } else if is_code {
                code.push(line.to_owned());
            } else {
                text.push(line.to_owned());
            }
        }
        let path = path.to_owned();
        Self { path, text, code }
    }

    /// Where its links and images lead, but for other hosts.
    fn links(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.iter();
        let targets = lines.flat_map(|line| line.split("](").skip(1));
        let targets = targets.filter_map(|rest| rest.split(')').next());
        targets.filter(|target| !target.contains("://"))
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> Vec<String> {
        let mut seen = BTreeMap::new();
        let headings = self.text.iter().filter(|line| line.starts_with('#'));
        let anchors = headings.map(|line| anchor(line.trim_start_matches('#')));
        let numbered = anchors.map(|anchor| {
            let before = seen.entry(anchor.clone()).or_insert(0);
            *before += 1;
            match *before - 1 {
                0 => anchor,
                number => format!("{anchor}-{number}"),
            }
        });
        numbered.collect()
    }

    /// The paths of this repository in its blocks of code.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let words = self.code.iter().flat_map(|line| line.split_whitespace());
        let words = words.map(|word| word.trim_matches(['"', '\'', '`', ':', ',', ';', ')', '(']));
        words.filter(|word| PATHS.iter().any(|begin| word.starts_with(begin)))
    }

    /// What it points to and is not there.
    fn mistakes(&self) -> Vec<String> {
        let links = self.links().filter(|link| !self.leads_somewhere(link));
        let paths = self.paths().filter(|path| !root().join(path).exists());
        let missing = links.chain(paths);
        missing
            .map(|target| format!("{}: {target}", self.path.display()))
            .collect()
    }

    fn leads_somewhere(&self, link: &str) -> bool {
        let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
        if file.is_empty() {
            return self.has(anchor);
        }
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let path = folder.join(file);
        root().join(&path).exists() && (anchor.is_empty() || Self::read(&path).has(anchor))
    }

    fn has(&self, anchor: &str) -> bool {
        self.anchors().iter().any(|known| known == anchor)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Lower case, dashes for spaces, and no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter_map(|character| match character {
        ' ' => Some('-'),
        '-' | '_' => Some(character),
        _ => character.is_alphanumeric().then_some(character),
    });
    kept.flat_map(char::to_lowercase).collect()
}

/// The README first.
fn pages() -> Vec<Page> {
    let entries = fs::read_dir(root().join("docs")).expect("docs/");
    let names = entries.map(|entry| Path::new("docs").join(entry.expect("an entry").file_name()));
    let mut docs: Vec<_> = names
        .filter(|name| name.extension().is_some_and(|end| end == "md"))
        .collect();
    docs.sort();
    docs.insert(0, "README.md".into());
    docs.iter().map(|path| Page::read(path)).collect()
}

#[test]
fn the_readme_is_short() {
    let content = fs::read_to_string(root().join("README.md")).expect("the README");
    let lines = content.lines().count();
    assert!(lines <= README_LINES, "{lines} lines, {README_LINES} at most");
}

#[test]
fn the_readme_leads_to_every_page() {
    let pages = pages();
    let linked: Vec<_> = pages[0].links().map(Path::new).collect();
    let lost: Vec<_> = pages[1..]
        .iter()
        .map(|page| &page.path)
        .filter(|path| !linked.contains(&path.as_path()))
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn all_that_is_pointed_to_is_there() {
    let mistakes: Vec<_> = pages().iter().flat_map(Page::mistakes).collect();
    assert!(mistakes.is_empty(), "not there:\n{}", mistakes.join("\n"));
}

#[test]
fn what_is_not_there_is_told() {
    let content = "# A heading: `one`, two_3\n# Again\n# Again\n\
        [a](#a-heading-one-two_3) [b](#again-1) [c](elements.md) [d](../src#) [e](https://nowhere.invalid/#f)\n\
        ![g](no.png) [h](#no) [i](elements.md#no)\n\
        ```sh\n./launch.sh --config examples/no.json; scripts/no.sh\n./launch.sh, \"./no\": [j](#no)\n```\n";
    let page = Page::parse(Path::new("docs/page.md"), content);
    let expected = [
        "no.png",
        "#no",
        "elements.md#no",
        "examples/no.json",
        "scripts/no.sh",
        "./no",
    ];
    assert_eq!(
        page.mistakes(),
        expected.map(|target| format!("docs/page.md: {target}"))
    );
}
