//! The lines that tell how a measurement goes while it runs: one a URL, on a terminal only.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use crate::report::clean;

/// How one stream does.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "each name says it")]
pub struct Progress {
    pub url: String,
    /// Since the stream was asked for.
    pub elapsed: Duration,
    /// How long it is to be measured, where that is known.
    pub of: Option<Duration>,
    pub pictures: u64,
    pub readings: u64,
    pub frames_per_second: Option<f64>,
    /// In ms: of the last picture, the median, and what 99 % keep.
    pub latency: Option<(f64, f64, f64)>,
    pub lost: u64,
    pub frozen: u64,
    pub ended: bool,
    /// Its connection has ended, and it is asked again.
    pub away: bool,
}

/// One line, without its end.
#[must_use]
pub(crate) fn line(progress: &Progress) -> String {
    let mut parts = vec![clean(&progress.url), time(progress)];
    if progress.pictures == 0 {
        parts.push(
            if progress.ended {
                "nothing came"
            } else {
                "waiting for a picture"
            }
            .into(),
        );
        return parts.join("  ");
    }
    if progress.away {
        parts.push("away".into());
    }
    parts.extend(progress.frames_per_second.map(|fps| format!("{fps:.1} fps")));
    if progress.readings == 0 {
        parts.push("no stamp read".into());
        return parts.join("  ");
    }
    if let Some((now, p50, p99)) = progress.latency {
        parts.push(format!("latency {now:.0} ms (p50 {p50:.0}, p99 {p99:.0})"));
    }
    parts.push(format!("lost {}  frozen {}", progress.lost, progress.frozen));
    parts.join("  ")
}

fn time(progress: &Progress) -> String {
    let seconds = progress.elapsed.as_secs();
    match (progress.ended, progress.of) {
        (true, _) => "ended".into(),
        (false, Some(of)) => format!("{seconds} of {} s", of.as_secs_f64()),
        (false, None) => format!("{seconds} s"),
    }
}

/// The lines as they stand on the terminal.
#[derive(Debug)]
pub(crate) struct Lines<W> {
    output: W,
    drawn: usize,
}

impl Lines<io::Stderr> {
    /// On stderr, if it is a terminal.
    #[must_use]
    pub(crate) fn on_terminal() -> Option<Self> {
        let stderr = io::stderr();
        stderr.is_terminal().then(|| Self::new(stderr))
    }
}

impl<W: Write> Lines<W> {
    /// On a terminal that understands ECMA-48.
    pub(crate) fn new(output: W) -> Self {
        Self { output, drawn: 0 }
    }

    /// Draws them anew over those that stand there. A terminal that is gone takes nothing from the measurement.
    pub(crate) fn draw(&mut self, streams: &[Progress]) {
        let _ = self.try_draw(streams);
    }

    fn try_draw(&mut self, streams: &[Progress]) -> io::Result<()> {
        self.erase()?;
        // Without wrapping, a line stays a line however narrow the terminal is.
        write!(self.output, "\x1b[?7l")?;
        for progress in streams {
            writeln!(self.output, "{}", line(progress))?;
        }
        write!(self.output, "\x1b[?7h")?;
        self.drawn = streams.len();
        self.output.flush()
    }

    /// Takes them away, for other words to stand there.
    pub(crate) fn clear(&mut self) {
        let _ = self.erase().and_then(|()| self.output.flush());
    }

    fn erase(&mut self) -> io::Result<()> {
        if self.drawn > 0 {
            write!(self.output, "\x1b[{}F\x1b[J", self.drawn)?;
            self.drawn = 0;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress() -> Progress {
        Progress {
            url: "rtsp://camera/live".into(),
            elapsed: Duration::from_secs(12),
            of: Some(Duration::from_mins(1)),
            pictures: 300,
            readings: 300,
            frames_per_second: Some(25.02),
            latency: Some((83.4, 82.0, 96.1)),
            lost: 2,
            frozen: 1,
            ended: false,
            away: false,
        }
    }

    #[test]
    fn a_line_says_how_it_goes() {
        assert_eq!(
            line(&progress()),
            "rtsp://camera/live  12 of 60 s  25.0 fps  latency 83 ms (p50 82, p99 96)  lost 2  frozen 1"
        );
    }

    #[test]
    fn a_line_says_what_is_missing() {
        let waiting = Progress {
            pictures: 0,
            of: None,
            ..progress()
        };
        assert_eq!(line(&waiting), "rtsp://camera/live  12 s  waiting for a picture");
        let unread = Progress {
            readings: 0,
            ..progress()
        };
        assert_eq!(
            line(&unread),
            "rtsp://camera/live  12 of 60 s  25.0 fps  no stamp read"
        );
    }

    #[test]
    fn lines_are_drawn_over_those_before() {
        let mut output = Vec::new();
        let mut lines = Lines::new(&mut output);
        lines.draw(&[progress(), progress()]);
        lines.draw(&[progress()]);
        lines.clear();
        let text = String::from_utf8(output).expect("text");
        assert_eq!(text.matches("\x1b[2F\x1b[J").count(), 1, "{text:?}");
        assert!(text.ends_with("\x1b[1F\x1b[J"), "{text:?}");
    }
}
