//! The keys about transports and TLS: what they mean, and what is said about each mistake.

use std::{collections::BTreeSet, path::Path};

use rtsp_clock_server::config::{Config, ListenAt, Transport};
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use crate::{
    common::certificate::Certificate,
    parsed::{load, mistake, mistakes, read},
};

fn all() -> BTreeSet<Transport> {
    Transport::iter().collect()
}

#[test]
fn multicast_is_offered_where_it_is_configured() {
    let usual: BTreeSet<Transport> = Transport::USUAL.into();
    assert_eq!(read(&json!({})).streams[0].transports, usual);
    let config = read(&json!({"multicastAddressRange": "239.1.1.0-239.1.1.255"}));
    assert_eq!(config.streams[0].transports, all());
    let multicast = config.multicast.expect("multicast");
    assert_eq!(
        (
            multicast.groups.to_string(),
            multicast.ports.to_string(),
            multicast.ttl
        ),
        ("239.1.1.0-239.1.1.255".to_owned(), "15000-15999".to_owned(), 1)
    );
    let config = read(&json!({"multicastAddressRange": "239.1.1.1", "serverIPAddress": "::"}));
    assert_eq!(config.streams[0].transports, usual, "it is there for IPv4 only");
    let config = read(&json!({
        "multicastAddressRange": "239.1.1.1", "multicastPortRange": "5000-5003", "multicastTtl": 255,
        "streams": [{"transports": ["multicast"]}, {"rtspStreamPath": "/2", "transports": ["tcp", "http"]}]
    }));
    let multicast = config.multicast.expect("multicast");
    assert_eq!(
        (multicast.ports.to_string(), multicast.ttl),
        ("5000-5003".to_owned(), 255)
    );
    assert_eq!(config.streams[0].transports, [Transport::Multicast].into());
    assert_eq!(
        config.streams[1].transports,
        [Transport::Tcp, Transport::Http].into()
    );
}

#[test]
fn a_variable_lists_with_commas() {
    let variables = [
        ("RTSP_TRANSPORTS", "udp, tcp"),
        ("RTSP_MULTICAST_ADDRESS_RANGE", ""),
    ];
    let file = json!({"multicastAddressRange": "239.1.1.1"});
    let config = load(&file, &variables).expect("a configuration").config;
    assert_eq!(
        config.streams[0].transports,
        [Transport::Udp, Transport::Tcp].into()
    );
    assert_eq!(config.multicast, None);
}

#[test]
fn transports_is_a_list_of_known_ways() {
    for wrong in [
        json!([]),
        json!("tcp"),
        json!(["tcp", "tcp"]),
        json!(["tcp", "rtmp"]),
        json!([1]),
    ] {
        let said = mistake(&json!({ "transports": wrong }));
        assert!(
            said.starts_with("transports: found ")
                && said.ends_with("\"udp\", \"tcp\", \"multicast\" and \"http\", each once"),
            "{said}"
        );
    }
}

#[test]
fn what_is_no_range_of_groups_is_refused() {
    for wrong in [
        "192.0.2.1",
        "224.0.0.1",
        "239.1.1.9-239.1.1.1",
        "239.1.1.1-",
        "ff15::1",
        "239.1.1.1-240.0.0.0",
    ] {
        let said = mistake(&json!({ "multicastAddressRange": wrong }));
        assert!(said.contains("expected a multicast address such as"), "{said}");
    }
    for wrong in ["5000", "5001-5010", "80-90", ""] {
        let said = mistake(&json!({ "multicastPortRange": wrong }));
        assert!(said.contains("expected FIRST-LAST"), "{said}");
    }
}

#[test]
fn keys_about_multicast_go_together() {
    assert_eq!(
        mistake(&json!({"transports": ["multicast"]})),
        "transports: found \"multicast\", for which multicastAddressRange has to say where it goes"
    );
    let said = mistake(&json!({
        "transports": ["multicast"], "multicastAddressRange": "239.1.1.1", "serverIPAddress": "::1"
    }));
    assert!(
        said.contains("for IPv4 only: serverIPAddress (serverIPAddress) is ::1"),
        "{said}"
    );
    let said = mistake(&json!({
        "audio": "opus", "multicastAddressRange": "239.1.1.1", "multicastPortRange": "5000-5001"
    }));
    assert!(
        said.starts_with("multicastPortRange: found 5000-5001, which are too few"),
        "{said}"
    );
}

fn with_tls(certificate: &Certificate, more: &Value) -> Value {
    let mut file = json!({
        "tlsPort": 8322,
        "tlsCertificate": certificate.certificate(),
        "tlsPrivateKey": certificate.private_key(),
    });
    let keys = more.as_object().expect("an object").clone();
    file.as_object_mut().expect("an object").extend(keys);
    file
}

