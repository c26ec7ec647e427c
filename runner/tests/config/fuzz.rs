//! The rules of the configuration, held against the corpus of the fuzz target `config` and against what chance makes of
//! it. The same inputs come in every run.

use std::{fs, panic::catch_unwind, path::Path};

use crate::common::{config_rules::check, random::Random};

const MUTATED: usize = 20_000;
const SEED: u64 = 1;

/// What has a meaning somewhere in a configuration.
const WORDS: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "1e999",
    "-1",
    "0",
    "65536",
    "4294967296",
    "18446744073709551616",
    "0.5",
    "{n}",
    "8553+{n}",
    "65535+{n}",
    "streams",
    "count",
    "viewerPassword",
    "viewerUsername",
    "users",
    "username",
    "password",
    "authentication",
    "serverPort",
    "videoResolution",
    "99999x99999",
    "0x0",
    "rtpPortRange",
    "50000-50019",
    "rtspStreamPath",
    "/%00/..",
    "\0",
    "\n",
    "RTSP_FPS=",
    "RTSP_VIEWER_PASSWORD=",
    "RTSP_STREAM_COUNT=",
    "\u{feff}",
];

fn corpus() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/config");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .expect("a corpus")
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    files.sort();
    let read = |file| fs::read(file).expect("a readable file");
    files.iter().map(read).collect()
}

fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        let (from, to) = (random.below(bytes.len() + 1), random.below(bytes.len() + 1));
        let (from, to) = (from.min(to), from.max(to));
        match random.below(6) {
            0 => bytes.truncate(to),
            1 => drop(bytes.drain(from..to)),
            2 => {
                let part = bytes[from..to].to_vec();
                bytes.splice(to..to, part);
            }
            3 => {
                let other = &corpus[random.below(corpus.len())];
                let part = other[random.below(other.len())..].to_vec();
                bytes.splice(from..to, part);
            }
            4 => {
                if let Some(byte) = bytes.get_mut(from) {
                    *byte ^= 1 << random.below(8);
                }
            }
            _ => {
                bytes.splice(from..from, random.pick(&WORDS).bytes());
            }
        }
    }
    bytes
}

/// Answers whether it is a configuration.
#[track_caller]
fn assert_obeys(input: &[u8], what: &str) -> bool {
    let shown = || String::from_utf8_lossy(input).into_owned();
    catch_unwind(|| check(input)).unwrap_or_else(|_| panic!("{what}: {:?}", shown()))
}

#[test]
fn the_corpus_obeys_the_rules() {
    for input in corpus() {
        assert_obeys(&input, "of the corpus");
    }
}

#[test]
fn whatever_the_bytes_the_rules_hold() {
    let corpus = corpus();
    let mut random = Random::new(SEED);
    for number in 0..MUTATED {
        assert_obeys(
            &mutate(&mut random, &corpus),
            &format!("input {number} of seed {SEED}"),
        );
    }
}
