//! The enumerations among the properties of `clocksrc`.

use clockface::{Corner, HorizontalAlignment, VerticalAlignment};
use gst::glib;

/// The machine-readable stamp in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstClockSrcStamp")]
pub enum ClockSrcStamp {
    /// The picture carries no stamp.
    #[enum_value(name = "None: no stamp", nick = "none")]
    None,
    /// A QR code with the instant shown, the frame's number, the viewers, the stream's id and the run.
    #[enum_value(name = "QR: a QR code of version 2", nick = "qr")]
    Qr,
}

impl From<bool> for ClockSrcStamp {
    fn from(shown: bool) -> Self {
        if shown { Self::Qr } else { Self::None }
    }
}

/// Makes GObject's enumeration of one of clockface's, with its numbers and the names that people read. The nicks are those
/// that clockface writes.
macro_rules! gobject_enum {
    ($(#[$about:meta])* $name:ident, $type:literal: $model:ident {
        $($value:ident = $number:literal, $said:literal;)*
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, glib::Enum)]
        #[enum_type(name = $type)]
        #[allow(missing_docs, reason = "the names say it")]
        pub enum $name {
            $(#[enum_value(name = $said)] $value = $number,)*
        }

        impl From<$name> for $model {
            fn from(value: $name) -> Self {
                match value {
                    $($name::$value => Self::$value,)*
                }
            }
        }

        impl From<$model> for $name {
            fn from(value: $model) -> Self {
                match value {
                    $($model::$value => Self::$value,)*
                }
            }
        }
    };
}

gobject_enum! {
    /// A corner of the picture.
    ClockSrcCorner, "GstClockSrcCorner": Corner {
        TopLeft = 0, "Top left";
        TopRight = 1, "Top right";
        BottomLeft = 2, "Bottom left";
        BottomRight = 3, "Bottom right";
    }
}

gobject_enum! {
    /// Where the text stands from left to right: the values of `GstBaseTextOverlayHAlign`.
    ClockSrcHAlign, "GstClockSrcHAlign": HorizontalAlignment {
        Left = 0, "Left";
        Center = 1, "Center";
        Right = 2, "Right";
    }
}

gobject_enum! {
    /// Where the text stands from top to bottom: the values of `GstBaseTextOverlayVAlign`.
    ClockSrcVAlign, "GstClockSrcVAlign": VerticalAlignment {
        Bottom = 1, "Bottom";
        Top = 2, "Top";
        Center = 4, "Center";
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Display;

    use gst::glib::{EnumClass, prelude::*};
    use strum::IntoEnumIterator;

    use super::*;

    /// Asserts that each value of clockface's is written in a launch string as clockface writes it.
    fn assert_nicks<G, M>()
    where
        G: HasParamSpec + StaticType + From<M> + ToValue,
        M: IntoEnumIterator + Display,
    {
        let class = EnumClass::with_type(G::static_type()).expect("an enumeration");
        for value in M::iter() {
            let name = value.to_string();
            let value = G::from(value).to_value();
            assert_eq!(
                class.to_value_by_nick(&name).map(|value| format!("{value:?}")),
                Some(format!("{value:?}"))
            );
        }
    }

    #[test]
    fn properties_take_what_clockface_writes() {
        assert_nicks::<ClockSrcCorner, Corner>();
        assert_nicks::<ClockSrcHAlign, HorizontalAlignment>();
        assert_nicks::<ClockSrcVAlign, VerticalAlignment>();
    }
}
