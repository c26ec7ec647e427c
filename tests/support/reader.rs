//! Reads a clock picture back: the masks of the ten digits are held against each cell of a decoded frame.

use clockface::{
    Colorimetry, Face, FrameSpec, Picture, PixelFormat, Plane, Reading, Rect, Shown, Style, TimeFormat,
    Wording,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Knows where the default face's digits stand in a frame of one size, and what they look like.
pub struct Reader {
    width: usize,
    height: usize,
    style: Style,
    /// Nine digits of the time, then one of the viewers.
    cells: Vec<Rect>,
    /// The luma of each digit in each cell.
    templates: Vec<Vec<Vec<u8>>>,
}

/// What a picture says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The time of day in ms.
    pub time_of_day: i64,
    /// The number of viewers.
    pub viewers: u32,
}

/// The ms of a day.
pub const DAY: i64 = 86_400_000;
/// 11:11:11.111 of the first day.
const ALL_ONES: Timestamp = Timestamp::constant(40_271, 111_000_000);

impl Reader {
    /// A reader of pictures of `width` × `height` px with the default look and fewer than ten viewers.
    pub fn new(width: usize, height: usize) -> Self {
        Self::with_style(width, height, Style::default())
    }

    /// A reader of pictures of that look with fewer than ten viewers.
    pub fn with_style(width: usize, height: usize, style: Style) -> Self {
        let mut reader = Self {
            width,
            height,
            style,
            cells: Vec::new(),
            templates: Vec::new(),
        };
        reader.cells = reader.find_cells();
        assert_eq!(reader.cells.len(), 10, "{width}x{height}: {:?}", reader.cells);
        let pictures: Vec<Vec<u8>> = (0..10).map(|digit| reader.picture_of(digit)).collect();
        reader.templates = reader
            .cells
            .iter()
            .map(|cell| {
                pictures
                    .iter()
                    .map(|picture| crop(picture, width, cell))
                    .collect()
            })
            .collect();
        reader
    }

    /// Reads a frame's luma.
    pub fn read(&self, luma: &[u8], stride: usize) -> Said {
        let digits: Vec<i64> = self
            .cells
            .iter()
            .zip(&self.templates)
            .map(|(cell, templates)| {
                let seen = crop(luma, stride, cell);
                let distance = |template: &Vec<u8>| -> u64 {
                    let pairs = template.iter().zip(&seen);
                    pairs.map(|(&a, &b)| u64::from(a.abs_diff(b)).pow(2)).sum()
                };
                (0_i64..10)
                    .zip(templates)
                    .min_by_key(|(_, template)| distance(template))
                    .map_or(0, |(d, _)| d)
            })
            .collect();
        let number = |digits: &[i64]| digits.iter().fold(0, |number, digit| number * 10 + digit);
        let (hours, minutes, seconds) = (
            number(&digits[0..2]),
            number(&digits[2..4]),
            number(&digits[4..6]),
        );
        Said {
            time_of_day: ((hours * 60 + minutes) * 60 + seconds) * 1000 + number(&digits[6..9]),
            viewers: u32::try_from(digits[9]).unwrap_or_default(),
        }
    }

    fn face(&self, digit: u32) -> Face {
        Face::new(self.spec(), self.style.clone(), wording(digit))
    }

    fn spec(&self) -> FrameSpec {
        FrameSpec::new(
            PixelFormat::Gray8,
            self.width,
            self.height,
            Colorimetry::default(),
        )
        .expect("a size")
    }

    fn paint(
        &self,
        face: &mut Face,
        shown: &mut Shown,
        luma: &mut [u8],
        (instant, viewers): (Timestamp, u32),
    ) -> Vec<Rect> {
        let plane = Plane {
            data: luma,
            stride: self.width,
        };
        let mut picture = Picture::new(&self.spec(), [plane]).expect("a plane");
        let reading = Reading {
            instant,
            viewers,
            ..Reading::default()
        };
        face.paint(&mut picture, shown, &reading)
            .expect("it paints")
            .to_vec()
    }

    fn picture_of(&self, digit: u32) -> Vec<u8> {
        let mut luma = vec![0; self.width * self.height];
        let says = (Timestamp::UNIX_EPOCH, digit);
        self.paint(&mut self.face(digit), &mut Shown::default(), &mut luma, says);
        luma
    }

    /// The cells of all ten digits, which are those that differ between zeros and ones.
    fn find_cells(&self) -> Vec<Rect> {
        let mut face = Face::new(self.spec(), self.style.clone(), in_utc());
        let mut luma = vec![0; self.width * self.height];
        let mut shown = Shown::default();
        self.paint(&mut face, &mut shown, &mut luma, (Timestamp::UNIX_EPOCH, 0));
        let mut cells = self.paint(&mut face, &mut shown, &mut luma, (ALL_ONES, 1));
        // A stamp tells the time too, and the flash goes out; they are square, and digits are taller than wide.
        cells.retain(|cell| cell.width < cell.height);
        cells
    }
}

/// The time of the instant itself.
fn in_utc() -> Wording {
    Wording {
        time_zone: TimeZone::UTC,
        ..Wording::default()
    }
}

/// A time that is one digit throughout.
fn wording(digit: u32) -> Wording {
    let format = "dd:dd:dd.ddd".replace('d', &digit.to_string());
    Wording {
        time_format: TimeFormat::new(&format).expect("no directives"),
        ..Wording::default()
    }
}

/// How far apart two times of day are, in ms.
pub fn apart(one: i64, other: i64) -> i64 {
    let distance = (one - other).rem_euclid(DAY);
    distance.min(DAY - distance)
}

/// The time of day of an instant (ns since the Unix epoch) in the machine's time zone, in ms, cut off.
pub fn time_of_day(instant: i128) -> i64 {
    let zoned = Timestamp::from_nanosecond(instant)
        .expect("a time")
        .to_zoned(TimeZone::system());
    let seconds = i64::from(zoned.hour()) * 3600 + i64::from(zoned.minute()) * 60 + i64::from(zoned.second());
    seconds * 1000 + i64::from(zoned.millisecond())
}

fn crop(luma: &[u8], stride: usize, cell: &Rect) -> Vec<u8> {
    let rows = luma.chunks(stride).skip(cell.y).take(cell.height);
    rows.flat_map(|row| &row[cell.x..cell.x + cell.width])
        .copied()
        .collect()
}
