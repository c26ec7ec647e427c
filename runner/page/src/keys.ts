/** The keys of a camera's configuration that the page has fields for. */

/** How a key is written in a form. */
export type Kind =
    | { kind: "text"; lines?: number }
    /** A number, or a text such as `30000/1001`: what can be neither is sent as it stands, and the server names it. */
    | { kind: "number" }
    | { kind: "choice"; choices: readonly string[] }
    | { kind: "switch" }
    | { kind: "color" }
    | { kind: "some"; choices: readonly string[] };

export type Key = Kind & {
    key: string;
    title: string;
    hint?: string;
};

/** Keys that belong together. */
export interface Group {
    title: string;
    /** What a change of them takes. */
    hint: string;
    keys: readonly Key[];
}

const CORNERS = ["top-left", "top-right", "bottom-left", "bottom-right"];

const LABEL: Key = { key: "label", title: "Label", kind: "text", lines: 2, hint: "{n} stands for the camera's number." };
const PATH: Key = { key: "rtspStreamPath", title: "Path", kind: "text", hint: "Such as /door, or /yard/{n} for several." };
const CODEC: Key = {
    key: "videoCodec",
    title: "Codec",
    kind: "choice",
    choices: ["h264", "h265", "mjpeg", "vp8", "vp9"],
};
const SIZE: Key = { key: "videoResolution", title: "Size", kind: "text", hint: "Such as 1280x720." };
const RATE: Key = { key: "framesPerSecond", title: "Frames a second", kind: "number", hint: "Such as 25, or 30000/1001." };
const BITRATE: Key = {
    key: "bitrateKbps",
    title: "Bitrate in kbit/s",
    kind: "number",
    hint: "Empty: as much as the picture takes.",
};
const STAMP: Key = { key: "stamp", title: "Stamp for machines", kind: "choice", choices: ["none", "qr"] };
const ALWAYS_ON: Key = { key: "alwaysOn", title: "Runs before anybody looks", kind: "switch" };
const COUNT: Key = { key: "count", title: "How many", kind: "number" };

const LOOK: Group = {
    title: "Text and look",
    hint: "Viewers see a change at once.",
    keys: [
        LABEL,
        { key: "textColor", title: "Text color", kind: "color" },
        { key: "backgroundColor", title: "Background color", kind: "color" },
        { key: "timeFormat", title: "Time", kind: "text", hint: "As in strftime. Empty: no time." },
        { key: "timeZone", title: "Time zone", kind: "text", hint: "Such as Europe/Berlin. Empty: the server's." },
        { key: "clientsFormat", title: "Text below the time", kind: "text", hint: "{} stands for the number of viewers." },
        { key: "font", title: "Font", kind: "text", hint: "Such as sans 40. Without a size, as large as fits." },
        { key: "textScale", title: "Size of the text", kind: "number", hint: "A share of the largest that fits." },
        { key: "horizontalAlignment", title: "From left to right", kind: "choice", choices: ["left", "center", "right"] },
        { key: "verticalAlignment", title: "From top to bottom", kind: "choice", choices: ["top", "center", "bottom"] },
        STAMP,
        { key: "stampPosition", title: "Corner of the stamp", kind: "choice", choices: CORNERS },
        { key: "stampId", title: "Number in the stamp", kind: "number" },
        { key: "flash", title: "Disc lit as each second begins", kind: "switch" },
    ],
};

const VIEWING: Group = {
    title: "Viewers",
    hint: "A change counts at once. Who is no longer allowed in is sent away.",
    keys: [
        { key: "maxViewers", title: "Viewers at most", kind: "number", hint: "Empty: any number." },
        ALWAYS_ON,
        { key: "transports", title: "Transports", kind: "some", choices: ["udp", "tcp", "http", "multicast"] },
    ],
};

const STREAM: Group = {
    title: "Stream",
    hint: "A change takes a new stream: viewers see the end of the one they play.",
    keys: [
        PATH,
        { key: "serverPort", title: "Port", kind: "number" },
        CODEC,
        SIZE,
        RATE,
        { key: "keyFrameInterval", title: "Frames between key frames", kind: "number" },
        { ...BITRATE, hint: "Empty: as much as the picture takes. From one number to another it changes at once." },
        { key: "constantBitrate", title: "Filled up to that bitrate", kind: "switch" },
        { key: "quality", title: "Quality of MJPEG", kind: "number", hint: "From 1 to 100. It changes at once." },
        { key: "encoder", title: "Encoder", kind: "text", hint: "auto, or the name of a GStreamer element." },
        { key: "audio", title: "Sound", kind: "choice", choices: ["none", "pcmu", "pcma", "aac", "opus"] },
        { key: "ntpExtension", title: "NTP time in RTP headers", kind: "switch" },
    ],
};

/** What is asked for first where a camera is added. */
export const FIRST_KEYS: readonly Key[] = [
    PATH,
    { ...COUNT, hint: "Several need {n} in the path." },
    LABEL,
    CODEC,
    SIZE,
    RATE,
    BITRATE,
    STAMP,
    ALWAYS_ON,
];

/** All that can be changed of a camera. */
export const GROUPS: readonly Group[] = [LOOK, VIEWING, STREAM];

/** The keys of `groups` that are not among `FIRST_KEYS`. */
export function otherKeys(group: Group): readonly Key[] {
    const first = FIRST_KEYS.map((key) => key.key);
    return group.keys.filter((key) => !first.includes(key.key));
}
