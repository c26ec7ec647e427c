//! What the picture shows.

use clockface::{Argb, Corner, HorizontalAlignment, Share, TimeFormat, VerticalAlignment, Wording};

use super::Stamp;

/// What the picture shows. All of it can change while the picture is played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The text above the time; empty for none.
    pub label: String,
    /// The time's format, as `strftime` has it.
    pub time_format: String,
    /// The IANA name of its zone; empty for the machine's.
    pub time_zone: String,
    /// A Pango font description.
    pub font: String,
    /// The colour of the text.
    pub text_color: Argb,
    /// The colour of the rest.
    pub background_color: Argb,
    /// The text below the time, with `{}` for the number of viewers; empty for none.
    pub clients_format: String,
    /// Where the text stands from left to right.
    pub horizontal: HorizontalAlignment,
    /// Where it stands from top to bottom.
    pub vertical: VerticalAlignment,
    /// The size of the text as a share of the largest that fits.
    pub text_scale: Share,
    /// A PNG file; empty for none.
    pub logo: String,
    /// Where the logo stands.
    pub logo_position: Corner,
    /// Its height as a share of the picture's.
    pub logo_scale: Share,
    /// The machine-readable stamp.
    pub stamp: Stamp,
    /// Where the stamp stands; the flash stands in the corner horizontally opposite.
    pub stamp_position: Corner,
    /// The stream's number in its stamp.
    pub stamp_id: u32,
    /// Whether a disc is lit for the first 100 ms of each second.
    pub flash: bool,
}

impl Default for Look {
    /// `clocksrc`'s own: white on black, in the middle, as large as it fits.
    fn default() -> Self {
        let wording = Wording::default();
        let style = clockface::Style::default();
        Self {
            label: String::new(),
            time_format: TimeFormat::default().as_str().to_owned(),
            time_zone: String::new(),
            font: style.font,
            text_color: style.foreground,
            background_color: style.background,
            clients_format: wording.clients_format,
            horizontal: style.horizontal,
            vertical: style.vertical,
            text_scale: Share::WHOLE,
            logo: String::new(),
            logo_position: Corner::BottomRight,
            logo_scale: Share::new(0.15),
            stamp: Stamp::None,
            stamp_position: Corner::TopRight,
            stamp_id: 0,
            flash: false,
        }
    }
}

impl Look {
    /// The properties of `clocksrc` that are not at their defaults, with their values.
    #[must_use]
    pub fn properties(&self) -> Vec<(&'static str, String)> {
        let usual = Self::default().values();
        let pairs = NAMES.into_iter().zip(self.values()).zip(usual);
        let unusual = pairs.filter(|((_, value), usual)| value != usual);
        unusual.map(|(property, _)| property).collect()
    }

    /// All properties of `clocksrc` that say how the picture looks, with their values.
    pub(crate) fn all_properties(&self) -> Vec<(&'static str, String)> {
        NAMES.into_iter().zip(self.values()).collect()
    }

    /// The values of all properties, in the order of [`NAMES`].
    fn values(&self) -> [String; NAMES.len()] {
        [
            self.label.clone(),
            self.time_format.clone(),
            self.time_zone.clone(),
            self.font.clone(),
            self.text_color.0.to_string(),
            self.background_color.0.to_string(),
            self.clients_format.clone(),
            self.horizontal.to_string(),
            self.vertical.to_string(),
            self.text_scale.value().to_string(),
            self.logo.clone(),
            self.logo_position.to_string(),
            self.logo_scale.value().to_string(),
            self.stamp.to_string(),
            self.stamp_position.to_string(),
            self.stamp_id.to_string(),
            self.flash.to_string(),
        ]
    }
}

/// The names of the properties of `clocksrc` that say how the picture looks.
const NAMES: [&str; 17] = [
    "text",
    "time-format",
    "time-zone",
    "font-desc",
    "foreground-color",
    "background-color",
    "clients-format",
    "halignment",
    "valignment",
    "text-scale",
    "logo-location",
    "logo-position",
    "logo-scale",
    "stamp",
    "stamp-position",
    "stamp-id",
    "flash",
];

/// The colour that `#rrggbb` or `#rrggbbaa` writes.
pub(crate) fn parse_color(text: &str) -> Option<Argb> {
    let digits = text.strip_prefix('#')?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let number = u32::from_str_radix(digits, 16).ok()?;
    match digits.len() {
        6 => Some(Argb(0xff00_0000 | number)),
        8 => Some(Argb(number.rotate_right(8))),
        _ => None,
    }
}

/// The colour as a configuration writes it.
pub(crate) fn show_color(color: Argb) -> String {
    let [alpha, red, green, blue] = color.0.to_be_bytes();
    let opaque = format!("#{red:02x}{green:02x}{blue:02x}");
    if alpha == u8::MAX {
        opaque
    } else {
        format!("{opaque}{alpha:02x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_has_red_green_blue_and_perhaps_alpha() {
        for (text, argb) in [
            ("#102030", 0xff10_2030),
            ("#A0b0C040", 0x40a0_b0c0),
            ("#00000000", 0),
        ] {
            let color = parse_color(text).expect("a colour");
            assert_eq!(color, Argb(argb), "{text}");
            assert_eq!(show_color(color), text.to_ascii_lowercase());
        }
        for wrong in [
            "", "#", "102030", "#12345", "#1234567", "#+12345", "red", "#é1234",
        ] {
            assert_eq!(parse_color(wrong), None, "{wrong}");
        }
    }

    /// The defaults stand in two places, here and in the plugin: they are the same.
    #[test]
    fn the_usual_look_is_the_sources() {
        use gst::prelude::*;
        gst::init().expect("GStreamer");
        gstclocksrc::register_static().expect("clocksrc");
        let element = gst::ElementFactory::make("clocksrc").build().expect("clocksrc");
        assert_eq!(Look::default().properties(), []);
        for (name, value) in NAMES.into_iter().zip(Look::default().values()) {
            let usual = element.property_value(name);
            element.set_property_from_str(name, &value);
            let same = element.property_value(name);
            assert_eq!(format!("{usual:?}"), format!("{same:?}"), "{name}");
        }
    }
}
