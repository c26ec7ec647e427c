//! The keys of what the picture shows.

use clockface::{Corner, HorizontalAlignment, VerticalAlignment};
use serde_json::json;

use super::{CLIENTS_FORMAT, LABEL, LOGO, STAMP, STAMP_ID, TIME_FORMAT, TIME_ZONE};
use crate::{
    config::{Stamp, look::show_color},
    config_file::{
        form::{Form, named, names, pattern, short, text},
        key::{BesidePipeline, Change, KEY, Key},
        limits::{LABEL_CHARACTERS, LOGO_SCALES, STAMP_IDS, TEXT_SCALES},
        numbered::NumberedText,
        readers::{boolean, color, label, logo, one_of, share, time_format, time_zone, whole},
    },
};

/// What the keys of the look share: the look changes while the picture is played.
const LOOK: Key = Key {
    change: Change::AtOnce,
    beside_pipeline: BesidePipeline::Idle,
    ..KEY
};

const COLOR: &str = "^#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?$";

pub(super) const KEYS: &[Key] = &[
    Key {
        name: LABEL,
        variable: Some("RTSP_LABEL"),
        form: Form::Text(|| short(LABEL_CHARACTERS)),
        read: |json, draft| label(json).map(|label| draft.label = NumberedText(label)),
        show: |draft| json!(draft.label.0),
        documentation: "The text above the time, such as the camera's name, of one line or several. `{n}` stands for the \
                        stream's number. In any script: a warning names characters that no installed font has, and the \
                        package to install. Empty: none.",
        ..LOOK
    },
    Key {
        name: TIME_FORMAT,
        variable: Some("RTSP_TIME_FORMAT"),
        form: Form::Text(text),
        read: |json, draft| time_format(json).map(|format| draft.stream.look.time_format = format),
        show: |draft| json!(draft.stream.look.time_format),
        documentation: "The format of the time as in strftime; `%.3f` is a point and milliseconds, `%n` a new line. \
                        Empty: no time.",
        ..LOOK
    },
    Key {
        name: TIME_ZONE,
        variable: Some("RTSP_TIME_ZONE"),
        form: Form::Text(text),
        read: |json, draft| time_zone(json).map(|zone| draft.stream.look.time_zone = zone),
        show: |draft| json!(draft.stream.look.time_zone),
        without: "the machine's",
        documentation: "Whose time of day it is. The machine's is that of the variable `TZ`, if it is set: an IANA name, a \
                        POSIX one (`CET-1CEST,M3.5.0,M10.5.0/3`) or a file.",
        ..LOOK
    },
    Key {
        name: CLIENTS_FORMAT,
        variable: Some("RTSP_CLIENTS_FORMAT"),
        form: Form::Text(|| short(LABEL_CHARACTERS)),
        read: |json, draft| label(json).map(|format| draft.stream.look.clients_format = format),
        show: |draft| json!(draft.stream.look.clients_format),
        documentation: "The text below the time; `{}` stands for the number of viewers. Empty: none.",
        ..LOOK
    },
    Key {
        name: "font",
        variable: Some("RTSP_FONT"),
        form: Form::Text(text),
        read: |json, draft| label(json).map(|font| draft.stream.look.font = font),
        show: |draft| json!(draft.stream.look.font),
        documentation: "A Pango font description, such as `\"sans 40\"`. Without a size, the text is as large as fits.",
        ..LOOK
    },
    Key {
        name: "textColor",
        variable: Some("RTSP_TEXT_COLOR"),
        form: Form::Text(|| pattern(COLOR)),
        read: |json, draft| color(json).map(|color| draft.stream.look.text_color = color),
        show: |draft| json!(show_color(draft.stream.look.text_color)),
        documentation: "The color of the text.",
        ..LOOK
    },
    Key {
        name: "backgroundColor",
        variable: Some("RTSP_BACKGROUND_COLOR"),
        form: Form::Text(|| pattern(COLOR)),
        read: |json, draft| color(json).map(|color| draft.stream.look.background_color = color),
        show: |draft| json!(show_color(draft.stream.look.background_color)),
        documentation: "The color of the rest.",
        ..LOOK
    },
    Key {
        name: "horizontalAlignment",
        variable: Some("RTSP_HORIZONTAL_ALIGNMENT"),
        form: Form::Text(names::<HorizontalAlignment>),
        read: |json, draft| one_of(json).map(|alignment| draft.stream.look.horizontal = alignment),
        show: |draft| json!(draft.stream.look.horizontal.to_string()),
        documentation: "Where the text stands from left to right.",
        ..LOOK
    },
    Key {
        name: "verticalAlignment",
        variable: Some("RTSP_VERTICAL_ALIGNMENT"),
        form: Form::Text(names::<VerticalAlignment>),
        read: |json, draft| one_of(json).map(|alignment| draft.stream.look.vertical = alignment),
        show: |draft| json!(draft.stream.look.vertical.to_string()),
        documentation: "Where the text stands from top to bottom.",
        ..LOOK
    },
    Key {
        name: "textScale",
        variable: Some("RTSP_TEXT_SCALE"),
        form: Form::Share(&TEXT_SCALES),
        read: |json, draft| share(json, &TEXT_SCALES).map(|scale| draft.stream.look.text_scale = scale),
        show: |draft| json!(draft.stream.look.text_scale.value()),
        documentation: "The size of the text as a share of the largest that fits.",
        ..LOOK
    },
    Key {
        name: LOGO,
        variable: Some("RTSP_LOGO"),
        form: Form::File,
        read: |json, draft| logo(json).map(|logo| draft.stream.look.logo = logo),
        show: |draft| json!(draft.stream.look.logo),
        documentation: "A PNG file that is laid over the background. Its alpha is respected. Relative paths, here and for \
                        TLS, start where the server was started.",
        ..LOOK
    },
    Key {
        name: "logoPosition",
        variable: Some("RTSP_LOGO_POSITION"),
        form: Form::Text(names::<Corner>),
        read: |json, draft| one_of(json).map(|corner| draft.stream.look.logo_position = corner),
        show: |draft| json!(draft.stream.look.logo_position.to_string()),
        documentation: "The corner in which the logo stands.",
        ..LOOK
    },
    Key {
        name: "logoScale",
        variable: Some("RTSP_LOGO_SCALE"),
        form: Form::Share(&LOGO_SCALES),
        read: |json, draft| share(json, &LOGO_SCALES).map(|scale| draft.stream.look.logo_scale = scale),
        show: |draft| json!(draft.stream.look.logo_scale.value()),
        documentation: "The height of the logo as a share of the picture's.",
        ..LOOK
    },
    Key {
        name: STAMP,
        variable: Some("RTSP_STAMP"),
        form: Form::Text(named::<Stamp>),
        read: |json, draft| one_of(json).map(|stamp| draft.stream.look.stamp = stamp),
        show: |draft| json!(draft.stream.look.stamp),
        documentation: "What is in the picture for machines: `\"qr\"` for a QR code with the instant shown in µs, the \
                        frame's number, the viewers, `stampId` and the run of the source. From 66x165 px on.",
        ..LOOK
    },
    Key {
        name: "stampPosition",
        variable: Some("RTSP_STAMP_POSITION"),
        form: Form::Text(names::<Corner>),
        read: |json, draft| one_of(json).map(|corner| draft.stream.look.stamp_position = corner),
        show: |draft| json!(draft.stream.look.stamp_position.to_string()),
        documentation: "The corner in which the stamp stands. The flash stands in the one horizontally opposite.",
        ..LOOK
    },
    Key {
        name: STAMP_ID,
        variable: Some("RTSP_STAMP_ID"),
        form: Form::Whole(&STAMP_IDS),
        read: |json, draft| whole(json, &STAMP_IDS).map(|id| draft.stamp_id = Some(id)),
        show: |draft| json!(draft.stamp_id),
        without: "0, or `firstNumber` less 1",
        documentation: "The stream's number in the stamp; with `count` that of the first stream, from which it counts up.",
        ..LOOK
    },
    Key {
        name: "flash",
        variable: Some("RTSP_FLASH"),
        form: Form::Boolean,
        read: |json, draft| boolean(json).map(|flash| draft.stream.look.flash = flash),
        show: |draft| json!(draft.stream.look.flash),
        documentation: "Whether a disc in the picture is lit for the first 100 ms of each second.",
        ..LOOK
    },
];
