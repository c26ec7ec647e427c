//! `rtsp-clock-probe`: plays streams and recordings whose picture is a stamped clock, and measures what happened to it
//! on the way.
//!
//! | module | job |
//! | --- | --- |
//! | [`figures`] | what a measurement found: the model that tables, JSON and the report are made of |
//! | [`target`], `secrets` | what to measure: a URL without its credentials, or a file; what of a URL is not shown |
//! | [`measure`](mod@measure) | plays targets side by side, and collects what came of them |
//! | `absences` | when a camera was away |
//! | `join` | the segments of one recording as one time line |
//! | `stream`, `player`, `taps`, `packets`, `upstream` | one stream: its figures, its pipeline, what is seen at its pads and of its packets |
//! | `intake`, `redirects` | what a server can have the probe take in, and where it sends it |
//! | `decoders` | what decoders would add of their own |
//! | `tally`, `pace`, `standstill`, `values`, `drift`, `gaps`, `matching`, `spots`, `times` | sums, without GStreamer |
//! | `wall_clock` | this machine's wall clock |
//! | `origin`, `ntp` | where a stream comes from, and how the camera's clock and this machine's relate |
//! | `limits` | what a build server asks for |
//! | `live` | the lines that tell how it goes |
//! | [`report`] | what a measurement shows: table, JSON, CSV, page |
//! | `failures` | what is wrong with a stream, and what to do about it |
//! | [`cli`], [`console`] | the command line; what is told on stdout and stderr |

mod absences;
pub mod cli;
pub mod console;
mod decoders;
mod drift;
mod failures;
pub mod figures;
mod gaps;
mod intake;
mod join;
mod limits;
mod live;
mod matching;
pub mod measure;
mod ntp;
mod origin;
mod pace;
mod packets;
mod player;
mod redirects;
pub mod report;
mod secrets;
mod spots;
mod standstill;
mod stream;
mod tally;
mod taps;
pub mod target;
mod times;
mod upstream;
mod values;
mod wall_clock;

pub use join::measure_joined;
pub use measure::{Observer, Options, Outcome, init, measure, measure_until};
pub use player::Transport;
