//! How `transports`, multicast's ranges and the files of TLS are read.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use strum::IntoEnumIterator as _;

use super::{json::Json, readers::port_range};
use crate::{
    config::{Groups, PortRange, Transport},
    tls::pem,
};

/// The multicast groups that anybody may use; routers talk to each other by those below (RFC 5771).
const GROUPS: RangeInclusive<Ipv4Addr> = Ipv4Addr::new(224, 0, 1, 0)..=Ipv4Addr::new(239, 255, 255, 255);

pub(super) fn transports(json: &Json) -> Result<BTreeSet<Transport>, String> {
    let expected = "a list of one or more of \"udp\", \"tcp\", \"multicast\" and \"http\", each once";
    let Json::Array(items) = json else {
        return Err(expected.into());
    };
    let named = |item: &Json| {
        let is_it =
            |transport: &Transport| matches!(item, Json::Text(text) if *text == transport.to_string());
        Transport::iter().find(is_it)
    };
    let transports: Option<BTreeSet<Transport>> = items.iter().map(named).collect();
    transports
        .filter(|transports| !transports.is_empty() && transports.len() == items.len())
        .ok_or_else(|| expected.into())
}

pub(super) fn groups(json: &Json) -> Result<Option<Groups>, String> {
    let expected = format!(
        "a multicast address such as \"239.1.1.1\" or FIRST-LAST such as \"239.1.1.0-239.1.1.255\", within {} to {} \
         (empty: no multicast)",
        GROUPS.start(),
        GROUPS.end()
    );
    match json {
        Json::Text(text) if text.is_empty() => Ok(None),
        Json::Text(text) => range_of_groups(text).map(Some).ok_or(expected),
        _ => Err(expected),
    }
}

fn range_of_groups(text: &str) -> Option<Groups> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let groups = Groups {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
    };
    let is_group = |address| GROUPS.contains(address);
    (is_group(&groups.first) && is_group(&groups.last) && groups.first <= groups.last).then_some(groups)
}

pub(super) fn multicast_ports(json: &Json) -> Result<PortRange, String> {
    let range = match json {
        Json::Text(text) => port_range(text),
        _ => None,
    };
    range.ok_or_else(|| {
        "FIRST-LAST such as \"15000-15999\": two ports or more from 1024 to 65535, the first one even".into()
    })
}

/// Reads the path of a file with a PEM block of this label; an empty text means none.
pub(super) fn pem_file(json: &Json, label: &str) -> Result<Option<PathBuf>, String> {
    let expected = format!(
        "the path of a PEM file with a {} (empty: none)",
        label.to_lowercase()
    );
    let Json::Text(path) = json else {
        return Err(expected);
    };
    if path.is_empty() {
        return Ok(None);
    }
    let path = PathBuf::from(path);
    match pem::read(&path, label) {
        Ok(blocks) if !blocks.is_empty() => Ok(Some(path)),
        Ok(_) => Err(format!("{expected}: there is none in it")),
        Err(error) => Err(format!("{expected}: {error}")),
    }
}