#[test]
fn a_stream_is_played_with_tls_beside_plain_rtsp_or_in_place_of_it() {
    let certificate = Certificate::new();
    let config = read(&with_tls(&certificate, &json!({})));
    assert_eq!(config.tls, Some(certificate.files()));
    let ports = |config: &Config| {
        let (tls, plain): (Vec<_>, Vec<_>) = config.listens_at().into_iter().partition(|at| at.tls);
        let ports = |all: Vec<ListenAt>| all.iter().map(|at| at.address.port()).collect::<Vec<_>>();
        (ports(plain), ports(tls))
    };
    assert_eq!(ports(&config), (vec![8554], vec![8322]));
    let config = read(&with_tls(&certificate, &json!({"plainRtsp": false})));
    assert_eq!(ports(&config), (vec![], vec![8322]));
    assert_eq!(config.streams[0].name(), "0.0.0.0:8322/live");
    let config = read(&with_tls(
        &certificate,
        &json!({"tlsPort": "8321+{n}", "serverPort": "8553+{n}", "count": 2}),
    ));
    assert_eq!(ports(&config), (vec![8554, 8555], vec![8322, 8323]));
    let shared = read(&with_tls(
        &certificate,
        &json!({"rtspStreamPath": "/{n}", "count": 3, "sharedPicture": true}),
    ));
    let tls = shared.streams[0].mounts.iter().map(|mount| mount.tls);
    assert_eq!(tls.collect::<Vec<_>>(), [false, false, false, true, true, true]);
    assert_eq!(shared.streams[0].name(), "0.0.0.0:8554/1 and 2 more");
}

#[test]
fn a_file_that_is_missing_or_is_another_is_named_by_its_key() {
    let certificate = Certificate::new();
    let missing = certificate.files().certificate.with_file_name("none.pem");
    let file = with_tls(
        &certificate,
        &json!({"tlsCertificate": missing, "tlsPrivateKey": certificate.certificate()}),
    );
    let said = mistakes(&file, &[]);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("tlsCertificate: ") && said[0].contains("No such file"),
        "{said:?}"
    );
    assert!(
        said[1].starts_with("tlsPrivateKey: ") && said[1].ends_with("there is none in it"),
        "{said:?}"
    );
    let directory = missing.parent().map(Path::to_path_buf);
    let said = mistake(&with_tls(&certificate, &json!({"tlsCertificate": directory})));
    assert!(said.contains("Is a directory"), "{said}");
    let broken = certificate.files().certificate.with_file_name("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nnothing\n").expect("a file");
    let said = mistake(&with_tls(&certificate, &json!({"tlsCertificate": broken})));
    assert!(said.starts_with("tlsCertificate: found no certificate"), "{said}");
}

#[test]
fn a_key_of_another_certificate_is_a_mistake() {
    let (certificate, other) = (Certificate::new(), Certificate::new());
    let said = mistake(&with_tls(
        &certificate,
        &json!({"tlsPrivateKey": other.private_key()}),
    ));
    assert!(
        said.starts_with("tlsPrivateKey: found a key with which nobody can connect"),
        "{said}"
    );
}

#[test]
fn keys_about_tls_go_together() {
    let certificate = Certificate::new();
    assert_eq!(
        mistake(&json!({"tlsPort": 8322})),
        "tlsPort: is set without tlsCertificate and tlsPrivateKey: expected the PEM files of both"
    );
    let said = mistake(&json!({"tlsPort": 8322, "tlsCertificate": certificate.certificate()}));
    assert!(
        said.starts_with("tlsPort: is set without tlsPrivateKey:"),
        "{said}"
    );
    assert_eq!(
        mistake(&json!({"plainRtsp": false})),
        "plainRtsp: found false without tlsPort: nobody could play the stream"
    );
    assert_eq!(
        mistake(&with_tls(&certificate, &json!({"tlsPort": 8554}))),
        "tlsPort: found 8554, which is serverPort already (default): expected another port"
    );
    let said = mistake(&with_tls(
        &certificate,
        &json!({"serverPort": "8553+{n}", "count": 2}),
    ));
    assert!(
        said.contains("expected {n} in rtspStreamPath or in tlsPort"),
        "{said}"
    );
    let unused = json!({
        "tlsCertificate": certificate.certificate(), "tlsPrivateKey": certificate.private_key()
    });
    let warnings = load(&unused, &[]).expect("a configuration").warnings;
    assert_eq!(
        warnings,
        ["tlsCertificate is set and tlsPort is not: nothing is encrypted"]
    );
}
