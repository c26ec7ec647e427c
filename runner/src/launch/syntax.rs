//! Launch syntax: chains of elements, their names, and how words are quoted.

/// The name of the element that paints the clock.
pub(crate) const SOURCE_NAME: &str = "source";

/// The name of the element that makes packets of the picture, as gst-rtsp-server looks for it.
pub(crate) const PICTURE_PAYLOADER: &str = "pay0";

/// The name of the element that makes packets of the sound.
pub(crate) const SOUND_PAYLOADER: &str = "pay1";

/// Elements in order, each as its words: the name and the properties, in launch syntax.
pub(super) type Chain = Vec<Vec<String>>;

/// A text as the value of a property in a launch string, whatever is in it.
pub(super) fn launch_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

/// A word as a POSIX shell takes it, quoted where it needs to be.
pub(super) fn shell_quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use gst::prelude::*;

    use super::*;

    /// `filesrc location` is a property of type string in an element that comes with the core.
    #[test]
    fn any_text_survives_launch_syntax() {
        gst::init().unwrap();
        for text in [
            "plain",
            "",
            "a b",
            "! x",
            "it's",
            r#"a"b"#,
            r"a\b",
            r#"\""#,
            "a=b, c;d",
            "(x) [y] {z}",
            "שלום é",
        ] {
            let launch = format!(
                "( filesrc name=here location={} ! fakesink )",
                launch_quoted(text)
            );
            let bin = gst::parse::launch(&launch).unwrap_or_else(|error| panic!("{launch}: {error}"));
            let element = bin.downcast::<gst::Bin>().unwrap().by_name("here").unwrap();
            let location = element.property::<Option<String>>("location").unwrap_or_default();
            assert_eq!(location, text, "{launch}");
        }
    }

    /// A POSIX shell takes the line apart into the words that it was made of.
    #[test]
    fn any_word_survives_the_shell() {
        for word in [
            "plain",
            "",
            "a b",
            "!",
            "it's",
            r#"option-string="scenecut=0""#,
            "$HOME",
            "a\\b",
            "*",
            "(x)",
        ] {
            let script = format!("printf %s {}", shell_quoted(word));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{script}");
        }
    }
}
