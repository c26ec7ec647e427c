//! What `--print-…` prints for other programs.

use super::Run;
use crate::common::certificate::Certificate;

#[test]
fn print_launch_prints_one_line_for_the_factory_and_one_for_a_shell() {
    let factory = Run::new(&["--print-launch"]).prints();
    assert!(
        factory.starts_with("( clocksrc name=source ") && factory.ends_with(" )\n"),
        "{factory}"
    );
    assert_eq!(Run::new(&["--print-launch=factory"]).prints(), factory);
    let line = Run::new(&["--print-launch=gst-launch"]).prints();
    assert!(
        line.starts_with("clocksrc name=source ") && line.ends_with(" port=5004\n"),
        "{line}"
    );
    assert_eq!((factory.lines().count(), line.lines().count()), (1, 1));
}

#[test]
fn print_launch_goes_by_the_configuration() {
    let run = Run::new(&["--print-launch"])
        .file("config.json", r#"{"videoCodec": "mjpeg", "framesPerSecond": 50}"#);
    let launch = run.variable("RTSP_VIDEO_RESOLUTION", "320x240").prints();
    assert!(
        launch.contains("lead-time=15000000 ! video/x-raw,format=I420,width=320,height=240,framerate=50/1"),
        "{launch}"
    );
    assert!(launch.contains(" ! jpegenc "), "{launch}");
}

#[test]
fn print_schema_prints_json_whatever_the_configuration() {
    let schema = Run::new(&["--print-schema"])
        .file("config.json", "broken")
        .prints();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["properties"]["framesPerSecond"]["default"], 15);
}

#[test]
fn docker_flags_open_the_same_ports_outside_and_inside() {
    assert_eq!(Run::new(&["--print-docker-flags"]).prints(), "-p 8554:8554/tcp\n");
    let run = Run::new(&["--print-docker-flags"]).file("config.json", r#"{"serverPort": 554}"#);
    let flags = run
        .variable("RTSP_DEFAULT_RTP_PORT_RANGE", "50000-50019")
        .prints();
    assert_eq!(flags, "-p 554:554/tcp -p 50000-50019:50000-50019/udp\n");
}

#[test]
fn docker_flags_open_the_port_with_tls_too() {
    let certificate = Certificate::new();
    let run = Run::new(&["--print-docker-flags"])
        .variable("RTSP_TLS_PORT", "8322")
        .variable("RTSP_TLS_CERTIFICATE", &certificate.certificate())
        .variable("RTSP_TLS_PRIVATE_KEY", &certificate.private_key());
    assert_eq!(run.prints(), "-p 8322:8322/tcp -p 8554:8554/tcp\n");
}

#[test]
fn multicast_takes_the_hosts_network() {
    let run = Run::new(&["--print-docker-flags"]).variable("RTSP_MULTICAST_ADDRESS_RANGE", "239.1.1.1");
    assert_eq!(
        run.prints(),
        "--network host --env=RTSP_DEFAULT_HTTP_ADDRESS=127.0.0.1\n"
    );
}

#[test]
fn docker_flags_open_http_to_the_hosts_own_machine() {
    let flags = |file: &str| {
        let run = Run::new(&["--print-docker-flags"]).file("config.json", file);
        run.variable("RTSP_DEFAULT_HTTP_ADDRESS", "0.0.0.0")
    };
    let asks = "-p 8554:8554/tcp -p 127.0.0.1:8080:8080/tcp --env=RTSP_DEFAULT_HTTP_TOKEN\n";
    assert_eq!(flags("{}").prints(), asks);
    let has_one = r#"{ "http": { "port": 8081, "token": "0123456789abcdef" } }"#;
    assert_eq!(
        flags(has_one).prints(),
        "-p 8554:8554/tcp -p 127.0.0.1:8081:8081/tcp\n"
    );
    assert_eq!(flags(r#"{ "http": false }"#).prints(), "-p 8554:8554/tcp\n");
    assert_eq!(
        flags(r#"{ "http": { "address": "127.0.0.1" } }"#).prints(),
        "-p 8554:8554/tcp\n"
    );
    let said = flags(r#"{ "http": { "port": 0 } }"#).fails();
    assert!(said.contains("http.port is 0 "), "{said}");
}

#[test]
fn docker_flags_that_could_not_work_are_an_error() {
    let said = Run::new(&["--print-docker-flags"])
        .variable("RTSP_SERVER_PORT", "0")
        .fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: serverPort is 0 "),
        "{said}"
    );
    let said = Run::new(&["--print-docker-flags"])
        .variable("RTSP_SERVER_IP", "127.0.0.1")
        .fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: serverIPAddress is 127.0.0.1, "),
        "{said}"
    );
}

#[test]
fn print_files_prints_absolute_paths_whether_the_files_are_there_or_not() {
    let run = Run::new(&["--print-files", "--config", "other.json"])
        .file(
            "other.json",
            r#"{"serverPort": "no", "logo": "./a b.png", "streams": [{"logo": "a b.png"}]}"#,
        )
        .variable("RTSP_TLS_PRIVATE_KEY", "/nowhere/key.pem")
        .variable("RTSP_TLS_CERTIFICATE", "../certificate.pem");
    let directory = run.directory.display().to_string();
    let mut files = [
        format!("{directory}/../certificate.pem"),
        format!("{directory}/a b.png"),
        "/nowhere/key.pem".into(),
    ];
    files.sort();
    assert_eq!(run.prints(), files.join("\n") + "\n");
}

#[test]
fn print_files_prints_nothing_where_there_is_no_configuration() {
    assert_eq!(Run::new(&["--print-files"]).prints(), "");
    assert_eq!(
        Run::new(&["--print-files"])
            .file("config.json", "broken")
            .prints(),
        ""
    );
    assert_eq!(
        Run::new(&["--print-files", "--config", "nowhere.json"]).prints(),
        ""
    );
}
