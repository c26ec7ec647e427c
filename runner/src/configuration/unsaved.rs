//! What was changed and is not in the file.

use std::collections::BTreeSet;

/// How many changes are remembered, each in a few words.
const MOST: usize = 100;

/// The changes that are not in the file, as far as they are remembered.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    changes: BTreeSet<String>,
    /// Whether there are more than are remembered.
    are_more: bool,
}

impl Unsaved {
    /// Remembers a change, while there are not too many.
    pub(super) fn add(&mut self, change: String) {
        if self.changes.len() < MOST {
            self.changes.insert(change);
        } else {
            self.are_more |= !self.changes.contains(&change);
        }
    }

    /// The changes, and whether there were more, a line each.
    pub(super) fn into_lines(self) -> impl Iterator<Item = String> {
        let more = self.are_more.then(|| "more than that".into());
        self.changes.into_iter().chain(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_changes_there_are_few_are_remembered() {
        let mut unsaved = Unsaved::default();
        for number in (0..MOST).chain(0..MOST) {
            unsaved.add(format!("label of cam{number}"));
        }
        assert_eq!(unsaved.changes.len(), MOST);
        assert!(!unsaved.are_more);
        for number in 0..10 * MOST {
            unsaved.add(format!("logo of cam{number}"));
        }
        let lines: Vec<_> = unsaved.into_lines().collect();
        assert_eq!(lines.len(), MOST + 1);
        assert_eq!(lines.last().map(String::as_str), Some("more than that"));
    }
}
