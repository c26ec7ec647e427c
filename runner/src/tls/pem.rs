//! PEM (RFC 7468): blocks between lines with five dashes, in a file that may have other things as well.

use std::{io, path::Path};

/// The blocks of the file whose label is `label`, or ends with it: a `PRIVATE KEY`, an `EC PRIVATE KEY` and so on. Empty
/// where there is none.
///
/// # Errors
/// When it is no file of a reasonable size, or cannot be read.
pub(crate) fn read(path: &Path, label: &str) -> io::Result<String> {
    let bytes = clockface::file::read(path)?;
    Ok(blocks(&String::from_utf8_lossy(&bytes), label))
}

/// The blocks in `text`. A block without its last line goes on to the end: whoever takes it apart can say better what
/// is wrong.
fn blocks(text: &str, label: &str) -> String {
    let mut blocks = String::new();
    let mut is_within = false;
    for line in text.lines().map(str::trim_end) {
        is_within |= is_bound(line, "-----BEGIN ", label);
        if is_within {
            blocks.push_str(line);
            blocks.push('\n');
        }
        is_within &= !is_bound(line, "-----END ", label);
    }
    blocks
}

fn is_bound(line: &str, dashes: &str, label: &str) -> bool {
    line.strip_prefix(dashes)
        .and_then(|line| line.strip_suffix("-----"))
        .is_some_and(|what| what == label || what.strip_suffix(label).is_some_and(|kind| kind.ends_with(' ')))
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn blocks_of_one_label_are_found_among_others() {
        let text = "subject=/CN=x\r\n-----BEGIN EC PRIVATE KEY-----\r\nk\r\n-----END EC PRIVATE KEY-----\r\n\
                    -----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----\nnotes\n\
                    -----BEGIN CERTIFICATE-----\nb\n-----END CERTIFICATE-----\n";
        assert_eq!(
            blocks(text, "PRIVATE KEY"),
            "-----BEGIN EC PRIVATE KEY-----\nk\n-----END EC PRIVATE KEY-----\n"
        );
        assert_eq!(
            blocks(text, "CERTIFICATE"),
            "-----BEGIN CERTIFICATE-----\na\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nb\n-----END \
             CERTIFICATE-----\n"
        );
        assert_eq!(blocks("-----BEGIN TRUSTED-----\nx", "CERTIFICATE"), "");
    }
}
