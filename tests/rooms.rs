//! Rooms have an order: what is below another does not look up. Between the modules of any one parent, what they and their
//! children import makes no circle.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::{Path, PathBuf},
    slice,
};

use syn::{Item, UseTree, Visibility};

/// The place of a module: its name and those of its parents, the outermost first; that of a crate is empty.
type Place = Vec<String>;

/// Who imports what of whom, between the modules of one parent.
type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

/// The modules of one crate, and what each imports.
#[derive(Default)]
struct Crate {
    modules: BTreeSet<Place>,
    /// Of which module, and the path of what.
    imports: Vec<(Place, Place)>,
}

impl Crate {
    /// That of a folder with a `lib.rs`.
    fn read(folder: &Path) -> Self {
        let mut read = Self::default();
        let files = files_in(folder);
        for file in &files {
            read.modules.insert(place_of(folder, file));
        }
        for file in &files {
            let text = fs::read_to_string(file).expect("a source file");
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            read.note(&place_of(folder, file), &parsed.items);
        }
        read
    }

    fn note(&mut self, module: &Place, items: &[Item]) {
        for item in items {
            // What is handed on to whoever is above is no import.
            let Item::Use(import) = item else { continue };
            let mut paths = Vec::new();
            leaves(&import.tree, &mut Vec::new(), &mut paths);
            let is_private = matches!(import.vis, Visibility::Inherited);
            let resolved = paths.iter().filter_map(|path| self.resolve(module, path));
            let resolved: Vec<_> = resolved
                .filter(|path| is_private || !path.starts_with(module))
                .collect();
            self.imports
                .extend(resolved.into_iter().map(|path| (module.clone(), path)));
        }
    }

    /// A path of a `use` line from the crate on; `None` for one of another crate.
    fn resolve(&self, module: &Place, path: &[String]) -> Option<Place> {
        let mut base = module.clone();
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (base, rest) = (Place::new(), &path[1..]),
            "self" => rest = &path[1..],
            "super" => {
                while rest.first().is_some_and(|name| name == "super") {
                    base.pop()?;
                    rest = &rest[1..];
                }
            }
            child => {
                let known = [module.as_slice(), &[child.to_owned()]].concat();
                if !self.modules.contains(&known) {
                    return None;
                }
            }
        }
        base.extend_from_slice(rest);
        Some(base)
    }

    /// The arrows between the modules of each parent.
    fn arrows(&self) -> BTreeMap<Place, Arrows> {
        let mut all: BTreeMap<Place, Arrows> = BTreeMap::new();
        for (from, to) in &self.imports {
            let common = from.iter().zip(to).take_while(|(from, to)| from == to).count();
            let (Some(here), Some(there)) = (from.get(common), to.get(common)) else {
                continue;
            };
            let parent = from[..common].to_vec();
            if !self
                .modules
                .contains(&[parent.as_slice(), slice::from_ref(there)].concat())
            {
                continue;
            }
            let item = format!("{} uses {}", from.join("::"), to.join("::"));
            let arrows = all.entry(parent).or_default();
            arrows
                .entry((here.clone(), there.clone()))
                .or_default()
                .insert(item);
        }
        all
    }
}

/// The source files below a folder.
fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn place_of(folder: &Path, file: &Path) -> Place {
    let inner = file
        .strip_prefix(folder)
        .expect("it is in the folder")
        .with_extension("");
    let mut place: Place = inner
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if place
        .last()
        .is_some_and(|name| ["lib", "main", "mod"].contains(&name.as_str()))
    {
        place.pop();
    }
    place
}

/// The paths of a `use` line. One that ends in `self` or `*` is its module's.
fn leaves(tree: &UseTree, before: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, paths);
            before.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, paths)),
        UseTree::Name(name) if name.ident == "self" => paths.push(before.clone()),
        UseTree::Glob(_) => paths.push(before.clone()),
        UseTree::Name(syn::UseName { ident }) | UseTree::Rename(syn::UseRename { ident, .. }) => {
            paths.push([before.as_slice(), &[ident.to_string()]].concat());
        }
    }
}

/// The shortest circle of the arrows, from a module back to itself.
fn shortest_circle(arrows: &Arrows) -> Option<Vec<String>> {
    let starts: BTreeSet<&String> = arrows.keys().map(|(from, _)| from).collect();
    starts
        .into_iter()
        .filter_map(|start| way_back(arrows, start))
        .min_by_key(Vec::len)
}

fn way_back(arrows: &Arrows, start: &String) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        let here = way.last()?;
        for (_, to) in arrows.keys().filter(|(from, to)| from == here && from != to) {
            let further = [way.as_slice(), slice::from_ref(to)].concat();
            if to == start {
                return Some(further);
            }
            if seen.insert(to.clone()) {
                ways.push_back(further);
            }
        }
    }
    None
}

/// What ties a circle: each step's imports, a line each.
fn told(arrows: &Arrows, circle: &[String]) -> String {
    let steps = circle
        .windows(2)
        .flat_map(|step| &arrows[&(step[0].clone(), step[1].clone())]);
    steps.map(|item| ["  ", item, "\n"].concat()).collect()
}

/// The circles of a crate, one of each parent.
fn circles(folder: &Path) -> String {
    let all = Crate::read(folder).arrows();
    let circles = all.iter().filter_map(|(parent, arrows)| {
        let circle = shortest_circle(arrows)?;
        let ties = told(arrows, &circle);
        Some(format!("{}: {}\n{ties}", parent.join("::"), circle.join(" -> ")))
    });
    circles.collect()
}

#[test]
fn no_modules_stand_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "plugin/src", "probe/src", "runner/src"] {
        let circles = circles(&root.join(folder));
        assert!(circles.is_empty(), "{folder}\n{circles}");
    }
}

#[test]
fn a_circle_is_found_and_the_shortest_one_told() {
    let arrow = |from: &str, to: &str| {
        let items = BTreeSet::from([format!("{from} uses {to}::X")]);
        ((from.to_owned(), to.to_owned()), items)
    };
    let line = Arrows::from([arrow("a", "b"), arrow("b", "c"), arrow("a", "c")]);
    assert_eq!(shortest_circle(&line), None);
    let mut long = line.clone();
    long.extend([arrow("c", "d"), arrow("d", "a")]);
    assert_eq!(
        shortest_circle(&long).map(|circle| circle.join("")),
        Some("acda".to_owned())
    );
    let mut short = long.clone();
    short.extend([arrow("d", "c")]);
    let circle = shortest_circle(&short).expect("a circle");
    assert_eq!(circle.join(""), "cdc");
    assert_eq!(told(&short, &circle), "  c uses d::X\n  d uses c::X\n");
}
