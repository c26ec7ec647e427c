//! Each picture as a row, for a spreadsheet or a data frame.
//!
//! | column | unit | what it is |
//! | --- | --- | --- |
//! | `url` | | the URL or file, as in the other reports; with an apostrophe before it where a spreadsheet would take it for a formula |
//! | `arrival_ns` | ns since the Unix epoch | when the decoded picture was at hand, by this machine's clock |
//! | `pts_ns` | ns | the picture's PTS |
//! | `packet_ns` | ns since the Unix epoch | when the last packet of the frame arrived |
//! | `instant_us` | µs since the Unix epoch | the instant that the picture shows, by the camera's clock |
//! | `latency_ms` | ms | arrival minus instant, as measured: not corrected by what the clocks are apart; empty for the first pictures, as long as they waited for the decoder to be set up |
//! | `frame` | | the frame's number |
//! | `run` | | the run of the camera; numbers of frames compare within a run only |
//! | `stream` | | the camera's id |
//! | `viewers` | | how many viewers the camera had |
//!
//! A field is empty where nothing is known of it: a picture without a readable stamp has no instant, and
//! nothing behind it.

use std::io;

use super::words;
use crate::figures::Sample;

const HEADER: [&str; 10] = [
    "url",
    "arrival_ns",
    "pts_ns",
    "packet_ns",
    "instant_us",
    "latency_ms",
    "frame",
    "run",
    "stream",
    "viewers",
];

/// Writes pictures as rows while they come.
#[derive(Debug)]
pub(crate) struct Writer<W: io::Write> {
    rows: ::csv::Writer<W>,
}

impl<W: io::Write> Writer<W> {
    /// A writer that has written the header.
    ///
    /// # Errors
    /// When `output` cannot be written to.
    pub(crate) fn new(output: W) -> io::Result<Self> {
        let mut rows = ::csv::Writer::from_writer(output);
        rows.write_record(HEADER)?;
        Ok(Self { rows })
    }

    /// Writes a picture of a URL.
    ///
    /// # Errors
    /// When the output cannot be written to.
    pub(crate) fn write(&mut self, url: &str, sample: &Sample) -> io::Result<()> {
        let known = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
        let stamp = sample.stamp.map(|stamp| {
            [
                stamp.instant.to_string(),
                words::latency(sample)
                    .map(|ms| format!("{ms:.3}"))
                    .unwrap_or_default(),
                stamp.frame.to_string(),
                stamp.run.to_string(),
                stamp.stream.to_string(),
                stamp.viewers.to_string(),
            ]
        });
        let [instant, latency, frame, run, stream, viewers] = stamp.unwrap_or_default();
        self.rows.write_record([
            &text(url),
            &sample.arrival.to_string(),
            &known(sample.pts),
            &known(sample.packet),
            &instant,
            &latency,
            &frame,
            &run,
            &stream,
            &viewers,
        ])?;
        Ok(())
    }

    /// Hands on what is still held back.
    ///
    /// # Errors
    /// When the output cannot be written to.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.rows.flush()
    }
}

/// Text from outside as a cell that stays text: no spreadsheet calculates it, no terminal obeys it.
fn text(text: &str) -> String {
    // OWASP, CSV injection; the wide forms are what input methods of East Asia write.
    const FORMULA: &[char] = &['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    let clean = words::clean(text);
    let shown =
        clean.trim_start_matches(|char: char| char.is_whitespace() || char == char::REPLACEMENT_CHARACTER);
    if shown.starts_with(FORMULA) {
        format!("'{clean}")
    } else {
        clean
    }
}

#[cfg(test)]
mod tests {
    use clockface::Stamp;

    use super::*;

    const SAMPLE: Sample = Sample {
        arrival: 1_767_225_600_081_250_999,
        packet: Some(1_767_225_600_079_000_000),
        pts: Some(40_000_000),
        stamp: Some(Stamp {
            instant: 1_767_225_600_040_000,
            frame: 7,
            viewers: 2,
            stream: 5,
            run: 99,
        }),
        joining: false,
    };

    fn written(url: &str, samples: &[Sample]) -> String {
        let mut output = Vec::new();
        let mut writer = Writer::new(&mut output).unwrap();
        for sample in samples {
            writer.write(url, sample).unwrap();
        }
        writer.flush().unwrap();
        drop(writer);
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn a_reading_is_a_row() {
        let text = written("rtsp://camera.example/live", &[SAMPLE]);
        assert_eq!(
            text,
            "url,arrival_ns,pts_ns,packet_ns,instant_us,latency_ms,frame,run,stream,viewers\n\
             rtsp://camera.example/live,1767225600081250999,40000000,1767225600079000000,\
             1767225600040000,41.251,7,99,5,2\n"
        );
    }

    #[test]
    fn what_waited_for_the_decoder_has_no_latency() {
        let joining = Sample {
            joining: true,
            ..SAMPLE
        };
        let text = written("a.mp4", &[joining]);
        let row = text.lines().nth(1).unwrap();
        assert!(row.contains(",1767225600040000,,7,99,"), "{row}");
    }

    #[test]
    fn what_is_not_known_is_empty() {
        let unreadable = Sample {
            packet: None,
            pts: None,
            stamp: None,
            ..SAMPLE
        };
        let text = written("a.mp4", &[unreadable]);
        assert_eq!(text.lines().nth(1).unwrap(), "a.mp4,1767225600081250999,,,,,,,,");
    }

    #[test]
    fn a_url_with_a_comma_and_quotes_stays_one_field() {
        let url = "rtsp://camera.example/a,\"b\"";
        let text = written(url, &[SAMPLE]);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let row = reader.records().next().unwrap().unwrap();
        assert_eq!((&row[0], row.len()), (url, HEADER.len()));
    }

    #[test]
    fn a_file_name_is_neither_a_formula_nor_an_order_to_a_terminal() {
        for (name, cell) in [
            ("=cmd|'/C calc'!A0.mp4", "'=cmd|'/C calc'!A0.mp4"),
            ("+1.mp4", "'+1.mp4"),
            ("-1.mp4", "'-1.mp4"),
            ("@SUM(1).mp4", "'@SUM(1).mp4"),
            (" =1.mp4", "' =1.mp4"),
            ("\t=1.mp4", "'\u{fffd}=1.mp4"),
            ("＝1.mp4", "'＝1.mp4"),
            (
                "a\u{1b}[2J\r\n\u{9b}b.mp4",
                "a\u{fffd}[2J\u{fffd}\u{fffd}\u{fffd}b.mp4",
            ),
            ("a=b.mp4", "a=b.mp4"),
        ] {
            let text = written(name, &[SAMPLE]);
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            let row = reader.records().next().unwrap().unwrap();
            assert_eq!((&row[0], row.len()), (cell, HEADER.len()));
        }
    }
}
