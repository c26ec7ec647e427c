//! Which characters a picture is to show that no installed font has.

use std::collections::BTreeSet;

use clockface::Fonts;

use super::{
    keys::{CLIENTS_FORMAT, LABEL, TIME_FORMAT},
    scope::Scope,
};

/// Warnings of characters that will be boxes, a sentence each.
pub(super) fn warnings(scopes: &[Scope]) -> Vec<String> {
    let texts: BTreeSet<Text> = scopes.iter().flat_map(texts).collect();
    if texts.is_empty() {
        return Vec::new();
    }
    // If there is no font at all, the server says so when it starts.
    let Ok(fonts) = Fonts::new() else {
        return Vec::new();
    };
    let warning = |text: Text| {
        let missing = fonts.missing(text.font, &[text.words])?;
        Some(format!("{}: {missing}", text.place))
    };
    texts.into_iter().filter_map(warning).collect()
}

/// A text that has other characters than those that every font has.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a> {
    /// Where the text stands in the file.
    place: String,
    font: &'a str,
    words: &'a str,
}

/// The texts of a picture that the server makes; of those in a `pipeline`, the element itself warns.
fn texts(scope: &Scope) -> impl Iterator<Item = Text<'_>> {
    let look = &scope.draft.stream.look;
    let texts = [
        (LABEL, scope.draft.label.0.as_str()),
        (TIME_FORMAT, &look.time_format),
        (CLIENTS_FORMAT, &look.clients_format),
    ];
    let is_shown = scope.draft.stream.pipeline.is_none();
    let unusual = texts
        .into_iter()
        .filter(move |(_, text)| is_shown && !text.is_ascii());
    unusual.map(|(key, text)| Text {
        place: scope.place(key),
        font: &look.font,
        words: text,
    })
}
