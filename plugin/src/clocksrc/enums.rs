//! The enumerations among the properties of `clocksrc`.

use clockface::{Align, Corner};
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

/// A corner of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstClockSrcCorner")]
pub enum ClockSrcCorner {
    /// At the top, on the left.
    #[enum_value(name = "Top left", nick = "top-left")]
    TopLeft,
    /// At the top, on the right.
    #[enum_value(name = "Top right", nick = "top-right")]
    TopRight,
    /// At the bottom, on the left.
    #[enum_value(name = "Bottom left", nick = "bottom-left")]
    BottomLeft,
    /// At the bottom, on the right.
    #[enum_value(name = "Bottom right", nick = "bottom-right")]
    BottomRight,
}

impl From<bool> for ClockSrcStamp {
    fn from(shown: bool) -> Self {
        if shown { Self::Qr } else { Self::None }
    }
}

impl From<ClockSrcCorner> for Corner {
    fn from(position: ClockSrcCorner) -> Self {
        match position {
            ClockSrcCorner::TopLeft => Self::TopLeft,
            ClockSrcCorner::TopRight => Self::TopRight,
            ClockSrcCorner::BottomLeft => Self::BottomLeft,
            ClockSrcCorner::BottomRight => Self::BottomRight,
        }
    }
}

impl From<Corner> for ClockSrcCorner {
    fn from(corner: Corner) -> Self {
        match corner {
            Corner::TopLeft => Self::TopLeft,
            Corner::TopRight => Self::TopRight,
            Corner::BottomLeft => Self::BottomLeft,
            Corner::BottomRight => Self::BottomRight,
        }
    }
}

/// Where the text stands from left to right: the values of `GstBaseTextOverlayHAlign`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstClockSrcHAlign")]
pub enum ClockSrcHAlign {
    /// At the left edge.
    #[enum_value(name = "Left", nick = "left")]
    Left = 0,
    /// In the middle.
    #[enum_value(name = "Center", nick = "center")]
    Center = 1,
    /// At the right edge.
    #[enum_value(name = "Right", nick = "right")]
    Right = 2,
}

/// Where the text stands from top to bottom: the values of `GstBaseTextOverlayVAlign`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstClockSrcVAlign")]
pub enum ClockSrcVAlign {
    /// At the bottom edge.
    #[enum_value(name = "Bottom", nick = "bottom")]
    Bottom = 1,
    /// At the top edge.
    #[enum_value(name = "Top", nick = "top")]
    Top = 2,
    /// In the middle.
    #[enum_value(name = "Center", nick = "center")]
    Center = 4,
}

impl From<ClockSrcHAlign> for Align {
    fn from(align: ClockSrcHAlign) -> Self {
        match align {
            ClockSrcHAlign::Left => Self::Start,
            ClockSrcHAlign::Center => Self::Middle,
            ClockSrcHAlign::Right => Self::End,
        }
    }
}

impl From<Align> for ClockSrcHAlign {
    fn from(align: Align) -> Self {
        match align {
            Align::Start => Self::Left,
            Align::Middle => Self::Center,
            Align::End => Self::Right,
        }
    }
}

impl From<ClockSrcVAlign> for Align {
    fn from(align: ClockSrcVAlign) -> Self {
        match align {
            ClockSrcVAlign::Top => Self::Start,
            ClockSrcVAlign::Center => Self::Middle,
            ClockSrcVAlign::Bottom => Self::End,
        }
    }
}

impl From<Align> for ClockSrcVAlign {
    fn from(align: Align) -> Self {
        match align {
            Align::Start => Self::Top,
            Align::Middle => Self::Center,
            Align::End => Self::Bottom,
        }
    }
}
