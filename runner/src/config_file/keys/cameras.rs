//! The keys of more streams than one.

use serde_json::json;

use super::{COUNT, EXPECTED_STREAMS, FIRST_NUMBER, SHARED_PICTURE, STREAMS};
use crate::config_file::{
    form::Form,
    key::{Change, KEY, Key, Level},
    limits::{COUNTS, FIRST_NUMBERS},
    readers::{boolean, whole},
};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: STREAMS,
        level: Level::Server,
        // The schema adds which keys an entry may have, as it knows all of them.
        form: Form::Objects(|| json!({ "type": "array", "minItems": 1 })),
        read: |_, _| Err(EXPECTED_STREAMS.into()),
        without: "one stream, or `count`",
        documentation: "The streams. Each entry may have any key that is not about the server as a whole; what it has not \
                        is as at the top level.",
        change: Change::Places,
        ..KEY
    },
    Key {
        name: COUNT,
        variable: Some("RTSP_COUNT"),
        form: Form::Whole(&COUNTS),
        read: |json, draft| whole(json, &COUNTS).map(|count| draft.count = count),
        show: |draft| json!(draft.count),
        documentation: "How many streams this makes; the limit is that of all entries together as well. `{n}` stands for the \
                        number in `rtspStreamPath` and `label`; `\"serverPort\": \"8553+{n}\"` gives each a port \
                        of its own, and so does `tlsPort`. `stampId` counts up. Their frames are spread over a frame \
                        period.",
        change: Change::Places,
        ..KEY
    },
    Key {
        name: FIRST_NUMBER,
        variable: Some("RTSP_FIRST_NUMBER"),
        form: Form::Whole(&FIRST_NUMBERS),
        read: |json, draft| whole(json, &FIRST_NUMBERS).map(|number| draft.first_number = number),
        show: |draft| json!(draft.first_number),
        documentation: "The number of the first of them.",
        change: Change::Places,
        ..KEY
    },
    Key {
        name: SHARED_PICTURE,
        variable: Some("RTSP_SHARED_PICTURE"),
        form: Form::Boolean,
        read: |json, draft| boolean(json).map(|shared| draft.shared_picture = shared),
        show: |draft| json!(draft.shared_picture),
        documentation: "Whether all of `count` show one picture, encoded once, with the viewers of all of them.",
        change_note: "The first one plays on.",
        ..KEY
    },
    Key {
        name: "alwaysOn",
        variable: Some("RTSP_ALWAYS_ON"),
        form: Form::Boolean,
        read: |json, draft| boolean(json).map(|always| draft.stream.always_on = always),
        show: |draft| json!(draft.stream.always_on),
        documentation: "Whether the camera runs before anybody looks, as a real one does. Otherwise it starts with its \
                        first viewer.",
        change: Change::AtOnce,
        ..KEY
    },
];
