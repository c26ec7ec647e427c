//! Time zones: by their names, and the machine's own.

use std::ffi::OsStr;
use std::path::Path;

use jiff::tz::TimeZone;

use crate::error::WordingError;
use crate::file;

/// The variable that says which zone is the machine's.
const VARIABLE: &str = "TZ";
/// Where the machine keeps its zones, unless `TZDIR` says so.
const FOLDER: &str = "/usr/share/zoneinfo";
/// The days of change that the C library takes where a POSIX name with two seasons has none.
const USUAL_RULE: &str = ",M3.2.0,M11.1.0";

/// The time zone of that IANA name; the machine's own for an empty one.
///
/// # Errors
/// [`WordingError::TimeZone`] when there is no such zone, [`WordingError::Variable`] when `TZ` has none.
pub fn time_zone(name: &str) -> Result<TimeZone, WordingError> {
    if name.is_empty() {
        return machine_zone();
    }
    TimeZone::get(name).map_err(|cause| WordingError::TimeZone {
        name: name.to_owned(),
        cause,
    })
}

/// The zone of the variable `TZ`, else the one that this machine was set to, else UTC.
///
/// # Errors
/// [`WordingError::Variable`] when the variable has something else.
pub fn machine_zone() -> Result<TimeZone, WordingError> {
    match std::env::var_os(VARIABLE) {
        Some(value) => variable_zone(&value),
        None => Ok(TimeZone::system()),
    }
}

/// The zone that `TZ` names by this value: an IANA name, a POSIX one such as `CET-1CEST,M3.5.0,M10.5.0/3` (IEEE Std 1003.1,
/// 8.3), or a file's, each with or without a colon before it. An empty one is UTC, as POSIX has it.
///
/// # Errors
/// [`WordingError::Variable`] when it names none.
pub fn variable_zone(value: &OsStr) -> Result<TimeZone, WordingError> {
    let refusal = |cause: String| WordingError::Variable {
        value: value.to_string_lossy().into_owned(),
        cause,
    };
    let text = value
        .to_str()
        .ok_or_else(|| refusal("it is not UTF-8".to_owned()))?;
    let name = text.strip_prefix(':').unwrap_or(text);
    if name.is_empty() {
        return Ok(TimeZone::UTC);
    }
    if name.starts_with('/') {
        return read(Path::new(name)).map_err(refusal);
    }
    let unknown = match TimeZone::get(name) {
        Ok(zone) => return Ok(zone),
        Err(cause) => cause.to_string(),
    };
    let posix = |name: &str| TimeZone::posix(name).ok();
    posix(name)
        .or_else(|| posix(&format!("{name}{USUAL_RULE}")))
        .or_else(|| below_folder(name))
        .ok_or_else(|| refusal(unknown))
}

/// A file of the folder of zones that the database does not list, such as `posix/Europe/Berlin`.
fn below_folder(name: &str) -> Option<TimeZone> {
    if name.split('/').any(|part| part == "..") {
        return None;
    }
    let folder = std::env::var_os("TZDIR").unwrap_or_else(|| FOLDER.into());
    read(&Path::new(&folder).join(name)).ok()
}

fn read(path: &Path) -> Result<TimeZone, String> {
    let bytes = file::read(path).map_err(|error| error.to_string())?;
    let name = path.to_string_lossy();
    TimeZone::tzif(&name, &bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// The hour in this zone at noon of UTC in January and in July.
    #[track_caller]
    fn noons(value: &str) -> (i8, i8) {
        let zone = variable_zone(OsStr::new(value)).unwrap_or_else(|error| panic!("{error}"));
        let hour = |day: &str| {
            let noon: Timestamp = day.parse().expect("an instant");
            noon.to_zoned(zone.clone()).hour()
        };
        (hour("2026-01-15T12:00:00Z"), hour("2026-07-15T12:00:00Z"))
    }

    #[test]
    fn a_zone_that_does_not_exist_is_named() {
        let error = time_zone("Mars/Olympus").unwrap_err().to_string();
        assert!(error.contains("Mars/Olympus"), "{error}");
    }

    #[test]
    fn the_variable_has_a_zone_in_any_way_that_posix_and_the_c_library_know() {
        for (value, hours) in [
            ("", (12, 12)),
            ("UTC", (12, 12)),
            ("UTC0", (12, 12)),
            ("Europe/Berlin", (13, 14)),
            (":Europe/Berlin", (13, 14)),
            ("posix/Europe/Berlin", (13, 14)),
            ("/usr/share/zoneinfo/Europe/Berlin", (13, 14)),
            (":/usr/share/zoneinfo/Europe/Berlin", (13, 14)),
            ("CET-1CEST,M3.5.0,M10.5.0/3", (13, 14)),
            ("CET-1CEST", (13, 14)),
            ("EST5EDT", (7, 8)),
            ("EST5", (7, 7)),
            ("<+03>-3", (15, 15)),
            ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", (9, 10)),
        ] {
            assert_eq!(noons(value), hours, "{value:?}");
        }
    }

    #[test]
    fn a_variable_with_anything_else_is_refused_and_never_waited_for() {
        for value in [
            "Europe/Berln",
            "Mars",
            ":Mars",
            "+1",
            "UTC+",
            "/dev/zero",
            "/etc/hostname",
            "/nowhere",
            "../../../dev/zero",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M13.5.0,M10.5.0",
            " UTC",
        ] {
            let error = variable_zone(OsStr::new(value)).expect_err(value).to_string();
            assert!(
                error.starts_with(&format!("the variable TZ is {value:?}")),
                "{error}"
            );
        }
    }
}
