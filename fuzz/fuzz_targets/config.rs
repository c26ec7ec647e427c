//! Any bytes as config.json and as variables: no panic, no empty error, nothing beyond its limits, no password told.
#![no_main]

#[path = "../../runner/tests/common/config_rules.rs"]
mod config_rules;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    config_rules::check(input);
});
