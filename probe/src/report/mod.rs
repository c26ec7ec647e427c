//! What the probe shows of a measurement: a table, JSON, CSV and a page. All of it is made of
//! [`crate::figures`] alone.
//!
//! | module | job |
//! | --- | --- |
//! | `csv` | each reading as it comes, a row each |
//! | `json` | the figures for machines, and their schema |
//! | `words` | numbers and findings as a person reads them |
//! | `delivery` | what needs no stamp, as a person reads it |
//! | `rows` | the figures of a stream, named and put in order: what table and page share |
//! | `table` | the table for a terminal |
//! | `track` | samples to curves and marks over time |
//! | `chart` | curves, bars and marks as SVG |
//! | `still` | a picture as PNG |
//! | `html` | the page |

mod chart;
pub(crate) mod csv;
mod delivery;
mod html;
mod json;
mod rows;
mod still;
mod table;
mod track;
mod words;

pub use html::html;
pub use json::{json, schema};
pub use table::table;
pub(crate) use words::clean;
